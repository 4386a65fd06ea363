"""May this caller read, write or search this file? path_resolution(7), fs/namei.c."""

from typing import TYPE_CHECKING, NoReturn

from simulator.machine.abi.constants import (
    FS_APPEND_FL,
    FS_IMMUTABLE_FL,
    FS_IXUNLINK_FL,
    MS_NOEXEC,
    MS_RDONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import cred as credentials
from simulator.machine.kernel import namespace, sysctl
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.abi.ids import MountId
    from simulator.machine.kernel.trap import Trap

_STORED_KINDS = frozenset((S_IFREG, S_IFDIR, S_IFLNK))
READ = 4
WRITE = 2
EXEC = 1


def may(trap: "Trap", inode: Inode, want: int) -> bool:
    """Whether the mode bits, or a privilege over the inode, allow ``want`` (READ|WRITE|EXEC)."""
    cred = trap.task.cred
    mode = inode.mode
    if cred.fsuid == inode.uid:
        mode >>= 6
    elif credentials.in_group(cred, inode.gid):
        mode >>= 3
    if mode & want == want:
        return True
    return _privileged(trap, inode, want)


def need(trap: "Trap", inode: Inode, want: int, *, bits: bool = True) -> None:
    """inode_permission(): EROFS or EPERM where no one may write, EACCES unless ``may``.

    Not ``bits``: the filesystem has said already whether the caller may.
    """
    if want & WRITE:
        _need_changeable(trap, inode)
    if trap.family.chain.asked["may_pass"]:
        trap.ask("may_pass", inode, want)
    if bits and not may(trap, inode, want):
        trap.deny(
            Errno.EACCES,
            "file-mode",
            N_("The file's owner, group and mode bits do not let this user do that."),
            "path_resolution(7)",
        )


def need_search(trap: "Trap", directory: Inode) -> None:
    """Refuse with EACCES unless names in ``directory`` may be looked up."""
    trap.ask("may_pass", directory, EXEC)
    if directory.mode & 0o111 != 0o111 and not may(trap, directory, EXEC):
        trap.deny(
            Errno.EACCES,
            "file-mode",
            N_("Search permission is denied on a directory of the path."),
            "path_resolution(7)",
        )


def need_writable(trap: "Trap", mount: "MountId") -> None:
    """mnt_want_write(): refuse with EROFS on a read-only mount or filesystem."""
    row = trap.store.row(Mount, mount)
    if row.flags & MS_RDONLY:
        trap.deny(
            Errno.EROFS,
            "read-only-mount",
            N_("The file is seen through a mount that is read-only."),
            "mount(2)",
        )
    if trap.store.row(Superblock, row.sb).read_only:
        _read_only_filesystem(trap)


def need_mutable(trap: "Trap", inode: Inode) -> None:
    """Refuse with EPERM when the file is immutable or append-only (ioctl_iflags(2))."""
    if inode.flags & (FS_IMMUTABLE_FL | FS_APPEND_FL):
        shared = inode.flags & FS_IXUNLINK_FL and inode.flags & FS_IMMUTABLE_FL
        if shared and trap.family.traits.copies_unified_files:
            raise NotModelled("a copy of a unified file for the sake of its attributes")
        trap.deny(
            Errno.EPERM,
            "immutable",
            N_("The file has the immutable or the append-only attribute."),
            "ioctl_iflags(2)",
        )


def protects(trap: "Trap", setting: str, level: int = 1) -> bool:
    """Whether one of proc_sys_fs(5)'s ``fs.protected_*`` settings is at least ``level``."""
    return sysctl.number(trap.store, trap.family, setting) >= level


def has_over(trap: "Trap", privilege: Privilege, inode: Inode) -> bool:
    """capable_wrt_inode_uidgid(): the privilege, in a namespace that maps the file's owner."""
    user_ns = trap.store.row(namespace.UserNs, trap.task.cred.user_ns)
    return (
        namespace.has_mapping(user_ns.uid_map, inode.uid)
        and namespace.has_mapping(user_ns.gid_map, inode.gid)
        and trap.has(privilege, user_ns.id)
    )


def owner_or_capable(trap: "Trap", inode: Inode) -> bool:
    """inode_owner_or_capable(): the owner, or CAP_FOWNER where the owner's id has a mapping.

    The file's group is not asked about, other than in ``has_over``.
    """
    if trap.task.cred.fsuid == inode.uid:
        return True
    user_ns = trap.store.row(namespace.UserNs, trap.task.cred.user_ns)
    return namespace.has_mapping(user_ns.uid_map, inode.uid) and trap.has(
        Privilege.FOWNER, user_ns.id
    )


def executable(trap: "Trap", mount: "MountId", inode: Inode) -> bool:
    """Whether execve(2) may run it: a regular file, execute permission, no MS_NOEXEC."""
    if inode.mode & S_IFMT != S_IFREG or trap.store.row(Mount, mount).flags & MS_NOEXEC:
        return False
    return may(trap, inode, EXEC)


def is_device(inode: Inode) -> bool:
    """Whether it is a block or character device."""
    return inode.mode & S_IFMT in (S_IFBLK, S_IFCHR)


def _need_changeable(trap: "Trap", inode: Inode) -> None:
    if inode.mode & S_IFMT in _STORED_KINDS:
        sb = trap.store.get(Superblock, inode.sb)
        if sb is not None and sb.read_only:
            _read_only_filesystem(trap)
    if inode.flags & FS_IMMUTABLE_FL:
        trap.deny(
            Errno.EPERM,
            "immutable",
            N_("The file has the immutable attribute."),
            "ioctl_iflags(2)",
        )


def _read_only_filesystem(trap: "Trap") -> NoReturn:
    trap.deny(
        Errno.EROFS,
        "read-only-mount",
        N_("The whole filesystem is mounted read-only."),
        "mount(2)",
    )


def _privileged(trap: "Trap", inode: Inode, want: int) -> bool:
    is_directory = inode.mode & S_IFMT == S_IFDIR
    if is_directory:
        if not want & WRITE and has_over(trap, Privilege.DAC_READ_SEARCH, inode):
            return True
        return has_over(trap, Privilege.DAC_OVERRIDE, inode)
    if want == READ and has_over(trap, Privilege.DAC_READ_SEARCH, inode):
        return True
    if not want & EXEC or inode.mode & 0o111:
        return has_over(trap, Privilege.DAC_OVERRIDE, inode)
    return False
