"""``..`` from a directory that was moved out of a bind mount: fs/namei.c, path_connected()."""

from dataclasses import replace

import pytest

from simulator.machine.abi.constants import MS_BIND, O_DIRECTORY, O_RDONLY
from simulator.machine.families.linux import LINUX
from tests.unit.machine.bare import Machine


@pytest.mark.parametrize(("kept", "answer"), [(True, "ENOENT"), (False, 0)])
def test_a_directory_moved_out_has_nothing_above(kept: bool, answer: object) -> None:
    traits = replace(LINUX.traits, bind_mount_ends_at_its_root=kept)
    host = Machine(replace(LINUX, traits=traits))
    for path in ("/a", "/a/b", "/out", "/view"):
        host.do("mkdir", path, 0o755)
    host.do("mount", "/a", "/view", None, MS_BIND, None)
    host.do("chdir", "/view/b")
    host.do("rename", "/a/b", "/out/b")
    assert host.do("chdir", "..") == answer


def test_inside_a_bind_mount_the_way_up_ends_where_it_is_mounted() -> None:
    host = Machine(LINUX)
    for path in ("/a", "/a/b", "/view"):
        host.do("mkdir", path, 0o755)
    host.do("mount", "/a", "/view", None, MS_BIND, None)
    host.do("chdir", "/view/b")
    assert [host.do("chdir", "..") for _ in range(3)] == [0, 0, 0]
    assert host.data("getcwd", 64) == "/"
    assert host.do("open", "/view/b/..", O_RDONLY | O_DIRECTORY, 0) >= 0
