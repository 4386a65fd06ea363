"""Which errno wins: one table, every line as a real Linux 6.18 answered on a tmpfs."""

import pytest

from simulator.machine.abi.constants import (
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    MS_BIND,
    MS_NODEV,
    MS_RDONLY,
    MS_REMOUNT,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOATIME,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFREG,
)
from simulator.machine.abi.ids import MountId
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Dentry, Inode
from simulator.machine.kernel.vfs.mount import Mount
from tests.unit.machine.bare import Machine

NULL = 0x103


def machine() -> Machine:
    """The tree on which the real kernel was asked, seen from ``/s``."""
    it = Machine()
    store = it.store
    for name in ("d/sub", "rwd", "mp", "ro", "st"):
        tree.mkdirs(store, 1, f"/s/{name}")
    tree.file(store, 1, "/s/f", b"")
    tree.file(store, 1, "/s/d/f", b"")
    tree.file(store, 1, "/s/st/rootf", b"")
    tree.symlink(store, 1, "/s/dang", "nowhere")
    tree.symlink(store, 1, "/s/ld", "d")
    tree.symlink(store, 1, "/s/lf", "f")
    it.do("chmod", "/s/rwd", 0o700)
    it.do("chmod", "/s/st", 0o1777)
    it.do("mkdir", "/s/st/dir", 0o755)
    assert it.do("mknod", "/s/st/fifo", S_IFIFO | 0o644, 0) == 0
    _bind(it, "d", "ro", MS_RDONLY)
    _bind(it, "st", "mp", 0)
    it.do("chdir", "/s")
    return it


def _inode(it: Machine, path: str) -> Inode:
    number = 1
    for name in path.split("/"):
        found = it.store.row(Dentry, (number, name)).inode
        assert isinstance(found, int)
        number = found
    return it.store.row(Inode, number)


def _bind(it: Machine, source: str, onto: str, flags: int) -> None:
    parent = it.store.row(Mount, _root_mount(it))
    it.store.put(
        Mount(
            id=MountId(it.store.new_id(Mount)),
            ns=parent.ns,
            parent=parent.id,
            mountpoint=_inode(it, f"s/{onto}").id,
            root=_inode(it, f"s/{source}").id,
            sb=parent.sb,
            flags=flags,
        )
    )


def _root_mount(it: Machine) -> MountId:
    return it.store.row(Task, it.pid).root.mount


AS_ROOT = [
    (("mkdir", "ro/f", 0o755), "EEXIST"),
    (("mkdir", "ro/new", 0o755), "EROFS"),
    (("unlink", "ro/none"), "EROFS"),
    (("rmdir", "ro/none"), "EROFS"),
    (("open", "ro/f", O_CREAT | O_WRONLY | O_TRUNC, 0o644), "EROFS"),
    (("open", "ro/new", O_CREAT | O_WRONLY, 0o644), "EROFS"),
    (("open", "ro/f", O_WRONLY), "EROFS"),
    (("open", "ro/f", O_CREAT | O_EXCL | O_WRONLY, 0o644), "EEXIST"),
    (("rename", "ro/none", "ro/x"), "EROFS"),
    (("rename", "f", "ro/x"), "EXDEV"),
    (("link", "f", "ro/x"), "EROFS"),
    (("link", "none", "ro/x"), "ENOENT"),
    (("link", "f", "ro/f"), "EEXIST"),
    (("chmod", "ro/f", 0o600), "EROFS"),
    (("truncate", "ro/f", 0), "EROFS"),
    (("truncate", "ro", 0), "EISDIR"),
    (("symlink", "x", "ro/f"), "EEXIST"),
    (("access", "ro/f", 2), "EROFS"),
    (("access", "ro", 2), "EROFS"),
    (("mknod", "ro/n", S_IFCHR | 0o644, NULL), "EROFS"),
    (("mknod", "ro/f", S_IFCHR | 0o644, NULL), "EEXIST"),
    (("mknod", "zz", S_IFDIR | 0o755, 0), "EPERM"),
    (("mknod", "zz", 0o150000, 0), "EINVAL"),
    (("chown", "ro/f", -1, -1), "EROFS"),
    (("setxattr", "ro/f", "user.x", "v", 1, 0), "EROFS"),
    (("unlink", "ro/sub"), "EROFS"),
    (("open", "ro", O_TMPFILE | O_RDWR, 0o600), "EROFS"),
    (("open", "dang", O_CREAT | O_EXCL | O_WRONLY, 0o644), "EEXIST"),
    (("mkdir", "dang", 0o755), "EEXIST"),
    (("open", "lf", O_NOFOLLOW), "ELOOP"),
    (("open", "lf", O_NOFOLLOW | O_PATH), 0),
    (("open", "ld", O_NOFOLLOW | O_DIRECTORY), "ENOTDIR"),
    (("open", "f/", O_RDONLY), "ENOTDIR"),
    (("open", "f/", O_CREAT | O_WRONLY, 0o644), "EISDIR"),
    (("open", "new/", O_CREAT | O_WRONLY, 0o644), "EISDIR"),
    (("open", "d", O_CREAT, 0o644), "EISDIR"),
    (("open", "d", O_WRONLY), "EISDIR"),
    (("open", ".", O_CREAT, 0o644), "EISDIR"),
    (("open", "..", O_CREAT | O_EXCL, 0o644), "EEXIST"),
    (("open", "d/../", O_CREAT | O_EXCL, 0o644), "EEXIST"),
    (("open", "newd", O_CREAT | O_DIRECTORY, 0o755), "EINVAL"),
    (("open", "d", O_TMPFILE, 0o600), "EINVAL"),
    (("open", "f", O_TMPFILE | O_RDWR, 0o600), "ENOTDIR"),
    (("mknod", "new/", S_IFREG | 0o644, 0), "ENOENT"),
    (("symlink", "x", "new/"), "ENOENT"),
    (("symlink", "", "new"), "ENOENT"),
    (("link", "f", "new/"), "ENOENT"),
    (("link", "d", "newd"), "EPERM"),
    (("link", "f", "f"), "EEXIST"),
    (("mkdir", ".", 0o755), "EEXIST"),
    (("mkdir", "/", 0o755), "EEXIST"),
    (("mkdir", "", 0o755), "ENOENT"),
    (("rmdir", "."), "EINVAL"),
    (("rmdir", "d/.."), "ENOTEMPTY"),
    (("rmdir", "/"), "EBUSY"),
    (("rmdir", "d"), "ENOTEMPTY"),
    (("unlink", "."), "EISDIR"),
    (("unlink", "f/"), "ENOTDIR"),
    (("unlink", "d/"), "EISDIR"),
    (("unlink", "none/"), "ENOENT"),
    (("unlink", "lf/"), "ENOTDIR"),
    (("unlink", "d"), "EISDIR"),
    (("rmdir", "ld"), "ENOTDIR"),
    (("rmdir", "ld/"), "ENOTDIR"),
    (("rmdir", "mp"), "EBUSY"),
    (("rename", "mp", "mp2"), "EBUSY"),
    (("rename", "rwd", "mp"), "EBUSY"),
    (("unlink", "mp"), "EISDIR"),
    (("rename", "mp/rootf", "y"), "EXDEV"),
    (("link", "f", "mp/x"), "EXDEV"),
    (("rename", "d", "d/sub/x"), "EINVAL"),
    (("rename", "d/sub", "d"), "ENOTEMPTY"),
    (("rename", "f", "d"), "EISDIR"),
    (("rename", "d", "f"), "ENOTDIR"),
    (("rename", ".", "x"), "EBUSY"),
    (("rename", "f", ".."), "EBUSY"),
    (("rename", "f/", "x"), "ENOTDIR"),
    (("rename", "f", "x/"), "ENOTDIR"),
    (("rename", "rwd", "rwd"), 0),
    (("renameat2", AT_FDCWD, "f", AT_FDCWD, "d", RENAME_NOREPLACE), "EEXIST"),
    (("renameat2", AT_FDCWD, "f", AT_FDCWD, ".", RENAME_NOREPLACE), "EEXIST"),
    (("renameat2", AT_FDCWD, "f", AT_FDCWD, "none", RENAME_EXCHANGE), "ENOENT"),
    (("renameat2", AT_FDCWD, "f", AT_FDCWD, "d", 3), "EINVAL"),
    (("renameat2", AT_FDCWD, "rwd", AT_FDCWD, "d", 8), "EINVAL"),
    (("renameat2", AT_FDCWD, "d/sub", AT_FDCWD, "d", RENAME_EXCHANGE), "EINVAL"),
    (("readlink", "f", 64), "EINVAL"),
    (("readlink", "lf", 0), "EINVAL"),
    (("chdir", "f"), "ENOTDIR"),
    (("chroot", "f"), "ENOTDIR"),
    (("chroot", "none"), "ENOENT"),
    (("access", "f", 8), "EINVAL"),
    (("truncate", "f", -1), "EINVAL"),
    (("mkdir", "x" * 256, 0o755), "ENAMETOOLONG"),
    (("access", "none/" + "x" * 256, 0), "ENOENT"),
    (("stat", "x" * 4096), "ENAMETOOLONG"),
    (("fchmodat2", AT_FDCWD, "lf", 0o600, AT_SYMLINK_NOFOLLOW), "EOPNOTSUPP"),
    (("open", None, O_RDONLY), "EFAULT"),
    (("read", 77, 1), "EBADF"),
    (("openat", 77, "f", O_RDONLY), "EBADF"),
    (("unlinkat", AT_FDCWD, "f", 1), "EINVAL"),
    (("open", "st/fifo", O_WRONLY | O_NONBLOCK), "ENXIO"),
    (("setxattr", "f", "bogus.x", "v", 1, 0), "EOPNOTSUPP"),
    (("getxattr", "f", "user.none", 64), "ENODATA"),
]

AS_USER = [
    (("mkdir", "ro/new", 0o755), "EROFS"),
    (("mkdir", "rwd/x", 0o755), "EACCES"),
    (("mkdir", "d/new", 0o755), "EACCES"),
    (("mkdir", "d/f", 0o755), "EEXIST"),
    (("unlink", "d/f"), "EACCES"),
    (("unlink", "d/none"), "ENOENT"),
    (("rmdir", "d/f"), "EACCES"),
    (("unlink", "d/sub"), "EACCES"),
    (("open", "ro/f", O_WRONLY), "EACCES"),
    (("open", "ro/f", O_WRONLY | O_TRUNC), "EROFS"),
    (("open", "ro/f", O_CREAT | O_WRONLY | O_TRUNC, 0o644), "EROFS"),
    (("open", "ro/new", O_CREAT | O_WRONLY, 0o644), "EROFS"),
    (("open", "d/new", O_CREAT | O_WRONLY, 0o644), "EACCES"),
    (("truncate", "ro/f", 0), "EACCES"),
    (("chmod", "ro/f", 0o600), "EROFS"),
    (("chmod", "d/f", 0o600), "EPERM"),
    (("chown", "d/f", 1000, -1), "EPERM"),
    (("unlink", "st/rootf"), "EPERM"),
    (("rename", "st/rootf", "st/x"), "EPERM"),
    (("rename", "f", "d/f"), "EACCES"),
    (("rename", "d/none", "y"), "ENOENT"),
    (("rename", "d/f", "d/f"), 0),
    (("rename", "d/sub", "d/f"), "EACCES"),
    (("mknod", "st/c", S_IFCHR | 0o644, NULL), "EPERM"),
    (("mknod", "st/w", S_IFCHR | 0o644, 0), 0),
    (("mknod", "d/c", S_IFCHR | 0o644, NULL), "EACCES"),
    (("mknod", "d/f", S_IFCHR | 0o644, NULL), "EEXIST"),
    (("link", "st/rootf", "st/y"), "EPERM"),
    (("open", "st/rootf", O_CREAT | O_WRONLY, 0o644), "EACCES"),
    (("open", "st/fifo", O_CREAT | O_WRONLY | O_NONBLOCK, 0o644), "EACCES"),
    (("chroot", "d"), "EPERM"),
    (("chroot", "none"), "ENOENT"),
    (("chroot", "rwd"), "EACCES"),
    (("chroot", "f"), "ENOTDIR"),
    (("setxattr", "d/f", "trusted.x", "v", 1, 0), "EPERM"),
    (("setxattr", "d/f", "user.x", "v", 1, 0), "EACCES"),
    (("setxattr", "d/f", "security.x", "v", 1, 0), "EPERM"),
    (("setxattr", "d/f", "bogus.x", "v", 1, 0), "EACCES"),
    (("getxattr", "d/f", "trusted.x", 0), "ENODATA"),
    (("mkdir", "st/dir/x", 0o755), "EACCES"),
    (("rename", "st/dir", "st/dir2"), "EPERM"),
    (("rmdir", "st/dir"), "EPERM"),
    (("open", "f", O_NOATIME), "EPERM"),
    (("utimensat", AT_FDCWD, "f", 0), "EACCES"),
    (("open_by_handle_at", AT_FDCWD, b"\x08\0\0\0\0\0\0\0", 0), "EPERM"),
]


def _name(case: object) -> str:
    return " ".join(map(str, case))[:60] if isinstance(case, tuple) else str(case)


@pytest.mark.parametrize(("call", "answer"), AS_ROOT, ids=_name)
def test_root_gets_the_errno_that_the_real_kernel_checks_first(
    call: tuple[object, ...], answer: object
) -> None:
    """fs/namei.c decides the order; a real 6.18 confirmed each line."""
    assert machine().do(*call) == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(("call", "answer"), AS_USER, ids=_name)
def test_a_user_gets_the_errno_that_the_real_kernel_checks_first(
    call: tuple[object, ...], answer: object
) -> None:
    """The same tree, asked by uid 1000 without capabilities."""
    it = machine()
    it.become(it.pid, 1000)
    assert it.do(*call) == answer  # type: ignore[arg-type]


def test_a_refused_call_changes_nothing() -> None:
    it = machine()
    before = {table: dict(rows) for table, rows in it.store.tables.items()}
    assert it.do("mkdir", "ro/new", 0o755) == "EROFS"
    assert it.do("rename", "d", "d/sub/x") == "EINVAL"
    assert {table: dict(rows) for table, rows in it.store.tables.items()} == before


def test_a_device_on_a_nodev_mount_does_not_open_even_for_root() -> None:
    it = machine()
    assert it.do("mknod", "null", S_IFCHR | 0o666, NULL) == 0
    assert it.do("open", "null", O_RDONLY) == 0
    it.mount_flags(_root_mount(it), MS_NODEV)
    assert it.do("open", "null", O_RDONLY) == "EACCES"


def test_a_number_without_a_driver_opens_nothing() -> None:
    it = machine()
    assert it.do("mknod", "odd", S_IFCHR | 0o666, 0xFE01) == 0
    assert it.do("open", "odd", O_RDONLY) == "ENXIO"


def overlaid() -> Machine:
    """The same tree as the lower layer of an overlay."""
    it = Machine()
    store = it.store
    for name in ("d/sub", "rwd", "mp", "ro", "st"):
        tree.mkdirs(store, 1, f"/low/{name}")
    for name in ("up", "work", "s"):
        tree.mkdirs(store, 1, f"/{name}")
    for name in ("f", "d/f", "st/rootf"):
        tree.file(store, 1, f"/low/{name}", b"")
    for name, target in (("dang", "nowhere"), ("ld", "d"), ("lf", "f")):
        tree.symlink(store, 1, f"/low/{name}", target)
    it.do("chmod", "/low/rwd", 0o700)
    it.do("chmod", "/low/st", 0o1777)
    it.do("mkdir", "/low/st/dir", 0o755)
    it.do("mknod", "/low/st/fifo", S_IFIFO | 0o644, 0)
    layers = "lowerdir=/low,upperdir=/up,workdir=/work"
    assert it.do("mount", "overlay", "/s", "overlay", 0, layers) == 0
    it.do("chdir", "/s")
    assert it.do("mount", "d", "ro", None, MS_BIND, None) == 0
    assert it.do("mount", None, "ro", None, MS_BIND | MS_REMOUNT | MS_RDONLY, None) == 0
    assert it.do("mount", "st", "mp", None, MS_BIND, None) == 0
    return it


@pytest.mark.parametrize(("call", "answer"), AS_ROOT, ids=_name)
def test_an_overlay_refuses_root_as_a_plain_filesystem_does(
    call: tuple[object, ...], answer: object
) -> None:
    """A stacked filesystem changes where things are kept, not which calls are allowed."""
    assert overlaid().do(*call) == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(("call", "answer"), AS_USER, ids=_name)
def test_an_overlay_refuses_users_as_a_plain_filesystem_does(
    call: tuple[object, ...], answer: object
) -> None:
    """Except that nobody makes a whiteout through it (fs/overlayfs/dir.c, ovl_mknod())."""
    it = overlaid()
    it.become(it.pid, 1000)
    whiteout = call[:2] == ("mknod", "st/w")
    assert it.do(*call) == ("EPERM" if whiteout else answer)  # type: ignore[arg-type]
