"""overlay: what is merged, what is copied up, what hides what. overlayfs.rst."""

import pytest

from simulator.machine.abi.constants import (
    O_APPEND,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    RENAME_EXCHANGE,
    S_IFCHR,
)
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Dentry, Inode
from tests.unit.machine.bare import Machine

OPTIONS = "lowerdir=/l1:/l2,upperdir=/u,workdir=/w"


@pytest.fixture
def it() -> Machine:
    machine = Machine()
    for path in ("/l1/both", "/l2/both", "/l2/low", "/u/top", "/w", "/m"):
        tree.mkdirs(machine.store, 1, path)
    tree.file(machine.store, 1, "/l1/f", b"one")
    tree.file(machine.store, 1, "/l2/f", b"two")
    tree.file(machine.store, 1, "/l1/both/x", b"x")
    tree.file(machine.store, 1, "/l2/both/y", b"y", mode=0o640)
    tree.symlink(machine.store, 1, "/l1/link", "f")
    return machine


@pytest.fixture
def over(it: Machine) -> Machine:
    assert it.do("mount", "o", "/m", "overlay", 0, OPTIONS) == 0
    return it


def content(it: Machine, path: str) -> bytes:
    fd = it.do("open", path, O_RDONLY, 0)
    assert isinstance(fd, int), fd
    data = it.data("read", fd, 100)
    it.do("close", fd)
    return data


def append(it: Machine, path: str, data: bytes) -> object:
    fd = it.do("open", path, O_WRONLY | O_APPEND, 0)
    if isinstance(fd, int):
        it.do("write", fd, data, len(data))
        return it.do("close", fd)
    return fd


def names(it: Machine, path: str) -> list[str]:
    fd = it.do("open", path, O_RDONLY, 0)
    entries = it.data("getdents64", fd, 4096)
    it.do("close", fd)
    found = [entry["name"] if isinstance(entry, dict) else entry for entry in entries]
    return sorted(name for name in found if name not in (".", ".."))


class TestMounting:
    @pytest.mark.parametrize(
        ("options", "errno"),
        [
            (None, "EINVAL"),
            ("lowerdir=/l1", "EINVAL"),
            ("lowerdir=/nope:/l2", "ENOENT"),
            ("lowerdir=/l1/f:/l2", "EINVAL"),
            ("lowerdir=/l1,upperdir=/u", "EINVAL"),
            ("lowerdir=/l1,upperdir=/u,workdir=/u", "EINVAL"),
            ("lowerdir=/l1,workdir=/w", "EINVAL"),
            ("lowerdir=/l1,upperdir=/nope,workdir=/w", "ENOENT"),
            ("lowerdir=/l1:/l1", "ELOOP"),
            ("lowerdir=/u,upperdir=/u,workdir=/w", "ELOOP"),
            ("upperdir=/u,workdir=/w", "EINVAL"),
            (f"{OPTIONS},bogus", "EINVAL"),
        ],
    )
    def test_options_that_make_no_overlay_are_refused(
        self, it: Machine, options: str | None, errno: str
    ) -> None:
        assert it.do("mount", "o", "/m", "overlay", 0, options) == errno

    def test_without_an_upper_directory_it_is_read_only(self, it: Machine) -> None:
        assert it.do("mount", "o", "/m", "overlay", 0, "lowerdir=/l1:/l2") == 0
        assert it.do("mkdir", "/m/x", 0o755) == "EROFS"
        assert append(it, "/m/f", b"x") == "EROFS"


class TestMerging:
    def test_the_topmost_layer_wins(self, over: Machine) -> None:
        assert content(over, "/m/f") == b"one"

    def test_directories_are_merged(self, over: Machine) -> None:
        assert names(over, "/m") == ["both", "f", "link", "low", "top"]
        assert names(over, "/m/both") == ["x", "y"]

    def test_dotdot_stays_in_the_overlay(self, over: Machine) -> None:
        over.do("chdir", "/m/both")
        over.do("chdir", "..")
        assert content(over, "f") == b"one"

    def test_a_symlink_is_followed_in_the_overlay(self, over: Machine) -> None:
        append(over, "/m/f", b"!")
        assert content(over, "/m/link") == b"one!"


class TestWriting:
    def test_what_is_written_lands_in_the_upper_directory_alone(self, over: Machine) -> None:
        append(over, "/m/f", b"!")
        assert content(over, "/m/f") == b"one!"
        assert content(over, "/u/f") == b"one!"
        assert content(over, "/l1/f") == b"one"

    def test_a_copy_keeps_mode_and_owner_and_brings_its_directories(self, over: Machine) -> None:
        append(over, "/m/both/y", b"!")
        assert over.data("stat", "/u/both/y")["mode"] & 0o777 == 0o640
        assert names(over, "/u/both") == ["y"]
        assert names(over, "/m/both") == ["x", "y"]

    def test_a_change_of_mode_copies_up(self, over: Machine) -> None:
        assert over.do("chmod", "/m/f", 0o600) == 0
        assert over.data("stat", "/l1/f")["mode"] & 0o777 == 0o644
        assert over.data("stat", "/u/f")["mode"] & 0o777 == 0o600

    def test_the_inode_number_survives_a_copy(self, over: Machine) -> None:
        before = over.data("stat", "/m/f")["ino"]
        append(over, "/m/f", b"!")
        assert over.data("stat", "/m/f")["ino"] == before

    def test_a_removed_lower_file_leaves_a_whiteout(self, over: Machine) -> None:
        assert over.do("unlink", "/m/f") == 0
        assert over.do("stat", "/m/f") == "ENOENT"
        row = over.store.row(Dentry, (_inode(over, "/u"), "f"))
        assert over.store.row(Inode, row.inode).mode == S_IFCHR
        assert content(over, "/l1/f") == b"one"
        assert names(over, "/m") == ["both", "link", "low", "top"]

    def test_a_file_made_over_a_whiteout_is_new(self, over: Machine) -> None:
        over.do("unlink", "/m/f")
        fd = over.do("open", "/m/f", O_CREAT | O_RDWR, 0o644)
        assert over.data("read", fd, 10) == b""

    def test_a_directory_made_over_a_whiteout_is_opaque(self, over: Machine) -> None:
        for name in ("x", "y"):
            over.do("unlink", f"/m/both/{name}")
        assert over.do("rmdir", "/m/both") == 0
        assert over.do("mkdir", "/m/both", 0o755) == 0
        assert names(over, "/m/both") == []

    def test_a_merged_directory_is_not_empty_until_all_of_it_is(self, over: Machine) -> None:
        over.do("unlink", "/m/both/x")
        assert over.do("rmdir", "/m/both") == "ENOTEMPTY"

    def test_no_whiteout_can_be_made_by_hand(self, over: Machine) -> None:
        assert over.do("mknod", "/m/w", S_IFCHR, 0) == "EPERM"


class TestMoving:
    def test_a_lower_directory_is_not_moved(self, over: Machine) -> None:
        assert over.do("rename", "/m/both", "/m/other") == "EXDEV"

    def test_an_upper_directory_is_moved_with_all_that_is_in_it(self, over: Machine) -> None:
        over.do("mkdir", "/m/top/in", 0o755)
        over.do("chdir", "/m/top/in")
        assert over.do("rename", "/m/top", "/m/moved") == 0
        assert names(over, "..") == ["in"]
        assert over.data("getcwd", 256) == "/m/moved/in"

    def test_a_moved_lower_file_is_copied_and_hidden(self, over: Machine) -> None:
        assert over.do("rename", "/m/f", "/m/g") == 0
        assert content(over, "/m/g") == b"one"
        assert over.do("stat", "/m/f") == "ENOENT"

    def test_two_files_are_exchanged(self, over: Machine) -> None:
        append(over, "/m/both/x", b"!")
        assert over.do("renameat2", -100, "/m/f", -100, "/m/both/x", RENAME_EXCHANGE) == 0
        assert content(over, "/m/f") == b"x!"
        assert content(over, "/m/both/x") == b"one"

    def test_a_link_shares_the_copy(self, over: Machine) -> None:
        assert over.do("link", "/m/f", "/m/g") == 0
        append(over, "/m/g", b"!")
        assert content(over, "/m/f") == b"one!"


def test_an_open_file_outlives_its_name(over: Machine) -> None:
    fd = over.do("open", "/m/f", O_RDWR, 0)
    over.do("write", fd, b"ONE", 3)
    assert over.do("unlink", "/m/f") == 0
    assert over.do("lseek", fd, 0, 0) == 0
    assert over.data("read", fd, 10) == b"ONE"
    assert over.do("close", fd) == 0


def _inode(it: Machine, path: str) -> int:
    return it.store.row(Dentry, (1, path.strip("/"))).inode  # pyright: ignore[reportReturnType]


class TestRememberedWalks:
    """A walk through an overlay is remembered, until its reasons change (``vfs/walks.py``)."""

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            (("mknod", "/u/low", S_IFCHR, 0), "/m/low/in/x"),
            (("setxattr", "/u/open", "trusted.overlay.opaque", b"y", 1, 0), "/m/open/in/x"),
            (("rename", "/l2/low/in", "/l2/low/other"), "/m/low/in/x"),
        ],
    )
    def test_a_layer_comes_to_hide_or_to_lose_what_was_walked_through(self, it, change, path):
        for name in ("/l2/low/in/x", "/l2/open/in/x"):
            tree.file(it.store, 1, name, b"x")
        tree.mkdirs(it.store, 1, "/u/open")
        assert it.do("mount", "o", "/m", "overlay", 0, OPTIONS) == 0
        assert [it.do("stat", path) for _ in range(2)] == [0, 0]
        start = it.task().root
        assert it.kernel.walks.above(it.trap(), path, start) is not None

        assert it.do(*change) == 0

        assert it.do("stat", path) == "ENOENT"

    def test_a_directory_is_copied_up_and_closed_below_where_somebody_stands(self, it):
        tree.file(it.store, 1, "/l2/low/in/x", b"x")
        assert it.do("mount", "o", "/m", "overlay", 0, OPTIONS) == 0
        it.do("chdir", "/m/low")
        user = it.become(it.fork(), 1000)
        it.kernel = Kernel(it.kernel.family, it.kernel.timeline)  # remembers nothing from above
        assert [it.do("stat", "in/x", pid=user) for _ in range(2)] == [0, 0]

        it.do("chmod", "in", 0o700)

        assert it.do("stat", "in/x", pid=user) == "EACCES"
        assert it.do("stat", "in/x") == 0
        it.do("unlink", "in/x")
        it.do("rmdir", "in")
        assert it.do("creat", "in/x", 0o644) == "ENOENT"

    def test_one_may_search_what_another_may_not(self, it):
        tree.file(it.store, 1, "/l2/low/in/x", b"x")
        assert it.do("mount", "o", "/m", "overlay", 0, OPTIONS) == 0
        it.do("chmod", "/l2/low", 0o700)
        user = it.become(it.fork(), 1000)

        assert [it.do("stat", "/m/low/in/x") for _ in range(2)] == [0, 0]

        assert it.do("stat", "/m/low/in/x", pid=user) == "EACCES"


def test_what_an_overlay_notes_for_itself_counts_in_a_list_that_never_shows_it(
    over: Machine,
) -> None:
    assert over.do("listxattr", "/m/f", 0) == 0
    append(over, "/m/f", b"!")
    assert over.do("listxattr", "/m/f", 0) == len("trusted.overlay.origin\0")
    assert over.do("listxattr", "/m/f", 5) == "ERANGE"
    assert over.data("listxattr", "/m/f", 64) == b""
    assert b"trusted.overlay.origin\0" in over.data("listxattr", "/u/f", 64)
    assert over.do("getxattr", "/m/f", "trusted.overlay.origin", 64) == "ENODATA"
    both = "trusted.overlay.uuid\0trusted.overlay.impure\0"
    assert over.do("listxattr", "/m", 0) == len(both)


def test_only_a_directory_made_over_a_removed_one_hides_what_lies_below(over: Machine) -> None:
    over.do("mkdir", "/m/new", 0o755)
    assert over.do("getxattr", "/u/new", "trusted.overlay.opaque", 8) == "ENODATA"
    for name in ("x", "y"):
        over.do("unlink", f"/m/both/{name}")
    assert over.do("rmdir", "/m/both") == over.do("mkdir", "/m/both", 0o755) == 0
    assert over.data("getxattr", "/u/both", "trusted.overlay.opaque", 8) == b"y"
    assert names(over, "/m/both") == []


def test_what_goes_behind_the_back_of_an_overlay_breaks_nothing(over: Machine) -> None:
    fd = over.do("open", "/m/born", 0o102, 0o644)
    over.do("chmod", "/m/low", 0o700)
    assert over.do("rmdir", "/u/low") == 0
    assert over.do("unlink", "/u/born") == 0
    assert over.do("stat", "/m/low") == 0
    assert over.do("fstat", fd) == "ESTALE"
