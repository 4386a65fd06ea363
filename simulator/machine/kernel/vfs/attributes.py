"""Mode, owner, times and size of a file: the checks of notify_change(). fs/attr.c, fs/open.c."""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import (
    FS_APPEND_FL,
    FS_IMMUTABLE_FL,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_ISGID,
    S_ISUID,
    S_IXGRP,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId, KGid, KUid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock, namespace
from simulator.machine.kernel import cred as credentials
from simulator.machine.kernel.fs.registry import mutations
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import namei, ops, permission
from simulator.machine.kernel.vfs.inode import Inode

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

KEEP = 0xFFFFFFFF
"""(uid_t) -1: leave this id as it is."""
FILE_CAPABILITIES = "security.capability"


def change_mode(trap: "Trap", at: At, mode: int) -> None:
    """chmod(2). EROFS, EPERM, EOPNOTSUPP for a symbolic link."""
    permission.need_writable(trap, at.mount)
    inode = inodes.load(trap, at.inode)
    if inode.mode & S_IFMT == S_IFLNK:
        trap.fail(Errno.EOPNOTSUPP, N_("A symbolic link has no mode of its own."), "chmod(2)")
    permission.need_mutable(trap, inode)
    _need_settable(trap, at.inode)
    if not permission.owner_or_capable(trap, inode):
        trap.deny(Errno.EPERM, "file-owner", N_("Only the owner may change the mode."), "chmod(2)")
    mode = mode & 0o7777 | inode.mode & S_IFMT
    if not _in_group(trap, inode, inode.gid):
        mode &= ~S_ISGID
    namei.touch(trap, at, inode, "write")
    ops.set_attributes(trap, at.inode, mode=mode)


def change_owner(trap: "Trap", at: At, uid: int, gid: int) -> None:
    """chown(2) with ids of the caller's user namespace; -1 keeps one. EROFS, EPERM, EINVAL."""
    permission.need_writable(trap, at.mount)
    new_uid, new_gid = kernel_ids(trap, uid, gid)
    inode = inodes.load(trap, at.inode)
    if new_uid is not None or new_gid is not None:
        permission.need_mutable(trap, inode)
    _need_settable(trap, at.inode)
    if new_uid is not None and not (
        trap.task.cred.fsuid == inode.uid == new_uid
        or permission.has_over(trap, Privilege.CHOWN, inode)
    ):
        _may_not_give(trap)
    if new_gid is not None and not (
        (
            trap.task.cred.fsuid == inode.uid
            and (new_gid == inode.gid or credentials.in_group(trap.task.cred, new_gid))
        )
        or permission.has_over(trap, Privilege.CHOWN, inode)
    ):
        _may_not_give(trap)
    namei.touch(trap, at, inode, "write")
    mode = inode.mode
    if mode & S_IFMT != S_IFDIR:
        mode = _without_set_ids(trap, inode)
        drop_capabilities(trap, at.inode)
    if new_uid is None and new_gid is None and mode == inode.mode and isinstance(at.inode, tuple):
        return  # a computed file has nothing that could move on but a time that nobody keeps
    ops.set_attributes(
        trap,
        at.inode,
        uid=inode.uid if new_uid is None else new_uid,
        gid=inode.gid if new_gid is None else new_gid,
        mode=mode,
    )


def change_size(trap: "Trap", at: At, inode: Inode, size: int) -> None:
    """do_truncate(), once the caller may: RLIMIT_FSIZE is the handler's business."""
    namei.touch(trap, at, inode, "write")
    drop_privileges(trap, at.inode)
    ops.truncate(trap, at.inode, size)


def touch_times(trap: "Trap", at: At, times: tuple[int, int] | None) -> None:
    """utimensat(2): nanoseconds since the epoch, or None for now. EROFS, EACCES, EPERM."""
    permission.need_writable(trap, at.mount)
    inode = inodes.load(trap, at.inode)
    permission.need_mutable(trap, inode)
    if times is not None:
        _need_settable(trap, at.inode)
    if not permission.owner_or_capable(trap, inode):
        if times is not None:
            trap.deny(
                Errno.EPERM,
                "file-owner",
                N_("Only the owner may set other times than now."),
                "utimensat(2)",
            )
        if not permission.may(trap, inode, permission.WRITE):
            trap.deny(
                Errno.EACCES,
                "file-owner",
                N_("Only the owner, or who may write the file, may set its times."),
                "utimensat(2)",
            )
    _need_settable(trap, at.inode)
    now = clock.realtime(trap.store)
    atime, mtime = times if times is not None else (now, now)
    namei.touch(trap, at, inode, "write")
    ops.set_attributes(trap, at.inode, atime=atime, mtime=mtime)


def change_flags(trap: "Trap", at: At, flags: int) -> None:
    """FS_IOC_SETFLAGS of ioctl_iflags(2). EROFS, EACCES, EPERM."""
    permission.need_writable(trap, at.mount)
    inode = inodes.load(trap, at.inode)
    if not permission.owner_or_capable(trap, inode):
        trap.deny(
            Errno.EACCES, "file-owner", N_("Only the owner sets a file's flags."), "ioctl_iflags(2)"
        )
    if (flags ^ inode.flags) & (FS_IMMUTABLE_FL | FS_APPEND_FL):
        trap.need(Privilege.SET_IMMUTABLE)
    namei.touch(trap, at, inode, "write")
    ops.set_attributes(trap, at.inode, flags=flags)


def _need_settable(trap: "Trap", inode: InodeId) -> None:
    """The inode's own i_op->setattr(), which notify_change() calls before it asks who may."""
    if isinstance(inode, tuple) and not mutations(inode).settable:
        trap.fail(Errno.EOPNOTSUPP, N_("Nothing of this descriptor can be changed."), "chmod(2)")


def drop_privileges(trap: "Trap", inode: InodeId) -> None:
    """file_remove_privs(): writing clears set-user-ID, set-group-ID and file capabilities."""
    row = inodes.load(trap, inode)
    if row.mode & S_IFMT != S_IFREG:
        return
    if row.mode & (S_ISUID | S_ISGID) and not trap.has(Privilege.FSETID, trap.task.cred.user_ns):
        mode = _without_set_ids(trap, row)
        if mode != row.mode:
            ops.set_attributes(trap, inode, mode=mode)
    drop_capabilities(trap, inode)


def drop_capabilities(trap: "Trap", inode: InodeId) -> None:
    """cap_inode_killpriv(): take ``security.capability`` away."""
    xattrs = inodes.load(trap, inode).xattrs
    if xattrs and FILE_CAPABILITIES in xattrs:
        kept = {name: value for name, value in xattrs.items() if name != FILE_CAPABILITIES}
        ops.set_attributes(trap, inode, xattrs=kept)


def _without_set_ids(trap: "Trap", inode: Inode) -> int:
    """setattr_should_drop_suidgid(): set-group-ID stays where it once meant mandatory locking."""
    mode = inode.mode & ~S_ISUID
    if mode & S_ISGID and (mode & S_IXGRP or not _in_group(trap, inode, inode.gid)):
        mode &= ~S_ISGID
    return mode


def _in_group(trap: "Trap", inode: Inode, gid: KGid) -> bool:
    return credentials.in_group(trap.task.cred, gid) or permission.has_over(
        trap, Privilege.FSETID, inode
    )


def kernel_ids(trap: "Trap", uid: int, gid: int) -> tuple[KUid | None, KGid | None]:
    """Both ids as the machine knows them; None for -1. EINVAL for one that is not mapped."""
    user_ns = trap.store.row(namespace.UserNs, trap.task.cred.user_ns)
    out: list[int | None] = []
    for given, extents in ((uid, user_ns.uid_map), (gid, user_ns.gid_map)):
        if given & KEEP == KEEP:
            out.append(None)
            continue
        kernel_id = namespace.to_kernel(extents, given & KEEP)
        if kernel_id is None:
            trap.deny(
                Errno.EINVAL,
                "user-ns",
                N_("The id has no mapping in the caller's user namespace."),
                "user_namespaces(7)",
            )
        out.append(kernel_id)
    first, second = out
    return (
        None if first is None else KUid(first),
        None if second is None else KGid(second),
    )


def _may_not_give(trap: "Trap") -> None:
    trap.deny(
        Errno.EPERM,
        "file-owner",
        N_("The owner may only give the file to one of the caller's own groups."),
        "chown(2)",
    )
