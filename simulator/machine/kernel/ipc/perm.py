"""What the three sorts of System V object share: keys, ids, owners, permission. sysvipc(7).

Source: ``ipc/util.c`` (ipcget, ipcperms, ipcctl_obtain_check).
"""

from typing import Any, NoReturn, Protocol, TypeVar, cast

import msgspec

from simulator.machine.abi.call import Data, Denial, Failed, Value
from simulator.machine.abi.constants import IPC_CREAT, IPC_EXCL, IPC_PRIVATE
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import ContextId, Domain, KGid, KUid, NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import namespace
from simulator.machine.kernel.context import ROOT_CONTEXT
from simulator.machine.kernel.namespace import IpcNs, UserNs
from simulator.machine.kernel.task import Sleeper
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import Row

READ, WRITE, EXEC = 0o444, 0o222, 0o111


class Perm(msgspec.Struct, frozen=True, kw_only=True):
    """``struct ipc_perm``: who made an object, whose it is now, and the mode bits.

    ``context`` is the one that it was made in.
    """

    key: int
    uid: KUid
    gid: KGid
    cuid: KUid
    cgid: KGid
    mode: int
    context: ContextId = ROOT_CONTEXT


class Object(Protocol):
    """A System V object: its row's id is (ipc namespace, number)."""

    @property
    def id(self) -> Any:
        """(ipc namespace, number)."""
        ...

    @property
    def perm(self) -> Perm:
        """Owner and mode."""
        ...

    @property
    def domain(self) -> Domain:
        """Whose it is."""
        ...


O = TypeVar("O", bound=Row)  # noqa: E741


def space(trap: Trap) -> NsId:
    """The caller's ipc namespace."""
    return trap.task.ns.ipc


def owner(trap: Trap) -> NsId:
    """The user namespace that rights over the caller's ipc namespace are looked for in."""
    return trap.store.row(IpcNs, trap.task.ns.ipc).owner


def by_key(trap: Trap, table: type[O], key: int) -> O | None:
    """The object of this sort with ``key``, or None."""
    ns = space(trap)
    for row in trap.store.all(table):
        thing = cast("Object", row)
        if thing.id[0] == ns and thing.perm.key == key and key != IPC_PRIVATE:
            return row
    return None


def existing(trap: Trap, table: type[O], kind: str, key: int, flags: int) -> O | None:
    """The object that a get call finds; None when it is to be made. EEXIST, ENOENT.

    The caller checks sizes and then calls ``need``.
    """
    trap.ask("may_use_sysv", kind)
    if key == IPC_PRIVATE:
        return None
    row = by_key(trap, table, key)
    if row is None and not flags & IPC_CREAT:
        if any(cast("Object", other).perm.key == key for other in trap.store.all(table)):
            elsewhere(trap, Errno.ENOENT)
        trap.fail(Errno.ENOENT, N_("No object of this ipc namespace has the key."), f"{kind}get(2)")
    if row is not None and flags & IPC_CREAT and flags & IPC_EXCL:
        trap.fail(Errno.EEXIST, N_("An object has this key already."), "sysvipc(7)")
    return row


def find(trap: Trap, table: type[O], kind: str, number: int) -> O:
    """The object with this id in the caller's ipc namespace. EINVAL."""
    trap.ask("may_use_sysv", kind)
    row = trap.store.get(table, (space(trap), number))
    if row is None:
        if any(other.id[1] == number for other in trap.store.all(table)):
            elsewhere(trap, Errno.EINVAL)
        trap.fail(Errno.EINVAL, N_("No object of this ipc namespace has the id."), "sysvipc(7)")
    return row


def elsewhere(trap: Trap, errno: Errno) -> NoReturn:
    """Refuse because the object that was asked for is in another ipc namespace."""
    trap.deny(
        errno,
        trap.family.traits.ipc_wall,
        N_("The object is in another ipc namespace: this one has its own keys and ids."),
        "ipc_namespaces(7)",
    )


def made(trap: Trap, key: int, flags: int) -> Perm:
    """Owner and mode of a new object."""
    cred = trap.task.cred
    return Perm(
        key=key,
        uid=cred.euid,
        gid=cred.egid,
        cuid=cred.euid,
        cgid=cred.egid,
        mode=flags & 0o777,
        context=trap.task.context,
    )


def allows(trap: Trap, perm: Perm, wanted: int) -> bool:
    """ipcperms(): whether the caller may have ``wanted`` (mode bits, any of the three thirds)."""
    asked = wanted >> 6 | wanted >> 3 | wanted
    granted = perm.mode
    cred = trap.task.cred
    if cred.euid in (perm.cuid, perm.uid):
        granted >>= 6
    elif {perm.cgid, perm.gid} & {cred.egid, *cred.groups}:
        granted >>= 3
    return not asked & ~granted & 7 or trap.has(Privilege.IPC_OWNER, owner(trap))


def need(trap: Trap, perm: Perm, wanted: int) -> None:
    """Refuse with EACCES unless ``allows``."""
    if not allows(trap, perm, wanted):
        trap.deny(
            Errno.EACCES,
            "ipc-mode",
            N_("The object's owner and mode bits do not let this user do that."),
            "sysvipc(7)",
        )


def is_owner(trap: Trap, perm: Perm) -> bool:
    """Whether the caller made the object or owns it."""
    return trap.task.cred.euid in (perm.cuid, perm.uid)


def need_owner(trap: Trap, perm: Perm) -> None:
    """Refuse with EPERM unless the caller may change or remove the object."""
    if not is_owner(trap, perm) and not trap.has(Privilege.IPC_ADMIN, owner(trap)):
        trap.deny(
            Errno.EPERM,
            "ipc-owner",
            N_("Only the object's maker, its owner or CAP_SYS_ADMIN may do that."),
            "sysvipc(7)",
        )


def changed(trap: Trap, perm: Perm, value: Value) -> Perm:
    """IPC_SET with ``(uid, gid, mode)`` or a dictionary of them. EINVAL for unmapped ids."""
    if isinstance(value, dict):
        value = (value.get("uid", 0), value.get("gid", 0), value.get("mode", 0))
    if not isinstance(value, (tuple, list)) or len(value) != 3:
        trap.fail(Errno.EFAULT, "", "sysvipc(7)")
    uid, gid, mode = (item if isinstance(item, int) else 0 for item in value)
    spaces = trap.store.row(UserNs, trap.task.cred.user_ns)
    kuid = namespace.to_kernel(spaces.uid_map, uid)
    kgid = namespace.to_kernel(spaces.gid_map, gid)
    if kuid is None or kgid is None:
        trap.fail(Errno.EINVAL, N_("The user namespace does not map the id."), "sysvipc(7)")
    return msgspec.structs.replace(
        perm, uid=KUid(kuid), gid=KGid(kgid), mode=perm.mode & ~0o777 | mode & 0o777
    )


def shown(trap: Trap, perm: Perm) -> dict[str, Data]:
    """IPC_STAT's ``ipc_perm``, with ids as the caller's user namespace shows them."""
    spaces = trap.store.row(UserNs, trap.task.cred.user_ns)
    uid, gid = spaces.uid_map, spaces.gid_map
    return {
        "key": perm.key,
        "uid": namespace.from_kernel(uid, perm.uid),
        "gid": namespace.from_kernel(gid, perm.gid),
        "cuid": namespace.from_kernel(uid, perm.cuid),
        "cgid": namespace.from_kernel(gid, perm.cgid),
        "mode": perm.mode,
    }


def next_id(trap: Trap, kind: str) -> int:
    """The id of a new object: they count up from 0 (ipc_idr_alloc())."""
    return trap.store.new_id((kind, space(trap))) - 1


def in_space(trap: Trap, table: type[O]) -> tuple[O, ...]:
    """The objects of this sort in the caller's ipc namespace, oldest first."""
    ns = space(trap)
    return tuple(row for row in trap.store.all(table) if row.id[0] == ns)


def highest(trap: Trap, table: type[O]) -> int:
    """The highest index in use, as IPC_INFO and the like return it."""
    return max((row.id[1] & 0x7FFF for row in in_space(trap, table)), default=0)


def tell_removed(trap: Trap, row: Row) -> None:
    """End the calls that sleep on an object that is going away: EIDRM."""
    gone = Failed(Denial(Errno.EIDRM, "none", N_("The object was removed."), "sysvipc(7)"))
    for sleeper in trap.store.all(Sleeper):
        if (type(row), row.id) in sleeper.watches:
            trap.store.put(msgspec.structs.replace(sleeper, result=gone))


def touch(trap: Trap, thing: Object, kind: str, operation: str) -> None:
    """Report a use of another domain's object."""
    trap.touch(kind, thing.domain, operation, f"{kind} {thing.perm.key:#x}")
