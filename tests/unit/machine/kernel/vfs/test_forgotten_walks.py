"""Each write that can change where a remembered walk leads makes it forgotten (``vfs/walks.py``).

The laws of ``tests/properties/test_walks.py`` draw such writes; here is one of each.
"""

from typing import Any

import pytest

from simulator.machine.abi.constants import MNT_DETACH, MS_BIND
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.fs.overlay.layers import OPAQUE
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import Denied, Trap
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.walks import Walks
from tests.unit.machine.bare import Machine

DEEP = "/d/a/b/f"
MERGED = "/m/a/b/f"


@pytest.fixture
def host() -> Machine:
    it = Machine()
    for path in ("/d", "/d/a", "/d/a/b", "/x", "/x/b", "/low", "/low/a", "/low/a/b"):
        it.do("mkdir", path, 0o755)
    for path in ("/up", "/work", "/m", "/bare"):
        it.do("mkdir", path, 0o755)
    for path in (DEEP, "/x/b/f", "/low/a/b/f"):
        it.do("creat", path, 0o644)
    layers = "lowerdir=/low,upperdir=/up,workdir=/work"
    assert it.do("mount", "o", "/m", "overlay", 0, layers) == 0
    return it


def leads(it: Machine, pid: Pid, path: str, walks: Walks | None) -> At | str:
    trap = Trap(it.store, it.kernel.family, it.store.row(Task, pid), walks=walks)
    try:
        return paths.walk(trap, path)
    except Denied as refusal:
        return str(refusal.denial.errno)


Change = tuple[Any, ...]


@pytest.mark.parametrize(
    ("before", "path", "change"),
    [
        ((), DEEP, ("chmod", "/d/a", 0o700)),
        ((), DEEP, ("rename", "/d/a", "/d/z")),
        ((), DEEP, ("unlink", DEEP)),
        ((), DEEP, ("rename", "/x/b/f", DEEP)),
        ((), DEEP, ("mount", "t", "/d/a", "tmpfs", 0)),
        ((), DEEP, ("mount", "/x/b/f", DEEP, "", MS_BIND)),
        ((("mount", "/x", "/d/a", "", MS_BIND),), DEEP, ("umount2", "/d/a", MNT_DETACH)),
        ((("chmod", "/d/a", 0o700),), DEEP, ("chmod", "/d/a", 0o711)),
        ((), MERGED, ("chmod", "/low/a", 0o700)),
        ((), MERGED, ("rename", "/low/a/b", "/low/a/z")),
        ((("mkdir", "/up/a", 0o755),), MERGED, ("mkdir", "/up/a/b", 0o700)),
        ((("mkdir", "/up/a", 0o755),), MERGED, ("setxattr", "/up/a", OPAQUE, b"y", 1, 0)),
        ((), MERGED, ("umount2", "/m", MNT_DETACH)),
    ],
)
def test_a_walk_is_forgotten_when_it_would_lead_elsewhere(
    host: Machine, before: tuple[Change, ...], path: str, change: Change
) -> None:
    for call in before:
        assert host.do(*call) == 0
    user = host.become(host.fork(), 1000)
    walks = host.kernel.walks
    assert walks is not None
    everybody = (host.pid, user)
    old = [leads(host, pid, path, walks) for pid in everybody for _ in range(3)][::3]
    assert host.do(*change) == 0
    now = [leads(host, pid, path, walks) for pid in everybody]
    assert now == [leads(host, pid, path, None) for pid in everybody]
    assert now != old


def test_a_walk_made_by_a_call_that_failed_is_forgotten_with_it(host: Machine) -> None:
    walks = host.kernel.walks
    assert walks is not None
    mark = len(host.store.journal)
    trap = Trap(host.store, host.kernel.family, host.task(), walks=walks)
    host.kernel.family.table["rename"].run(trap, ("/d/a", "/d/z"))
    assert isinstance(leads(host, host.pid, "/d/z/b/f", walks), At)
    host.store.rollback(mark)
    assert leads(host, host.pid, "/d/z/b/f", walks) == "ENOENT"
