"""Mounting a filesystem: its type, who may, its superblock, and whether it reveals too much.

Source: fs/namespace.c do_new_mount(), mount_too_revealing(); fs/super.c.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import MS_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import options
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.namespace import MountNs, UserNs
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import mount_tree
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import CHILDREN, IN_NAMESPACE, Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def type_of(trap: "Trap", name: str) -> FilesystemType:
    """The type called ``name`` (``fuse.sshfs`` is fuse). ENODEV when the kernel has none."""
    known = trap.family.filesystems.get(name) or trap.family.filesystems.get(name.split(".")[0])
    if known is None:
        trap.fail(
            Errno.ENODEV, N_("The kernel has no filesystem type of this name."), "filesystems(5)"
        )
    return known


def superblock(
    trap: "Trap", kind: FilesystemType, source: str | None, data: str, *, read_only: bool
) -> Superblock:
    """What a mount of ``kind`` shows: new, or the one that shows the same objects already.

    Errors, in order: EINVAL (options), EPERM (the right to mount it), then the type's own.
    """
    begin(trap, kind)
    text, wish = options.own(data)
    if kind.check is not None:
        kind.check(trap, text)
    need_capable(trap, kind)
    known = trap.store.count(Superblock)
    sb = kind.make(trap, source if source is not None else "none", text)
    if trap.store.count(Superblock) > known:
        read_only = read_only if wish is None else wish
        if read_only and not sb.read_only:
            sb = msgspec.structs.replace(sb, read_only=True)
            trap.store.put(sb)
    return sb


def begin(trap: "Trap", kind: FilesystemType) -> None:
    """fs_context_for_mount(): EPERM of the types that ask at once (sysfs_init_fs_context())."""
    if kind.at_once:
        need_capable(trap, kind)


def need_capable(trap: "Trap", kind: FilesystemType) -> None:
    """mount_capable(): over the machine, or, where the type allows it, over one's own namespace."""
    if not kind.userns_mount:
        if trap.has(Privilege.MOUNT):
            return
        if trap.has(Privilege.MOUNT, trap.task.cred.user_ns):
            trap.deny(
                Errno.EPERM,
                "user-ns",
                N_("This filesystem type can't be mounted in a user namespace."),
                "user_namespaces(7)",
            )
        trap.need(Privilege.MOUNT)
    trap.need(
        Privilege.MOUNT, kind.owner(trap) if kind.owner is not None else trap.task.cred.user_ns
    )


def locked_flags(trap: "Trap", kind: FilesystemType, sb: Superblock, flags: int) -> int:
    """Refuse what would show more than the caller can see already; the flags that stay locked.

    mount_too_revealing(): in a mount namespace owned by a non-initial user namespace, a new procfs
    or sysfs needs one that is mounted whole, with nothing locked on top of it. EPERM.
    """
    ns = trap.task.ns.mnt
    owner = trap.store.row(UserNs, trap.store.row(MountNs, ns).owner)
    if owner.parent is None or not kind.may_reveal:
        return 0
    locked = _visible(trap, sb, flags)
    if locked is None:
        trap.deny(
            Errno.EPERM,
            "mount-too-revealing",
            N_("A new instance would show more than any that is mounted whole here already."),
            "mount_namespaces(7)",
        )
    return locked


def _visible(trap: "Trap", sb: Superblock, flags: int) -> int | None:
    """mnt_already_visible(): what is locked on a mount that shows as much as the new one."""
    for mount in sorted(trap.store.rows_by(IN_NAMESPACE, trap.task.ns.mnt), key=lambda m: m.id):
        seen = trap.store.row(Superblock, mount.sb)
        if seen.fstype != sb.fstype or mount.root != seen.root:
            continue
        locked = mount.locked_flags | (MS_RDONLY if seen.read_only else 0)
        if locked & MS_RDONLY and not flags & MS_RDONLY:
            continue
        atime = locked & mount_tree.ATIME_MASK
        if atime and (mount.flags ^ flags) & mount_tree.ATIME_MASK:
            continue
        if _is_fully_visible(trap, mount):
            return locked & (MS_RDONLY | mount_tree.ATIME_MASK)
    return None


def _is_fully_visible(trap: "Trap", mount: Mount) -> bool:
    """No locked mount covers anything but a directory that is always empty."""
    return not any(
        child.locked and child.mountpoint is not None and not _is_always_empty(trap, child)
        for child in trap.store.rows_by(CHILDREN, mount.id)
    )


def _is_always_empty(trap: "Trap", child: Mount) -> bool:
    """is_empty_dir_inode(): directories that exist only to be mounted on (sysfs, procfs)."""
    assert child.mountpoint is not None
    inode = inodes.load(trap, child.mountpoint)
    return (
        not isinstance(child.mountpoint, int)
        and inodes.is_dir(inode)
        and not inodes.names(trap, child.mountpoint)
    )
