"""What files are like, and changing it: stat(2), access(2), chmod(2), chown(2), truncate(2)."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Data, Returned
from simulator.machine.abi.constants import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_SYMLINK_NOFOLLOW,
    FS_APPEND_FL,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_STRICTATIME,
    S_IFDIR,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.fs import unnamed
from simulator.machine.kernel.fs.disk_image import filesystem_on
from simulator.machine.kernel.namespace import UserNs, to_kernel
from simulator.machine.kernel.resource import quota as quotas
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import attributes, content, io, namei, ops, permission, stat
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.inode import BY_SUPERBLOCK, DISK_MAJOR, Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux, posix

_NO_SETUID_FIXUP = 4

MAGIC = {
    "ext4": 0xEF53,
    "tmpfs": 0x01021994,
    "devtmpfs": 0x01021994,
    "ramfs": 0x858458F6,
    "rootfs": 0x858458F6,
    "proc": 0x9FA0,
    "sysfs": 0x62656572,
    "cgroup": 0x27E0EB,
    "cgroup2": 0x63677270,
    "devpts": 0x1CD1,
    "mqueue": 0x19800202,
    "overlay": 0x794C7630,
    "nsfs": 0x6E736673,
    "xfs": 0x58465342,
    "btrfs": 0x9123683E,
}
"""linux/magic.h: what statfs(2) calls each type."""

PIPEFS_MAGIC = 0x50495045
SOCKFS_MAGIC = 0x534F434B
ANON_INODE_MAGIC = 0x09041934
_ST_VALID = 0x20
_ST_FLAGS = (
    (MS_RDONLY, 1),
    (MS_NOSUID, 2),
    (MS_NODEV, 4),
    (MS_NOEXEC, 8),
    (MS_NOATIME, 0x400),
    (MS_NODIRATIME, 0x800),
    (MS_NOSYMFOLLOW, 0x2000),
)
_ST_RELATIME = 0x1000


def place(trap: Trap, dirfd: int, path: str, flags: int = 0) -> At:
    """The file that the ``*at`` calls mean: AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH understood."""
    if not path and flags & AT_EMPTY_PATH:
        return trap.task.cwd if dirfd == AT_FDCWD else place_of(trap, fds.get_any(trap, dirfd))
    start = paths.start_at(trap, dirfd, path)
    return paths.walk(trap, path, start, follow=not flags & AT_SYMLINK_NOFOLLOW)


def place_of(trap: Trap, file: fds.File) -> At:
    """The file behind a descriptor: where it was opened, or an inode that no path leads to."""
    if file.at is not None:
        return file.at
    node = fds.unnamed(file)
    owned = file.kind in ("pipe", "socket")
    if node is None or (owned and not trap.family.traits.pipes_have_attributes):
        raise NotModelled("attributes of pipes, sockets and message queues")
    return unnamed.place(node)


@posix("stat")
def stat_(trap: Trap, path: str) -> Returned:
    """stat(2)."""
    return _stat(trap, paths.walk(trap, path))


@posix("lstat")
def lstat(trap: Trap, path: str) -> Returned:
    """lstat(2): of a symbolic link itself."""
    return _stat(trap, paths.walk(trap, path, follow=False))


@posix("fstat")
def fstat(trap: Trap, fd: int) -> Returned:
    """fstat(2): also through O_PATH."""
    file = fds.get_any(trap, fd)
    if file.at is None:
        return Returned(0, stat.of_file(trap, file))
    return _stat(trap, file.at)


@posix("newfstatat", "fstatat")
def newfstatat(trap: Trap, dirfd: int, path: str, flags: int = 0) -> Returned:
    """fstatat(2)."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "stat(2)")
    if not path and flags & AT_EMPTY_PATH and dirfd != AT_FDCWD:
        return fstat(trap, dirfd)
    return _stat(trap, place(trap, dirfd, path, flags))


def _stat(trap: Trap, at: At) -> Returned:
    number = at.inode
    inode = trap.store.row(Inode, number) if isinstance(number, int) else inodes.load(trap, number)
    if inode.domain != trap.task.domain:
        namei.touch(trap, at, inode, "name")
    return Returned(0, stat.of_inode(trap, inode))


def _check_statx(trap: Trap, flags: int, mask: int) -> None:
    """do_statx(): reserved bits, or both ways to synchronise at once."""
    known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | _AT_STATX_SYNC
    if flags & ~known or flags & _AT_STATX_SYNC == _AT_STATX_SYNC or mask & 0x80000000:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "statx(2)")


_AT_STATX_SYNC = 0x6000


@linux("statx", since=(4, 11))
def statx(trap: Trap, dirfd: int, path: str, flags: int = 0, mask: int = 0x7FF) -> Returned:
    """statx(2): what stat(2) tells, with times in nanoseconds, blocks, and the mount's id."""
    _check_statx(trap, flags, mask)
    at = place(trap, dirfd, path, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
    inode = inodes.load(trap, at.inode)
    data = stat.of_inode(trap, inode)
    row = ops.stored(trap, at.inode) or inode
    data |= {
        "blocks": content.pages(row) * 8,
        "atime": inode.atime,
        "mtime": inode.mtime,
        "ctime": inode.ctime,
        "mnt_id": at.mount,
    }
    namei.touch(trap, at, inode, "name")
    return Returned(0, data)


BLOCK_SIZE = 4096
"""The unit of statfs(2), in bytes."""


@posix("statfs")
def statfs(trap: Trap, path: str) -> Returned:
    """statfs(2): the type's magic number and the mount's flags."""
    return Returned(0, _statfs(trap, paths.walk(trap, path)))


@posix("fstatfs")
def fstatfs(trap: Trap, fd: int) -> Returned:
    """fstatfs(2)."""
    file = fds.get_any(trap, fd)
    if file.at is not None:
        return Returned(0, _statfs(trap, file.at))
    magic = {"pipe": PIPEFS_MAGIC, "socket": SOCKFS_MAGIC}.get(file.kind, ANON_INODE_MAGIC)
    return Returned(0, {"type": magic, "flags": _ST_VALID})


def _statfs(trap: Trap, at: At) -> dict[str, Data]:
    mount = trap.store.row(Mount, at.mount)
    sb = trap.store.row(Superblock, mount.sb)
    flags = _ST_VALID | (1 if sb.read_only else 0)
    for bit, shown in _ST_FLAGS:
        if mount.flags & bit:
            flags |= shown
    if not mount.flags & (MS_NOATIME | MS_STRICTATIME):
        flags |= _ST_RELATIME
    return {"type": MAGIC.get(sb.fstype, 0), "flags": flags, **_room(trap, sb)}


def _room(trap: Trap, sb: Superblock) -> dict[str, Data]:
    """Blocks in all and free ones; a filesystem of the kernel's own objects has none."""
    own = quotas.of(trap.store, inodes.load(trap, sb.root)) if isinstance(sb.root, int) else None
    if own is not None:
        blocks, free = own.soft_space // BLOCK_SIZE, (own.soft_space - own.space) // BLOCK_SIZE
        return {"bsize": BLOCK_SIZE, "blocks": blocks, "bfree": max(free, 0)}
    size = sb.room or 0
    if sb.fstype == "overlay":
        return _room(trap, disk) if (disk := filesystem_on(trap, DISK_MAJOR)) else {}
    held = sum(-(-row.size // BLOCK_SIZE) for row in trap.store.rows_by(BY_SUPERBLOCK, sb.id))
    blocks = size // BLOCK_SIZE
    if blocks:
        trap.touch("disk", sb.domain, "read", f"free space of {sb.source}")
    return {"bsize": BLOCK_SIZE, "blocks": blocks, "bfree": max(blocks - held, 0) if blocks else 0}


@posix("access")
def access(trap: Trap, path: str, mode: int) -> int:
    """access(2): as the real user would be allowed."""
    return faccessat2(trap, AT_FDCWD, path, mode, 0)


@posix("faccessat")
def faccessat(trap: Trap, dirfd: int, path: str, mode: int) -> int:
    """faccessat(2), the call without flags."""
    return faccessat2(trap, dirfd, path, mode, 0)


@linux("faccessat2", since=(5, 8))
def faccessat2(trap: Trap, dirfd: int, path: str, mode: int, flags: int = 0) -> int:
    """faccessat2(2): EROFS comes last, after the permission."""
    if mode & ~7 or flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        trap.fail(Errno.EINVAL, N_("There is no such mode or flag."), "access(2)")
    task = trap.task
    if not flags & AT_EACCESS:
        trap.task = msgspec.structs.replace(task, cred=_as_real_user(trap))
    try:
        _need_access(trap, place(trap, dirfd, path, flags), mode)
    finally:
        trap.task = task
    return 0


def _need_access(trap: Trap, at: At, mode: int) -> None:
    inode = inodes.load(trap, at.inode)
    kind = inode.mode & S_IFMT
    mount = trap.store.row(Mount, at.mount)
    if mode & permission.EXEC and kind == S_IFREG and mount.flags & MS_NOEXEC:
        trap.deny(
            Errno.EACCES, "noexec-mount", N_("Nothing on this mount is executed."), "mount(2)"
        )
    permission.need(trap, inode, mode)
    if mode & permission.WRITE and (kind in (S_IFREG, S_IFDIR)):
        permission.need_writable(trap, at.mount)
    namei.touch(trap, at, inode, "name")


def _as_real_user(trap: Trap) -> Credentials:
    """access_override_creds(): the real ids, with the capabilities that they would bring."""
    cred = trap.task.cred
    effective = cred.effective
    if not cred.securebits & _NO_SETUID_FIXUP:
        user_ns = trap.store.row(UserNs, cred.user_ns)
        is_root = cred.ruid == to_kernel(user_ns.uid_map, 0)
        effective = cred.permitted if is_root else 0
    return msgspec.structs.replace(cred, fsuid=cred.ruid, fsgid=cred.rgid, effective=effective)


@posix("chmod")
def chmod(trap: Trap, path: str, mode: int) -> int:
    """chmod(2)."""
    attributes.change_mode(trap, paths.walk(trap, path), mode)
    return 0


@posix("fchmod")
def fchmod(trap: Trap, fd: int, mode: int) -> int:
    """fchmod(2)."""
    attributes.change_mode(trap, place_of(trap, fds.get(trap, fd)), mode)
    return 0


@posix("fchmodat")
def fchmodat(trap: Trap, dirfd: int, path: str, mode: int) -> int:
    """fchmodat(2), the call without flags."""
    attributes.change_mode(trap, place(trap, dirfd, path), mode)
    return 0


@linux("fchmodat2", since=(6, 6))
def fchmodat2(trap: Trap, dirfd: int, path: str, mode: int, flags: int = 0) -> int:
    """fchmodat2(2)."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "chmod(2)")
    attributes.change_mode(trap, place(trap, dirfd, path, flags), mode)
    return 0


@posix("chown")
def chown(trap: Trap, path: str, uid: int, gid: int) -> int:
    """chown(2)."""
    attributes.change_owner(trap, paths.walk(trap, path), uid, gid)
    return 0


@posix("lchown")
def lchown(trap: Trap, path: str, uid: int, gid: int) -> int:
    """lchown(2): a symbolic link itself."""
    attributes.change_owner(trap, paths.walk(trap, path, follow=False), uid, gid)
    return 0


@posix("fchown")
def fchown(trap: Trap, fd: int, uid: int, gid: int) -> int:
    """fchown(2)."""
    attributes.change_owner(trap, place_of(trap, fds.get(trap, fd)), uid, gid)
    return 0


@posix("fchownat")
def fchownat(trap: Trap, dirfd: int, path: str, uid: int, gid: int, flags: int = 0) -> int:
    """fchownat(2)."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "chown(2)")
    attributes.change_owner(trap, place(trap, dirfd, path, flags), uid, gid)
    return 0


@posix("truncate")
def truncate(trap: Trap, path: str, length: int) -> int:
    """truncate(2)."""
    if length < 0:
        trap.fail(Errno.EINVAL, N_("That is no length."), "truncate(2)")
    at = paths.walk(trap, path)
    inode = inodes.load(trap, at.inode)
    kind = inode.mode & S_IFMT
    if kind != S_IFREG:
        errno = Errno.EISDIR if kind == S_IFDIR else Errno.EINVAL
        trap.fail(errno, N_("Only a regular file has a length to change."), "truncate(2)")
    permission.need(trap, inode, permission.WRITE)
    permission.need_writable(trap, at.mount)
    _need_not_append_only(trap, inode.flags)
    if trap.store.by(ops.USED_BY, at.inode):
        trap.fail(Errno.ETXTBSY, N_("The file is being executed."), "truncate(2)")
    if io.check_size(trap, inode, length):
        attributes.change_size(trap, at, inode, length)
    return 0


@posix("ftruncate")
def ftruncate(trap: Trap, fd: int, length: int) -> int:
    """ftruncate(2)."""
    if length < 0:
        trap.fail(Errno.EINVAL, N_("That is no length."), "truncate(2)")
    file = fds.get(trap, fd)
    if file.kind == "pidfd":  # a regular file of pidfs, which pidfs_setattr() refuses to change
        trap.fail(Errno.EOPNOTSUPP, N_("Nothing of this descriptor can be changed."), "")
    inode = None if file.at is None else inodes.load(trap, file.at.inode)
    if file.at is None or inode is None or inode.mode & S_IFMT != S_IFREG or not fds.writable(file):
        trap.fail(Errno.EINVAL, N_("It is no file that is open for writing."), "truncate(2)")
    _need_not_append_only(trap, inode.flags)
    if io.check_size(trap, inode, length):
        attributes.change_size(trap, file.at, inode, length)
    return 0


def _need_not_append_only(trap: Trap, flags: int) -> None:
    if flags & FS_APPEND_FL:
        trap.deny(
            Errno.EPERM, "immutable", N_("The file may only be appended to."), "ioctl_iflags(2)"
        )


@posix("utimensat")
def utimensat(
    trap: Trap, dirfd: int, path: str | None, times: Any = None, flags: int | None = None
) -> int:
    """utimensat(2): (atime, mtime) in nanoseconds, or None for now.

    A program may leave the times out: ``utimensat(dirfd, path, flags)``. A null path means the
    descriptor itself.
    """
    if flags is None:
        flags = times if isinstance(times, int) else 0
        times = None if isinstance(times, int) else times
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "utimensat(2)")
    no_path = path is None
    at = place_of(trap, fds.get(trap, dirfd)) if no_path else place(trap, dirfd, path, flags)
    if times is not None:
        pair = decode.numbers(times, "a pair of times")
        if len(pair) != 2:
            raise NotModelled("times are those of access and of change")
        times = (pair[0], pair[1])
    attributes.touch_times(trap, at, times)
    return 0
