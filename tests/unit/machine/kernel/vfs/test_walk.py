"""Where the one walk ends: ``..`` at a root that is covered, symlinks, magic links. fs/namei.c."""

import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    O_DIRECTORY,
    O_RDONLY,
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_XDEV,
)
from simulator.machine.abi.ids import KGid, KUid, Pid
from simulator.machine.kernel.sysctl import write
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine

MOST_LINKS = 40


@pytest.fixture
def host() -> Machine:
    it = Machine()
    for path in ("/proc", "/jail/inner", "/d", "/st"):
        tree.mkdirs(it.store, 1, path)
    tree.file(it.store, 1, "/d/f", b"")
    tree.file(it.store, 1, "/secret", b"")
    assert it.do("mount", "proc", "/proc", "proc", 0, None) == 0
    return it


def names(it: Machine, path: str, pid: Pid) -> list[str]:
    fd = it.do("open", path, O_RDONLY | O_DIRECTORY, pid=pid)
    return it.data("getdents64", fd, 4096, pid=pid)[2:]


def test_the_way_up_from_a_covered_root_leads_onto_what_covers_it(host: Machine) -> None:
    """``/`` itself is still the old one: nobody looks for a mount there."""
    assert host.do("unshare", CLONE_NEWNS) == 0
    assert host.do("mount", "cover", "/", "tmpfs", 0, None) == 0
    assert "secret" in names(host, "/", host.pid)
    assert names(host, "/..", host.pid) == names(host, "/../..", host.pid) == []
    assert host.do("open", "/../secret", O_RDONLY) == "ENOENT"


def test_what_is_mounted_on_a_changed_root_lets_nobody_out(host: Machine) -> None:
    inside = host.fork()
    assert host.do("chroot", "/jail", pid=inside) == 0
    assert host.do("chdir", "/", pid=inside) == 0
    assert host.do("mount", "cover", "/jail", "tmpfs", 0, None) == 0
    host.do("creat", "/jail/mounted", 0o644)
    assert names(host, "/", inside) == ["inner"]
    assert names(host, "/..", inside) == ["mounted"]
    for _ in range(3):
        assert host.do("chdir", "..", pid=inside) == 0
        assert names(host, ".", inside) == ["mounted"]
    assert host.do("stat", "../secret", pid=inside) == "ENOENT"


def test_no_step_beneath_goes_onto_what_covers_the_root(host: Machine) -> None:
    above = host.do("open", "/jail", O_RDONLY | O_DIRECTORY)
    host.do("mount", "cover", "/jail", "tmpfs", 0, None)
    assert host.do("openat2", above, "..", (O_RDONLY, 0, RESOLVE_BENEATH)) == "EXDEV"
    in_root = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV
    assert host.do("openat2", above, "..", (O_RDONLY, 0, in_root)) == "EXDEV"
    assert host.do("openat2", above, "..", (O_RDONLY, 0, RESOLVE_IN_ROOT)) > above


@pytest.mark.parametrize(("links", "answer"), [(MOST_LINKS, 0), (MOST_LINKS + 1, "ELOOP")])
def test_forty_symlinks_are_followed_and_no_more(
    host: Machine, links: int, answer: int | str
) -> None:
    target = "/d/f"
    for number in range(links):
        host.do("symlink", target, f"/d/l{number}")
        target = f"l{number}"
    assert host.do("stat", f"/d/l{links - 1}") == answer


@pytest.mark.parametrize(
    ("owner", "answer"), [("follower", 0), ("directory", 0), ("third", "EACCES")]
)
def test_in_a_sticky_directory_a_link_is_its_followers_or_the_directorys_owners(
    host: Machine, owner: str, answer: int | str
) -> None:
    """may_follow_link()."""
    write(host.store, "fs.protected_symlinks", "1")
    uids = {"follower": 2000, "directory": 1000, "third": 3000}
    host.do("chmod", "/st", 0o1777)
    host.do("chown", "/st", KUid(uids["directory"]), KGid(0))
    host.do("symlink", "/d/f", "/st/l")
    host.do("lchown", "/st/l", KUid(uids[owner]), KGid(0))
    follower = host.become(host.fork(), uids["follower"])
    assert host.do("stat", "/st/l", pid=follower) == answer


def test_a_slash_behind_a_magic_link_asks_for_a_directory(host: Machine) -> None:
    fd = host.do("open", "/d/f", O_RDONLY)
    assert host.do("stat", f"/proc/self/fd/{fd}") == 0
    assert host.do("stat", f"/proc/self/fd/{fd}/") == "ENOTDIR"
    assert host.do("stat", "/proc/self/cwd/") == 0


@pytest.mark.parametrize(
    ("resolve", "answer"),
    [
        (RESOLVE_IN_ROOT, "EXDEV"),
        (RESOLVE_BENEATH, "EXDEV"),
        (RESOLVE_NO_MAGICLINKS, "ELOOP"),
    ],
)
def test_a_magic_link_leads_nowhere_beneath(host: Machine, resolve: int, answer: str) -> None:
    proc = host.do("open", "/proc", O_RDONLY | O_DIRECTORY)
    assert host.do("openat2", proc, "self/cwd", (O_RDONLY, 0, resolve)) == answer
    assert host.do("openat2", proc, "self/status", (O_RDONLY, 0, resolve)) > proc
    assert host.do("openat2", proc, "self/cwd", (O_RDONLY, 0, 0)) > proc
