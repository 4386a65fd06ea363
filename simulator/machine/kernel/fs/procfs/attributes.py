"""What chmod(2), chown(2) and utimensat(2) do to files of procfs: fs/proc/ proc_notify_change().

A process's files take another owner and forget it, a setting's times likewise. What lies beside
them keeps what it is given: the directory of an instance, and its own link ``self``, in that
instance; every other file in all of them, since they share the entry behind it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import VirtualId
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import Row

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_OF_AN_INSTANCE = ("self", "thread-self")
_KEPT = frozenset({"mode", "uid", "gid", "atime", "mtime"})


class Altered(Row, frozen=True, kw_only=True):
    """Fields of a file's inode that were changed; ``id`` names the instance or the entry."""

    changes: Mapping[str, Any]


def set_attributes(trap: "Trap", inode: VirtualId, changes: Mapping[str, Any]) -> None:
    """proc_setattr(), proc_sys_setattr(), proc_notify_change(). EPERM."""
    settings = len(inode) > 2 and inode[2] == "sys"
    process = len(inode) > 2 and isinstance(inode[2], int)
    owner = bool({"uid", "gid"} & {*changes})
    if (process and "mode" in changes and not owner) or (settings and (owner or "mode" in changes)):
        trap.fail(Errno.EPERM, N_("The attributes of this file are the kernel's."), "proc(5)")
    if process or settings:
        return
    key = _entry(inode)
    before = trap.store.get(Altered, key)
    kept = {name: value for name, value in changes.items() if name in _KEPT}
    trap.store.put(Altered(id=key, changes={**(before.changes if before else {}), **kept}))


def with_changes(trap: "Trap", inode: Inode) -> Inode:
    """``inode`` as it was changed."""
    altered = trap.store.get(Altered, _entry(cast("VirtualId", inode.id)))
    return inode if altered is None else msgspec.structs.replace(inode, **altered.changes)


def _entry(inode: VirtualId) -> tuple[object, ...]:
    shared = len(inode) > 2 and inode[2] not in _OF_AN_INSTANCE
    return inode[2:] if shared else inode[1:]
