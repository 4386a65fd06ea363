"""Limits of a whole security context: include/linux/vs_limit.h, kernel/vserver/limit.c.

Each is asked before the thing is made, with the errno of the place that asks.
"""

from collections.abc import Callable, Mapping

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import RLIM_INFINITY, RLIMIT_NPROC
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.resource import mapping, memory
from simulator.machine.kernel.resource.charge import at_grant
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.fd import FdTable
from simulator.machine.state.store import World

WALL = "context-limits"
NAMES = ("nproc", "nofile", "as", "rss", "memlock", "shmem", "locks", "nsock")
"""Limits by the names of util-vserver's ``rlimits/`` that the model enforces."""
INFINITE = -1

_TOO_MANY_TASKS = Denial(
    Errno.EAGAIN,
    WALL,
    N_("The context has as many processes as its nproc limit allows."),
    "kernel/fork.c vx_nproc_avail()",
)
_TOO_MANY_FILES = Denial(
    Errno.EMFILE,
    WALL,
    N_("The context has as many open files as its nofile limit allows."),
    "fs/fcntl.c vx_files_avail()",
)
_NO_MEMORY = Denial(
    Errno.ENOMEM,
    WALL,
    N_("The context would hold more memory than its limit allows."),
    "mm/mmap.c vx_vmpages_avail()",
)
_NO_LOCKED_MEMORY = Denial(
    Errno.ENOMEM,
    WALL,
    N_("The context would lock more memory than its memlock limit allows."),
    "mm/mlock.c vx_vmlocked_avail()",
)
_NO_SHARED_MEMORY = Denial(
    Errno.ENOSPC,
    WALL,
    N_("The context would hold more shared memory than its shmem limit allows."),
    "ipc/shm.c vx_ipcshm_avail()",
)

_REFUSALS: Mapping[str, tuple[str, Denial]] = {
    "task": ("nproc", _TOO_MANY_TASKS),
    "file": ("nofile", _TOO_MANY_FILES),
    "private-memory": ("as", _NO_MEMORY),
    "resident-memory": ("rss", _NO_MEMORY),
    "locked-memory": ("memlock", _NO_LOCKED_MEMORY),
    "shared-memory": ("shmem", _NO_SHARED_MEMORY),
}
"""What is asked for, the limit that counts it, and the refusal."""


def used(world: World, row: Context, limit: str) -> int:
    """What the context's tasks hold of what ``limit`` counts."""
    return _COUNT[limit](world, vx.members(world, row)) if limit in _COUNT else 0


def _files(world: World, tasks: tuple[Task, ...]) -> int:
    """Open file descriptions, as ``f_xid`` counts them: shared ones once."""
    found: set[int] = set()
    for table in {task.files for task in tasks}:
        slots = world.get(FdTable, table)
        found |= {slot.file for slot in slots.slots.values()} if slots is not None else set()
    return len(found)


def _memory(world: World, tasks: tuple[Task, ...]) -> int:
    del world
    return memory.held(tasks)


def _locked(world: World, tasks: tuple[Task, ...]) -> int:
    return mapping.locked(world, (task.id for task in tasks))


def _tasks(world: World, tasks: tuple[Task, ...]) -> int:
    del world
    return len(tasks)


_COUNT: Mapping[str, Callable[[World, tuple[Task, ...]], int]] = {
    "nproc": _tasks,
    "nofile": _files,
    "as": _memory,
    "rss": _memory,
    "memlock": _locked,
}


def limit_of(row: Context, name: str) -> int:
    """The hard limit in its own unit (bytes for memory); -1 for none."""
    return vx.count(row, f"rlimit.{name}")


def _limit_for(row: Context, task: Task, name: str) -> int:
    """On 2.4 the flag ``nproc`` makes the process's own limit one of its whole context."""
    if name == "nproc" and vx.has_flag(row, "nproc"):
        soft = task.rlimits[RLIMIT_NPROC][0]
        return INFINITE if soft == RLIM_INFINITY else soft
    return limit_of(row, name)


def may_charge(trap: Trap, resource: str, amount: int) -> Answer:
    """vx_cres_avail()."""
    row = vx.of(trap)
    entry = _REFUSALS.get(resource)
    if entry is None or not vx.is_guest(row):
        return None
    name, refusal = entry
    limit = _limit_for(row, trap.task, name)
    if limit == INFINITE:
        return None
    return refusal if used(trap.store, row, name) + amount > limit else None


def _granted(world: World, task: Task) -> Mapping[str, int]:
    """What the limits grant, for the judge of budgets."""
    row = world.row(Context, task.context)
    if row.kind != vx.XID:
        return {}
    granted: dict[str, int] = {}
    for name, told in _TOLD.items():
        limit = _limit_for(row, task, name)
        if limit != INFINITE:
            granted[told] = min(limit, granted.get(told, limit))
    return granted


_TOLD = {"nproc": "pids", "nofile": "files", "as": "memory", "rss": "memory"}


def _hold(trap: Trap) -> None:
    """A page that goes beyond the rss limit is VM_FAULT_OOM, and whoever touched it is killed
    (mm/memory.c do_anonymous_page(), arch/x86/mm/fault.c)."""
    row = vx.of(trap)
    limit = limit_of(row, "rss") if vx.is_guest(row) else INFINITE
    if limit == INFINITE:
        return
    store, caller = trap.store, trap.task
    over = used(store, row, "rss") - limit
    memory.make_room(trap, lambda: (store.row(Task, caller.id),), max(caller.memory - over, 0))


memory.at_charge(_hold)


at_grant(_granted)

LIMITS = Policy(name="vserver-limits", may_charge=may_charge)
