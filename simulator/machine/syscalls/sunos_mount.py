"""mount(2) and umount2(2) of SunOS: one list of mounts for each zone, one tree for the machine.

A probe may write mount(2) in Linux's order, (source, target, type, flags, data). The order of
refusals is domount()'s: the type, the path, the right. Source: uts/common/fs/vfs.c.
"""

from typing import Any

import msgspec

from simulator.machine.abi.call import Result
from simulator.machine.abi.constants import MNT_DETACH, MS_NODEV, MS_NOSUID, MS_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import zone
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import mount_tree, mounting, unmounting
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.syscalls.registry import sunos

MS_FORCE, SUNOS_NOSUID = 0x400, 0x10
LOFS = "lofs"


@sunos("mount")
def mount(
    trap: Trap,
    first: Any,
    place: str,
    third: Any = 0,
    fourth: Any = 0,
    fifth: Any = None,
    _length: int = 0,
    options: Any = None,
    _size: int = 0,
) -> int:
    """mount(2) as (spec, dir, flags, type, data, length, options, size), or in Linux's order.

    EPERM EINVAL ENOENT ENOTDIR.
    """
    if not isinstance(third, int):
        if not isinstance(fourth, int):
            raise NotModelled("flags of mount(2) that are no number")
        return _mount(trap, first, place, str(third), fourth, str(fifth or ""))
    asked = f"{options or ''}"
    flags = third & MS_RDONLY | (MS_NOSUID if third & SUNOS_NOSUID else 0)
    return _mount(trap, first, place, str(fourth), flags, asked)


@sunos("umount2", "umount")
def umount2(trap: Trap, target: str, flags: int = 0) -> Result:
    """umount2(2): EINVAL EPERM EBUSY. A zone takes off what it mounted itself, and nothing else.

    "The zone that owns the mount is the one that performed the mounting" (vfs_list_add()).
    """
    where = mounting.place(trap, target)
    row = trap.store.row(Mount, where.at.mount)
    if not mounting.is_root(trap, where.at):
        mounting.invalid(trap, N_("This is not a mountpoint."))
    trap.need(Privilege.UNMOUNT)
    if zone.has(trap, zone.PRIVILEGES) and row.context != trap.task.context:
        trap.deny(
            Errno.EPERM,
            zone.PRIVILEGES,
            N_("The filesystem was mounted from outside the zone."),
            "uts/common/os/policy.c secpolicy_fs_common()",
        )
    return unmounting.unmount(trap, where, MNT_DETACH if flags & MS_FORCE else 0)


def _mount(trap: Trap, source: Any, target: str, fstype: str, flags: int, options: str) -> int:
    words = [word for word in options.split(",") if word]
    kind = trap.family.filesystems.get(fstype)
    if kind is None and fstype != LOFS:
        trap.fail(Errno.EINVAL, N_("The kernel has no filesystem of this type."), "mount(2)")
    where = mounting.place(trap, target)
    trap.ask("may_mount", fstype, target, flags)
    trap.need(Privilege.MOUNT)
    per_mount = flags & (MS_RDONLY | MS_NOSUID) | (MS_RDONLY if "ro" in words else 0)
    if zone.has(trap, zone.PRIVILEGES) or "nodevices" in words:
        # secpolicy_fs_mount_clearopts(): "setuid" perhaps, but never with "devices"
        per_mount |= MS_NODEV
    if kind is None:
        return _loopback(trap, mounting.place(trap, str(source)), where, per_mount)
    if kind.needs_device:
        raise NotModelled("mounting a disk")
    rest = ",".join(word for word in words if word not in ("ro", "rw", "nodevices", "nosuid"))
    sb = kind.make(trap, str(source or fstype), rest)
    mounting.add(trap, sb, per_mount, str(source or fstype), where)
    return 0


def _loopback(trap: Trap, below: mounting.Place, where: mounting.Place, flags: int) -> int:
    """lofs: the tree at ``below`` seen at ``where`` too, read-only if asked. lofs(7FS)."""
    where = mounting.locked_place(trap, where)
    old = trap.store.row(Mount, below.at.mount)
    top = mount_tree.clone_one(trap.store, old, below.at.inode, 0, trap.task.ns.mnt)
    name = below.name if old.root != below.at.inode else old.root_name
    changed = msgspec.structs.replace(
        top,
        root_name=name,
        flags=flags,
        locked=False,
        context=trap.task.context,
        domain=trap.task.domain,
        source=below.text,
    )
    trap.store.put(changed)
    mounting.graft(trap, top.id, where)
    return 0
