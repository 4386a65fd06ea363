"""What files keep: modes, owners, links, holes, limits, attributes, handles, devices."""

import dataclasses

import msgspec
import pytest

from simulator.machine.abi.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    BLKGETSIZE64,
    CLONE_NEWNS,
    FS_IMMUTABLE_FL,
    FS_IOC_GETFLAGS,
    FS_IOC_SETFLAGS,
    MS_PRIVATE,
    MS_REC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE,
    O_WRONLY,
    RENAME_EXCHANGE,
    RENAME_WHITEOUT,
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    RLIMIT_FSIZE,
    S_IFBLK,
    S_IFCHR,
    S_IFMT,
    S_ISGID,
    S_ISUID,
    SEEK_DATA,
    SEEK_HOLE,
    TIOCGWINSZ,
    XATTR_CREATE,
    XATTR_REPLACE,
)
from simulator.machine.families.linux import LINUX
from simulator.machine.kernel.vfs import dpath, tree
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.inode import Dentry, Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from tests.unit.machine.bare import Machine

TEBIBYTE = 1 << 40


def mode(it: Machine, path: str) -> int:
    return it.data("lstat", path)["mode"] & 0o7777


def test_the_umask_is_taken_from_what_is_made() -> None:
    it = Machine()
    assert it.do("umask", 0o027) == 0o022
    it.do("mkdir", "/d", 0o777)
    it.do("creat", "/f", 0o666)
    assert (mode(it, "/d"), mode(it, "/f")) == (0o750, 0o640)


def test_a_set_group_id_directory_hands_down_its_group() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o755)
    it.do("chown", "/d", -1, 50)
    it.do("chmod", "/d", 0o2755)
    it.do("mkdir", "/d/sub", 0o755)
    it.do("creat", "/d/f", 0o644)
    assert it.data("stat", "/d/f")["gid"] == 50
    assert it.data("stat", "/d/sub")["gid"] == 50
    assert mode(it, "/d/sub") & S_ISGID


def test_link_counts_tell_names_and_subdirectories() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o755)
    it.do("mkdir", "/d/a", 0o755)
    it.do("creat", "/d/f", 0o644)
    it.do("link", "/d/f", "/d/g")
    assert (it.data("stat", "/d")["nlink"], it.data("stat", "/d/f")["nlink"]) == (3, 2)
    it.do("rmdir", "/d/a")
    it.do("unlink", "/d/f")
    assert (it.data("stat", "/d")["nlink"], it.data("stat", "/d/g")["nlink"]) == (2, 1)


def test_moving_a_directory_moves_its_dotdot() -> None:
    it = Machine()
    for path in ("/a", "/b", "/a/c"):
        it.do("mkdir", path, 0o755)
    assert it.do("rename", "/a/c", "/b/c") == 0
    assert (it.data("stat", "/a")["nlink"], it.data("stat", "/b")["nlink"]) == (2, 3)
    it.do("chdir", "/b/c")
    it.do("chdir", "..")
    assert it.data("getcwd", 64) == "/b"


def test_exchange_swaps_and_whiteout_leaves_a_character_device() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o755)
    it.do("creat", "/f", 0o644)
    assert it.do("renameat2", AT_FDCWD, "/d", AT_FDCWD, "/f", RENAME_EXCHANGE) == 0
    assert it.data("lstat", "/f")["mode"] & S_IFMT == 0o040000
    assert it.do("renameat2", AT_FDCWD, "/d", AT_FDCWD, "/g", RENAME_WHITEOUT) == 0
    gone = it.data("lstat", "/d")
    assert (gone["mode"] & S_IFMT, gone["rdev"]) == (S_IFCHR, 0)


def test_a_write_far_behind_the_end_leaves_a_hole_and_no_memory() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    assert it.do("pwrite64", fd, "end", 3, TEBIBYTE) == 3
    assert it.data("fstat", fd)["size"] == TEBIBYTE + 3
    assert it.data("pread64", fd, 4, TEBIBYTE - 1) == b"\0end"
    assert it.data("pread64", fd, 3, 0) == b"\0\0\0"
    assert it.do("lseek", fd, 0, SEEK_DATA) == TEBIBYTE
    assert it.do("lseek", fd, TEBIBYTE, SEEK_HOLE) == TEBIBYTE + 3
    assert it.data("statx", AT_FDCWD, "/f")["blocks"] == 8


def test_truncating_cuts_and_growing_again_reads_zeros() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    it.do("write", fd, "abcdef", 6)
    it.do("ftruncate", fd, 2)
    it.do("truncate", "/f", 4)
    assert it.data("pread64", fd, 9, 0) == b"ab\0\0"


def test_writing_clears_set_user_id_for_those_without_fsetid() -> None:
    it = Machine()
    it.do("creat", "/f", 0o666)
    it.do("chmod", "/f", 0o6777)
    root_fd = it.do("open", "/f", O_WRONLY)
    it.do("write", root_fd, "x", 1)
    assert mode(it, "/f") == 0o6777
    user = it.become(it.fork(), 1000)
    fd = it.do("open", "/f", O_WRONLY, pid=user)
    it.do("write", fd, "x", 1, pid=user)
    assert mode(it, "/f") == 0o777


def test_chown_clears_set_user_id_even_for_root() -> None:
    it = Machine()
    it.do("creat", "/f", 0o777)
    it.do("chmod", "/f", 0o4755)
    it.do("chown", "/f", 5, 5)
    assert not mode(it, "/f") & S_ISUID


def test_an_owner_gives_a_file_only_to_groups_of_his_own() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o777)
    it.do("chmod", "/d", 0o777)
    user = it.become(it.fork(), 1000)
    it.do("creat", "/d/f", 0o644, pid=user)
    assert it.do("chown", "/d/f", -1, 1000, pid=user) == 0
    assert it.do("chown", "/d/f", -1, 5, pid=user) == "EPERM"
    assert it.do("chown", "/d/f", 5, -1, pid=user) == "EPERM"


def test_access_asks_for_the_real_user() -> None:
    it = Machine()
    it.do("creat", "/f", 0o600)
    assert it.do("access", "/f", 4) == 0
    it.do("setresuid", 1000, 0, 0)
    assert it.do("access", "/f", 4) == "EACCES"
    assert it.do("faccessat2", AT_FDCWD, "/f", 4, 0x200) == 0


def test_an_immutable_file_stays_as_it_is_until_the_flag_goes() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    assert it.do("ioctl", fd, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL) == 0
    assert it.data("ioctl", fd, FS_IOC_GETFLAGS) == FS_IMMUTABLE_FL
    for call in (
        ("unlink", "/f"),
        ("chmod", "/f", 0),
        ("open", "/f", O_WRONLY),
        ("truncate", "/f", 0),
    ):
        assert it.do(*call) == "EPERM"
    it.do("ioctl", fd, FS_IOC_SETFLAGS, 0)
    assert it.do("unlink", "/f") == 0


def test_an_unnamed_file_gets_its_name_by_linking_unless_exclusive() -> None:
    it = Machine()
    fd = it.do("open", "/", O_TMPFILE | O_RDWR, 0o600)
    assert it.data("fstat", fd)["nlink"] == 0
    assert it.do("linkat", fd, "", AT_FDCWD, "/named", AT_EMPTY_PATH) == 0
    assert it.data("stat", "/named")["nlink"] == 1
    fd = it.do("open", "/", O_TMPFILE | O_RDWR | O_EXCL, 0o600)
    assert it.do("linkat", fd, "", AT_FDCWD, "/other", AT_EMPTY_PATH) == "ENOENT"


def test_rlimit_fsize_cuts_a_write_and_then_kills() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    it.do("setrlimit", RLIMIT_FSIZE, (4, 4))
    assert it.do("write", fd, "abcdef", 6) == 4
    assert it.do("ftruncate", fd, 3) == 0
    child = it.fork()
    assert it.do("pwrite64", fd, "x", 1, 4, pid=child) == "SIGXFSZ"


def test_a_full_filesystem_takes_whole_pages_and_then_refuses() -> None:
    it = Machine()
    sb = it.store.row(Superblock, it.store.row(Mount, it.task_mount()).sb)
    it.store.put(msgspec.structs.replace(sb, capacity=sb.used + 8192))
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    assert it.do("write", fd, "x", 10000) == 8192
    assert it.do("write", fd, "x", 1) == "ENOSPC"
    it.do("ftruncate", fd, 0)
    assert it.do("pwrite64", fd, "x", 1, 0) == 1


def test_extended_attributes_are_created_replaced_listed_and_removed() -> None:
    it = Machine()
    it.do("creat", "/f", 0o644)
    assert it.do("setxattr", "/f", "user.a", "12", 2, XATTR_REPLACE) == "ENODATA"
    assert it.do("setxattr", "/f", "user.a", "12", 2, XATTR_CREATE) == 0
    assert it.do("setxattr", "/f", "user.a", "12", 2, XATTR_CREATE) == "EEXIST"
    assert it.do("setxattr", "/f", "trusted.b", "3", 1, 0) == 0
    assert it.data("getxattr", "/f", "user.a", 64) == b"12"
    assert it.do("getxattr", "/f", "user.a", 1) == "ERANGE"
    assert it.data("listxattr", "/f", 64) == b"trusted.b\0user.a\0"
    user = it.become(it.fork(), 1000)
    assert it.data("listxattr", "/f", 64, pid=user) == b"user.a\0"
    assert it.do("removexattr", "/f", "user.a") == 0
    assert it.do("removexattr", "/f", "user.a") == "ENODATA"


def test_a_handle_opens_a_file_that_no_path_of_the_caller_reaches() -> None:
    it = Machine()
    tree.file(it.store, 1, "/host/secret", b"canary")
    it.do("mkdir", "/jail", 0o755)
    handle = it.data("name_to_handle_at", AT_FDCWD, "/host/secret", 0)
    it.do("chroot", "/jail")
    it.do("chdir", "/")
    assert it.do("open", "/host/secret", O_RDONLY) == "ENOENT"
    fd = it.do("open_by_handle_at", AT_FDCWD, handle, O_RDONLY)
    assert it.data("read", fd, 64) == b"canary"
    assert it.do("open_by_handle_at", AT_FDCWD, (1, b"\xff" * 8), O_RDONLY) == "ESTALE"


def test_a_raw_disk_shows_and_changes_files_past_their_permissions() -> None:
    it = Machine()
    tree.file(it.store, 1, "/secret", b"CANARY-1234", mode=0o000)
    it.do("mknod", "/sda", S_IFBLK | 0o600, 0x800)
    fd = it.do("open", "/sda", O_RDWR)
    image = it.data("read", fd, 65536)
    place = image.index(b"CANARY-1234")
    assert it.do("pwrite64", fd, "XXXXXX", 6, place) == 6
    assert it.data("ioctl", fd, BLKGETSIZE64) > len(image)
    number = it.store.row(Dentry, (1, "secret")).inode
    assert it.store.row(Inode, number).content == b"XXXXXX-1234"


@pytest.mark.parametrize(
    ("minor", "got", "taken"), [(3, b"", 1), (5, b"\0\0\0", 1), (7, b"\0\0\0", "ENOSPC")]
)
def test_memory_devices_give_and_take(minor: int, got: bytes, taken: object) -> None:
    it = Machine()
    it.do("mknod", "/dev", S_IFCHR | 0o666, 0x100 | minor)
    fd = it.do("open", "/dev", O_RDWR)
    assert it.data("read", fd, 3) == got
    assert it.do("write", fd, "x", 1) == taken
    assert it.do("ioctl", fd, TIOCGWINSZ) == "ENOTTY"


def test_random_devices_never_repeat_but_runs_do() -> None:
    def drawn() -> list[bytes]:
        it = Machine()
        it.do("mknod", "/r", S_IFCHR | 0o666, 0x109)
        fd = it.do("open", "/r", O_RDONLY)
        return [it.data("read", fd, 16) for _ in range(2)]

    first, second = drawn(), drawn()
    assert first == second
    assert first[0] != first[1]


def test_opening_for_another_domain_is_reported_with_the_host_path() -> None:
    it = Machine()
    tree.file(it.store, 1, "/srv/canary/secret", b"x")
    task = it.task()
    it.store.put(msgspec.structs.replace(task, domain="guest"))
    it.do("open", "/srv/canary/secret", O_RDONLY)
    crossing = it.kernel.timeline.events[-1].crossings[0]
    assert (crossing.kind, crossing.owner, crossing.operation) == ("file", "host", "read")
    assert crossing.name == "/srv/canary/secret"


def test_chroot_keeps_the_working_directory_and_dotdot_walks_out() -> None:
    it = Machine()
    tree.file(it.store, 1, "/srv/guest/in", b"")
    it.do("chroot", "/srv/guest")
    assert it.data("getcwd", 64) == "(unreachable)/"
    it.do("chdir", "/")
    it.do("mkdir", "/deeper", 0o755)
    it.do("chroot", "/deeper")
    for _ in range(5):
        it.do("chdir", "..")
    it.do("chroot", ".")
    assert it.do("stat", "/srv/guest/in") == 0


def freebsd() -> Machine:
    traits = dataclasses.replace(
        LINUX.traits, chroot_pins_dotdot=True, chroot_refuses_open_directories=True
    )
    return Machine(dataclasses.replace(LINUX, traits=traits))


def test_a_pinned_dotdot_stops_at_the_first_root_ever() -> None:
    it = freebsd()
    tree.file(it.store, 1, "/srv/guest/in", b"")
    it.do("chroot", "/srv/guest")
    it.do("chdir", "/")
    it.do("mkdir", "/deeper", 0o755)
    it.do("chroot", "/deeper")
    for _ in range(5):
        it.do("chdir", "..")
    assert it.do("stat", "in") == 0
    assert it.do("stat", "srv") == "ENOENT"


def test_a_second_chroot_is_refused_while_a_directory_is_open() -> None:
    it = freebsd()
    tree.mkdirs(it.store, 1, "/srv/guest/deeper")
    fd = it.do("open", "/", O_DIRECTORY)
    assert it.do("chroot", "/srv/guest") == 0
    assert it.do("chroot", "/deeper") == "EPERM"
    it.do("close", fd)
    assert it.do("chroot", "/deeper") == 0


def test_a_removed_working_directory_has_no_path_and_takes_no_names() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o755)
    it.do("chdir", "/d")
    it.do("rmdir", "/d")
    assert it.do("getcwd", 64) == "ENOENT"
    assert it.do("mkdir", "x", 0o755) == "ENOENT"
    assert it.do("chdir", "..") == 0
    assert it.data("getcwd", 64) == "/"


def test_openat2_stays_beneath_or_takes_the_directory_for_the_root() -> None:
    it = Machine()
    tree.file(it.store, 1, "/d/f", b"")
    tree.file(it.store, 1, "/out", b"")
    tree.symlink(it.store, 1, "/d/abs", "/f")
    fd = it.do("open", "/d", O_RDONLY)
    assert it.do("openat2", fd, "../out", (O_RDONLY, 0, RESOLVE_BENEATH)) == "EXDEV"
    assert it.do("openat2", fd, "abs", (O_RDONLY, 0, RESOLVE_BENEATH)) == "EXDEV"
    assert it.do("openat2", fd, "/abs", (O_RDONLY, 0, RESOLVE_IN_ROOT)) == 1
    assert it.do("openat2", fd, "f", (O_RDONLY, 0o600, 0)) == "EINVAL"


def test_symlink_loops_end_after_forty() -> None:
    it = Machine()
    it.do("symlink", "/b", "/a")
    it.do("symlink", "/a", "/b")
    assert it.do("stat", "/a") == "ELOOP"
    assert it.do("lstat", "/a") == 0


def test_a_directory_is_read_once_until_it_is_rewound() -> None:
    it = Machine()
    tree.file(it.store, 1, "/d/b", b"")
    tree.file(it.store, 1, "/d/a", b"")
    fd = it.do("open", "/d", O_RDONLY)
    assert it.data("getdents64", fd, 48) == [".", ".."]
    assert it.data("getdents64", fd, 4096) == ["a", "b"]
    it.do("creat", "/d/c", 0o644)
    assert it.data("getdents64", fd, 4096) == []
    it.do("lseek", fd, 0, 0)
    assert it.data("getdents64", fd, 4096) == [".", "..", "a", "b", "c"]
    assert it.do("read", fd, 1) == "EISDIR"


def test_the_kernel_log_is_read_record_by_record_and_written_by_anyone_who_may() -> None:
    it = Machine()
    it.do("mknod", "/kmsg", S_IFCHR | 0o666, 0x10B)
    fd = it.do("open", "/kmsg", O_RDWR)
    assert it.do("write", fd, "hello\n", 6) == 6
    it.do("lseek", fd, 0, 0)
    seen = b""
    while b"hello" not in seen:
        seen = it.data("read", fd, 8192)
        assert seen.count(b"\n") == 1
    assert it.do("read", fd, 8192) == "Blocked"


def test_a_deleted_file_is_told_by_the_name_it_was_opened_under() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o755)
    fd = it.do("open", "/d/f", O_CREAT | O_RDWR, 0o644)
    it.do("unlink", "/d/f")
    trap = it.trap()
    at = fds.get(trap, fd).at
    assert at is not None
    assert dpath.path_of(trap, at) == "/d/f (deleted)"


def test_filling_a_filesystem_in_memory_counts_as_memory_until_the_file_goes() -> None:
    it = Machine()
    it.do("mkdir", "/shm", 0o755)
    assert it.do("mount", "tmpfs", "/shm", "tmpfs", 0, None) == 0
    before = it.task().memory
    fd = it.do("open", "/shm/f", O_CREAT | O_RDWR, 0o644)
    it.do("write", fd, "x", 10_000)
    assert it.task().memory == before + 12_288
    it.do("close", fd)
    it.do("unlink", "/shm/f")
    assert it.task().memory == before


def test_removing_what_another_namespace_mounted_on_takes_that_mount_along() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o755)
    child = it.fork()
    assert it.do("unshare", CLONE_NEWNS, pid=child) == 0
    assert it.do("mount", None, "/", None, MS_REC | MS_PRIVATE, None, pid=child) == 0
    assert it.do("mount", "tmpfs", "/d", "tmpfs", 0, None, pid=child) == 0
    assert it.do("rmdir", "/d", pid=child) == "EBUSY"
    assert it.do("rmdir", "/d") == 0
    assert it.do("stat", "/d", pid=child) == "ENOENT"


def with_terminals() -> Machine:
    it = Machine()
    it.do("mkdir", "/dev", 0o755)
    it.do("mkdir", "/dev/pts", 0o755)
    assert it.do("mount", "devpts", "/dev/pts", "devpts", 0, "ptmxmode=666,mode=620") == 0
    assert it.do("symlink", "pts/ptmx", "/dev/ptmx") == 0
    return it


def test_a_terminal_has_two_ends_once_it_is_unlocked() -> None:
    it = with_terminals()
    master = it.do("open", "/dev/ptmx", O_RDWR)
    assert it.data("ioctl", master, 0x80045430) == 0
    assert it.do("open", "/dev/pts/0", O_RDWR) == "EIO"
    assert it.do("ioctl", master, 0x40045431, bytes(4)) == 0
    slave = it.do("open", "/dev/pts/0", O_RDWR)
    it.do("write", master, "typed\r", 6)
    assert it.data("read", slave, 64) == b"typed\n"
    assert it.data("read", master, 64) == b"typed\r\n"
    it.do("write", slave, "shown\n", 6)
    assert it.data("read", master, 64) == b"shown\r\n"
    assert it.do("ioctl", slave, TIOCGWINSZ) == 0


def test_a_line_is_edited_before_a_program_gets_it() -> None:
    it = with_terminals()
    master = it.do("open", "/dev/ptmx", O_RDWR)
    it.do("ioctl", master, 0x40045431, bytes(4))
    slave = it.do("open", "/dev/pts/0", O_RDWR)
    keys = "on\x7fne\x17two\x15three\r\x04"
    it.do("write", master, keys, len(keys))
    assert it.data("read", slave, 2) == b"th"
    assert it.data("read", slave, 64) == b"ree\n"
    assert it.do("read", slave, 64) == 0


def test_closing_the_master_hangs_the_terminal_up_and_frees_its_number() -> None:
    it = with_terminals()
    master = it.do("open", "/dev/ptmx", O_RDWR)
    it.do("ioctl", master, 0x40045431, bytes(4))
    slave = it.do("open", "/dev/pts/0", O_RDWR)
    it.do("close", master)
    assert it.do("stat", "/dev/pts/0") == "ENOENT"
    assert it.do("read", slave, 64) == 0
    assert it.do("write", slave, "x", 1) == "EIO"
    assert it.data("ioctl", it.do("open", "/dev/ptmx", O_RDWR), 0x80045430) == 0


def test_an_overlay_makes_unnamed_files_in_its_writable_layer() -> None:
    it = Machine()
    for path in ("/low", "/up", "/work", "/m"):
        it.do("mkdir", path, 0o755)
    layers = "lowerdir=/low,upperdir=/up,workdir=/work"
    assert it.do("mount", "overlay", "/m", "overlay", 0, layers) == 0
    fd = it.do("open", "/m", O_TMPFILE | O_RDWR, 0o600)
    it.do("write", fd, "abc", 3)
    assert it.do("linkat", fd, "", AT_FDCWD, "/m/named", AT_EMPTY_PATH) == 0
    assert it.data("read", it.do("open", "/m/named", O_RDONLY), 9) == b"abc"
    assert it.do("stat", "/up/named") == 0
