"""Numbers of tasks: which pid names which task, as each pid namespace counts. pid_namespaces(7)."""

from typing import TYPE_CHECKING

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.task import Task, visible_from
from simulator.machine.kernel.trap import Denied
from simulator.machine.state.store import Index, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

BY_PID = Index(
    Task,
    lambda task: (*enumerate(task.pids[:-1]), (task.ns.pid, task.pids[-1], "own")),
    "pids",
    "ns.pid",
)
"""Tasks by the pid in their own namespace, and by (level, pid) in those above it."""

_NOBODY = Denial(
    Errno.ESRCH, "none", N_("No process has this number in the caller's view."), "kill(2)"
)


def chain(world: World, ns: NsId) -> tuple[NsId, ...]:
    """Pid namespace ``ns`` and its ancestors, the initial one first."""
    found: list[NsId] = []
    current: NsId | None = ns
    while current is not None:
        found.append(current)
        current = world.row(PidNs, current).parent
    return tuple(reversed(found))


def taken(world: World, ns: NsId, number: int) -> Task | None:
    """The task that pid namespace ``ns`` calls ``number``, seen or not."""
    level = world.row(PidNs, ns).level
    own = world.first(BY_PID, (ns, number, "own"))
    if own is not None:
        return own
    for task in world.rows_by(BY_PID, (level, number)):
        if visible_from(world, task, ns):
            return task
    return None


def find(trap: "Trap", number: int) -> Task | None:
    """The task that the caller may know as ``number``; zombies count. Finding one is noted."""
    if number <= 0:
        return None
    task = taken(trap.store, trap.task.ns.pid, _meant(trap, number))
    if task is None or not trap.allowed("may_see", task):
        return None
    trap.touch("process", task.domain, "name", label(task))
    return task


def _meant(trap: "Trap", number: int) -> int:
    """The number that ``number`` stands for, where a context has a pid 1 of its own."""
    init = own_init(trap)
    if init is None:
        return number
    real = init.pids[-1]
    return real if number == 1 else 0 if number == real else number


def own_init(trap: "Trap") -> Task | None:
    """The task that the caller's context calls pid 1, if it has one."""
    if trap.task.context == ROOT_CONTEXT:
        return None
    return trap.store.get(Task, trap.store.row(Context, trap.task.context).init)


def label(task: Task) -> str:
    """What a process is called where somebody reads of it."""
    return f"{task.comm} (pid {task.id})"


def need(trap: "Trap", number: int, purpose: str = "may_see") -> Task:
    """``find``, or ESRCH; the denial names the wall that hides the task, when one does.

    ``purpose`` is a question of the security chain on top: who may not be named gets no notice.
    """
    if number > 0:
        task = taken(trap.store, trap.task.ns.pid, _meant(trap, number))
        if task is not None:
            trap.ask("may_see", task)
            trap.ask(purpose, task)
            trap.touch("process", task.domain, "name", label(task))
            return task
        hidden = trap.store.get(Task, number)
        if hidden is not None and hidden.id != trap.task.id:
            trap.ask("may_see", hidden)
    raise Denied(_NOBODY)


def number(trap: "Trap", pid: Pid | None) -> int:
    """Task ``pid`` as the caller's namespace numbers it; 0 when it has no number there."""
    task = trap.store.get(Task, pid)
    if task is None:
        return 0
    return 1 if task == own_init(trap) else number_in(trap.store, task, trap.task.ns.pid)


def number_in(world: World, task: Task, ns: NsId) -> int:
    """``task``'s pid in ``ns``; 0 when it is not seen there."""
    return task.pids[world.row(PidNs, ns).level] if visible_from(world, task, ns) else 0


def group_number(trap: "Trap", group: Pid) -> int:
    """A process group or session as the caller's namespace numbers it; 0 when it is outside.

    A group outlives its leader, so its number is taken from whoever remembers it.
    """
    if trap.store.get(Task, group) is not None:
        return number(trap, group)
    return group if trap.store.row(PidNs, trap.task.ns.pid).level == 0 else 0


def group_id(trap: "Trap", number: int) -> Pid | None:
    """The process group or session that the caller's namespace calls ``number``, if there is one.

    Unlike a process, a group is found even when its leader has gone.
    """
    task = taken(trap.store, trap.task.ns.pid, number)
    if task is not None:
        return Pid(task.id)
    return Pid(number) if trap.store.row(PidNs, trap.task.ns.pid).level == 0 else None


def need_checkpoint(trap: "Trap", ns: NsId, wanted: int) -> None:
    """clone3(2) set_tid: EINVAL for more pids than levels, EPERM without CAP_CHECKPOINT_RESTORE."""
    levels = chain(trap.store, ns)
    if wanted > len(levels):
        trap.fail(Errno.EINVAL, "", "clone3(2)")
    for level in levels[len(levels) - wanted :]:
        trap.need(Privilege.CHECKPOINT, trap.store.row(PidNs, level).owner)


def descends(world: World, task: Task | None, ancestor: Task) -> bool:
    """task_is_descendant()."""
    while task is not None:
        if task.id == ancestor.id:
            return True
        task = world.get(Task, task.parent)
    return False
