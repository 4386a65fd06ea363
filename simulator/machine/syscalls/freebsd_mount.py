"""mount(2), nmount(2) and unmount(2) of FreeBSD: one tree of mounts for the whole machine.

A probe may write mount(2) in Linux's order, (source, target, type, flags, data), and unmount(2) as
``umount2``. The order of refusals is vfs_domount()'s: the right, the type, the path, the prison's
permission for the type. Source: sys/kern/vfs_mount.c.
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.constants import MNT_DETACH, MS_NOEXEC, MS_NOSUID, MS_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import MountId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import prison
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import dpath, mounting, new_mount, unmounting
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import freebsd

MNT_RDONLY, MNT_NOEXEC, MNT_NOSUID, MNT_FORCE = 0x1, 0x4, 0x8, 0x80000
NULLFS = "nullfs"


@freebsd("mount")
def mount(
    trap: Trap, first: Any, place: str, third: Any = 0, fourth: Any = 0, fifth: Any = None
) -> int:
    """mount(2) as (type, dir, flags, data), or in Linux's order. EPERM ENODEV ENOENT EBUSY."""
    if isinstance(third, int):
        return _mount(trap, first, place, first, third, fourth)
    if not isinstance(fourth, int):
        raise NotModelled("the flags of a mount are a number")
    return _mount(trap, first, place, third, fourth, fifth)


@freebsd("nmount")
def nmount(trap: Trap, given: Any = None, flags: int = 0) -> int:
    """nmount(2): the same with everything by name (fstype, fspath, from ...)."""
    asked = decode.structure(given, "mount options")
    rest = {k: v for k, v in asked.items() if k not in ("fstype", "fspath", "from")}
    return _mount(trap, asked.get("from"), asked.get("fspath"), asked.get("fstype"), flags, rest)


@freebsd("unmount", "umount2")
def unmount(trap: Trap, target: str, flags: int = 0) -> Result:
    """unmount(2): EINVAL EPERM EBUSY. What was mounted outside the prison stays (vfs_suser())."""
    trap.need(Privilege.UNMOUNT)
    where = mounting.place(trap, target)
    row = trap.store.row(Mount, where.at.mount)
    if (
        prison.has(prison.of(trap), "prison-privileges")
        and mounting.is_root(trap, where.at)
        and row.domain != trap.task.domain
    ):
        trap.deny(
            Errno.EPERM,
            "prison-privileges",
            N_("The filesystem was mounted from outside the prison."),
            "sys/kern/vfs_subr.c vfs_suser()",
        )
    return unmounting.unmount(trap, where, MNT_DETACH if flags & MNT_FORCE else 0)


@freebsd("getfsstat")
def getfsstat(trap: Trap, _size: int = 0, _mode: int = 0) -> Result:
    """getfsstat(2): the mounts that enforce_statfs lets the caller see; paths from its own root.

    prison_canseemount(): 2 shows the mount that the prison's root lies on, 1 also those below the
    prison's path, 0 every mount of the machine.
    """
    row = prison.of(trap)
    level = prison.number(row, "enforce_statfs", 0)
    top = trap.store.row(Task, INIT).root if level == 0 else row.root or trap.task.root
    shown: list[Data] = []
    for mounted in sorted(trap.store.all(Mount), key=lambda one: one.id):
        at = At(MountId(mounted.id), mounted.root)
        if mounted.ns is None or mounted.parent is None:
            continue
        if mounted.id == top.mount:
            path = "/"
        elif level < 2 and dpath.is_reachable(trap, at, top):
            path = dpath.path_of(trap, at, top)
        else:
            continue
        if level == 0:
            trap.touch("mount", mounted.domain, "name", path)
        sb = trap.store.row(Superblock, mounted.sb)
        shown.append({"fstype": sb.fstype, "from": mounted.source, "on": path})
    return Returned(len(shown), shown)


def _mount(trap: Trap, source: Any, target: Any, fstype: Any, flags: int, data: Any) -> int:
    trap.need(Privilege.MOUNT)
    if not isinstance(fstype, str) or not isinstance(target, str):
        trap.fail(Errno.EINVAL, N_("A mount needs a type and a place."), "nmount(2)")
    if fstype != NULLFS:
        new_mount.type_of(trap, fstype)
    where = mounting.place(trap, target)
    trap.ask("may_mount", fstype, target, flags)
    per_mount = 0
    for asked, kept in ((MNT_RDONLY, MS_RDONLY), (MNT_NOEXEC, MS_NOEXEC), (MNT_NOSUID, MS_NOSUID)):
        per_mount |= kept if flags & asked else 0
    if fstype == NULLFS:
        below = mounting.place(trap, str(_options(data).get("from", source)))
        mounting.bind(trap, below, where, recursive=False)
        row = trap.store.row(Mount, mounting.place(trap, target).at.mount)
        trap.store.put(msgspec.structs.replace(row, flags=row.flags | per_mount))
        return 0
    kind = new_mount.type_of(trap, fstype)
    sb = kind.make(trap, str(source or fstype), _text(data))
    mounting.add(trap, sb, per_mount, str(source or fstype), where)
    return 0


def _options(data: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", data) if isinstance(data, dict) else {}


def _text(data: Any) -> str:
    if isinstance(data, dict):
        return ",".join(f"{key}={value}" for key, value in cast("dict[str, Any]", data).items())
    return str(data or "")
