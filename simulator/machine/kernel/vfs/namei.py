"""Making, removing and moving names: the checks, in the order in which the kernel makes them.

A call that breaks two rules gets the errno of the rule that is checked first, so the order is part
of what a program sees. Source: fs/namei.c (filename_create, may_create, may_delete, vfs_rename).
"""

from typing import TYPE_CHECKING, NoReturn

from simulator.machine.abi.constants import (
    FS_APPEND_FL,
    FS_IMMUTABLE_FL,
    FS_IXUNLINK_FL,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    S_IFDIR,
    S_IFMT,
    S_ISGID,
    S_ISVTX,
    S_IXGRP,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import INITIAL_USER_NS, KERNEL, InodeId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import cred as credentials
from simulator.machine.kernel import namespace
from simulator.machine.kernel.fs.registry import NewFile, mutations
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import dpath, mount_tree, ops, path, permission
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import BY_MOUNTPOINT, Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_DOTS = frozenset(("", ".", ".."))


def touch(trap: "Trap", at: At, inode: Inode, operation: str, name: str = "") -> None:
    """Report a use of the file if it is another domain's; ``name`` is one just made in it."""
    if inode.domain == trap.task.domain or inode.domain == KERNEL:
        return
    mount = trap.store.row(Mount, at.mount)
    if mount.public and operation in ("name", "read"):
        return
    label = dpath.label(trap, at)
    if name:
        label = f"{label.rstrip('/')}/{name}"
    trap.touch("file", inode.domain, operation, label, _granted(trap, mount, at.inode))


def _granted(trap: "Trap", mount: Mount, inode: InodeId) -> bool:
    """Whether an operator handed the file in: what lies below the mount's root, and not what a
    handle of the same filesystem leads to.
    """
    if not mount.granted or not isinstance(inode, int) or not isinstance(mount.root, int):
        return mount.granted
    return mount_tree.is_below(trap, inode, mount.root)


def new_name(trap: "Trap", dirfd: int, name: str, *, directory: bool = False) -> path.Last:
    """filename_create(): a free name. EEXIST, then ENOENT for a slash, then EROFS."""
    last = path.last(trap, name, path.start_at(trap, dirfd, name))
    if last.name in _DOTS:
        _exists(trap)
    if path.child(trap, last.parent, last.name) is not None:
        _exists(trap)
    above = last.parent.inode
    if isinstance(above, tuple) and mutations(above).missing_fails(above):
        trap.fail(Errno.ENOENT, N_("Nothing can be made in this directory."), "proc(5)")
    if last.slash and not directory:
        trap.fail(Errno.ENOENT, N_("Only a directory's name may end in a slash."), "open(2)")
    permission.need_writable(trap, last.parent.mount)
    return last


def may_create(trap: "Trap", parent: At) -> Inode:
    """may_create(): the directory, which the caller may add a name to."""
    directory = inodes.load(trap, parent.inode)
    if directory.nlink == 0:
        trap.fail(Errno.ENOENT, N_("The directory has been removed."), "mkdir(2)")
    need_mapped_ids(trap, directory)
    permission.need(trap, directory, permission.WRITE | permission.EXEC)
    return directory


def make(
    trap: "Trap",
    parent: At,
    directory: Inode,
    name: str,
    mode: int,
    rdev: int = 0,
    target: str = "",
) -> At:
    """Make the file: owner, group and set-group-ID as inode_init_owner() says."""
    cred = trap.task.cred
    gid = cred.fsgid
    if directory.mode & S_ISGID:
        gid = directory.gid
        if mode & S_IFMT == S_IFDIR:
            mode |= S_ISGID
        elif mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP and not (
            credentials.in_group(cred, gid)
            or permission.has_over(trap, Privilege.FSETID, directory)
        ):
            mode &= ~S_ISGID
    new = NewFile(
        mode=mode, uid=cred.fsuid, gid=gid, rdev=rdev, target=target, domain=trap.task.domain
    )
    touch(trap, parent, directory, "write", name)
    return At(parent.mount, ops.create(trap, parent.inode, name, new))


def may_delete(trap: "Trap", parent: At, at: At, is_directory: bool | None) -> Inode:
    """may_delete(): the inode whose name may be taken; ``is_directory`` None: of either sort."""
    directory = inodes.load(trap, parent.inode)
    permission.need(trap, directory, permission.WRITE | permission.EXEC)
    if directory.flags & FS_APPEND_FL:
        _unchangeable(trap)
    inode = inodes.load(trap, at.inode)
    need_unstuck(trap, directory, inode)
    # With the flag for unlinking, immutable means the opposite here (IS_IXORUNLINK())
    unlinks = inode.flags & FS_IXUNLINK_FL and inode.flags & FS_IMMUTABLE_FL
    if inode.flags & FS_APPEND_FL or (inode.flags & FS_IMMUTABLE_FL and not unlinks):
        _unchangeable(trap)
    really = inodes.is_dir(inode)
    if is_directory is True and not really:
        trap.fail(Errno.ENOTDIR, N_("It is no directory."), "rmdir(2)")
    if is_directory is False and really:
        trap.fail(Errno.EISDIR, N_("It is a directory."), "unlink(2)")
    if directory.nlink == 0:
        trap.fail(Errno.ENOENT, N_("The directory has been removed."), "unlink(2)")
    return inode


def need_unstuck(trap: "Trap", directory: Inode, inode: Inode) -> None:
    """check_sticky(): in a sticky directory only owners remove or rename. EPERM."""
    if not directory.mode & S_ISVTX:
        return
    fsuid = trap.task.cred.fsuid
    if fsuid in (inode.uid, directory.uid):
        return
    if not permission.has_over(trap, Privilege.FOWNER, inode):
        trap.deny(
            Errno.EPERM,
            "sticky-bit",
            N_("In a sticky directory only the file's or the directory's owner may do that."),
            "inode(7)",
        )


def need_no_mount(trap: "Trap", inode: InodeId) -> None:
    """is_local_mountpoint(): EBUSY when something is mounted here in the caller's namespace."""
    ns = trap.task.ns.mnt
    for key in trap.store.filed(BY_MOUNTPOINT).get(inode, ()):
        if trap.store.row(Mount, key).ns == ns:
            trap.fail(Errno.EBUSY, N_("A filesystem is mounted on it."), "rmdir(2)")


def existing(trap: "Trap", last: path.Last) -> At:
    """What the last name stands for. ENOENT."""
    at = path.child(trap, last.parent, last.name)
    if at is None:
        trap.fail(Errno.ENOENT, N_("Nothing has this name here."), "path_resolution(7)")
    return at


def rename(trap: "Trap", old: path.Last, new: path.Last, flags: int) -> None:
    """do_renameat2() and vfs_rename(), from the two directories found on."""
    if old.parent.mount != new.parent.mount:
        trap.fail(Errno.EXDEV, N_("The two names are on different mounts."), "rename(2)")
    if old.name in _DOTS:
        trap.fail(Errno.EBUSY, N_("``.``, ``..`` and the root can't be renamed."), "rename(2)")
    if new.name in _DOTS:
        errno = Errno.EEXIST if flags & RENAME_NOREPLACE else Errno.EBUSY
        trap.fail(errno, N_("``.``, ``..`` and the root can't be replaced."), "rename(2)")
    permission.need_writable(trap, old.parent.mount)
    source = existing(trap, old)
    target = path.child(trap, new.parent, new.name)
    beyond = new.parent.inode
    if target is None and isinstance(beyond, tuple) and mutations(beyond).missing_fails(beyond):
        trap.fail(Errno.ENOENT, N_("Nothing can be made in this directory."), "proc(5)")
    _compatible(trap, old, new, source, target, flags)
    if target == source:
        return
    _may_rename(trap, old.parent, new.parent, source, target, flags)
    need_no_mount(trap, source.inode)
    if target is not None:
        need_no_mount(trap, target.inode)
    _replaces_only_its_like(trap, source, target, flags)
    above = inodes.load(trap, old.parent.inode)
    touch(trap, old.parent, above, "write", old.name)
    if new.parent != old.parent:
        touch(trap, new.parent, inodes.load(trap, new.parent.inode), "write", new.name)
    ops.rename(
        trap,
        (old.parent.inode, old.name),
        (new.parent.inode, new.name),
        None if target is None else target.inode,
        flags,
    )


def _compatible(
    trap: "Trap", old: path.Last, new: path.Last, source: At, target: At | None, flags: int
) -> None:
    """What do_renameat2() asks of the two names before any permission."""
    if flags & RENAME_NOREPLACE and target is not None:
        _exists(trap)
    if flags & RENAME_EXCHANGE:
        if target is None:
            trap.fail(Errno.ENOENT, N_("Both names must exist to be exchanged."), "rename(2)")
        if new.slash and not inodes.is_dir(inodes.load(trap, target.inode)):
            _no_directory(trap)
    if not inodes.is_dir(inodes.load(trap, source.inode)) and (
        old.slash or (new.slash and not flags & RENAME_EXCHANGE)
    ):
        _no_directory(trap)
    if _is_above(trap, source.inode, new.parent.inode):
        trap.fail(Errno.EINVAL, N_("A directory can't move into itself."), "rename(2)")
    if target is not None and _is_above(trap, target.inode, old.parent.inode):
        errno = Errno.EINVAL if flags & RENAME_EXCHANGE else Errno.ENOTEMPTY
        trap.fail(errno, N_("The new name contains the old one."), "rename(2)")


def _may_rename(trap: "Trap", old: At, new: At, source: At, target: At | None, flags: int) -> None:
    moved_is_directory = inodes.is_dir(inodes.load(trap, source.inode))
    inode = may_delete(trap, old, source, moved_is_directory)
    replaced = None
    if target is None:
        may_create(trap, new)
    elif flags & RENAME_EXCHANGE:
        replaced = may_delete(trap, new, target, None)
    else:
        may_delete(trap, new, target, moved_is_directory)
    if old.inode == new.inode:
        return
    if moved_is_directory:
        permission.need(trap, inode, permission.WRITE)
    if replaced is not None and inodes.is_dir(replaced):
        permission.need(trap, replaced, permission.WRITE)


def _replaces_only_its_like(trap: "Trap", source: At, target: At | None, flags: int) -> None:
    """ENOTEMPTY; a computed filesystem has refusals that come first (overlay: EXDEV)."""
    if (
        target is None
        or isinstance(target.inode, tuple)
        or flags & RENAME_EXCHANGE
        or not inodes.is_dir(inodes.load(trap, source.inode))
    ):
        return
    if not ops.is_empty(trap, target.inode):
        trap.fail(Errno.ENOTEMPTY, N_("The directory is not empty."), "rename(2)")


def _is_above(trap: "Trap", inode: InodeId, below: InodeId) -> bool:
    """Whether ``inode`` is ``below`` or one of the directories above it."""
    while True:
        if inode == below:
            return True
        above = inodes.parent(trap, below)
        if above == below:
            return False
        below = above


def need_mapped_ids(trap: "Trap", directory: Inode) -> None:
    """fsuidgid_has_mapping(): EOVERFLOW when the filesystem can't express the caller's ids."""
    sb = trap.store.get(Superblock, directory.sb)
    if sb is None or sb.owner == INITIAL_USER_NS:
        return
    owner = trap.store.row(namespace.UserNs, sb.owner)
    cred = trap.task.cred
    if not (
        namespace.has_mapping(owner.uid_map, cred.fsuid)
        and namespace.has_mapping(owner.gid_map, cred.fsgid)
    ):
        trap.deny(
            Errno.EOVERFLOW,
            "user-ns",
            N_("The filesystem's user namespace has no id for this user."),
            "user_namespaces(7)",
        )


def _exists(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EEXIST, N_("The name is taken."), "open(2)")


def _no_directory(trap: "Trap") -> NoReturn:
    trap.fail(Errno.ENOTDIR, N_("A path ends with a slash."), "path_resolution(7)")


def _unchangeable(trap: "Trap") -> NoReturn:
    trap.deny(
        Errno.EPERM,
        "immutable",
        N_("The file has the immutable or the append-only attribute."),
        "ioctl_iflags(2)",
    )
