"""Letting time pass: the processors and the disks serve whoever has a ``Demand``.

``pass_time`` is the one way in which virtual time goes on. With nobody to serve it moves the clock
and nothing else. Otherwise it builds the trees of ``fair.py`` from rows, lets them run, and writes
back what each task and each group has had: the next reader of cpu.stat or /proc/stat sees it.

Source: kernel/sched/core.c (sched_prio_to_weight), sched(7), block/bfq-iosched.c.
"""

from collections.abc import Iterable

import msgspec

from simulator.machine.abi.constants import SCHED_FIFO, SCHED_IDLE, SCHED_RR
from simulator.machine.kernel import alarm, clock
from simulator.machine.kernel.resource import booking, load, shares
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.demand import (
    Bandwidth,
    Demand,
    Standing,
    bandwidth,
    spent,
)
from simulator.machine.kernel.resource.disks import disk_pool
from simulator.machine.kernel.resource.fair import Bucket, Group, Job, Pool, Servers, attach, serve
from simulator.machine.kernel.resource.group import Frozen, Hierarchy
from simulator.machine.kernel.resource.processors import processors
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.state.store import Store, World

SLICE = 4_000_000
"""The longest turn of an ordinary task: a tick at 250 Hz (kernel/sched/fair.c base_slice)."""

WEIGHTS = (
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
    9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
    1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,
    110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
)  # fmt: skip
"""sched_prio_to_weight: by nice value, from -20; each step is worth about a quarter."""


def pass_time(store: Store, nanoseconds: int) -> int:
    """Let up to ``nanoseconds`` go by; how many did.

    Fewer when somebody has all that it wanted, or is to hear an alarm before.
    """
    ringing = alarm.left(store)
    if ringing is not None:
        nanoseconds = min(nanoseconds, ringing)
    passed = _serve(store, nanoseconds)
    alarm.ring(store)
    return passed


def _serve(store: Store, nanoseconds: int) -> int:
    if not store.count(Demand):
        clock.advance(store, nanoseconds)
        return nanoseconds
    start = clock.monotonic(store)
    wanting = [
        (demand, task) for demand in store.all(Demand) if (task := _able(store, demand)) is not None
    ]
    pools = _pools(store, wanting, start)
    stop = serve([pool for _, pool in pools], start, start + nanoseconds)
    load.count(store, start, stop, len(wanting))
    for device, pool in pools:
        for bucket in pool.buckets():
            _keep_bucket(store, bucket)
        _keep_groups(store, device, pool.root.children, pool.root)
        booking.book(store, device, pool, stop - start)
    _content(store, (demand for demand, _ in wanting))
    clock.advance(store, stop - start)
    return stop - start


def weight_of(task: Task) -> int:
    """set_load_weight(): by policy and nice value."""
    if task.policy == SCHED_IDLE:
        return shares.IDLE_WEIGHT
    return WEIGHTS[task.nice + 20]


def _able(store: Store, demand: Demand) -> Task | None:
    """The task of a demand that can be served now: not content, not stopped, not frozen."""
    task = store.get(Task, demand.id)
    if demand.done or task is None or task.state in (TaskState.STOPPED, TaskState.ZOMBIE):
        return None
    if store.count(Frozen) and any(
        store.get(Frozen, above.id) is not None
        for tree in store.all(Hierarchy)
        if (group := groups.group_of(store, task, tree.id)) is not None
        for above in groups.upward(store, group)
    ):
        return None
    return task


def _pools(
    store: Store, wanting: list[tuple[Demand, Task]], now: int
) -> list[tuple[int | None, Pool]]:
    """The processors (None), and every disk that somebody waits for."""
    made: list[tuple[int | None, Pool]] = []
    computing = [pair for pair in wanting if pair[0].device is None]
    if computing:
        made.append((None, _processor_pool(store, computing, now)))
    for device in dict.fromkeys(demand.device for demand, _ in wanting):
        if device is not None:
            mine = [pair for pair in wanting if pair[0].device == device]
            made.append((device, disk_pool(store, device, mine)))
    return made


def _processor_pool(store: Store, wanting: list[tuple[Demand, Task]], now: int) -> Pool:
    machine = processors(store)
    tree = _Tree(store, machine.count)
    jobs = [tree.job(demand, task) for demand, task in wanting]
    free = machine.free or (0,) * machine.count
    same_period = machine.rt_since + 1_000_000_000 > now
    servers = Servers(
        list(free),
        SLICE,
        rt_since=machine.rt_since if same_period else now,
        rt_used=list(machine.rt_used) if same_period else [],
    )
    return Pool(tree.root, jobs, servers)


class _Tree:
    """The tree of groups above the tasks that want to compute, as it is built."""

    def __init__(self, store: World, processors: int) -> None:
        self.store = store
        self.processors = processors
        self.root = _placed(store, Group(("cpu", 0)), None)
        self.groups: dict[object, Group] = {}

    def job(self, demand: Demand, task: Task) -> Job:
        path = self._path(shares.path(self.store, task))
        had = spent(self.store, task.id)
        goal = demand.goal
        job = Job(
            key=task.id,
            weight=weight_of(task),
            vtime=had.vtime,
            left=None if goal is None else max(0, goal - had.user - had.system),
            servers=shares.allowed(self.store, task),
            priority=task.rt_priority if task.policy in (SCHED_FIFO, SCHED_RR) else 0,
            fifo=task.policy == SCHED_FIFO,
            until=had.until,
            charges=tuple((g.bucket, 1, 1) for g in path if g.bucket is not None),
            path=path,
        )
        attach(path[-1] if path else self.root, job)
        for group in path:
            group.load += 1
            if group.bucket is not None:
                group.bucket.waiting = min(group.load, self.processors)
        return job

    def _path(self, chain: tuple[shares.Share, ...]) -> tuple[Group, ...]:
        above, found = self.root, list[Group]()
        for share in chain:
            group = self.groups.get(share.key)
            if group is None:
                bucket = _bucket(self.store, share) if share.quota is not None else None
                group = _placed(self.store, Group(share.key, share.weight, bucket=bucket), None)
                attach(above, group)
                self.groups[share.key] = group
            found.append(group)
            above = group
        return tuple(found)


def _placed(world: World, group: Group, device: int | None) -> Group:
    """``group`` where it stood when it was last served."""
    stood = world.get(Standing, (group.key, device))
    if stood is not None:
        group.vtime, group.floor = stood.vtime, stood.floor
    return group


def _bucket(world: World, share: shares.Share) -> Bucket:
    assert share.quota is not None
    now = bandwidth(world, share.key)
    return Bucket(
        share.key,
        share.quota,
        share.period,
        share.burst,
        share.restart,
        min(now.left, share.quota + share.burst),
        now.due,
        now.periods,
        now.throttled,
        now.waited,
        now.dry,
    )


def _keep_bucket(store: Store, bucket: Bucket) -> None:
    store.put(
        Bandwidth(
            id=bucket.key,
            left=bucket.left,
            due=bucket.due,
            periods=bucket.periods,
            throttled=bucket.throttled,
            waited=bucket.waited,
            dry=bucket.dry,
        )
    )


def _keep_groups(
    store: Store, device: int | None, children: Iterable[Group | Job], group: Group
) -> None:
    store.put(Standing(id=(group.key, device), vtime=group.vtime, floor=group.floor))
    for child in children:
        if isinstance(child, Group):
            _keep_groups(store, device, child.children, child)


def _content(store: Store, demands: Iterable[Demand]) -> None:
    """Ring the bell of those that have all that they wanted."""
    for demand in demands:
        if demand.goal is None:
            continue
        had = spent(store, demand.id)
        served = had.user + had.system if demand.device is None else had.served
        if served >= demand.goal:
            store.put(msgspec.structs.replace(demand, done=True))
