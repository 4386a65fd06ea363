"""Asking for a lock: fcntl(2) record locks of both sorts, and flock(2). fs/locks.c."""

from typing import TYPE_CHECKING, Any, NoReturn, cast

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import (
    F_GETLK,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_RDLCK,
    F_SETLKW,
    F_UNLCK,
    F_WRLCK,
    LOCK_EX,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.task import BY_FILES, Sleeper, Task, pid_in
from simulator.machine.kernel.trap import NotModelled, Sleep
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import lock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_WAITING = "lock"
_LOCK_MAND = 32
"""Mandatory locks were dropped in Linux 5.15: asking for one does nothing and succeeds."""
_OFD = (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)


def record(trap: "Trap", file: fds.File, command: int, argument: Any) -> Result | int:
    """F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ twins. EBADF, EINVAL, EAGAIN, EDEADLK."""
    if argument is None or argument == 0:
        trap.fail(Errno.EFAULT, N_("The lock is no memory of the process."), "fcntl(2)")
    if not isinstance(argument, (tuple, list)):
        raise NotModelled("a record lock is written as (type, whence, start, length)")
    kind, whence, start, length = ([*cast("list[int]", argument), 0, 0, 0])[:4]
    first, last = _range(trap, file, whence, start, length)
    described = command in _OFD
    wanted = lock.Lock(
        owner=("file", file.id) if described else ("files", trap.task.files),
        kind=kind,
        start=first,
        end=last,
        pid=-1 if described else trap.task.id,
    )
    if command in (F_GETLK, F_OFD_GETLK):
        return _ask(trap, fds.inode_of(file), wanted)
    _need_mode(trap, file, kind)
    _place(trap, fds.inode_of(file), wanted, waits=command in (F_SETLKW, F_OFD_SETLKW))
    return 0


def kind_of(trap: "Trap", operation: int) -> int | None:
    """What flock(2) is asked for: LOCK_SH, LOCK_EX, LOCK_UN; ``None`` is nothing. EINVAL."""
    if operation & _LOCK_MAND:
        return None
    kind = {LOCK_SH: F_RDLCK, LOCK_EX: F_WRLCK, LOCK_UN: F_UNLCK}.get(operation & ~LOCK_NB)
    return _no_lock(trap) if kind is None else kind


def whole(trap: "Trap", file: fds.File, kind: int | None, operation: int) -> int:
    """flock(2) with a kind of ``kind_of``, and LOCK_NB. EAGAIN."""
    if kind is None:
        return 0
    wanted = lock.Lock(
        owner=("file", file.id),
        kind=kind,
        start=0,
        end=lock.TO_THE_END,
        pid=trap.task.id,
        style="whole",
    )
    _place(trap, fds.inode_of(file), wanted, waits=not operation & LOCK_NB)
    return 0


def _range(trap: "Trap", file: fds.File, whence: int, start: int, length: int) -> tuple[int, int]:
    """flock_to_posix_lock(): a negative length reaches backwards, 0 to the end."""
    if whence == SEEK_SET:
        base = 0
    elif whence == SEEK_CUR:
        base = file.offset
    elif whence == SEEK_END:
        base = inodes.load(trap, file.at.inode).size if file.at is not None else 0
    else:
        _no_lock(trap)
    first = base + start
    last = lock.TO_THE_END if length == 0 else first + length - 1
    if length < 0:
        first, last = first + length, first - 1
    if first < 0:
        _no_lock(trap)
    return first, last


def _need_mode(trap: "Trap", file: fds.File, kind: int) -> None:
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK):
        _no_lock(trap)
    if (kind == F_RDLCK and not fds.readable(file)) or (kind == F_WRLCK and not fds.writable(file)):
        trap.fail(Errno.EBADF, N_("The file is not open for what the lock asks."), "fcntl(2)")


def _ask(trap: "Trap", inode: InodeId, wanted: lock.Lock) -> Result:
    """What stands in the way: (type, whence, start, length, pid)."""
    if wanted.kind not in (F_RDLCK, F_WRLCK):
        _no_lock(trap)
    length = 0 if wanted.end == lock.TO_THE_END else wanted.end - wanted.start + 1
    found = lock.conflict(trap.store, inode, wanted)
    if found is None:
        return Returned(0, (F_UNLCK, SEEK_SET, wanted.start, length, 0))
    length = 0 if found.end == lock.TO_THE_END else found.end - found.start + 1
    return Returned(0, (found.kind, SEEK_SET, found.start, length, _pid_of(trap, found)))


def _pid_of(trap: "Trap", held: lock.Lock) -> int:
    """The locker as the caller's pid namespace numbers it; 0 when it can't see it."""
    task = trap.store.get(Task, held.pid)
    if held.pid < 0 or task is None:
        return held.pid
    ns = trap.store.row(PidNs, trap.task.ns.pid)
    return pid_in(trap.store, task, ns.level, ns.id)


def _place(trap: "Trap", inode: InodeId, wanted: lock.Lock, *, waits: bool) -> None:
    held = None if wanted.kind == F_UNLCK else lock.conflict(trap.store, inode, wanted)
    if held is None:
        if wanted.kind != F_UNLCK:
            charge(trap, "whole-lock" if wanted.style == "whole" else "record-lock")
        lock.put(trap.store, inode, wanted)
        return
    if not waits:
        trap.fail(Errno.EAGAIN, N_("Another process holds a lock there."), "fcntl(2)")
    if wanted.style == "record" and wanted.pid > 0 and _is_circle(trap, held):
        trap.fail(Errno.EDEADLK, N_("Each would wait for the other for ever."), "fcntl(2)")
    raise Sleep(_WAITING, {(lock.Locks, inode)})


def _is_circle(trap: "Trap", held: lock.Lock) -> bool:
    """posix_locks_deadlock(): does the holder, through others, wait for the caller?"""
    seen: set[object] = set()
    owner = held.owner
    while owner not in seen:
        seen.add(owner)
        if owner == ("files", trap.task.files):
            return True
        following = _waits_for(trap, owner)
        if following is None:
            return False
        owner = following
    return False


def _waits_for(trap: "Trap", owner: lock.Owner) -> "lock.Owner | None":
    """Who holds what ``owner`` sleeps for."""
    for pid in trap.store.by(BY_FILES, owner[1]):
        sleeper = trap.store.get(Sleeper, pid)
        if sleeper is None or sleeper.on != _WAITING:
            continue
        for table, inode in sleeper.watches:
            if table is not lock.Locks:
                continue
            for other in lock.on(trap.store, cast("InodeId", inode)):
                if other.owner != owner and other.style == "record":
                    return other.owner
    return None


def _no_lock(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EINVAL, N_("That is no lock."), "fcntl(2)")
