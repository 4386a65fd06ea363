"""mount(2), umount2(2), pivot_root(2): each refusal, and what each success leaves behind."""

import msgspec
import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MNT_DETACH,
    MNT_EXPIRE,
    MNT_FORCE,
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SHARED,
    MS_UNBINDABLE,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    S_IFBLK,
)
from simulator.machine.abi.ids import HOST
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import mountinfo, tree
from simulator.machine.kernel.vfs.mount import Mount
from tests.unit.machine.bare import Machine


@pytest.fixture
def it() -> Machine:
    machine = Machine()
    for path in ("/a", "/b", "/c"):
        tree.mkdirs(machine.store, 1, path)
    tree.file(machine.store, 1, "/f", b"content")
    return machine


def tmpfs(it: Machine, path: str, options: str | None = None, flags: int = 0) -> object:
    return it.do("mount", "t", path, "tmpfs", flags, options)


def bind(it: Machine, source: str | None, target: str, flags: int = 0) -> object:
    return it.do("mount", source, target, None, MS_BIND | flags, None)


def change(it: Machine, path: str, flags: int) -> object:
    return it.do("mount", None, path, None, flags, None)


def points(it: Machine) -> list[str]:
    task = it.task()
    trap = Trap(it.store, it.kernel.family, task)
    return [seen.path for seen in mountinfo.visible(trap, task)]


class TestMount:
    def test_a_tmpfs_is_empty_and_hides_what_lies_below(self, it: Machine) -> None:
        it.do("mkdir", "/a/below", 0o755)
        assert tmpfs(it, "/a") == 0
        assert it.do("stat", "/a/below") == "ENOENT"
        assert it.do("umount2", "/a", 0) == 0
        assert it.do("stat", "/a/below") == 0

    @pytest.mark.parametrize(
        ("call", "errno"),
        [
            (("t", "/nope", "tmpfs", 0, None), "ENOENT"),
            (("t", "/a", "nofs", 0, None), "ENODEV"),
            (("t", "/a", None, 0, None), "EINVAL"),
            (("t", "/a", "tmpfs", 0, "bogus"), "EINVAL"),
            (("t", "/a", "tmpfs", 0, "size=xx"), "EINVAL"),
            (("t", "/f", "tmpfs", 0, None), "ENOTDIR"),
            ((None, "/a", None, MS_BIND, None), "EINVAL"),
            (("", "/a", None, MS_BIND, None), "EINVAL"),
            (("/nope", "/a", None, MS_BIND, None), "ENOENT"),
            (("/f", "/a", None, MS_BIND, None), "ENOTDIR"),
            (("/a", "/f", None, MS_BIND, None), "ENOTDIR"),
            ((None, "/a", None, MS_PRIVATE, None), "EINVAL"),
            ((None, "/", None, MS_PRIVATE | MS_SHARED, None), "EINVAL"),
            ((None, "/", None, MS_SHARED | MS_RDONLY, None), "EINVAL"),
            ((None, "/a", None, MS_REMOUNT, None), "EINVAL"),
            ((None, "/a", None, MS_REMOUNT | MS_BIND, None), "EINVAL"),
            (("/a", "/b", None, MS_MOVE, None), "EINVAL"),
            (("/f", "/a", "ext4", 0, None), "ENOTBLK"),
            (("/nope", "/a", "ext4", 0, None), "ENOENT"),
        ],
    )
    def test_a_mistaken_mount_is_refused(
        self, it: Machine, call: tuple[object, ...], errno: str
    ) -> None:
        assert it.do("mount", *call) == errno

    def test_the_path_is_looked_up_before_the_right_is_asked_for(self, it: Machine) -> None:
        user = it.become(it.fork(), 1000)
        assert it.do("mount", "t", "/nope", "tmpfs", 0, None, pid=user) == "ENOENT"
        assert it.do("mount", "t", "/a", "tmpfs", 0, None, pid=user) == "EPERM"

    def test_a_size_limits_what_can_be_written(self, it: Machine) -> None:
        tmpfs(it, "/a", "size=4k")
        fd = it.do("open", "/a/x", O_CREAT | O_RDWR, 0o644)
        assert it.do("write", fd, b"x" * 4096, 4096) == 4096
        assert it.do("write", fd, b"x", 1) == "ENOSPC"

    def test_nr_inodes_limits_how_many_files_there_are(self, it: Machine) -> None:
        tmpfs(it, "/a", "nr_inodes=2")
        assert it.do("mkdir", "/a/1", 0o755) == 0
        assert it.do("mkdir", "/a/2", 0o755) == "ENOSPC"

    def test_the_same_disk_mounted_again_shows_the_hosts_files(self, it: Machine) -> None:
        it.do("mknod", "/disk", S_IFBLK | 0o600, 0x801)
        assert it.do("mount", "/disk", "/a", "ext4", 0, None) == 0
        assert it.do("stat", "/a/f") == 0

    def test_a_device_node_on_a_nodev_mount_does_not_count(self, it: Machine) -> None:
        tmpfs(it, "/b", flags=MS_NODEV)
        it.do("mknod", "/b/disk", S_IFBLK | 0o600, 0x801)
        assert it.do("mount", "/b/disk", "/a", "ext4", 0, None) == "EACCES"

    def test_a_read_only_remount_of_a_bind_leaves_the_original_writable(self, it: Machine) -> None:
        bind(it, "/a", "/b")
        assert change(it, "/b", MS_REMOUNT | MS_BIND | MS_RDONLY) == 0
        assert it.do("mkdir", "/b/x", 0o755) == "EROFS"
        assert it.do("mkdir", "/a/x", 0o755) == 0

    def test_a_mount_with_a_writer_does_not_become_read_only(self, it: Machine) -> None:
        tmpfs(it, "/a")
        fd = it.do("open", "/a/x", O_CREAT | O_RDWR, 0o644)
        assert change(it, "/a", MS_REMOUNT | MS_BIND | MS_RDONLY) == "EBUSY"
        assert change(it, "/a", MS_REMOUNT | MS_RDONLY) == "EBUSY"
        it.do("close", fd)
        assert change(it, "/a", MS_REMOUNT | MS_RDONLY) == 0

    def test_a_move_takes_the_tree_along(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("mkdir", "/a/x", 0o755)
        tmpfs(it, "/a/x")
        assert it.do("mount", "/a", "/b", None, MS_MOVE, None) == 0
        assert points(it) == ["/", "/b", "/b/x"]

    def test_a_tree_can_not_be_moved_into_itself(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("mkdir", "/a/x", 0o755)
        assert it.do("mount", "/a", "/a/x", None, MS_MOVE, None) == "ELOOP"

    def test_a_mount_whose_parent_is_shared_can_not_be_moved(self, it: Machine) -> None:
        change(it, "/", MS_SHARED)
        tmpfs(it, "/a")
        assert it.do("mount", "/a", "/b", None, MS_MOVE, None) == "EINVAL"

    def test_an_unbindable_mount_is_not_bound(self, it: Machine) -> None:
        tmpfs(it, "/a")
        change(it, "/a", MS_UNBINDABLE)
        assert bind(it, "/a", "/b") == "EINVAL"
        assert bind(it, "/", "/b", MS_REC) == 0
        assert points(it) == ["/", "/a", "/b"]

    def test_a_file_is_mounted_on_a_file(self, it: Machine) -> None:
        tree.file(it.store, 1, "/g", b"other")
        assert bind(it, "/f", "/g") == 0
        fd = it.do("open", "/g", O_RDONLY, 0)
        assert it.data("read", fd, 10) == b"content"

    def test_a_mountpoint_is_busy_for_those_who_would_remove_it(self, it: Machine) -> None:
        tmpfs(it, "/a")
        assert it.do("rmdir", "/a") == "EBUSY"
        assert it.do("rename", "/a", "/z") == "EBUSY"

    def test_another_domains_namespace_is_reported_when_mounted_in(self, it: Machine) -> None:
        task = it.task()
        it.store.put(msgspec.structs.replace(task, domain="guest"))
        tmpfs(it, "/a")
        crossing = it.kernel.timeline.events[-1].crossings[-1]
        assert (crossing.kind, crossing.owner, crossing.name) == ("mount", HOST, "/a")


class TestUmount:
    @pytest.mark.parametrize(
        ("path", "flags", "errno"),
        [
            ("/a", 0, "EINVAL"),
            ("/nope", 0, "ENOENT"),
            ("/a", 64, "EINVAL"),
            ("/", MNT_EXPIRE, "EINVAL"),
        ],
    )
    def test_what_is_no_mountpoint_is_not_unmounted(
        self, it: Machine, path: str, flags: int, errno: str
    ) -> None:
        assert it.do("umount2", path, flags) == errno

    def test_an_open_file_keeps_a_mount_busy(self, it: Machine) -> None:
        tmpfs(it, "/a")
        fd = it.do("open", "/a", O_RDONLY, 0)
        assert it.do("umount2", "/a", 0) == "EBUSY"
        it.do("close", fd)
        assert it.do("umount2", "/a", 0) == 0

    def test_a_working_directory_keeps_a_mount_busy(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("chdir", "/a")
        assert it.do("umount2", "/a", 0) == "EBUSY"
        assert it.do("umount2", "/a", MNT_DETACH) == 0
        assert it.do("mkdir", "x", 0o755) == 0
        assert it.do("stat", "/a/x") == "ENOENT"

    def test_a_submount_keeps_a_mount_busy(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("mkdir", "/a/x", 0o755)
        tmpfs(it, "/a/x")
        assert it.do("umount2", "/a", 0) == "EBUSY"
        assert it.do("umount2", "/a", MNT_DETACH) == 0
        assert points(it) == ["/"]

    def test_an_unused_mount_expires_the_second_time(self, it: Machine) -> None:
        tmpfs(it, "/a")
        assert it.do("umount2", "/a", MNT_EXPIRE) == "EAGAIN"
        assert it.do("umount2", "/a", MNT_EXPIRE) == 0

    def test_expire_goes_with_no_other_flag(self, it: Machine) -> None:
        tmpfs(it, "/a")
        assert it.do("umount2", "/a", MNT_EXPIRE | MNT_FORCE) == "EINVAL"

    def test_to_unmount_the_root_makes_it_read_only(self, it: Machine) -> None:
        assert it.do("umount2", "/", 0) == 0
        assert it.do("mkdir", "/x", 0o755) == "EROFS"

    def test_it_takes_the_right_over_the_mount_namespace(self, it: Machine) -> None:
        tmpfs(it, "/a")
        user = it.become(it.fork(), 1000)
        assert it.do("umount2", "/a", 0, pid=user) == "EPERM"


class TestUserNamespace:
    """mount_namespaces(7), "Restrictions on mount namespaces"."""

    @pytest.fixture
    def inside(self, it: Machine) -> Machine:
        tmpfs(it, "/a")
        assert it.do("unshare", CLONE_NEWUSER | CLONE_NEWNS) == 0
        return it

    def test_inherited_mounts_are_locked_in_their_place(self, inside: Machine) -> None:
        assert inside.do("umount2", "/a", 0) == "EINVAL"
        assert inside.do("mount", "/a", "/c", None, MS_MOVE, None) == "EINVAL"

    def test_a_bind_that_would_uncover_what_a_locked_mount_covers_is_refused(
        self, inside: Machine
    ) -> None:
        assert bind(inside, "/", "/b") == "EINVAL"
        assert bind(inside, "/", "/b", MS_REC) == 0

    def test_flags_that_were_set_outside_can_not_be_cleared(self, it: Machine) -> None:
        tmpfs(it, "/a", flags=MS_RDONLY | MS_NOSUID)
        it.do("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        assert change(it, "/a", MS_REMOUNT | MS_BIND) == "EPERM"
        assert change(it, "/a", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV) == 0

    def test_a_filesystem_of_the_host_is_not_remounted(self, inside: Machine) -> None:
        assert change(inside, "/a", MS_REMOUNT | MS_RDONLY) == "EPERM"

    def test_only_types_made_for_it_are_mounted(self, inside: Machine) -> None:
        assert tmpfs(inside, "/b") == 0
        assert inside.do("mount", "d", "/b", "debugfs", 0, None) == "EPERM"
        assert inside.do("mount", "d", "/b", "devtmpfs", 0, None) == "EPERM"

    def test_proc_is_mounted_only_where_one_is_wholly_visible(self, inside: Machine) -> None:
        assert inside.do("mount", "p", "/b", "proc", 0, None) == "EPERM"

    def test_without_its_own_mount_namespace_it_mounts_nothing(self, it: Machine) -> None:
        it.do("unshare", CLONE_NEWUSER)
        assert tmpfs(it, "/a") == "EPERM"


class TestPivotRoot:
    def test_it_makes_the_old_root_a_mount_below_the_new_one(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("mkdir", "/a/old", 0o755)
        assert it.do("pivot_root", "/a", "/a/old") == 0
        assert points(it) == ["/old", "/"]
        assert it.do("umount2", "/old", MNT_DETACH) == 0
        assert it.do("stat", "/f") == "ENOENT"

    def test_it_moves_every_task_that_stood_on_the_old_root(self, it: Machine) -> None:
        other = it.fork()
        tmpfs(it, "/a")
        it.do("mkdir", "/a/old", 0o755)
        it.do("pivot_root", "/a", "/a/old")
        assert it.store.row(Task, other).root == it.task().root

    def test_the_new_root_may_be_its_own_place_for_the_old_one(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("chdir", "/a")
        assert it.do("pivot_root", ".", ".") == 0
        assert it.do("umount2", ".", MNT_DETACH) == 0
        assert it.do("stat", "/f") == "ENOENT"

    def test_it_refuses_a_new_root_that_is_not_a_mount_point(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("mkdir", "/a/n", 0o755)
        assert it.do("pivot_root", "/a/n", "/a/n") == "EINVAL"

    def test_it_refuses_a_new_root_on_the_current_root_mount(self, it: Machine) -> None:
        assert it.do("pivot_root", "/a", "/a") == "EBUSY"

    def test_it_refuses_a_file(self, it: Machine) -> None:
        assert it.do("pivot_root", "/f", "/a") == "ENOTDIR"

    def test_it_refuses_a_place_for_the_old_root_outside_the_new_one(self, it: Machine) -> None:
        tmpfs(it, "/a")
        tmpfs(it, "/b")
        assert it.do("pivot_root", "/a", "/b") == "EINVAL"

    def test_it_refuses_shared_mounts(self, it: Machine) -> None:
        change(it, "/", MS_SHARED)
        bind(it, "/a", "/a")
        assert it.do("pivot_root", "/a", "/a") == "EINVAL"
        change(it, "/", MS_PRIVATE)
        change(it, "/a", MS_PRIVATE)
        assert it.do("pivot_root", "/a", "/a") == 0

    def test_it_refuses_a_root_that_is_not_a_mount_point(self, it: Machine) -> None:
        tmpfs(it, "/a")
        it.do("mkdir", "/a/r", 0o755)
        it.do("mkdir", "/a/r/n", 0o755)
        it.do("chroot", "/a/r")
        it.do("chdir", "/")
        bind(it, "/n", "/n")
        assert it.do("pivot_root", "/n", "/n") == "EINVAL"

    def test_it_needs_the_right_before_it_looks_at_paths(self, it: Machine) -> None:
        user = it.become(it.fork(), 1000)
        assert it.do("pivot_root", "/nope", "/nope", pid=user) == "EPERM"


def test_a_failed_mount_changes_nothing(it: Machine) -> None:
    before = dict(it.store.tables[Mount])
    tmpfs(it, "/a", "size=xx")
    assert it.store.tables[Mount] == before
