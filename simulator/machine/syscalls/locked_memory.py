"""Memory that nobody may page out: mlock(2), mlockall(2). Source: mm/mlock.c."""

import msgspec

from simulator.machine.abi.constants import MCL_CURRENT, MCL_FUTURE, RLIMIT_MEMLOCK
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.resource import mapping as mappings
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.resource.mapping import PAGE, PROGRAM_SIZE, Mapping
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls.memory import MEMLOCK, aligned, continuous, populate
from simulator.machine.syscalls.registry import linux, posix

MCL_ONFAULT, MLOCK_ONFAULT = 4, 1


@posix("mlockall")
def mlockall(trap: Trap, flags: int) -> int:
    """mlockall(2): EINVAL ENOMEM EPERM. What is mapped later is not followed (MCL_FUTURE)."""
    if not flags or flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) or flags == MCL_ONFAULT:
        trap.fail(Errno.EINVAL, "", "mlockall(2)")
    rows = mappings.of(trap.store, trap.task.id) if flags & MCL_CURRENT else []
    held = PROGRAM_SIZE + sum(row.size for row in rows)
    _need_lockable(trap, held if flags & MCL_CURRENT else 0)
    lock(trap, rows)
    if not flags & MCL_ONFAULT:
        for row in mappings.of(trap.store, trap.task.id) if flags & MCL_CURRENT else ():
            populate(trap, row)
    return 0


@posix("mlock")
def mlock(trap: Trap, address: int, length: int) -> int:
    """mlock(2): ENOMEM EPERM."""
    return mlock2(trap, address, length, 0)


@linux("mlock2", since=(4, 4))
def mlock2(trap: Trap, address: int, length: int, flags: int) -> int:
    """mlock2(2): EINVAL ENOMEM EPERM. With MLOCK_ONFAULT pages are locked as they come."""
    if flags & ~MLOCK_ONFAULT:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "mlock2(2)")
    start, end = pages_of(address, length)
    pid = trap.task.id
    held = mappings.locked(trap.store, (pid,))
    already = sum(
        min(row.end, end) - max(row.start, start)
        for row in mappings.within(trap.store, pid, start, end)
        if row.locked
    )
    _need_lockable(trap, held - already + end - start)
    lock(trap, continuous(trap, start, end))
    if not flags & MLOCK_ONFAULT:
        for row in mappings.within(trap.store, pid, start, end):
            if not populate(trap, row):
                trap.fail(Errno.ENOMEM, N_("A page of it is not to be had."), "mlock(2)")
    return 0


@posix("munlock")
def munlock(trap: Trap, address: int, length: int) -> int:
    """munlock(2): ENOMEM."""
    for row in continuous(trap, *pages_of(address, length)):
        trap.store.put(msgspec.structs.replace(row, locked=False))
    return 0


@posix("munlockall")
def munlockall(trap: Trap) -> int:
    """munlockall(2)."""
    for row in mappings.of(trap.store, trap.task.id):
        trap.store.put(msgspec.structs.replace(row, locked=False))
    return 0


def pages_of(address: int, length: int) -> tuple[int, int]:
    """All pages that hold a byte of it: the first address, and the one behind."""
    start = (address & (1 << 64) - 1) // PAGE * PAGE
    within = address % PAGE
    return start, start + aligned(length + within)


def lock(trap: Trap, rows: list[Mapping]) -> None:
    """Lock mappings, those that are already locked for nothing."""
    more = sum(row.size for row in rows if not row.locked)
    if more:
        charge(trap, "locked-memory", more)
    for row in rows:
        trap.store.put(msgspec.structs.replace(row, locked=True))


def _need_lockable(trap: Trap, size: int) -> None:
    """can_do_mlock(), and that ``size`` bytes in all are within RLIMIT_MEMLOCK. EPERM ENOMEM."""
    limit = trap.task.rlimits[RLIMIT_MEMLOCK][0]
    if trap.has(Privilege.LOCK_MEMORY):
        return
    if limit == 0:
        trap.need(Privilege.LOCK_MEMORY)
    if size > limit // PAGE * PAGE:
        trap.deny(Errno.ENOMEM, "rlimit", MEMLOCK, "mlock(2)")
