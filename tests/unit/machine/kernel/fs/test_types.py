"""The other filesystem types: disks, devtmpfs, devpts, mqueue, the machine-wide ones, nsfs."""

import msgspec
import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_BIND,
    MS_RDONLY,
    MS_REMOUNT,
    O_RDONLY,
    S_IFBLK,
    S_IFCHR,
)
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import mountinfo, tree
from tests.unit.machine.bare import Machine


@pytest.fixture
def it() -> Machine:
    machine = Machine()
    for path in ("/a", "/b"):
        tree.mkdirs(machine.store, 1, path)
    return machine


def mount(it: Machine, kind: str, path: str, options: str | None = None) -> object:
    return it.do("mount", "x", path, kind, 0, options)


class TestDisks:
    @pytest.mark.parametrize(
        ("number", "kind", "errno"),
        [
            (0x801, "ext4", 0),
            (0x801, "xfs", "EBUSY"),
            (0x800, "ext4", "EBUSY"),
            (0xFA09, "ext4", "ENXIO"),
        ],
    )
    def test_a_device_shows_the_filesystem_it_holds(
        self, it: Machine, number: int, kind: str, errno: object
    ) -> None:
        it.do("mknod", "/disk", S_IFBLK | 0o600, number)
        assert it.do("mount", "/disk", "/a", kind, 0, None) == errno

    def test_a_character_device_is_no_disk(self, it: Machine) -> None:
        it.do("mknod", "/null", S_IFCHR | 0o600, 0x103)
        assert it.do("mount", "/null", "/a", "ext4", 0, None) == "ENOTBLK"

    def test_a_mounted_disk_is_not_mounted_where_it_lies_itself(self, it: Machine) -> None:
        it.do("mknod", "/disk", S_IFBLK | 0o600, 0x801)
        it.do("mount", "/disk", "/a", "ext4", 0, None)
        assert it.do("mount", "/disk", "/a", "ext4", 0, None) == "EBUSY"

    def test_an_option_that_no_disk_knows_is_refused_first(self, it: Machine) -> None:
        assert it.do("mount", "/nope", "/a", "ext4", 0, "bogus") == "EINVAL"

    def test_the_use_of_the_hosts_disk_is_reported(self, it: Machine) -> None:
        it.do("mknod", "/disk", S_IFBLK | 0o600, 0x801)
        it.store.put(_as_guest(it))
        it.do("mount", "/disk", "/a", "ext4", 0, None)
        crossings = it.kernel.timeline.events[-1].crossings
        assert ("device", "host") in [(c.kind, c.owner) for c in crossings]


def _as_guest(it: Machine) -> Task:
    return msgspec.structs.replace(it.task(), domain="guest")


def test_devtmpfs_is_one_for_the_machine(it: Machine) -> None:
    assert mount(it, "devtmpfs", "/a") == 0
    assert mount(it, "devtmpfs", "/b") == 0
    it.do("mknod", "/a/new", S_IFCHR | 0o600, 0x103)
    assert it.do("stat", "/b/new") == 0
    assert it.data("stat", "/b/sda1")["mode"] == S_IFBLK | 0o660


def test_every_devpts_is_one_of_its_own(it: Machine) -> None:
    assert mount(it, "devpts", "/a", "newinstance,ptmxmode=0666") == 0
    assert mount(it, "devpts", "/b", "mode=620,gid=5") == 0
    assert it.data("stat", "/a/ptmx")["mode"] == S_IFCHR | 0o666
    assert it.data("stat", "/b/ptmx")["mode"] == S_IFCHR
    assert mount(it, "devpts", "/a", "bogus") == "EINVAL"


def test_mqueue_shows_the_callers_ipc_namespace(it: Machine) -> None:
    assert mount(it, "mqueue", "/a") == 0
    it.do("open", "/a/queue", 0o101, 0o644)
    assert mount(it, "mqueue", "/b") == 0
    assert it.do("stat", "/b/queue") == 0
    it.do("umount2", "/b", 0)
    it.do("unshare", CLONE_NEWIPC)
    assert mount(it, "mqueue", "/b") == 0
    assert it.do("stat", "/b/queue") == "ENOENT"


@pytest.mark.parametrize("kind", ["debugfs", "tracefs", "securityfs", "configfs", "pstore"])
def test_a_machine_wide_filesystem_is_not_for_user_namespaces(it: Machine, kind: str) -> None:
    assert mount(it, kind, "/a") == 0
    it.do("unshare", CLONE_NEWUSER | CLONE_NEWNS)
    assert mount(it, kind, "/b") == "EPERM"


def test_debugfs_is_for_root_alone(it: Machine) -> None:
    mount(it, "debugfs", "/a")
    user = it.become(it.fork(), 1000)
    assert it.do("open", "/a", O_RDONLY, 0, pid=user) == "EACCES"


def test_fuse_without_its_descriptor_is_refused(it: Machine) -> None:
    assert mount(it, "fuse", "/a") == "EINVAL"


def test_tmpfs_keeps_what_a_smaller_size_would_lose(it: Machine) -> None:
    mount(it, "tmpfs", "/a", "size=64k")
    fd = it.do("open", "/a/f", 0o102, 0o644)
    it.do("write", fd, b"x" * 8192, 8192)
    assert it.do("mount", None, "/a", None, MS_REMOUNT, "size=4k") == "EINVAL"
    assert it.do("mount", None, "/a", None, MS_REMOUNT, "size=8k") == 0
    assert it.do("write", fd, b"x", 1) == "ENOSPC"


def test_tmpfs_takes_mode_and_owner(it: Machine) -> None:
    mount(it, "tmpfs", "/a", "mode=700,uid=7,gid=8")
    stat = it.data("stat", "/a")
    assert (stat["mode"] & 0o7777, stat["uid"], stat["gid"]) == (0o700, 7, 8)


def test_ro_among_the_options_makes_the_filesystem_read_only(it: Machine) -> None:
    mount(it, "tmpfs", "/a", "ro,size=4k")
    assert it.do("mkdir", "/a/x", 0o755) == "EROFS"
    line = mountinfo.lines(it.trap(), it.task())[-1]
    assert line.endswith("rw,relatime - tmpfs x ro,size=4k")


def test_a_namespaces_file_can_be_mounted_on_a_file(it: Machine) -> None:
    tree.mkdirs(it.store, 1, "/proc")
    mount(it, "proc", "/proc")
    tree.file(it.store, 1, "/n", b"")
    assert it.do("mount", "/proc/self/ns/net", "/n", None, MS_BIND, None) == 0
    net = nsfs.name(("ns", "net", it.task().ns.net))
    assert f" {net} /n rw - nsfs nsfs rw" in mountinfo.lines(it.trap(), it.task())[-1]
    fd = it.do("open", "/n", O_RDONLY, 0)
    assert it.do("setns", fd, 0) == 0


def test_a_mount_namespaces_file_is_not_mounted_in_itself(it: Machine) -> None:
    tree.mkdirs(it.store, 1, "/proc")
    mount(it, "proc", "/proc")
    tree.file(it.store, 1, "/n", b"")
    assert it.do("mount", "/proc/self/ns/mnt", "/n", None, MS_BIND, None) == "EINVAL"


def test_a_read_only_mount_marks_mount_and_filesystem(it: Machine) -> None:
    it.do("mount", "x", "/a", "tmpfs", MS_RDONLY, None)
    assert mountinfo.lines(it.trap(), it.task())[-1].endswith("/a ro,relatime - tmpfs x ro")
