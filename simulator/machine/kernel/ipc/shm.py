"""System V shared memory. shmget(2), shmat(2), shmctl(2); ``ipc/shm.c``."""

import msgspec

from simulator.machine.abi.call import Data, Result, Returned, Value
from simulator.machine.abi.constants import (
    IPC_INFO,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    RLIMIT_MEMLOCK,
    SHM_EXEC,
    SHM_INFO,
    SHM_LOCK,
    SHM_RDONLY,
    SHM_REMAP,
    SHM_RND,
    SHM_STAT,
    SHM_UNLOCK,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, NsId, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import pids
from simulator.machine.kernel.ipc import params, perm
from simulator.machine.kernel.ipc.perm import EXEC, READ, WRITE, Perm
from simulator.machine.kernel.resource import mapping
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.task import Attachment, Task, TaskState
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.state.store import Index, Row, Store

PAGE = 4096
SHM_DEST, SHM_LOCKED = 0o1000, 0o2000
SHM_STAT_ANY = 15


class Segment(Row, frozen=True, kw_only=True):
    """A segment; ``id`` is (ipc namespace, number). ``content`` may be shorter than ``size``."""

    perm: Perm
    size: int
    content: bytes = b""
    maker: Pid
    last: Pid | None = None
    domain: Domain = HOST


ATTACHED = Index(
    Task,
    lambda task: (
        {a.segment: None for a in task.attached} if task.state is not TaskState.ZOMBIE else ()
    ),
    "attached",
    "state",
)
"""Living tasks by the segments that they have attached."""


def get(trap: Trap, key: int, size: int, flags: int) -> int:
    """shmget(2). EEXIST, ENOENT, EINVAL, EACCES, ENOSPC."""
    size &= (1 << 64) - 1
    found = perm.existing(trap, Segment, "shm", key, flags)
    if found is not None:
        if size > found.size:
            trap.fail(Errno.EINVAL, N_("The segment is smaller than that."), "shmget(2)")
        perm.need(trap, found.perm, flags & 0o777)
        perm.touch(trap, found, "shm", "name")
        return found.id[1]
    ns = perm.space(trap)
    if not 1 <= size <= params.number(trap.store, ns, "kernel.shmmax"):
        trap.fail(Errno.EINVAL, N_("The size is below 1 or above kernel.shmmax."), "shmget(2)")
    if len(perm.in_space(trap, Segment)) >= params.number(trap.store, ns, "kernel.shmmni"):
        _full(trap)
    charge(trap, "shared-memory", size)
    number = perm.next_id(trap, "shm")
    trap.store.put(
        Segment(
            id=(ns, number),
            perm=perm.made(trap, key, flags),
            size=size,
            maker=trap.task.id,
            domain=trap.task.domain,
        )
    )
    return number


def attach(trap: Trap, number: int, address: int, flags: int) -> int:
    """shmat(2): the address. EINVAL, EACCES."""
    if address % PAGE:
        if not flags & SHM_RND:
            trap.fail(Errno.EINVAL, N_("The address is not at a page's beginning."), "shmat(2)")
        address -= address % PAGE
    if flags & SHM_REMAP and not address:
        trap.fail(Errno.EINVAL, N_("SHM_REMAP needs an address."), "shmat(2)")
    segment = perm.find(trap, Segment, "shm", number)
    read_only = bool(flags & SHM_RDONLY)
    wanted = READ | (0 if read_only else WRITE) | (EXEC if flags & SHM_EXEC else 0)
    perm.need(trap, segment.perm, wanted)
    size = -(-segment.size // PAGE) * PAGE
    if not address:
        address = mapping.free(trap.store, trap.task.id, size)
    taken = mapping.within(trap.store, trap.task.id, address, address + size)
    if taken and not flags & SHM_REMAP:
        trap.fail(Errno.EINVAL, N_("Something is mapped there already."), "shmat(2)")
    if taken:
        raise NotModelled("a segment over other mappings")
    access = PROT_READ | (0 if read_only else PROT_WRITE) | (PROT_EXEC if flags & SHM_EXEC else 0)
    trap.store.put(
        mapping.Mapping(
            id=(trap.task.id, address),
            size=size,
            protection=access,
            shared=True,
            may_write=not read_only,
            segment=segment.id,
        )
    )
    mapped = Attachment(address, segment.id, read_only)
    trap.update(attached=(*trap.task.attached, mapped))
    trap.store.put(msgspec.structs.replace(segment, last=trap.task.id))
    perm.touch(trap, segment, "shm", "read")
    return address


def detach(trap: Trap, address: int) -> int:
    """shmdt(2). EINVAL when nothing is attached at ``address``."""
    trap.ask("may_use_sysv", "shm")
    for mapped in trap.task.attached:
        if mapped.address == address and address:
            for row in mapping.of(trap.store, trap.task.id):
                if row.segment == mapped.segment and row.start - row.offset == address:
                    mapping.drop(trap.store, row)
            _detached(trap, mapped)
            return 0
    return trap.fail(Errno.EINVAL, N_("No segment is attached at the address."), "shmdt(2)")


def unmapped(trap: Trap, segment: tuple[NsId, int], address: int, size: int) -> None:
    """munmap(2) of an attached segment detaches it too: all of it, or nobody knows of the rest."""
    for mapped in trap.task.attached:
        if mapped.address == address and mapped.segment == segment:
            if size < trap.store.row(Segment, segment).size:
                raise NotModelled("a segment that loses a part")
            _detached(trap, mapped)
            return
    raise NotModelled("a segment that loses a part")


def _detached(trap: Trap, mapped: Attachment) -> None:
    trap.update(attached=tuple(m for m in trap.task.attached if m is not mapped))
    segment = trap.store.row(Segment, mapped.segment)
    trap.store.put(msgspec.structs.replace(segment, last=trap.task.id))
    _let_go(trap.store, mapped.segment)


def control(trap: Trap, number: int, command: int, value: Value) -> Result | int:
    """shmctl(2). EINVAL, EACCES, EPERM."""
    if command in (IPC_INFO, SHM_INFO):
        trap.ask("may_use_sysv", "shm")
        return perm.highest(trap, Segment)
    if command in (IPC_STAT, SHM_STAT, SHM_STAT_ANY):
        return _stat(trap, number, command)
    if command not in (IPC_RMID, IPC_SET, SHM_LOCK, SHM_UNLOCK):
        trap.fail(Errno.EINVAL, N_("There is no such command."), "shmctl(2)")
    segment = perm.find(trap, Segment, "shm", number)
    if command in (SHM_LOCK, SHM_UNLOCK):
        return _lock(trap, segment, command)
    perm.need_owner(trap, segment.perm)
    if command == IPC_SET:
        changed = perm.changed(trap, segment.perm, value)
        trap.store.put(msgspec.structs.replace(segment, perm=changed))
    else:
        marked = msgspec.structs.replace(segment.perm, key=0, mode=segment.perm.mode | SHM_DEST)
        trap.store.put(msgspec.structs.replace(segment, perm=marked))
        _let_go(trap.store, segment.id)
    perm.touch(trap, segment, "shm", "write")
    return 0


def fill(store: Store, ns: NsId, number: int, content: bytes) -> None:
    """Write to the beginning of a segment, as a program that has it attached does."""
    segment = store.row(Segment, (ns, number))
    rest = segment.content[len(content) :]
    store.put(msgspec.structs.replace(segment, content=content[: segment.size] + rest))


def read(trap: Trap, task: Task, address: int, size: int) -> bytes | None:
    """The bytes at ``address`` of ``task``'s memory, when a segment is attached there."""
    for mapped in task.attached:
        segment = trap.store.row(Segment, mapped.segment)
        start = address - mapped.address
        if 0 <= start < segment.size:
            perm.touch(trap, segment, "shm", "read")
            end = min(start + size, segment.size)
            return segment.content[start:end].ljust(end - start, b"\0")
    return None


def _stat(trap: Trap, number: int, command: int) -> Result:
    segment = perm.find(trap, Segment, "shm", number)
    if command != SHM_STAT_ANY:
        perm.need(trap, segment.perm, READ)
    perm.touch(trap, segment, "shm", "name")
    attached = sum(
        mapped.segment == segment.id
        for task in trap.store.rows_by(ATTACHED, segment.id)
        for mapped in task.attached
    )
    data: dict[str, Data] = {
        **perm.shown(trap, segment.perm),
        "size": segment.size,
        "cpid": pids.number(trap, segment.maker),
        "lpid": pids.number(trap, segment.last),
        "nattch": attached,
    }
    return Returned(number if command != IPC_STAT else 0, data)


def _lock(trap: Trap, segment: Segment, command: int) -> int:
    if not trap.has(Privilege.LOCK_MEMORY, perm.owner(trap)):
        unlimited = trap.task.rlimits[RLIMIT_MEMLOCK][0] > 0
        if not perm.is_owner(trap, segment.perm) or (command == SHM_LOCK and not unlimited):
            trap.deny(
                Errno.EPERM,
                "ipc-owner",
                N_("Only its owner, within RLIMIT_MEMLOCK, or CAP_IPC_LOCK locks a segment."),
                "shmctl(2)",
            )
    mode = segment.perm.mode & ~SHM_LOCKED
    if command == SHM_LOCK:
        mode |= SHM_LOCKED
    changed = msgspec.structs.replace(segment.perm, mode=mode)
    trap.store.put(msgspec.structs.replace(segment, perm=changed))
    return 0


def _let_go(store: Store, segment: tuple[NsId, int]) -> None:
    """Destroy a segment that is marked for it once nobody has it attached."""
    row = store.get(Segment, segment)
    if row is not None and row.perm.mode & SHM_DEST and not store.by(ATTACHED, segment):
        store.drop(Segment, segment)


def _at_exit(store: Store, task: Task) -> None:
    if not task.attached:
        return
    now = store.row(Task, task.id)
    store.put(msgspec.structs.replace(now, attached=()))
    for mapped in task.attached:
        _let_go(store, mapped.segment)


def _full(trap: Trap) -> None:
    trap.deny(
        Errno.ENOSPC,
        "ipc-limit",
        N_("The ipc namespace holds as many segments as kernel.shmmni allows."),
        "shmget(2)",
    )


exits.at_exit(_at_exit)
