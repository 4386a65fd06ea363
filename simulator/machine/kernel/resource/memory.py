"""Memory that tasks hold, against the limits of their groups and of the machine.

A group's use is the sum of what its tasks hold. Over the limit, the OOM killer ends the task of the
group that holds most, and the charge goes through; that is why a limit on memory shows as SIGKILL
and never as an errno (Documentation/admin-guide/cgroup-v2.rst, mm/oom_kill.c).
"""

from collections.abc import Callable, Iterable

from simulator.machine.abi.constants import SIGKILL
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.group import Cgroup, Hierarchy
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import Row, Store, World

DEFAULT_TOTAL = 8 << 30
"""The machine's memory in bytes, unless its world says otherwise."""

UNLIMITED = 9223372036854771712
"""What memory.limit_in_bytes reads as when no limit is set: PAGE_COUNTER_MAX pages."""

NEVER = -1000
"""The oom_score_adj that takes a task out of the OOM killer's choice."""


class Memory(Row, frozen=True, kw_only=True):
    """The machine's memory (``id`` 0), in bytes."""

    total: int = DEFAULT_TOTAL


def total(world: World) -> int:
    """The machine's memory in bytes."""
    memory = world.get(Memory, 0)
    return memory.total if memory is not None else DEFAULT_TOTAL


def held(tasks: Iterable[Task]) -> int:
    """What living ``tasks`` hold together, in bytes."""
    return sum(task.memory for task in tasks if task.state is not TaskState.ZOMBIE)


def usage(world: World, group: Cgroup) -> int:
    """What ``group`` and its descendants hold, in bytes."""
    return sum(held(groups.members(world, below)) for below in groups.downward(world, group))


def limit(world: World, group: Cgroup) -> int | None:
    """``group``'s own hard limit in bytes; None for no limit."""
    version = world.row(Hierarchy, group.hierarchy).version
    text = group.settings.get("memory.max" if version == 2 else "memory.limit_in_bytes")
    if text is None or text == "max":
        return None
    value = int(text)
    return None if value >= UNLIMITED else value


_HOLD: "list[Callable[[Trap], None]]" = []


def at_charge(hold: "Callable[[Trap], None]") -> None:
    """Have ``hold`` called when a task was given memory: it may let the OOM killer make room."""
    _HOLD.append(hold)


def charge_memory(trap: Trap, size: int) -> bool:
    """Give the caller ``size`` more bytes (fewer when negative).

    Over a limit, the OOM killer makes room. False: the caller itself was killed, and its call must
    return at once.
    """
    trap.update(memory=max(0, trap.task.memory + size))
    if size <= 0:
        return True
    group = groups.controlled(trap.store, trap.task, "memory")
    if group is not None:
        for above in groups.upward(trap.store, group):
            ceiling = limit(trap.store, above)
            if ceiling is not None:
                hold_to(trap, above, ceiling)
    for hold in _HOLD:
        hold(trap)
    _hold_machine(trap)
    task = trap.store.get(Task, trap.task.id)
    return task is not None and task.state is not TaskState.ZOMBIE


def hold_to(trap: Trap, group: Cgroup, ceiling: int) -> None:
    """Let the OOM killer end tasks of ``group`` until it holds ``ceiling`` bytes or less."""
    store = trap.store
    while usage(store, group) > ceiling:
        tasks = [task for below in groups.downward(store, group) for task in _alive(store, below)]
        victim = _victim(tasks, ceiling)
        if victim is None:
            return
        groups.count_event(store, group, "oom")
        groups.count_event(store, group, "oom_kill")
        _kill(trap, victim)


def make_room(
    trap: Trap, tasks: "Callable[[], Iterable[Task]]", ceiling: int
) -> tuple[Task, ...]:
    """Let the OOM killer end some of ``tasks`` until they hold ``ceiling`` bytes or less.

    Gives whom it ended.
    """
    ended: list[Task] = []
    while held(tasks()) > ceiling:
        alive = [task for task in tasks() if task.state is not TaskState.ZOMBIE]
        victim = _victim(alive, ceiling)
        if victim is None:
            break
        ended.append(victim)
        _kill(trap, victim)
    return tuple(ended)


def _hold_machine(trap: Trap) -> None:
    ceiling = total(trap.store)
    while held(trap.store.all(Task)) > ceiling:
        tasks = [task for task in trap.store.all(Task) if task.state is not TaskState.ZOMBIE]
        victim = _victim(tasks, ceiling)
        if victim is None:
            return
        trap.touch("memory", victim.domain, "exhaust", victim.comm)
        _kill(trap, victim)


def _alive(store: Store, group: Cgroup) -> tuple[Task, ...]:
    return groups.living(store, group)


def _victim(tasks: list[Task], ceiling: int) -> Task | None:
    """The task with the highest badness: its memory, moved by oom_score_adj (oom_badness())."""
    choice = [task for task in tasks if task.oom_score_adj > NEVER and task.memory]
    if not choice:
        return None
    return max(choice, key=lambda t: (t.memory + t.oom_score_adj * ceiling // 1000, -t.id))


def _kill(trap: Trap, victim: Task) -> None:
    exits.end(trap.store, Pid(victim.id), SIGKILL)
