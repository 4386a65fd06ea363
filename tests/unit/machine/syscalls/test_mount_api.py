"""Mounts by descriptor: open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr."""

import pytest

from simulator.machine.abi.constants import (
    AT_FDCWD,
    AT_RECURSIVE,
    FSCONFIG_CMD_CREATE,
    FSCONFIG_CMD_RECONFIGURE,
    FSCONFIG_SET_FLAG,
    FSCONFIG_SET_STRING,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_RDONLY,
    MOVE_MOUNT_F_EMPTY_PATH,
    MS_PRIVATE,
    MS_SHARED,
    OPEN_TREE_CLONE,
)
from simulator.machine.kernel.namespace import MountNs
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.mount import Mount
from tests.unit.machine.bare import Machine


@pytest.fixture
def it() -> Machine:
    machine = Machine()
    for path in ("/a/in", "/b"):
        tree.mkdirs(machine.store, 1, path)
    return machine


def attach(it: Machine, fd: int, path: str) -> object:
    return it.do("move_mount", fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH)


def configured(it: Machine, *steps: tuple[object, ...]) -> int:
    fd = it.do("fsopen", "tmpfs", 0)
    for step in steps:
        assert it.do("fsconfig", fd, *step) == 0
    assert it.do("fsconfig", fd, FSCONFIG_CMD_CREATE, None, None, 0) == 0
    return fd


class TestOpenTree:
    def test_a_clone_is_attached_later(self, it: Machine) -> None:
        fd = it.do("open_tree", AT_FDCWD, "/a", OPEN_TREE_CLONE)
        assert it.do("stat", "/b/in") == "ENOENT"
        assert attach(it, fd, "/b") == 0
        assert it.do("stat", "/b/in") == 0

    def test_a_clone_that_nobody_attached_goes_with_its_descriptor(self, it: Machine) -> None:
        mounts, spaces = it.store.count(Mount), it.store.count(MountNs)
        fd = it.do("open_tree", AT_FDCWD, "/a", OPEN_TREE_CLONE)
        assert it.store.count(Mount) == mounts + 1
        assert it.do("close", fd) == 0
        assert (it.store.count(Mount), it.store.count(MountNs)) == (mounts, spaces)

    @pytest.mark.parametrize(
        ("path", "flags", "errno"),
        [
            ("/nope", OPEN_TREE_CLONE, "ENOENT"),
            ("/a", 0x10, "EINVAL"),
            ("/a", AT_RECURSIVE, "EINVAL"),
        ],
    )
    def test_a_mistake_is_refused(self, it: Machine, path: str, flags: int, errno: str) -> None:
        assert it.do("open_tree", AT_FDCWD, path, flags) == errno

    def test_a_clone_takes_the_right_to_mount_and_a_place_does_not(self, it: Machine) -> None:
        user = it.become(it.fork(), 1000)
        assert it.do("open_tree", AT_FDCWD, "/a", OPEN_TREE_CLONE, pid=user) == "EPERM"
        assert it.do("open_tree", AT_FDCWD, "/a", 0, pid=user) == 0


class TestNewMount:
    def test_what_is_configured_is_mounted(self, it: Machine) -> None:
        fd = configured(it, (FSCONFIG_SET_STRING, "size", "4k", 0))
        tree_fd = it.do("fsmount", fd, 0, MOUNT_ATTR_NODEV)
        assert attach(it, tree_fd, "/b") == 0
        assert it.do("mkdir", "/b/x", 0o755) == 0

    def test_an_unknown_type_or_flag_is_refused(self, it: Machine) -> None:
        assert it.do("fsopen", "nofs", 0) == "ENODEV"
        assert it.do("fsopen", "tmpfs", 8) == "EINVAL"

    def test_an_unknown_option_is_refused_where_it_is_set(self, it: Machine) -> None:
        fd = it.do("fsopen", "tmpfs", 0)
        assert it.do("fsconfig", fd, FSCONFIG_SET_STRING, "bogus", "1", 0) == "EINVAL"
        assert it.do("fsconfig", fd, FSCONFIG_SET_STRING, None, "1", 0) == "EINVAL"
        assert it.do("fsconfig", fd, 77, None, None, 0) == "EOPNOTSUPP"
        assert it.do("fsconfig", 99, FSCONFIG_CMD_CREATE, None, None, 0) == "EBADF"

    def test_nothing_is_mounted_before_it_is_made(self, it: Machine) -> None:
        fd = it.do("fsopen", "tmpfs", 0)
        assert it.do("fsmount", fd, 0, 0) == "EINVAL"

    def test_it_is_made_once_and_mounted_once(self, it: Machine) -> None:
        fd = configured(it)
        assert it.do("fsconfig", fd, FSCONFIG_CMD_CREATE, None, None, 0) == "EBUSY"
        assert it.do("fsmount", fd, 0, 0) >= 0
        assert it.do("fsmount", fd, 0, 0) == "EBUSY"

    def test_a_mounted_filesystem_is_reconfigured(self, it: Machine) -> None:
        it.do("mount", "t", "/b", "tmpfs", 0, None)
        fd = it.do("fspick", AT_FDCWD, "/b", 0)
        assert it.do("fsconfig", fd, FSCONFIG_SET_FLAG, "ro", None, 0) == 0
        assert it.do("fsconfig", fd, FSCONFIG_CMD_RECONFIGURE, None, None, 0) == 0
        assert it.do("mkdir", "/b/x", 0o755) == "EROFS"

    def test_only_a_mountpoint_is_picked(self, it: Machine) -> None:
        assert it.do("fspick", AT_FDCWD, "/b", 0) == "EINVAL"


class TestAttributes:
    @pytest.fixture
    def mounted(self, it: Machine) -> Machine:
        it.do("mount", "t", "/b", "tmpfs", 0, None)
        it.do("mkdir", "/b/x", 0o755)
        it.do("mount", "t", "/b/x", "tmpfs", 0, None)
        return it

    def test_a_whole_tree_becomes_read_only(self, mounted: Machine) -> None:
        attr = {"attr_set": MOUNT_ATTR_RDONLY}
        assert mounted.do("mount_setattr", AT_FDCWD, "/b", AT_RECURSIVE, attr, 32) == 0
        assert mounted.do("mkdir", "/b/x/y", 0o755) == "EROFS"

    def test_one_mount_alone_becomes_read_only(self, mounted: Machine) -> None:
        attr = (MOUNT_ATTR_RDONLY, 0, 0, 0)
        assert mounted.do("mount_setattr", AT_FDCWD, "/b", 0, attr, 32) == 0
        assert mounted.do("mkdir", "/b/y", 0o755) == "EROFS"
        assert mounted.do("mkdir", "/b/x/y", 0o755) == 0

    @pytest.mark.parametrize(
        ("path", "attr", "size", "errno"),
        [
            ("/a", {"attr_set": 1}, 32, "EINVAL"),
            ("/nope", {"attr_set": 1}, 32, "ENOENT"),
            ("/nope", {}, 32, 0),
            ("/b", {"attr_set": 1 << 40}, 32, "EINVAL"),
            ("/b", {"attr_set": 1}, 16, "EINVAL"),
            ("/b", {"attr_set": 1}, 5000, "E2BIG"),
            ("/b", {"propagation": MS_SHARED | MS_PRIVATE}, 32, "EINVAL"),
            ("/b", {"propagation": MS_SHARED}, 32, 0),
        ],
    )
    def test_each_mistake_has_its_errno(
        self, mounted: Machine, path: str, attr: dict[str, int], size: int, errno: object
    ) -> None:
        assert mounted.do("mount_setattr", AT_FDCWD, path, 0, attr, size) == errno
