"""Memory of a process: mmap(2), mlock(2), brk(2); personality(2), getrandom(2), sysinfo(2)."""

from hashlib import sha256
from typing import Any

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import (
    MAP_ANONYMOUS,
    MAP_PRIVATE,
    MAP_SHARED,
    MCL_CURRENT,
    MCL_FUTURE,
    PROT_WRITE,
    RLIMIT_AS,
    RLIMIT_DATA,
    RLIMIT_MEMLOCK,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock
from simulator.machine.kernel.resource import mapping as mappings
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.resource.mapping import Mapping
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.state.store import Counter
from simulator.machine.syscalls.registry import linux, posix

PAGE = 4096
MAP_POPULATE = 0x8000
"""Touch every page at once: only touched pages are charged to anybody."""
MCL_ONFAULT = 4
PROGRAM_SIZE = 16 << 20
"""What any program's address space holds besides what it asked for, in bytes."""
FIRST_MAPPING = 0x7F0000000000
SLOT = 1 << 21
"""Mappings begin at multiples of this, in bytes."""
HEAP = 0x01023000
"""Where the heap of a program begins (/proc/PID/maps)."""
GRND_FLAGS = 7


@posix("mmap")
def mmap(
    trap: Trap, _address: int, length: int, protection: int, flags: int, fd: int, offset: int
) -> int:
    """mmap(2): EACCES EBADF EINVAL ENOMEM. MAP_POPULATE charges the pages at once."""
    if length == 0 or offset % PAGE or not flags & (MAP_PRIVATE | MAP_SHARED):
        trap.fail(Errno.EINVAL, N_("No length, an odd offset, or no kind."), "mmap(2)")
    if not flags & MAP_ANONYMOUS:
        file = fds.get(trap, fd)
        shared_write = protection & PROT_WRITE and flags & MAP_SHARED and not flags & MAP_PRIVATE
        if not fds.readable(file) or (shared_write and not fds.writable(file)):
            trap.fail(Errno.EACCES, N_("The descriptor is not open for that."), "mmap(2)")
    size = -(-length // PAGE) * PAGE
    if PROGRAM_SIZE + trap.task.memory + size > trap.task.rlimits[RLIMIT_AS][0]:
        trap.deny(
            Errno.ENOMEM,
            "rlimit",
            N_("The address space would grow beyond RLIMIT_AS."),
            "getrlimit(2)",
        )
    if flags & MAP_PRIVATE and protection & PROT_WRITE:
        charge(trap, "private-memory", size)
        trap.update(mapped=trap.task.mapped + size)
    private = bool(flags & MAP_PRIVATE and protection & PROT_WRITE)
    populated = flags & MAP_ANONYMOUS and flags & MAP_POPULATE
    if populated and not trap.allowed("may_charge", "resident-memory", size):
        populated = 0  # make_pages_present(): the mapping stays, the pages do not come
    address = FIRST_MAPPING + _slots(trap, size) * SLOT
    if populated and not memory.charge_memory(trap, size):
        return address
    if flags & MAP_ANONYMOUS:
        key = (trap.task.id, address)
        touched = size if populated else 0
        trap.store.put(Mapping(id=key, size=size, touched=touched, private=private))
    return address


def _slots(trap: Trap, size: int) -> int:
    """The number of the first of as many free places as ``size`` needs."""
    first = trap.store.new_id("mapping")
    if size > SLOT:
        trap.store.put(Counter(id="mapping", last=first + (size - 1) // SLOT))
    return first


@posix("munmap")
def munmap(trap: Trap, address: int, length: int) -> int:
    """munmap(2): EINVAL. Of an anonymous mapping, from its start; nothing there is no mistake."""
    if address % PAGE or length <= 0:
        trap.fail(Errno.EINVAL, N_("No length, or an address within a page."), "munmap(2)")
    row = mappings.containing(trap.store, trap.task.id, address)
    if row is None:
        return 0
    if row.id[1] != address:
        raise NotModelled("a mapping that loses its middle or its end")
    size = min(-(-length // PAGE) * PAGE, row.size)
    gone = min(size, row.touched)
    trap.store.drop(Mapping, row.id)
    if size < row.size:
        rest = (trap.task.id, address + size)
        trap.store.put(
            Mapping(id=rest, size=row.size - size, touched=row.touched - gone, private=row.private)
        )
    if row.private:
        trap.update(mapped=max(0, trap.task.mapped - size))
    memory.charge_memory(trap, -gone)
    return 0


@posix("brk")
def brk(trap: Trap, address: int = 0) -> int:
    """brk(2), the raw call: where the heap ends now; what can't be is not done."""
    key = (trap.task.id, HEAP)
    row = trap.store.get(Mapping, key)
    size = row.size if row is not None else 0
    wanted = address - HEAP
    limit = trap.task.rlimits[RLIMIT_DATA][0]
    if wanted < 0 or wanted > limit or PROGRAM_SIZE + wanted > trap.task.rlimits[RLIMIT_AS][0]:
        return HEAP + size
    touched = row.touched if row is not None else 0
    if wanted > size:
        charge(trap, "private-memory", wanted - size)
    trap.update(mapped=max(0, trap.task.mapped + wanted - size))
    if touched > wanted:
        memory.charge_memory(trap, wanted - touched)
    trap.store.put(Mapping(id=key, size=wanted, touched=min(touched, wanted), private=True))
    return address


@posix("@touch")
def touch(trap: Trap, address: int, size: int) -> int:
    """Not a call: the caller writes to every page of ``size`` bytes (``busy.py``)."""
    row = mappings.containing(trap.store, trap.task.id, address)
    if row is None:
        memory.charge_memory(trap, size)
        return 0
    come = mappings.touch(trap.store, row, address - row.id[1] + size)
    if come:
        memory.charge_memory(trap, come)
    return 0


@posix("mlockall")
def mlockall(trap: Trap, flags: int) -> int:
    """mlockall(2): EINVAL ENOMEM EPERM."""
    if not flags or flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) or flags == MCL_ONFAULT:
        trap.fail(Errno.EINVAL, "", "mlockall(2)")
    _need_lockable(trap, PROGRAM_SIZE + trap.task.memory if flags & MCL_CURRENT else 0)
    return 0


@posix("mlock")
def mlock(trap: Trap, _address: int, length: int) -> int:
    """mlock(2): ENOMEM EPERM."""
    _need_lockable(trap, length)
    charge(trap, "locked-memory", length)
    return 0


@posix("munlock", "munlockall")
def munlock(_trap: Trap, _address: int = 0, _length: int = 0) -> int:
    """munlock(2): always 0 here."""
    return 0


def _need_lockable(trap: Trap, size: int) -> None:
    limit = trap.task.rlimits[RLIMIT_MEMLOCK][0]
    if trap.has(Privilege.LOCK_MEMORY):
        return
    if limit == 0:
        trap.need(Privilege.LOCK_MEMORY)
    if size > limit:
        trap.deny(
            Errno.ENOMEM,
            "rlimit",
            N_("More would be locked into memory than RLIMIT_MEMLOCK allows."),
            "mlock(2)",
        )


@linux("personality")
def personality(trap: Trap, persona: int) -> int:
    """personality(2): the value is the one before; 0xffffffff only asks."""
    old = trap.task.personality
    if persona & 0xFFFFFFFF != 0xFFFFFFFF:
        trap.update(personality=persona & 0xFFFFFFFF)
    return old


@linux("getrandom", since=(3, 17))
def getrandom(trap: Trap, size: int, flags: int = 0) -> Result:
    """getrandom(2): EINVAL. The bytes repeat from run to run, as everything here does."""
    if flags & ~GRND_FLAGS:
        trap.fail(Errno.EINVAL, "", "getrandom(2)")
    seed = trap.store.new_id("random")
    blocks = range(-(-size // 32))
    stream = b"".join(sha256(f"{seed}.{block}".encode()).digest() for block in blocks)
    return Returned(size, stream[:size])


@linux("sysinfo")
def sysinfo(trap: Trap, _out: Any = None) -> Result:
    """sysinfo(2): the whole machine's uptime in seconds, memory in bytes, processes."""
    inside = trap.family.inside
    own = inside.sysinfo(trap) if inside is not None and inside.sysinfo is not None else None
    if own is None:
        trap.touch("memory", HOST, "read", "sysinfo")
    tasks = trap.store.count(Task)
    total = memory.total(trap.store)
    used = memory.held(trap.store.all(Task))
    return Returned(
        0,
        {
            "uptime": clock.monotonic(trap.store) // 1_000_000_000,
            "totalram": total,
            "freeram": total - used,
            "procs": tasks,
            **(own or {}),
        },
    )
