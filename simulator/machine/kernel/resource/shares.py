"""What part of the processors a group of tasks is owed, whatever made the group.

This is the one place where control groups, zones, virtual environments and security contexts meet
the scheduler: each gives ``Share``s, outermost first. A context says so in its ``params``:

==================  =====================================================================
``cpu.weight``      its weight among its siblings; 1024 is that of one ordinary task
                    (cpu.shares, OpenVZ cpuunits, Solaris zone.cpu-shares)
``cpu.quota``       nanoseconds of processor time that it may have in each period
                    (OpenVZ cpulimit, zone.cpu-cap, VServer fill rate, rctl pcpu)
``cpu.period``      nanoseconds; 100 ms when left out
``cpu.burst``       nanoseconds that it may save up (VServer tokens-max)
``cpu.restart``     nanoseconds it needs before it goes on once it ran dry (VServer tokens-min)
``cpu.cpus``        the processors that it may use, such as ``0-1,3``
==================  =====================================================================

A context without any of these is not a group of its own: its tasks compete as tasks of the host.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from simulator.machine.kernel.context import Context
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.fair import UNIT
from simulator.machine.kernel.resource.group import Cgroup, Hierarchy
from simulator.machine.kernel.resource.processors import count, parse_list
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Key, World

PERIOD = 100_000_000
IDLE_WEIGHT = 3
"""WEIGHT_IDLEPRIO: SCHED_IDLE tasks, and groups with cpu.idle."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One group as the scheduler sees it; times are nanoseconds, ``quota`` None is no limit."""

    key: Key
    weight: int = UNIT
    quota: int | None = None
    period: int = PERIOD
    burst: int = 0
    restart: int = 1
    cpus: frozenset[int] | None = None


Source: TypeAlias = Callable[[World, Task], tuple[Share, ...]]
SOURCES: list[Source] = []
"""Asked in this order; the first gives the outermost groups."""


def source(shares: Source) -> Source:
    """Enter a source of shares."""
    SOURCES.append(shares)
    return shares


def path(world: World, task: Task) -> tuple[Share, ...]:
    """The groups that ``task`` is in, outermost first."""
    return tuple(share for shares in SOURCES for share in shares(world, task))


@source
def of_contexts(world: World, task: Task) -> tuple[Share, ...]:
    """Prisons, zones, virtual environments and security contexts with a word on processors."""
    found: list[Share] = []
    number = task.context
    while number is not None:
        context = world.get(Context, number)
        if context is None:
            break
        if any(name.startswith("cpu.") for name in context.params):
            found.append(_of_context(context))
        number = context.parent
    return tuple(reversed(found))


def _of_context(context: Context) -> Share:
    def wanted(name: str, default: int) -> int:
        return int(str(context.params.get(name, default)))

    quota = wanted("cpu.quota", 0)
    return Share(
        key=("context", context.id),
        weight=max(1, wanted("cpu.weight", UNIT)),
        quota=quota or None,
        period=max(1, wanted("cpu.period", PERIOD)),
        burst=wanted("cpu.burst", 0),
        restart=wanted("cpu.restart", 1),
        cpus=parse_list(str(context.params.get("cpu.cpus", ""))) or None,
    )


@source
def of_cgroups(world: World, task: Task) -> tuple[Share, ...]:
    """The groups of the hierarchy that cpu is bound to; the root is no group."""
    cpu = groups.controlled(world, task, "cpu")
    return tuple(_of_group(world, group) for group in _below_root(world, cpu, "cpu"))


def of_group(world: World, group: Cgroup) -> tuple[Share, ...]:
    """What one control group is owed by itself; nothing where the controller is not at work."""
    return tuple(_of_group(world, one) for one in _below_root(world, group, "cpu")[-1:])


def allowed(world: World, task: Task) -> frozenset[int] | None:
    """The processors that ``task`` may use; None for all of them.

    What it was told to keep to counts as long as its groups leave it one of those
    (kernel/sched/syscalls.c, user_cpus_ptr).
    """
    within = _within(world, task)
    if not task.affinity:
        return within
    wanted = frozenset(one for one in range(count(world)) if task.affinity >> one & 1)
    return wanted if within is None else wanted & within or within


def mask(world: World, task: Task) -> int:
    """The same as bits, one for each processor of the machine."""
    found = allowed(world, task)
    return sum(1 << one for one in (range(count(world)) if found is None else found))


def mask_within(world: World, task: Task) -> int:
    """The processors that the groups of ``task`` leave it, whatever it was told to keep to."""
    return mask(world, msgspec.structs.replace(task, affinity=0))


def _within(world: World, task: Task) -> frozenset[int] | None:
    found = effective(world, groups.controlled(world, task, "cpuset"))
    for share in of_contexts(world, task):
        if share.cpus is not None:
            found = share.cpus if found is None else found & share.cpus or found
    return found


def _below_root(world: World, group: Cgroup | None, controller: str) -> tuple[Cgroup, ...]:
    """The groups in which ``controller`` is at work, outermost first."""
    if group is None:
        return ()
    chain = [above for above in groups.upward(world, group) if above.parent is not None]
    if world.row(Hierarchy, group.hierarchy).version == 2:
        chain = [one for one in chain if controller in world.row(Cgroup, one.parent or 0).subtree]
    return tuple(reversed(chain))


def _of_group(world: World, group: Cgroup) -> Share:
    settings = group.settings
    if world.row(Hierarchy, group.hierarchy).version == 2:
        weight = int(settings.get("cpu.weight", "100")) * UNIT // 100
        limit, period = settings.get("cpu.max", "max 100000").split()
        burst = settings.get("cpu.max.burst", "0")
    else:
        weight = int(settings.get("cpu.shares", "1024"))
        limit = settings.get("cpu.cfs_quota_us", "-1")
        period = settings.get("cpu.cfs_period_us", "100000")
        burst = settings.get("cpu.cfs_burst_us", "0")
    if settings.get("cpu.idle") == "1":
        weight = IDLE_WEIGHT
    return Share(
        key=("cgroup", group.id),
        weight=max(2, weight),
        quota=None if limit in ("max", "-1") else int(limit) * 1000,
        period=int(period) * 1000,
        burst=int(burst) * 1000,
    )


def effective(world: World, group: Cgroup | None) -> frozenset[int] | None:
    """cpuset.cpus.effective: the nearest list upwards, as far as those above allow; None: all."""
    found: frozenset[int] | None = None
    for one in reversed(tuple(groups.upward(world, group))) if group is not None else ():
        listed = parse_list(one.settings.get("cpuset.cpus", ""))
        if listed:
            found = listed if found is None else found & listed or found
    return found
