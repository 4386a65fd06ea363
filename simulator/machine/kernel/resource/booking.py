"""Writing down who has had what: the task, its control groups, its contexts, its owner.

Source: kernel/sched/cputime.c (account_user_time), kernel/sched/cpuacct.c, kernel/cgroup/rstat.c.
"""

import msgspec

from simulator.machine.kernel.context import Context
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.demand import (
    PER_MILLE,
    Demand,
    account,
    spent,
)
from simulator.machine.kernel.resource.fair import Job, Pool
from simulator.machine.kernel.resource.group import BY_CONTROLLER, UNIFIED
from simulator.machine.kernel.resource.processors import Processors, disk, processors
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Key, Store, World

SECOND = 1_000_000_000


def book(store: Store, device: int | None, pool: Pool, passed: int) -> None:
    """Write down what ``pool`` (the processors for None) did in ``passed`` nanoseconds."""
    if device is None:
        _processors(store, pool, passed)
        return
    held = disk(store, device)
    store.put(
        msgspec.structs.replace(
            held, free=pool.servers.free[0], busy=held.busy + sum(pool.servers.busy)
        )
    )
    for job in pool.jobs:
        _request(store, job, job.waited(passed))


def _processors(store: Store, pool: Pool, passed: int) -> None:
    user = nice = system = 0
    for job in pool.jobs:
        task, demand = store.row(Task, job.key), store.row(Demand, job.key)
        kernel = job.ran * demand.system // PER_MILLE
        mine, waited = job.ran - kernel, job.waited(passed)
        system += kernel
        user, nice = (user, nice + mine) if task.nice > 0 else (user + mine, nice)
        had = spent(store, task.id)
        store.put(
            msgspec.structs.replace(
                had,
                id=task.id,
                user=had.user + mine,
                system=had.system + kernel,
                waited=had.waited + waited,
                until=job.until,
                vtime=job.vtime,
            )
        )
        for key in keys(store, task):
            book_ = account(store, key)
            store.put(
                msgspec.structs.replace(
                    book_,
                    id=key,
                    user=book_.user + mine,
                    system=book_.system + kernel,
                    waited=book_.waited + waited,
                )
            )
    _machine(store, pool, user, nice, system)


def _machine(store: Store, pool: Pool, user: int, nice: int, system: int) -> None:
    before, servers = processors(store), pool.servers
    busy = before.busy or (0,) * before.count
    store.put(
        Processors(
            id=0,
            count=before.count,
            busy=tuple(old + new for old, new in zip(busy, servers.busy, strict=True)),
            user=before.user + user,
            nice=before.nice + nice,
            system=before.system + system,
            free=tuple(servers.free),
            rt_since=servers.rt_since,
            rt_used=tuple(servers.rt_used),
        )
    )


def _request(store: Store, job: Job, queued: int) -> None:
    """The part of a request to a disk that has been carried out."""
    task, demand = store.row(Task, job.key), store.row(Demand, job.key)
    had, each = spent(store, task.id), cost(store, demand)
    before, after = had.served // each, (had.served + job.ran) // each
    requests = after - before
    moved = requests * demand.block
    read, written = (0, moved) if demand.write else (moved, 0)
    store.put(
        msgspec.structs.replace(
            had,
            id=task.id,
            served=had.served + job.ran,
            read=had.read + read,
            written=had.written + written,
            disk_until=job.until,
            disk_vtime=job.vtime,
        )
    )
    for key in keys(store, task):
        old = account(store, key)
        store.put(
            msgspec.structs.replace(
                old,
                id=key,
                read=old.read + read,
                written=old.written + written,
                reads=old.reads + (0 if demand.write else requests),
                writes=old.writes + (requests if demand.write else 0),
                served=old.served + job.ran,
                queued=old.queued + queued,
            )
        )


def cost(world: World, demand: Demand) -> int:
    """Nanoseconds of the disk's time that one request of ``demand`` takes."""
    assert demand.device is not None
    able = disk(world, demand.device)
    return max(1, able.latency + demand.block * SECOND // able.bandwidth)


def keys(world: World, task: Task) -> tuple[Key, ...]:
    """The accounts that ``task`` adds to."""
    found: list[Key] = [("domain", task.domain)]
    trees = {UNIFIED}
    for controller in ("cpu", "cpuacct", "blkio"):
        tree = world.first(BY_CONTROLLER, controller)
        if tree is not None:
            trees.add(tree.id)
    for tree in sorted(trees):
        group = groups.group_of(world, task, tree)
        if group is not None:
            found += [("cgroup", above.id) for above in groups.upward(world, group)]
    number = task.context
    while number is not None and (context := world.get(Context, number)) is not None:
        found.append(("context", context.id))
        number = context.parent
    return tuple(found)
