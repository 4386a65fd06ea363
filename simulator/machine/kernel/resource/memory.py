"""Memory that tasks hold, against the limits of their groups and of the machine.

A group's use is the sum of what its tasks hold and of the files in memory that it touched. Over the
limit, memory is taken back first (``reclaim.py``); then the OOM killer ends the task of the group
that holds most, and the charge goes through; that is why a limit on memory shows as SIGKILL and
never as an errno (Documentation/admin-guide/cgroup-v2.rst, mm/memcontrol.c try_charge_memcg(),
mm/oom_kill.c).
"""

from collections.abc import Callable, Iterable

from simulator.machine.abi.constants import SIGKILL
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import log
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource import reclaim
from simulator.machine.kernel.resource.group import Cgroup, Hierarchy
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import Sleep, Trap
from simulator.machine.state.store import Key, Row, Store, World

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
    """What ``group`` and its descendants hold, files in memory included, in bytes."""
    anonymous = sum(held(groups.members(world, below)) for below in groups.downward(world, group))
    return anonymous + reclaim.cached(world, group)


def swap_usage(world: World, group: Cgroup) -> int:
    """What ``group`` and its descendants have in swap, in bytes."""
    return sum(
        reclaim.swapped(world, groups.members(world, below))
        for below in groups.downward(world, group)
    )


def parts(world: World, group: Cgroup, *, below: bool) -> tuple[int, int, int]:
    """Anonymous memory, files in memory and swap of ``group``, in bytes; ``below``: all of it."""
    tasks = [
        task
        for one in (groups.downward(world, group) if below else (group,))
        for task in groups.members(world, one)
    ]
    files = reclaim.cached(world, group) if below else reclaim.own_cached(world, group)
    return held(tasks), files, reclaim.swapped(world, tasks)


class Peak(Row, frozen=True, kw_only=True):
    """The most that a group ever held (``id`` is the group's), in bytes."""

    size: int


def peak(world: World, group: Cgroup) -> int:
    """memory.max_usage_in_bytes, memory.peak."""
    seen = world.get(Peak, group.id)
    return max(seen.size if seen is not None else 0, usage(world, group))


def note_peak(store: Store, group: Cgroup) -> None:
    """Remember what ``group`` holds now, if it is more than ever before."""
    now, seen = usage(store, group), store.get(Peak, group.id)
    if now and (seen is None or seen.size < now):
        store.put(Peak(id=group.id, size=now))


def event(store: Store, group: Cgroup, name: str) -> None:
    """memcg_memory_event(): counted for the group itself and for those above it."""
    groups.count_event(store, group, f"local {name}")
    for above in groups.upward(store, group):
        if above.parent is not None:
            groups.count_event(store, above, name)


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
    if group is not None and group.parent is not None:
        _hold_groups(trap, group)
    for hold in _HOLD:
        hold(trap)
    _hold_machine(trap)
    task = trap.store.get(Task, trap.task.id)
    if task is not None:
        trap.task = task
    return task is not None and task.state is not TaskState.ZOMBIE


def note_file(trap: Trap, inode: int, end: int) -> None:
    """The caller has read or written a file up to byte ``end``: those pages are in memory now."""
    if not reclaim.note(trap.store, trap.task, inode, end):
        return
    group = groups.controlled(trap.store, trap.task, "memory")
    if group is not None and group.parent is not None:
        _hold_groups(trap, group)
        trap.task = trap.store.row(Task, trap.task.id)


def _hold_groups(trap: Trap, group: Cgroup) -> None:
    for above in groups.upward(trap.store, group):
        ceiling = limit(trap.store, above)
        if ceiling is not None:
            hold_to(trap, above, ceiling)
        both = above.settings.get("memory.memsw.limit_in_bytes")
        if both is not None and int(both) < UNLIMITED:
            hold_to(trap, above, int(both), both=True)
        high = above.settings.get("memory.high", "max")
        if high != "max" and (over := usage(trap.store, above) - int(high)) > 0:
            event(trap.store, above, "high")
            reclaim.shrink(trap.store, above, over)
        if above.parent is not None:
            note_peak(trap.store, above)


def hold_to(trap: Trap, group: Cgroup, ceiling: int, *, both: bool = False) -> None:
    """Take memory of ``group`` back until it holds ``ceiling`` bytes or less, at last by killing.

    ``both`` counts what it has in swap too (memory.memsw.limit_in_bytes). With its OOM killer
    switched off the caller sleeps until there is room (version 1).
    """
    store = trap.store

    def over() -> int:
        swapped = swap_usage(store, group) if both else 0
        return usage(store, group) + swapped - ceiling

    if over() <= 0:
        return
    event(store, group, "memsw" if both else "max")
    if both:
        reclaim.drop_cache(store, group, over())
    else:
        reclaim.shrink(store, group, over())
    while over() > 0:
        tasks = [task for below in groups.downward(store, group) for task in _alive(store, below)]
        victim = _victim(store, tasks, ceiling)
        if victim is None:
            return
        if group.settings.get("memory.oom_control") == "1":
            watches: set[tuple[type[Row], Key]] = {(Task, task.id) for task in tasks}
            raise Sleep("memory", watches | {(Cgroup, group.id)})
        event(store, group, "oom")
        _kill_in_group(trap, group, victim)


def _kill_in_group(trap: Trap, limited: Cgroup, victim: Task) -> None:
    """The victim, or all of the outermost group up to ``limited`` that dies as one."""
    store = trap.store
    own = groups.controlled(store, victim, "memory") or limited
    together: Cgroup | None = None
    for above in groups.upward(store, own):
        if above.settings.get("memory.oom.group") == "1":
            together = above
        if above.id == limited.id:
            break
    _report(store, victim, "Memory cgroup out of memory")
    event(store, own, "oom_kill")
    _kill(trap, victim)
    if together is None:
        return
    event(store, together, "oom_group_kill")
    for below in tuple(groups.downward(store, together)):
        for task in _alive(store, below):
            if task.oom_score_adj > NEVER:
                event(store, below, "oom_kill")
                _kill(trap, task)


def make_room(trap: Trap, tasks: "Callable[[], Iterable[Task]]", ceiling: int) -> tuple[Task, ...]:
    """Let the OOM killer end some of ``tasks`` until they hold ``ceiling`` bytes or less.

    Gives whom it ended.
    """
    ended: list[Task] = []
    while held(tasks()) > ceiling:
        alive = [task for task in tasks() if task.state is not TaskState.ZOMBIE]
        victim = _victim(trap.store, alive, ceiling)
        if victim is None:
            break
        ended.append(victim)
        _kill(trap, victim)
    return tuple(ended)


def _hold_machine(trap: Trap) -> None:
    ceiling = total(trap.store)
    over = held(trap.store.all(Task)) + reclaim.all_cached(trap.store) - ceiling
    if over > 0:
        over -= reclaim.drop_cache(trap.store, None, over)
        reclaim.swap_out(trap.store, trap.store.all(Task), max(over, 0))
        trap.task = trap.store.row(Task, trap.task.id)
    while held(trap.store.all(Task)) > ceiling:
        tasks = [task for task in trap.store.all(Task) if task.state is not TaskState.ZOMBIE]
        victim = _victim(trap.store, tasks, ceiling)
        if victim is None:
            return
        trap.touch("memory", victim.domain, "exhaust", victim.comm)
        _report(trap.store, victim, "Out of memory")
        _kill(trap, victim)


def _alive(store: Store, group: Cgroup) -> tuple[Task, ...]:
    return groups.living(store, group)


def _victim(world: World, tasks: list[Task], ceiling: int) -> Task | None:
    """The task with the highest badness: its memory and swap, moved by oom_score_adj
    (oom_badness())."""
    choice = [
        (task, size)
        for task in tasks
        if task.oom_score_adj > NEVER and (size := task.memory + reclaim.swapped(world, (task,)))
    ]
    if not choice:
        return None
    worst = max(choice, key=lambda c: (c[1] + c[0].oom_score_adj * ceiling // 1000, -c[0].id))
    return worst[0]


def _report(store: Store, victim: Task, what: str) -> None:
    """__oom_kill_process(): what dmesg(1) will show of it."""
    size = victim.memory // 1024
    log.append(
        store,
        f"{what}: Killed process {victim.id} ({victim.comm}) total-vm:{size + 2332}kB, "
        f"anon-rss:{size}kB, file-rss:1412kB, shmem-rss:0kB, UID:{victim.cred.ruid} "
        f"pgtables:{40 + size // 512}kB oom_score_adj:{victim.oom_score_adj}",
    )


def _kill(trap: Trap, victim: Task) -> None:
    exits.end(trap.store, Pid(victim.id), SIGKILL)
