"""The process tree as one task sees it: its pid numbers, and only whom its kernel shows it."""

from collections.abc import Iterator

from simulator.classroom.tui.present.line import Line, heading
from simulator.machine.abi.ids import NsId, Pid
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.namespace import PidNs, UserNs, from_kernel
from simulator.machine.kernel.task import Task, TaskState, pid_in
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import Store, World


def processes(world: World, family: Family, viewer: Pid) -> list[Line]:
    """One line a process, indented by parentage: pid, user, state, command line, as ps(1) heads
    them.
    """
    observer = world.get(Task, viewer)
    if observer is None:
        return []
    seen = {task.id: task for task in visible(world, family, observer)}
    children: dict[int, list[Task]] = {}
    for task in seen.values():
        children.setdefault(task.parent if task.parent in seen else 0, []).append(task)
    names = heading(f" {'PID':>4} {'USER':<6} S COMMAND")
    return [names, *_branch(world, observer, children, 0, 0)]


def visible(world: World, family: Family, observer: Task) -> list[Task]:
    """The tasks that ``observer``'s kernel lets it know of, by its own policies."""
    trap = Trap(Store(world), family, observer)
    level = world.row(PidNs, observer.ns.pid).level
    return [
        task
        for task in world.all(Task)
        if pid_in(world, task, level, observer.ns.pid)
        and trap.allowed("may_see", task)
        and trap.allowed("may_list", task)
    ]


def _branch(
    world: World, observer: Task, children: dict[int, list[Task]], parent: int, depth: int
) -> Iterator[Line]:
    level = world.row(PidNs, observer.ns.pid).level
    for task in sorted(children.get(parent, ()), key=lambda t: t.id):
        number = pid_in(world, task, level, observer.ns.pid)
        yield Line(
            text=f"{number:>4} {user(world, observer, task.cred):<6} {_state(task)} "
            f"{'  ' * depth}{command(task)}",
            domain=task.domain,
        )
        yield from _branch(world, observer, children, task.id, depth + 1)


def command(task: Task) -> str:
    """What ps(1) would print: the arguments, or the name in brackets when there are none."""
    return " ".join(task.argv) or f"[{task.comm}]"


def user(world: World, observer: Task, cred: Credentials) -> str:
    """The effective user id as ``observer``'s user namespace shows it."""
    own: NsId = observer.cred.user_ns
    return str(from_kernel(world.row(UserNs, own).uid_map, cred.euid))


def _state(task: Task) -> str:
    return task.state.value if task.state is not TaskState.RUNNING else "R"
