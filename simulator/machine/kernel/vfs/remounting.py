"""Changing a mount's flags, or a whole filesystem's: mount(2) with MS_REMOUNT.

Source: fs/namespace.c do_remount(), do_reconfigure_mnt(), can_change_locked_flags().
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import MS_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import MountId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import mount_tree, mounting, ops
from simulator.machine.kernel.vfs.fd import WRITERS
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def need_flags_free(trap: "Trap", mount: Mount, flags: int) -> None:
    """EPERM when a locked flag would change (can_change_locked_flags())."""
    locked = mount.locked_flags
    lost = locked & mount_tree.LOCKABLE & ~flags
    atime = locked & mount_tree.ATIME_MASK and (mount.flags ^ flags) & mount_tree.ATIME_MASK
    if lost or atime:
        trap.deny(
            Errno.EPERM,
            "locked-mount",
            N_("The flag was set in a more privileged mount namespace and can't be cleared."),
            "mount_namespaces(7)",
        )


def remount_bind(trap: "Trap", target: At, flags: int) -> None:
    """MS_REMOUNT|MS_BIND: change the flags of this mount alone (do_reconfigure_mnt())."""
    mount = trap.store.row(Mount, target.mount)
    if not mounting.is_ours(trap, mount):
        mounting.foreign(trap)
    if not mounting.is_root(trap, target):
        mounting.invalid(trap, N_("This is not a mountpoint."))
    need_flags_free(trap, mount, flags)
    need_no_writers(trap, mount, flags)
    trap.store.put(msgspec.structs.replace(mount, flags=flags))
    mounting.touched(trap, mounting.Place(target, None, str(mount.id)))


def need_no_writers(trap: "Trap", mount: Mount, flags: int) -> None:
    """EBUSY to make a mount read-only while a file is open for writing through it."""
    if flags & MS_RDONLY and not mount.flags & MS_RDONLY and _has_writers(trap, {mount.id}):
        trap.fail(Errno.EBUSY, N_("A file is open for writing through the mount."), "mount(2)")


def _has_writers(trap: "Trap", mounts: set[MountId]) -> bool:
    return any(trap.store.many(WRITERS, mount) for mount in mounts)


def remount(trap: "Trap", target: At, flags: int, text: str, *, read_only: bool) -> None:
    """MS_REMOUNT: change the filesystem itself, and this mount's flags (do_remount()).

    ``text`` are the filesystem's own options. EPERM without the right over the filesystem's own
    user namespace; EBUSY to make it read-only while a file of it is open for writing.
    """
    store = trap.store
    mount = store.row(Mount, target.mount)
    if not mounting.is_ours(trap, mount):
        mounting.foreign(trap)
    if not mounting.is_root(trap, target):
        mounting.invalid(trap, N_("This is not a mountpoint."))
    need_flags_free(trap, mount, flags)
    sb = store.row(Superblock, mount.sb)
    kind = trap.family.filesystems.get(sb.fstype)
    if kind is not None and kind.check is not None:
        kind.check(trap, text)
    trap.need(Privilege.MOUNT, sb.owner)
    if kind is not None and kind.reconfigure is not None:
        sb = kind.reconfigure(trap, sb, text)
        store.put(sb)
    set_read_only(trap, sb, read_only)
    store.put(msgspec.structs.replace(mount, flags=flags))
    trap.touch("mount", sb.domain, "write", sb.source)


def set_read_only(trap: "Trap", sb: Superblock, read_only: bool) -> None:
    """Change a whole filesystem between read-only and writable (reconfigure_super())."""
    if sb.read_only == read_only:
        return
    if read_only:
        mounts = {mount.id for mount in trap.store.all(Mount) if mount.sb == sb.id}
        # sb_prepare_remount_readonly(): who is gone by name is yet to be removed for good
        nameless = (i for i in trap.store.all(Inode) if i.sb == sb.id and not i.nlink)
        deleted = any(ops.is_held(trap.store, i.id) for i in nameless)
        if deleted or _has_writers(trap, mounts):
            trap.fail(
                Errno.EBUSY,
                N_("A file is open for writing, or deleted and still open."),
                "mount(2)",
            )
    trap.store.put(msgspec.structs.replace(sb, read_only=read_only))
