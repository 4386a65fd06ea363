"""User beancounters: what a container holds of the kernel's objects, and how often it was refused.

What is held is counted in the objects themselves; a row keeps only the limits, the highest use
seen and the failures. Source: kernel/bc/ of the OpenVZ kernel (beancounter.c, misc.c, vm_pages.c,
net.c, proc.c), wiki.openvz.org "UBC parameters".
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.resource import charge, quota
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.ve import held as counting
from simulator.machine.kernel.ve.held import PAGE, RESOURCES
from simulator.machine.state.store import Row, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.context import Context
    from simulator.machine.kernel.trap import Trap

UNLIMITED = 9223372036854775807
"""UB_MAXVALUE, LONG_MAX."""

CITE = "kernel/bc/beancounter.c, vzctl(8)"


class Beancounter(Row, frozen=True, kw_only=True):
    """One container's row (``id`` is its veid): (barrier, limit) of what is limited, and what was.

    ``maxheld`` and ``failcnt`` are by resource; a name that is missing is 0.
    """

    limits: Mapping[str, tuple[int, int]]
    maxheld: Mapping[str, int]
    failcnt: Mapping[str, int]


class Shortage(NamedTuple):
    """How a refused charge is told to the caller."""

    errno: Errno
    why: str


class Counted(NamedTuple):
    """What one kernel object costs: of which resource, how much of it for each unit."""

    resource: str
    each: int = 1
    """How much one more object costs; 0: the amount is bytes, of which pages are counted."""
    hard: bool = True
    """Refused at the barrier (UB_HARD); else only at the limit (UB_SOFT)."""

    def cost(self, amount: int) -> int:
        """What so many more cost."""
        return amount * self.each if self.each else -(-amount // PAGE)


_COSTS: Mapping[str, tuple[Counted, ...]] = {
    "task": (
        Counted("numproc"),
        Counted("kmemsize", counting.KMEM_TASK),
        Counted("privvmpages", counting.PRIVATE_PAGES),
    ),
    "file": (
        Counted("numfile"),
        Counted("kmemsize", counting.KMEM_FILE),
    ),
    "tcp-socket": (Counted("numtcpsock"),),
    "socket": (Counted("numothersock"),),
    "unix-socket": (Counted("numothersock"),),
    "record-lock": (Counted("numflock"),),
    "whole-lock": (Counted("numflock"),),
    "terminal": (Counted("numpty"),),
    "private-memory": (Counted("privvmpages", 0, hard=False),),
    "shared-memory": (Counted("shmpages", 0),),
    "locked-memory": (Counted("lockedpages", 0),),
}
"""What has no entry costs nothing: physpages refuse no resident memory, they end in the OOM killer.
"""

_ERRNOS: Mapping[str, Shortage] = {
    "task": Shortage(
        Errno.ENOMEM,
        N_("The container holds as many processes, or their memory, as its beancounter allows."),
    ),
    "file": Shortage(
        Errno.ENFILE, N_("The container holds as many open files as its beancounter allows.")
    ),
    "tcp-socket": Shortage(
        Errno.ENOBUFS, N_("The container holds as many TCP sockets as its beancounter allows.")
    ),
    "socket": Shortage(
        Errno.ENOBUFS, N_("The container holds as many sockets as its beancounter allows.")
    ),
    "unix-socket": Shortage(
        Errno.ENOMEM, N_("The container holds as many sockets as its beancounter allows.")
    ),
    "record-lock": Shortage(
        Errno.ENOLCK, N_("The container holds as many file locks as its beancounter allows.")
    ),
    "whole-lock": Shortage(
        Errno.ENOMEM, N_("The container holds as many file locks as its beancounter allows.")
    ),
    "terminal": Shortage(
        Errno.ENOMEM, N_("The container holds as many terminals as its beancounter allows.")
    ),
    "private-memory": Shortage(
        Errno.ENOMEM,
        N_("The container's address spaces have grown to what its beancounter allows."),
    ),
    "shared-memory": Shortage(
        Errno.ENOMEM, N_("The container's shared memory has grown to what its beancounter allows.")
    ),
    "locked-memory": Shortage(
        Errno.ENOMEM, N_("The container has locked as much memory as its beancounter allows.")
    ),
}


def limits_of(row: Beancounter, resource: str) -> tuple[int, int]:
    """(barrier, limit)."""
    return row.limits.get(resource, (UNLIMITED, UNLIMITED))


def create(store: Store, number: int) -> Beancounter:
    """A row without limits, or the one that is there (get_beancounter_byuid())."""
    found = store.get(Beancounter, number)
    if found is None:
        found = Beancounter(id=number, limits={}, maxheld={}, failcnt={})
        store.put(found)
    return found


def set_limit(store: Store, row: Beancounter, resource: str, barrier: int, limit: int) -> None:
    """setublimit(): both at once."""
    store.put(msgspec.structs.replace(row, limits={**row.limits, resource: (barrier, limit)}))


def of(trap: "Trap") -> "tuple[Context, Beancounter] | None":
    """The caller's container and its row; None where nothing is counted."""
    row = ves.of(trap)
    if row is None:
        return None
    found = trap.store.get(Beancounter, row.number)
    return None if found is None else (row, found)


def charge_for(trap: "Trap", kind: str, amount: int) -> Denial | None:
    """charge_beancounter() for what a new object of ``kind`` costs; a refusal is counted."""
    mine = of(trap)
    if mine is None:
        return None
    row, counter = mine
    highest = dict(counter.maxheld)
    for one in _COSTS.get(kind, ()):
        barrier, limit = limits_of(counter, one.resource)
        bound = min(barrier, limit) if one.hard else limit
        if bound >= UNLIMITED:
            continue
        now = counting.held(trap.store, row, one.resource) + one.cost(amount)
        if now > bound:
            trap.lasting.append(lambda store, name=one.resource: fail(store, row.number, name))
            shortage = _ERRNOS[kind]
            return Denial(shortage.errno, "beancounters", shortage.why, CITE)
        highest[one.resource] = max(now, highest.get(one.resource, 0))
    if highest != counter.maxheld:
        trap.store.put(msgspec.structs.replace(counter, maxheld=highest))
    return None


def fail(store: Store, number: int, resource: str) -> None:
    """One more refusal in the last column."""
    row = store.get(Beancounter, number)
    if row is not None:
        failed = {**row.failcnt, resource: row.failcnt.get(resource, 0) + 1}
        store.put(msgspec.structs.replace(row, failcnt=failed))


def memory_limit(row: Beancounter) -> int | None:
    """Bytes of memory and virtual swap together; None where physpages has no limit."""
    pages, swap = limits_of(row, "physpages")[1], limits_of(row, "swappages")[1]
    if pages >= UNLIMITED or swap >= UNLIMITED:
        return None
    return (pages + swap) * PAGE


def table(world: World, row: "Context", counter: Beancounter) -> list[tuple[str, ...]]:
    """The lines of /proc/user_beancounters: resource, held, maxheld, barrier, limit, failcnt."""
    lines: list[tuple[str, ...]] = []
    for name in RESOURCES:
        now = counting.held(world, row, name)
        barrier, limit = limits_of(counter, name)
        if name == "physpages":
            now = min(now, limit)
        highest = max(now, counter.maxheld.get(name, 0))
        numbers = (now, highest, barrier, limit, counter.failcnt.get(name, 0))
        lines.append((name, *map(str, numbers)))
    return lines


def _granted(world: World, task: Task) -> dict[str, int]:
    """What ``charge.grants`` is told of a container's task."""
    row = ves.of_task(world, task)
    if row is None:
        return {}
    found: dict[str, int] = {}
    counter = world.get(Beancounter, row.number)
    if counter is not None:
        memory = memory_limit(counter)
        for name, resource in (("pids", "numproc"), ("files", "numfile")):
            bound = min(limits_of(counter, resource))
            if bound < UNLIMITED:
                found[name] = bound
        private = limits_of(counter, "privvmpages")[1]
        bounds = [memory] if memory is not None else []
        bounds += [private * PAGE] if private < UNLIMITED else []
        if bounds:
            found["memory"] = min(bounds)
    disk = world.get(quota.Quota, row.number)
    if disk is not None:
        found["disk"] = disk.hard_space
    return found


charge.at_grant(_granted)
