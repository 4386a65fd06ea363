"""Memory of a process: mmap(2), mprotect(2), brk(2); personality(2), getrandom(2), sysinfo(2)."""

from hashlib import sha256
from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import (
    MAP_ANONYMOUS,
    MAP_DROPPABLE,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_HUGETLB,
    MAP_LOCKED,
    MAP_POPULATE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_TYPE,
    PROT_EXEC,
    PROT_NONE,
    PROT_READ,
    PROT_WRITE,
    RLIMIT_AS,
    RLIMIT_DATA,
    RLIMIT_MEMLOCK,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock
from simulator.machine.kernel.ipc import shm
from simulator.machine.kernel.resource import mapping as mappings
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.resource.charge import Resource, charge
from simulator.machine.kernel.resource.mapping import HEAP, PAGE, PROGRAM_SIZE, Mapping
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import mapped
from simulator.machine.syscalls.registry import linux, posix

GRND_FLAGS = 7
TASK_SIZE = (1 << 47) - PAGE
"""The end of every address space."""
READ_IMPLIES_EXEC = 0x0400000
PROT_SEM, PROT_GROWS = 8, 0x3000000
MIN_ADDRESS = 65536
"""vm.mmap_min_addr: below it only CAP_SYS_RAWIO maps anything."""
MEMLOCK = N_("More would be locked into memory than RLIMIT_MEMLOCK allows.")


def aligned(size: int) -> int:
    """Up to whole pages."""
    return -(-size // PAGE) * PAGE


@posix("mmap")
def mmap(
    trap: Trap, address: int, length: int, protection: int, flags: int, fd: int, offset: int
) -> int:
    """mmap(2): EACCES EAGAIN EBADF EEXIST EINVAL ENODEV ENOMEM EPERM.

    MAP_POPULATE charges the pages at once.
    """
    if offset % PAGE:
        trap.fail(Errno.EINVAL, N_("The offset is not at a page's beginning."), "mmap(2)")
    file = None if flags & MAP_ANONYMOUS else fds.get(trap, fd)
    if flags & MAP_HUGETLB:
        raise NotModelled("huge pages")
    if length == 0:
        trap.fail(Errno.EINVAL, N_("A mapping has a length."), "mmap(2)")
    if not 0 < length <= TASK_SIZE:
        trap.fail(Errno.ENOMEM, N_("No address space has so much room."), "mmap(2)")
    size = aligned(length)
    start = _placed(trap, address, size, flags)
    _need_unlocked_room(trap, size, flags)
    row = _described(trap, (trap.task.id, start), size, protection, flags, file, offset)
    if flags & MAP_FIXED:
        _unmap(trap, start, start + size)
    _need_address_space(trap, size)
    if file is not None:
        mapped.need_method(trap, file, row.protection)
    if row.private:
        charge(trap, "private-memory", size)
        trap.update(mapped=trap.task.mapped + size)
    trap.store.put(row)
    if flags & (MAP_POPULATE | MAP_LOCKED) and trap.allowed(
        "may_charge", "resident-memory", size
    ):  # make_pages_present(): the mapping stays, whether the pages come or not
        populate(trap, row)
    return start


def _placed(trap: Trap, address: int, size: int, flags: int) -> int:
    """__get_unmapped_area(): the address, if it is free or fixed, else wherever there is room."""
    fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)
    start = address & (1 << 64) - 1
    if fixed and start % PAGE:
        trap.fail(Errno.EINVAL, N_("The address is not at a page's beginning."), "mmap(2)")
    if fixed and start > TASK_SIZE - size:
        trap.fail(Errno.ENOMEM, N_("No address space has so much room."), "mmap(2)")
    if fixed and start < MIN_ADDRESS:
        trap.need(Privilege.KERNEL_MEMORY)
    taken = mappings.within(trap.store, trap.task.id, start, start + size)
    if flags & MAP_FIXED_NOREPLACE and taken:
        trap.fail(Errno.EEXIST, N_("Something is mapped there already."), "mmap(2)")
    hinted = aligned(start)
    if fixed or (MIN_ADDRESS <= hinted <= TASK_SIZE - size and not taken):
        return hinted
    return mappings.free(trap.store, trap.task.id, size)


def _need_unlocked_room(trap: Trap, size: int, flags: int) -> None:
    """MAP_LOCKED within RLIMIT_MEMLOCK: EPERM EAGAIN."""
    if not flags & MAP_LOCKED or trap.has(Privilege.LOCK_MEMORY):
        return
    limit = trap.task.rlimits[RLIMIT_MEMLOCK][0]
    if limit == 0:
        trap.need(Privilege.LOCK_MEMORY)
    if mappings.locked(trap.store, (trap.task.id,)) + size > limit:
        trap.deny(Errno.EAGAIN, "rlimit", MEMLOCK, "mlock(2)")


def _described(
    trap: Trap,
    key: tuple[Pid, int],
    size: int,
    protection: int,
    flags: int,
    file: fds.File | None,
    offset: int,
) -> Mapping:
    """do_mmap(): what it shows and what may be done to it."""
    executable = file is None or mapped.may_execute(trap, file)
    if trap.task.personality & READ_IMPLIES_EXEC and protection & PROT_READ and executable:
        protection |= PROT_EXEC
    kind = flags & MAP_TYPE
    may_write = True
    if file is not None:
        mapped.need_type(trap, file, protection, flags)
        if kind != MAP_PRIVATE:
            unsealed = mapped.need_unsealed(trap, file, protection)
            may_write = unsealed and fds.writable(file)
    elif kind not in (MAP_SHARED, MAP_PRIVATE, MAP_DROPPABLE):
        trap.fail(Errno.EINVAL, N_("A mapping is either shared or private."), "mmap(2)")
    shared = kind in (MAP_SHARED, MAP_SHARED_VALIDATE)
    return Mapping(
        id=key,
        size=size,
        private=bool(protection & PROT_WRITE and not shared),
        protection=protection & (PROT_READ | PROT_WRITE | PROT_EXEC),
        shared=shared,
        may_write=may_write,
        may_execute=executable,
        file=None if file is None else file.id,
        offset=0 if file is None else offset,
        locked=bool(flags & MAP_LOCKED),
    )


def _need_address_space(trap: Trap, size: int) -> None:
    held = PROGRAM_SIZE + mappings.size(trap.store, trap.task.id)
    if held + size > trap.task.rlimits[RLIMIT_AS][0]:
        trap.deny(
            Errno.ENOMEM,
            "rlimit",
            N_("The address space would grow beyond RLIMIT_AS."),
            "getrlimit(2)",
        )
    charge(trap, "address-space", size)


def populate(trap: Trap, row: Mapping) -> bool:
    """__mmpopulate(): touch every page; False where one is not to be had, or the caller died."""
    if row.protection == PROT_NONE:
        return False
    if row.file is not None:
        file = trap.store.row(fds.File, row.file)
        if file.at is None:
            return False
        if file.kind == "inode":
            return row.offset + row.size <= aligned(inodes.load(trap, file.at.inode).size)
    come = mappings.touch(trap.store, row, row.size)
    return not come or memory.charge_memory(trap, come)


@posix("munmap")
def munmap(trap: Trap, address: int, length: int) -> int:
    """munmap(2): EINVAL. Nothing there is no mistake."""
    start = address & (1 << 64) - 1
    if start % PAGE or not 0 < length <= TASK_SIZE or start > TASK_SIZE - length:
        trap.fail(Errno.EINVAL, N_("No length, or an address within a page."), "munmap(2)")
    _unmap(trap, start, start + aligned(length))
    return 0


def _unmap(trap: Trap, start: int, end: int) -> None:
    gone = promised = 0
    for row in mappings.carve(trap.store, trap.task.id, start, end):
        mappings.drop(trap.store, row)
        gone += row.touched
        promised += row.size if row.private else 0
        if row.segment is not None:
            shm.unmapped(trap, row.segment, row.start, row.size)
    if promised:
        trap.update(mapped=max(0, trap.task.mapped - promised))
    if gone:
        memory.charge_memory(trap, -gone)


@posix("mprotect")
def mprotect(trap: Trap, address: int, length: int, protection: int) -> int:
    """mprotect(2): EACCES EINVAL ENOMEM."""
    start, grows = address & (1 << 64) - 1, protection & PROT_GROWS
    if start % PAGE or grows == PROT_GROWS:
        trap.fail(Errno.EINVAL, N_("The address is not at a page's beginning."), "mprotect(2)")
    if not length:
        return 0
    wanted = protection & (PROT_READ | PROT_WRITE | PROT_EXEC)
    if protection & ~(wanted | PROT_SEM | PROT_GROWS):
        trap.fail(Errno.EINVAL, N_("There is no such protection."), "mprotect(2)")
    if grows:
        raise NotModelled("the protection of a stack")
    for row in continuous(trap, start, start + aligned(length)):
        if (wanted & PROT_WRITE and not row.may_write) or (
            wanted & PROT_EXEC and not row.may_execute
        ):
            trap.fail(Errno.EACCES, N_("The file was not opened for that."), "mprotect(2)")
        private = row.private or bool(wanted & PROT_WRITE and not row.shared)
        if private and not row.private:
            charge(trap, "private-memory", row.size)
            trap.update(mapped=trap.task.mapped + row.size)
        trap.store.put(msgspec.structs.replace(row, protection=wanted, private=private))
    return 0


def continuous(trap: Trap, start: int, end: int) -> list[Mapping]:
    """What is mapped between two addresses, which must be all of it. ENOMEM."""
    rows = mappings.carve(trap.store, trap.task.id, start, end)
    reached = start
    for row in rows:
        if row.start != reached:
            break
        reached = row.end
    if reached < end:
        trap.fail(Errno.ENOMEM, N_("Not all of it is mapped."), "mlock(2)")
    return rows


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
        for counted in _OF_HEAP:
            charge(trap, counted, wanted - size)
    trap.update(mapped=max(0, trap.task.mapped + wanted - size))
    if touched > wanted:
        memory.charge_memory(trap, wanted - touched)
    trap.store.put(Mapping(id=key, size=wanted, touched=min(touched, wanted), private=True))
    return address


_OF_HEAP: tuple[Resource, ...] = ("heap", "address-space", "private-memory")
"""What a larger heap is more of."""


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


@linux("personality")
def personality(trap: Trap, persona: int) -> int:
    """personality(2): the value is the one before; 0xffffffff only asks."""
    old = trap.task.personality
    if persona & 0xFFFFFFFF != 0xFFFFFFFF:
        trap.update(personality=persona & 0xFFFFFFFF)
    return old


_NOISE = 1 << 20
"""Bytes that the model makes up for one call; a program asks for 256 at most (getrandom(2))."""


@linux("getrandom", since=(3, 17))
def getrandom(trap: Trap, size: int, flags: int = 0) -> Result:
    """getrandom(2): EINVAL. The bytes repeat from run to run, as everything here does."""
    if flags & ~GRND_FLAGS:
        trap.fail(Errno.EINVAL, "", "getrandom(2)")
    if not 0 <= size <= _NOISE:
        raise NotModelled("so many random bytes at once")
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
