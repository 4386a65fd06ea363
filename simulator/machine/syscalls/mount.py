"""mount(2), umount2(2), pivot_root(2): the calls that change the tree of mounts."""

from simulator.machine.abi.call import Result
from simulator.machine.abi.constants import (
    MNT_DETACH,
    MNT_EXPIRE,
    MNT_FORCE,
    MS_BIND,
    MS_MGC_MSK,
    MS_MGC_VAL,
    MS_MOVE,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_NOUSER,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_STRICTATIME,
    UMOUNT_NOFOLLOW,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs import options
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import mounting, new_mount, pivot, remounting, unmounting
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.kernel.vfs.mount_tree import ATIME_MASK
from simulator.machine.kernel.vfs.mounting import TYPES, Place
from simulator.machine.syscalls.registry import linux

_PER_MOUNT = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW
_ATIME_WISHES = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME


@linux("mount")
def mount(
    trap: Trap,
    source: str | None,
    target: str,
    fstype: str | None = None,
    flags: int = 0,
    data: str | None = None,
) -> int:
    """mount(2): mount a filesystem, bind, move, remount, or change a propagation type.

    Which of these it is, and in what order it refuses: path_mount() in fs/namespace.c.
    """
    if flags & MS_MGC_MSK == MS_MGC_VAL:
        flags &= ~MS_MGC_MSK
    if flags & MS_NOUSER:
        trap.fail(Errno.EINVAL, "", "mount(2)")
    where = mounting.place(trap, target)
    trap.ask("may_mount", fstype or "", target, flags)
    mounting.need_mount(trap)
    per_mount = _per_mount_flags(trap, where, flags)
    if flags & (MS_REMOUNT | MS_BIND) == MS_REMOUNT | MS_BIND:
        remounting.remount_bind(trap, where.at, per_mount)
    elif flags & MS_REMOUNT:
        text, wish = options.own(data or "")
        read_only = bool(flags & MS_RDONLY) if wish is None else wish
        remounting.remount(trap, where.at, per_mount, text, read_only=read_only)
    elif flags & MS_BIND:
        mounting.bind(trap, _source(trap, source), where, recursive=bool(flags & MS_REC))
    elif flags & TYPES:
        mounting.change_types(trap, where.at, flags)
    elif flags & MS_MOVE:
        mounting.move(trap, _source(trap, source), where)
    else:
        _new(trap, source, where, fstype, flags, per_mount, data or "")
    return 0


def _source(trap: Trap, source: str | None) -> Place:
    if not source:
        trap.fail(Errno.EINVAL, N_("A bind or a move needs a source."), "mount(2)")
    return mounting.place(trap, source)


def _per_mount_flags(trap: Trap, where: Place, flags: int) -> int:
    """The flags that belong to the mount: relatime unless told otherwise, kept by a remount."""
    if flags & MS_REMOUNT and not flags & _ATIME_WISHES:
        kept = trap.store.row(Mount, where.at.mount).flags & ATIME_MASK
        return flags & _PER_MOUNT | kept
    atime = flags & (MS_NOATIME | MS_NODIRATIME)
    if not flags & (MS_NOATIME | MS_STRICTATIME):
        atime |= MS_RELATIME
    if flags & MS_STRICTATIME:
        atime &= ~MS_NOATIME
    return flags & _PER_MOUNT | atime


def _new(
    trap: Trap,
    source: str | None,
    where: Place,
    fstype: str | None,
    flags: int,
    per_mount: int,
    data: str,
) -> None:
    if fstype is None:
        trap.fail(Errno.EINVAL, N_("A new mount needs a filesystem type."), "mount(2)")
    kind = new_mount.type_of(trap, fstype)
    sb = new_mount.superblock(trap, kind, source, data, read_only=bool(flags & MS_RDONLY))
    locked = new_mount.locked_flags(trap, kind, sb, per_mount)
    mounting.add(trap, sb, per_mount, source or "none", where, locked_flags=locked)


@linux("umount2")
def umount2(trap: Trap, target: str, flags: int = 0) -> Result:
    """umount2(2): take off the mount at ``target``, and lazily with MNT_DETACH."""
    if flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW):
        trap.fail(Errno.EINVAL, "", "umount2(2)")
    where = mounting.place(trap, target, follow=not flags & UMOUNT_NOFOLLOW)
    return unmounting.unmount(trap, mounting.topmost_place(trap, where), flags)


@linux("pivot_root")
def pivot_root(trap: Trap, new_root: str, put_old: str) -> int:
    """pivot_root(2): make ``new_root`` the root mount and put the old one at ``put_old``."""
    mounting.need_mount(trap)
    new = _directory(trap, new_root)
    old = _directory(trap, put_old)
    pivot.pivot(trap, new, old)
    return 0


def _directory(trap: Trap, text: str) -> Place:
    found = mounting.place(trap, text)
    if not inodes.is_dir(inodes.load(trap, found.at.inode)):
        trap.fail(Errno.ENOTDIR, "", "pivot_root(2)")
    return found
