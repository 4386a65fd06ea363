"""racct: what a process, a user or a jail holds of each resource, from the objects themselves.

A jail's figures are also those of the jails inside it, and jail 0's the whole machine's. Source:
sys/kern/kern_racct.c (racct_add_cred_locked), kern_descrip.c (fdalloc), vm/vm_mmap.c.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, cast

from simulator.machine.abi.ids import ContextId
from simulator.machine.kernel import clock
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.fork import BY_USER
from simulator.machine.kernel.ipc.msg import Queue
from simulator.machine.kernel.ipc.perm import Object
from simulator.machine.kernel.ipc.sem import SemSet
from simulator.machine.kernel.ipc.shm import Segment
from simulator.machine.kernel.prison import CHILDREN
from simulator.machine.kernel.rctl.rules import MILLION, RESOURCES, jail_name
from simulator.machine.kernel.resource import mapping, memory
from simulator.machine.kernel.resource.demand import spent
from simulator.machine.kernel.resource.mapping import HEAP, PROGRAM_SIZE
from simulator.machine.kernel.resource.mapping import Mapping as Mapped
from simulator.machine.kernel.task import IN_CONTEXT, Task, TaskState
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.state.store import Row, Store, World

_MICROSECOND = 1_000
_FIRST_TABLE = 20
"""NDFILE: a descriptor table of this size comes with every process and is not counted."""
_GROWN = 64
"""NDENTRIES: what the first growth is rounded up to, though twice the first size is counted."""


class Holder(NamedTuple):
    """Whose figures are meant: ``kind`` process, user or jail, and its pid, id or name."""

    kind: str
    who: int | str


def holder(world: World, kind: str, task: Task) -> Holder:
    """rctl_proc_rule_to_racct(): the process, its real user, or its own jail."""
    if kind == "process":
        return Holder(kind, task.id)
    if kind == "user":
        return Holder(kind, int(task.cred.ruid))
    return Holder(kind, jail_name(world.row(Context, task.context)))


class Past(Row, frozen=True, kw_only=True):
    """What those had who have ended, of what nobody gives back: ``id`` is a ``Holder``, the figures
    are by resource.
    """

    figures: Mapping[str, int]


def shown(world: World, resource: str, whose: Holder) -> int:
    """rctl_racct_to_sbuf(): ``held`` in whole units."""
    amount = held(world, resource, whose)
    return amount // MILLION if RESOURCES[resource].millions else amount


def held(world: World, resource: str, whose: Holder) -> int:
    """How much of ``resource`` is held now; 0 for what the model does not count."""
    if resource in FOR_EVER:
        past = world.get(Past, whose)
        count = FOR_EVER[resource]
        before = 0 if past is None else past.figures.get(resource, 0)
        return before + sum(count(world, task) for task in _alive(tasks(world, whose)))
    if resource in _OF_TASKS:
        return _OF_TASKS[resource](world, tasks(world, whose))
    if resource in _OF_IPC:
        table, count = _OF_IPC[resource]
        return sum(count(row) for row in world.all(table) if _made_by(world, row, whose))
    return 0


def tasks(world: World, whose: Holder) -> tuple[Task, ...]:
    """The processes that count, those that wait to be reaped too."""
    if whose.kind == "process":
        task = world.get(Task, whose.who)
        return () if task is None else (task,)
    if whose.kind == "user":
        return world.rows_by(BY_USER, ("uid", whose.who))
    if whose.who == jail_name(world.row(Context, ROOT_CONTEXT)):
        return tuple(world.all(Task))
    found = (world.rows_by(IN_CONTEXT, one) for one in _jails(world, str(whose.who)))
    return tuple(task for group in found for task in group)


def table_size(highest: int) -> int:
    """What a descriptor table counts for that has descriptor ``highest``: it only ever doubles."""
    if highest < _FIRST_TABLE:
        return 0
    if highest < _GROWN:
        return 2 * _FIRST_TABLE
    return 1 << highest.bit_length()


def table_of(world: World, task: Task) -> int:
    """What ``task``'s own table counts for."""
    table = world.get(FdTable, task.files)
    return 0 if table is None else table_size(table.slots.used.bit_length() - 1)


def address_space(world: World, task: Task) -> int:
    """The size of its map, the program itself included."""
    return PROGRAM_SIZE + mapping.size(world, task.id)


def heap(world: World, task: Task) -> int:
    """What brk(2) has given it."""
    row = world.get(Mapped, (task.id, HEAP))
    return 0 if row is None else row.size


def _jails(world: World, name: str) -> list[ContextId]:
    """The living jail of that name, and all inside it."""
    found = [
        ContextId(row.id)
        for row in world.all(Context)
        if row.kind == "prison" and not row.removed and row.name == name
    ]
    for one in found:
        found += [ContextId(row.id) for row in world.rows_by(CHILDREN, one) if not row.removed]
    return found


def _made_by(world: World, row: Row, whose: Holder) -> bool:
    """Whether an object of System V IPC counts for its maker."""
    perm = cast("Object", row).perm
    if whose.kind == "user":
        return perm.cuid == whose.who
    if whose.kind == "process":
        return False
    jails = _jails(world, str(whose.who))
    return perm.context in jails or whose.who == jail_name(world.row(Context, ROOT_CONTEXT))


def _alive(members: Iterable[Task]) -> list[Task]:
    return [task for task in members if task.state is not TaskState.ZOMBIE]


def _summed(count: Callable[[World, Task], int]) -> Callable[[World, tuple[Task, ...]], int]:
    return lambda world, members: sum(count(world, task) for task in _alive(members))


def end(store: Store, task: Task) -> None:
    """racct_proc_exit(): its times stay its user's and its jails'."""
    for whose in _above(store, task):
        past = store.get(Past, whose)
        before: Mapping[str, int] = {} if past is None else past.figures
        figures = {name: before.get(name, 0) + of(store, task) for name, of in FOR_EVER.items()}
        store.put(Past(id=whose, figures=figures))


def _above(world: World, task: Task) -> list[Holder]:
    """Whose figures a process's are too."""
    found = [holder(world, "user", task)]
    around = world.get(Context, task.context)
    while around is not None:
        found.append(Holder("jail", jail_name(around)))
        around = world.get(Context, around.parent) if around.parent is not None else None
    return found


def _processor_time(world: World, task: Task) -> int:
    had = spent(world, task.id)
    return (had.user + had.system) // _MICROSECOND


def _time(world: World, task: Task) -> int:
    return (clock.monotonic(world) - task.start_time) // _MICROSECOND


FOR_EVER: Mapping[str, Callable[[World, Task], int]] = {
    "cputime": _processor_time,
    "wallclock": _time,
}
"""Resources that are not RACCT_RECLAIMABLE, in millionths of a second."""


def _terminals(world: World, members: tuple[Task, ...]) -> int:
    openers = {task.id for task in members}
    return sum(
        file.kind == "pty" and "master" in cast("tuple[object, ...]", file.object)
        for file in world.all(File)
        if file.opener in openers
    )


_OF_TASKS: Mapping[str, Callable[[World, tuple[Task, ...]], int]] = {
    "datasize": _summed(heap),
    "memoryuse": lambda _world, members: memory.held(members),
    "memorylocked": lambda world, members: mapping.locked(world, (one.id for one in members)),
    "maxproc": lambda _world, members: len(members),
    "openfiles": _summed(table_of),
    "vmemoryuse": _summed(address_space),
    "pseudoterminals": _terminals,
    "swapuse": _summed(lambda _world, task: task.mapped),
    "nthr": lambda _world, members: len(_alive(members)),
}

_OF_IPC: Mapping[str, tuple[type[Row], Callable[[Row], int]]] = {
    "msgqqueued": (Queue, lambda row: len(cast("Queue", row).messages)),
    "msgqsize": (Queue, lambda row: sum(len(text) for _kind, text in cast("Queue", row).messages)),
    "nmsgq": (Queue, lambda _row: 1),
    "nsem": (SemSet, lambda row: len(cast("SemSet", row).values)),
    "nshm": (Segment, lambda _row: 1),
    "shmsize": (Segment, lambda row: cast("Segment", row).size),
}
