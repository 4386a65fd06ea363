"""Who a process is and who it may become: setuid(2), setresuid(2), setgroups(2), credentials(7)."""

from collections.abc import Sequence
from typing import Any, NoReturn

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KGid, KUid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import setid
from simulator.machine.kernel.namespace import UserNs, from_kernel, to_kernel
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux, posix

NGROUPS_MAX = 65536


@posix("getuid")
def getuid(trap: Trap) -> int:
    """getuid(2): the real user id, as the caller's user namespace shows it."""
    return _uid(trap, trap.cred.ruid)


@posix("geteuid")
def geteuid(trap: Trap) -> int:
    """geteuid(2)."""
    return _uid(trap, trap.cred.euid)


@posix("getgid")
def getgid(trap: Trap) -> int:
    """getgid(2)."""
    return _gid(trap, trap.cred.rgid)


@posix("getegid")
def getegid(trap: Trap) -> int:
    """getegid(2)."""
    return _gid(trap, trap.cred.egid)


@posix("getresuid")
def getresuid(trap: Trap) -> Result:
    """getresuid(2): the data is (real, effective, saved)."""
    cred = trap.cred
    return Returned(0, (_uid(trap, cred.ruid), _uid(trap, cred.euid), _uid(trap, cred.suid)))


@posix("getresgid")
def getresgid(trap: Trap) -> Result:
    """getresgid(2): the data is (real, effective, saved)."""
    cred = trap.cred
    return Returned(0, (_gid(trap, cred.rgid), _gid(trap, cred.egid), _gid(trap, cred.sgid)))


@posix("setuid")
def setuid(trap: Trap, uid: int) -> int:
    """setuid(2): EINVAL for an id the user namespace does not map, EPERM."""
    cred, new = trap.cred, _kuid(trap, uid)
    if trap.has(Privilege.SETUID, cred.user_ns):
        setid.commit(trap, ruid=new, euid=new, suid=new, fsuid=new)
        return 0
    if new not in (cred.ruid, cred.suid):
        trap.need(Privilege.SETUID, cred.user_ns)
    setid.commit(trap, euid=new, fsuid=new)
    return 0


@posix("setgid")
def setgid(trap: Trap, gid: int) -> int:
    """setgid(2): EINVAL EPERM."""
    cred, new = trap.cred, _kgid(trap, gid)
    if trap.has(Privilege.SETGID, cred.user_ns):
        setid.commit(trap, rgid=new, egid=new, sgid=new, fsgid=new)
        return 0
    if new not in (cred.rgid, cred.sgid):
        trap.need(Privilege.SETGID, cred.user_ns)
    setid.commit(trap, egid=new, fsgid=new)
    return 0


@posix("setreuid")
def setreuid(trap: Trap, ruid: int, euid: int) -> int:
    """setreuid(2): EINVAL EPERM. -1 leaves an id as it is."""
    cred = trap.cred
    real, effective = _kuid_or_none(trap, ruid), _kuid_or_none(trap, euid)
    if (real is not None and real not in (cred.ruid, cred.euid)) or (
        effective is not None and effective not in (cred.ruid, cred.euid, cred.suid)
    ):
        trap.need(Privilege.SETUID, cred.user_ns)
    new_real = cred.ruid if real is None else real
    new = cred.euid if effective is None else effective
    saves = real is not None or (effective is not None and effective != cred.ruid)
    setid.commit(trap, ruid=new_real, euid=new, suid=new if saves else cred.suid, fsuid=new)
    return 0


@posix("setregid")
def setregid(trap: Trap, rgid: int, egid: int) -> int:
    """setregid(2): EINVAL EPERM."""
    cred = trap.cred
    real, effective = _kgid_or_none(trap, rgid), _kgid_or_none(trap, egid)
    if (real is not None and real not in (cred.rgid, cred.egid)) or (
        effective is not None and effective not in (cred.rgid, cred.egid, cred.sgid)
    ):
        trap.need(Privilege.SETGID, cred.user_ns)
    new_real = cred.rgid if real is None else real
    new = cred.egid if effective is None else effective
    saves = real is not None or (effective is not None and effective != cred.rgid)
    setid.commit(trap, rgid=new_real, egid=new, sgid=new if saves else cred.sgid, fsgid=new)
    return 0


@posix("setresuid")
def setresuid(trap: Trap, ruid: int, euid: int, suid: int) -> int:
    """setresuid(2): EINVAL EPERM."""
    cred = trap.cred
    ids = [_kuid_or_none(trap, uid) for uid in (ruid, euid, suid)]
    old = (cred.ruid, cred.euid, cred.suid)
    if _changes_nothing(trap, ids, old, cred.fsuid):
        return 0
    if any(uid is not None and uid not in old for uid in ids):
        trap.need(Privilege.SETUID, cred.user_ns)
    new = [was if uid is None else uid for was, uid in zip(old, ids, strict=True)]
    setid.commit(trap, ruid=new[0], euid=new[1], suid=new[2], fsuid=new[1])
    return 0


@posix("setresgid")
def setresgid(trap: Trap, rgid: int, egid: int, sgid: int) -> int:
    """setresgid(2): EINVAL EPERM."""
    cred = trap.cred
    ids = [_kgid_or_none(trap, gid) for gid in (rgid, egid, sgid)]
    old = (cred.rgid, cred.egid, cred.sgid)
    if _changes_nothing(trap, ids, old, cred.fsgid):
        return 0
    if any(gid is not None and gid not in old for gid in ids):
        trap.need(Privilege.SETGID, cred.user_ns)
    new = [was if gid is None else gid for was, gid in zip(old, ids, strict=True)]
    setid.commit(trap, rgid=new[0], egid=new[1], sgid=new[2], fsgid=new[1])
    return 0


def _changes_nothing(
    trap: Trap, ids: Sequence[int | None], old: Sequence[int], file_system: int
) -> bool:
    """__sys_setresuid(), "check for no-op" since Linux 6.3: the file system's id stays, too."""
    same = all(one is None or one == was for one, was in zip(ids, old, strict=True))
    return same and ids[1] in (None, file_system) and trap.family.release >= (6, 3)


@linux("setfsuid")
def setfsuid(trap: Trap, uid: int) -> int:
    """setfsuid(2): never fails; the value is the id before."""
    cred = trap.cred
    new = to_kernel(trap.store.row(UserNs, cred.user_ns).uid_map, uid & 0xFFFFFFFF)
    allowed = new in (cred.ruid, cred.euid, cred.suid, cred.fsuid)
    permitted = allowed or trap.has(Privilege.SETUID, cred.user_ns)
    if new not in (None, cred.fsuid) and permitted:
        setid.commit(trap, fsuid=KUid(new))
    return _uid(trap, cred.fsuid)


@linux("setfsgid")
def setfsgid(trap: Trap, gid: int) -> int:
    """setfsgid(2): never fails; the value is the id before."""
    cred = trap.cred
    new = to_kernel(trap.store.row(UserNs, cred.user_ns).gid_map, gid & 0xFFFFFFFF)
    allowed = new in (cred.rgid, cred.egid, cred.sgid, cred.fsgid)
    permitted = allowed or trap.has(Privilege.SETGID, cred.user_ns)
    if new not in (None, cred.fsgid) and permitted:
        setid.commit(trap, fsgid=KGid(new))
    return _gid(trap, cred.fsgid)


@posix("getgroups")
def getgroups(trap: Trap, size: int) -> Result:
    """getgroups(2): EINVAL; size 0 only counts."""
    groups = trap.cred.groups
    if size < 0 or 0 < size < len(groups):
        trap.fail(Errno.EINVAL, N_("The list is longer than the buffer."), "getgroups(2)")
    listed: list[Data] = []
    if size:
        listed.extend(_gid(trap, gid) for gid in groups)
    return Returned(len(groups), listed)


@posix("setgroups")
def setgroups(trap: Trap, size: int, groups: Any = None) -> int:
    """setgroups(2): EINVAL EPERM; EPERM too where /proc/PID/setgroups says deny."""
    cred = trap.cred
    trap.need(Privilege.SETGID, cred.user_ns)
    space = trap.store.row(UserNs, cred.user_ns)
    if not space.gid_map or not space.setgroups:
        trap.deny(
            Errno.EPERM,
            "user-ns-setgroups",
            N_("This user namespace allows no setgroups: its map is not written, or says deny."),
            "user_namespaces(7)",
        )
    if not 0 <= size <= NGROUPS_MAX:
        trap.fail(Errno.EINVAL, N_("More groups than a process may have."), "setgroups(2)")
    if size and groups is None:
        trap.fail(Errno.EFAULT, "", "setgroups(2)")
    given = decode.numbers(groups, "a list of groups")[:size]
    setid.commit(trap, groups=tuple(sorted(_kgid(trap, gid) for gid in given)))
    return 0


def _uid(trap: Trap, uid: KUid) -> int:
    return from_kernel(trap.store.row(UserNs, trap.cred.user_ns).uid_map, uid)


def _gid(trap: Trap, gid: KGid) -> int:
    return from_kernel(trap.store.row(UserNs, trap.cred.user_ns).gid_map, gid)


def _kuid(trap: Trap, uid: int) -> KUid:
    found = to_kernel(trap.store.row(UserNs, trap.cred.user_ns).uid_map, uid & 0xFFFFFFFF)
    if found is None:
        _unmapped(trap)
    return KUid(found)


def _kgid(trap: Trap, gid: int) -> KGid:
    found = to_kernel(trap.store.row(UserNs, trap.cred.user_ns).gid_map, gid & 0xFFFFFFFF)
    if found is None:
        _unmapped(trap)
    return KGid(found)


def _kuid_or_none(trap: Trap, uid: int) -> KUid | None:
    return None if uid & 0xFFFFFFFF == 0xFFFFFFFF else _kuid(trap, uid)


def _kgid_or_none(trap: Trap, gid: int) -> KGid | None:
    return None if gid & 0xFFFFFFFF == 0xFFFFFFFF else _kgid(trap, gid)


def _unmapped(trap: Trap) -> NoReturn:
    trap.deny(
        Errno.EINVAL,
        "id-map",
        N_("The id map of this user namespace has no such id."),
        "user_namespaces(7)",
    )
