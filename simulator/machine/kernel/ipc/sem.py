"""System V semaphores. semget(2), semop(2), semctl(2); ``ipc/sem.c``."""

from typing import Any, cast

import msgspec

from simulator.machine.abi.call import Data, Result, Returned, Value
from simulator.machine.abi.constants import (
    GETALL,
    GETNCNT,
    GETPID,
    GETVAL,
    GETZCNT,
    IPC_INFO,
    IPC_NOWAIT,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    SEM_INFO,
    SEM_STAT,
    SEM_UNDO,
    SETALL,
    SETVAL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, Pid
from simulator.machine.kernel import clock, pids
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.ipc import params, perm
from simulator.machine.kernel.ipc.params import SEMMNI, SEMMNS, SEMMSL, SEMOPM
from simulator.machine.kernel.ipc.perm import READ, WRITE, Perm
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.task import Sleeper, Task
from simulator.machine.kernel.trap import NotModelled, Sleep, Trap
from simulator.machine.state.store import Index, Row, Store

SEMVMX = 32767
SEM_STAT_ANY = 20

Operation = tuple[int, int, int]
"""(semaphore number, change, flags)"""


class SemSet(Row, frozen=True, kw_only=True):
    """A set of semaphores; ``id`` is (ipc namespace, number)."""

    perm: Perm
    values: tuple[int, ...]
    last: tuple[Pid | None, ...]
    domain: Domain = HOST


class Undo(Row, frozen=True, kw_only=True):
    """What SEM_UNDO takes back when a task ends; ``id`` is (task, set)."""

    changes: tuple[int, ...]


UNDO_OF = Index(Undo, lambda undo: (undo.id[0],), "id")


def get(trap: Trap, key: int, count: int, flags: int) -> int:
    """semget(2). EEXIST, ENOENT, EINVAL, EACCES, ENOSPC."""
    ns = perm.space(trap)
    if count < 0 or count > params.number(trap.store, ns, "kernel.sem", SEMMSL):
        trap.ask("may_use_sysv", "sem")
        trap.fail(Errno.EINVAL, N_("The set would have too many semaphores."), "semget(2)")
    found = perm.existing(trap, SemSet, "sem", key, flags)
    if found is not None:
        if count > len(found.values):
            trap.fail(Errno.EINVAL, N_("The set has fewer semaphores."), "semget(2)")
        perm.need(trap, found.perm, flags & 0o777)
        perm.touch(trap, found, "sem", "name")
        return found.id[1]
    if not count:
        trap.fail(Errno.EINVAL, N_("A new set needs a semaphore."), "semget(2)")
    _need_room(trap, count)
    charge(trap, "semaphores", count)
    number = perm.next_id(trap, "sem")
    trap.store.put(
        SemSet(
            id=(ns, number),
            perm=perm.made(trap, key, flags),
            values=(0,) * count,
            last=(None,) * count,
            domain=trap.task.domain,
        )
    )
    return number


def operate(trap: Trap, number: int, operations: Value, deadline: int | None = None) -> int:
    """semop(2): all operations or none. EINVAL, E2BIG, EFBIG, EACCES, EAGAIN, ERANGE."""
    if operations is None:
        trap.fail(Errno.EFAULT, "", "semop(2)")
    rows = _operations(operations)
    if not rows or number < 0:
        trap.ask("may_use_sysv", "sem")
        trap.fail(Errno.EINVAL, N_("There is nothing to do."), "semop(2)")
    if len(rows) > params.number(trap.store, perm.space(trap), "kernel.sem", SEMOPM):
        trap.fail(Errno.E2BIG, "", "semop(2)")
    charge(trap, "semaphore-operations", len(rows))
    semaphores = perm.find(trap, SemSet, "sem", number)
    if max(row[0] for row in rows) >= len(semaphores.values):
        trap.fail(Errno.EFBIG, N_("The set has no semaphore of that number."), "semop(2)")
    perm.need(trap, semaphores.perm, WRITE if any(row[1] for row in rows) else READ)
    values = list(semaphores.values)
    for place, change, flags in rows:
        if _must_wait(values[place], change):
            if flags & IPC_NOWAIT:
                trap.fail(Errno.EAGAIN, N_("The semaphore's value does not allow it."), "semop(2)")
            if deadline is not None and clock.monotonic(trap.store) >= deadline:
                trap.fail(Errno.EAGAIN, N_("The time for waiting has passed."), "semop(2)")
            raise Sleep("semop", {(SemSet, semaphores.id)}, deadline)
        values[place] += change
        if values[place] > SEMVMX:
            trap.fail(Errno.ERANGE, N_("The value would pass SEMVMX."), "semop(2)")
    last = list(semaphores.last)
    for place, _change, _flags in rows:
        last[place] = trap.task.id
    _put(trap.store, semaphores, tuple(values), tuple(last))
    _note_undo(trap, semaphores, rows)
    perm.touch(trap, semaphores, "sem", "write" if any(row[1] for row in rows) else "read")
    return 0


def control(trap: Trap, number: int, place: int, command: int, value: Value) -> Result | int:
    """semctl(2). EINVAL, EACCES, EPERM, ERANGE."""
    if command in (IPC_INFO, SEM_INFO):
        trap.ask("may_use_sysv", "sem")
        return perm.highest(trap, SemSet)
    if command in (IPC_STAT, SEM_STAT, SEM_STAT_ANY):
        return _stat(trap, number, command)
    if command in (IPC_RMID, IPC_SET):
        return _change(trap, number, command, value)
    if command == SETVAL and not 0 <= _number(value) <= SEMVMX:
        trap.fail(Errno.ERANGE, N_("The value is negative or above SEMVMX."), "semctl(2)")
    if command not in (GETVAL, GETPID, GETNCNT, GETZCNT, GETALL, SETVAL, SETALL):
        trap.fail(Errno.EINVAL, N_("There is no such command."), "semctl(2)")
    semaphores = perm.find(trap, SemSet, "sem", number)
    if command == SETVAL:
        # semctl_setval() looks for the semaphore first, semctl_main() for the right
        _must_exist(trap, semaphores, place)
    if command in (SETVAL, SETALL):
        perm.need(trap, semaphores.perm, WRITE)
        return _set(trap, semaphores, place, command, value)
    perm.need(trap, semaphores.perm, READ)
    perm.touch(trap, semaphores, "sem", "read")
    if command == GETALL:
        return 0
    _must_exist(trap, semaphores, place)
    if command == GETVAL:
        return semaphores.values[place]
    if command == GETPID:
        return pids.number(trap, semaphores.last[place])
    return _waiting(trap, semaphores, place, zero=command == GETZCNT)


def _set(trap: Trap, semaphores: SemSet, place: int, command: int, value: Value) -> int:
    values = list(semaphores.values)
    if command == SETVAL:
        values[place] = _number(value)
        last = list(semaphores.last)
        last[place] = trap.task.id
    else:
        given = value if isinstance(value, (tuple, list)) else ()
        for index in range(len(values)):
            values[index] = _number(given[index]) if index < len(given) else 0
            if values[index] & 0xFFFF > SEMVMX:
                trap.fail(Errno.ERANGE, N_("A value is above SEMVMX."), "semctl(2)")
        last = [trap.task.id] * len(values)
    _put(trap.store, semaphores, tuple(values), tuple(last))
    for undo in trap.store.all(Undo):
        if undo.id[1] == semaphores.id:
            trap.store.drop(Undo, undo.id)
    perm.touch(trap, semaphores, "sem", "write")
    return 0


def _change(trap: Trap, number: int, command: int, value: Value) -> int:
    semaphores = perm.find(trap, SemSet, "sem", number)
    perm.need_owner(trap, semaphores.perm)
    if command == IPC_SET:
        changed = perm.changed(trap, semaphores.perm, value)
        trap.store.put(msgspec.structs.replace(semaphores, perm=changed))
    else:
        perm.tell_removed(trap, semaphores)
        trap.store.drop(SemSet, semaphores.id)
    perm.touch(trap, semaphores, "sem", "write")
    return 0


def _stat(trap: Trap, number: int, command: int) -> Result:
    semaphores = perm.find(trap, SemSet, "sem", number)
    if command != SEM_STAT_ANY:
        perm.need(trap, semaphores.perm, READ)
    perm.touch(trap, semaphores, "sem", "name")
    data: dict[str, Data] = {
        **perm.shown(trap, semaphores.perm),
        "nsems": len(semaphores.values),
    }
    return Returned(number if command != IPC_STAT else 0, data)


def _need_room(trap: Trap, count: int) -> None:
    ns = perm.space(trap)
    sets = perm.in_space(trap, SemSet)
    total = sum(len(row.values) for row in sets) + count
    if total > params.number(trap.store, ns, "kernel.sem", SEMMNS) or len(sets) >= params.number(
        trap.store, ns, "kernel.sem", SEMMNI
    ):
        trap.deny(
            Errno.ENOSPC,
            "ipc-limit",
            N_("The ipc namespace holds as many semaphores as kernel.sem allows."),
            "semget(2)",
        )


def _operations(operations: Value) -> list[Operation]:
    rows: list[Operation] = []
    for row in operations if isinstance(operations, (tuple, list)) else ():
        items: tuple[Any, ...] = tuple(cast("Any", row)) if isinstance(row, (tuple, list)) else ()
        if len(items) != 3 or not all(isinstance(item, int) for item in items):
            raise NotModelled("a semaphore operation is (number, change, flags)")
        place, change, flags = items
        rows.append((place & 0xFFFF, change, flags))
    return rows


def _must_wait(value: int, change: int) -> bool:
    return value + change < 0 if change else value != 0


def _waiting(trap: Trap, semaphores: SemSet, place: int, *, zero: bool) -> int:
    """How many tasks sleep until the semaphore grows, or becomes 0."""
    count = 0
    for sleeper in trap.store.all(Sleeper):
        if (SemSet, semaphores.id) not in sleeper.watches:
            continue
        for where, change, _flags in _operations(sleeper.call.args[1]):
            if where == place and bool(change) is not zero:
                count += 1
                break
    return count


def _must_exist(trap: Trap, semaphores: SemSet, place: int) -> None:
    if not 0 <= place < len(semaphores.values):
        trap.fail(Errno.EINVAL, N_("The set has no semaphore of that number."), "semctl(2)")


def _number(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _put(
    store: Store, semaphores: SemSet, values: tuple[int, ...], last: tuple[Pid | None, ...]
) -> None:
    store.put(msgspec.structs.replace(semaphores, values=values, last=last))


def _note_undo(trap: Trap, semaphores: SemSet, rows: list[Operation]) -> None:
    if not any(flags & SEM_UNDO for _place, _change, flags in rows):
        return
    key = (trap.task.id, semaphores.id)
    old = trap.store.get(Undo, key)
    changes = list(old.changes if old is not None else (0,) * len(semaphores.values))
    for place, change, flags in rows:
        if flags & SEM_UNDO:
            changes[place] -= change
    trap.store.put(Undo(id=key, changes=tuple(changes)))


def _at_exit(store: Store, task: Task) -> None:
    """exit_sem(): take back what was done with SEM_UNDO; values stay within their range."""
    for undo in store.rows_by(UNDO_OF, task.id):
        store.drop(Undo, undo.id)
        semaphores = store.get(SemSet, undo.id[1])
        if semaphores is not None:
            pairs = zip(semaphores.values, undo.changes, strict=True)
            values = tuple(min(max(value + change, 0), SEMVMX) for value, change in pairs)
            _put(store, semaphores, values, semaphores.last)


exits.at_exit(_at_exit)
