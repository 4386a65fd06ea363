"""Taking mounts off: umount2(2).

Source: fs/namespace.c can_umount(), do_umount(); the order of refusals is the kernel's.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.call import Denial, Failed, Result, Returned
from simulator.machine.abi.constants import (
    MNT_DETACH,
    MNT_EXPIRE,
    MNT_FORCE,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.vfs import mount_tree, mounting, propagation, remounting
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import CHILDREN, Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def unmount(trap: "Trap", target: mounting.Place, flags: int) -> Result:
    """umount2(2) of the mount at ``target``.

    Errors: EPERM; EINVAL (no mountpoint, not ours, locked, the first mount, MNT_EXPIRE with other
    flags); EBUSY while in use; EAGAIN the first time with MNT_EXPIRE.
    """
    store = trap.store
    mount = store.row(Mount, target.at.mount)
    _check_unmount(trap, target, mount, flags)
    if flags & MNT_EXPIRE and _expire(trap, mount, flags):
        return Failed(Denial(Errno.EAGAIN, why=N_("The mount is marked; ask again to unmount it.")))
    if mount.id == trap.task.root.mount and not flags & MNT_DETACH:
        sb = store.row(Superblock, mount.sb)
        trap.need(Privilege.MOUNT, sb.owner)
        remounting.set_read_only(trap, sb, True)
        return Returned()
    if mount.parent is None:
        mounting.invalid(trap, N_("The first mount of a mount namespace can't be taken off."))
    if not flags & MNT_DETACH and propagation.is_busy(store, mount):
        trap.fail(
            Errno.EBUSY,
            N_("Something is mounted in it, is open, runs, or has its directory there."),
            "umount(2)",
        )
    mounting.touched(trap, target)
    propagation.cut(trap, mount.id, lazy=bool(flags & MNT_DETACH))
    return Returned()


def _check_unmount(trap: "Trap", target: mounting.Place, mount: Mount, flags: int) -> None:
    """can_umount()."""
    mounting.need_mount(trap, Privilege.UNMOUNT)
    if not mounting.is_root(trap, target.at):
        mounting.invalid(trap, N_("This is not a mountpoint."))
    if not mounting.is_ours(trap, mount):
        mounting.foreign(trap)
    if mount.locked:
        mounting.refuse_locked(trap)
    if flags & MNT_FORCE:
        trap.need(Privilege.UNMOUNT, trap.store.row(Superblock, mount.sb).owner)


def _expire(trap: "Trap", mount: Mount, flags: int) -> bool:
    """Whether this was the first request, which only marks the mount."""
    if mount.id == trap.task.root.mount or flags & (MNT_FORCE | MNT_DETACH):
        mounting.invalid(trap)
    if trap.store.by(CHILDREN, mount.id) or mount_tree.in_use(trap.store, (mount.id,)):
        trap.fail(Errno.EBUSY, N_("The mount is in use."), "umount(2)")
    if mount.expire_mark:
        return False
    trap.store.put(msgspec.structs.replace(mount, expire_mark=True))
    return True
