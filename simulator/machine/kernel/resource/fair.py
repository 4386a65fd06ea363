"""Dividing a server's time fairly: processors among tasks, a disk among requests.

Tasks are the leaves of a tree of groups. At every level whoever is furthest behind goes next,
behind by weight: that is CFS, and BFQ's idea too. A group may have a bucket of time for each
period; with an empty bucket it waits for the next one. Nothing here is a row: ``sched.py`` builds
a tree from rows, lets it run over a stretch of virtual time, and writes back what became of it.

Times are nanoseconds. Source: kernel/sched/fair.c (entity_before, update_curr,
__refill_cfs_bandwidth_runtime, do_sched_cfs_period_timer), sched(7).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from operator import attrgetter
from typing import TypeAlias

from simulator.machine.state.store import Key

UNIT = 1024
"""The weight at which a nanosecond of service counts as one (NICE_0_LOAD)."""


@dataclass(slots=True, eq=False)
class Bucket:
    """A right to ``quota`` units in each ``period``; what is left over is kept up to ``burst``.

    ``restart`` is how much must be there before somebody who ran dry goes on (a token bucket's
    minimum). The other fields are where it stands: ``due`` is the next refill, ``dry`` since when
    somebody has been waiting.
    """

    key: Key
    quota: int
    period: int
    burst: int = 0
    restart: int = 1
    left: int = 0
    due: int = 0
    periods: int = 0
    throttled: int = 0
    waited: int = 0
    dry: int | None = None
    waiting: int = 1
    """How many servers' worth of work waits while it is dry."""
    until: int = 0
    """When the last turn that was paid from it ends."""
    begun: int = 0
    closed: int = 0
    """How long nobody below was allowed to go on, since ``begun``."""

    def begin(self, now: int) -> None:
        """First use after a time in which nobody was there: what has come in meanwhile, and a new
        period, which begins now (start_cfs_bandwidth())."""
        self.begun = now
        if self.due <= now:
            came = (now - self.due) // self.period + 1
            self.left = min(self.left + came * self.quota, self.quota + self.burst)
            self.due = now + self.period
            self.dry = None

    def refill(self, now: int) -> None:
        """The period timer: every period that has passed by ``now``."""
        while self.due <= now:
            self.periods += 1
            self.left = min(self.left + self.quota, self.quota + self.burst)
            if self.dry is not None:
                self.throttled += 1
                if self.left >= self.restart:
                    self.waited += (self.due - self.dry) * self.waiting
                    self.closed += max(0, self.due - max(self.dry, self.begun))
                    self.dry = None
            self.due += self.period

    def is_dry(self, now: int) -> bool:
        """Whether nobody below may go on now."""
        if self.due <= now:
            self.refill(now)
        if self.dry is None and self.left <= 0:
            self.dry = max(now, self.until)
        return self.dry is not None


Charge: TypeAlias = tuple[Bucket, int, int]
"""A bucket, and what a nanosecond of service costs there: numerator and denominator."""


@dataclass(slots=True, eq=False)
class Group:
    """An inner node. ``floor`` is the virtual time of whoever was served last among its children.

    ``load`` counts the tasks below it.
    """

    key: Key
    weight: int = UNIT
    vtime: int = 0
    bucket: Bucket | None = None
    children: "list[Group | Job]" = field(default_factory=list["Group | Job"])
    floor: int = 0
    load: int = 0


@dataclass(slots=True, eq=False)
class Job:
    """A leaf: a task or a request that wants ``left`` more nanoseconds (None: without end).

    ``servers`` are those that may serve it (None: any). ``priority`` above 0 is real time and goes
    before everything fair; ``fifo`` keeps the server from its equals. ``until`` is when its
    present turn ends: nobody is served twice at once.
    """

    key: Key
    weight: int = UNIT
    vtime: int = 0
    left: int | None = None
    servers: frozenset[int] | None = None
    priority: int = 0
    fifo: bool = False
    until: int = 0
    ran: int = 0
    charges: tuple[Charge, ...] = ()
    path: tuple[Group, ...] = ()

    def waited(self, passed: int) -> int:
        """How long it could have been served in ``passed`` and was not: somebody else was."""
        closed = max((bucket.closed for bucket, _n, _d in self.charges), default=0)
        return max(0, passed - self.ran - closed)

    def ready(self, server: int, now: int) -> bool:
        """Whether ``server`` may serve it at ``now``."""
        if self.until > now or self.left == 0:
            return False
        return self.servers is None or server in self.servers


@dataclass(slots=True)
class Servers:
    """Equal servers: ``free`` is when each is done with its present turn.

    ``slice`` is the longest turn. Real-time jobs leave ``rt_spare`` of every ``rt_period`` to the
    others when those wait (sched_rt_runtime_us, the fair server); ``rt_used`` is what they have
    had since ``rt_since``.
    """

    free: list[int]
    slice: int
    rt_period: int = 1_000_000_000
    rt_spare: int = 50_000_000
    rt_since: int = 0
    rt_used: list[int] = field(default_factory=list[int])
    busy: list[int] = field(default_factory=list[int])
    """What each has worked since this was made."""

    def __post_init__(self) -> None:
        if len(self.rt_used) != len(self.free):
            self.rt_used = [0] * len(self.free)
        self.busy = [0] * len(self.free)


def attach(group: Group, child: "Group | Job") -> None:
    """Put ``child`` below ``group``, as one that has not waited (place_entity())."""
    child.vtime = max(child.vtime, group.floor)
    group.children.append(child)


@dataclass(slots=True)
class Pool:
    """Jobs, the groups above them, and what serves them."""

    root: Group
    jobs: Sequence[Job]
    servers: Servers

    def buckets(self) -> Iterator[Bucket]:
        """Every bucket that somebody here draws from, once."""
        seen: set[int] = set()
        for job in self.jobs:
            for bucket, _numerator, _denominator in job.charges:
                if id(bucket) not in seen:
                    seen.add(id(bucket))
                    yield bucket


def serve(pools: Sequence[Pool], start: int, end: int) -> int:
    """Let the servers of all ``pools`` work from ``start`` to ``end``; when they stopped.

    They stop early, at the instant at which a job has all that it wanted.
    """
    queue: list[tuple[int, int, int]] = []
    begun = _undisturbed(pools[0], start, end) if len(pools) == 1 else start
    for index, pool in enumerate(pools):
        for bucket in pool.buckets():
            bucket.begin(start)
        for number, free in enumerate(pool.servers.free):
            heappush(queue, (max(free, begun), index, number))
    urgent = [[job for job in pool.jobs if job.priority] for pool in pools]
    while queue:
        now, index, number = heappop(queue)
        if now >= end:
            continue
        pool = pools[index]
        if urgent[index]:
            job = _next(pool.root, urgent[index], pool.servers, number, now)
        else:
            job = _pick(pool.root, number, now)
        if job is None:
            heappush(queue, (_soonest(pool, now, end), index, number))
            continue
        length = _turn(job, pool.servers, number, end - now)
        _charge(job, pool.servers, number, now, length)
        job.until = pool.servers.free[number] = now + length
        if job.left == 0:
            end = min(end, job.until)
        heappush(queue, (job.until, index, number))
    for pool in pools:
        for bucket in pool.buckets():
            bucket.refill(end)
            if bucket.dry is not None:
                bucket.closed += max(0, end - max(bucket.dry, start))
    return end


def _undisturbed(pool: Pool, start: int, end: int) -> int:
    """Turns in which each job has a server of its own, many at once; when the others begin.

    The last two are left to be taken one by one, and what comes of all is the same.
    """
    servers, jobs = pool.servers, [job for job in pool.jobs if job.left != 0]
    if not 0 < len(jobs) <= len(servers.free) or max(servers.free) > start:
        return start
    for job in jobs:
        if job.until > start or job.priority or job.charges or job.servers is not None:
            return start
    lefts = (job.left for job in jobs if job.left is not None)
    turns = min([end - start, *lefts]) // servers.slice - 2
    if turns <= 0:
        return start
    length = turns * servers.slice
    for number, job in enumerate(jobs):
        job.ran += length
        job.vtime += turns * (servers.slice * UNIT // job.weight)
        if job.left is not None:
            job.left -= length
        for group in job.path:
            group.vtime += turns * (servers.slice * UNIT // group.weight)
        servers.busy[number] += length
        job.until = servers.free[number] = start + length
    return start + length


def _next(
    root: Group, urgent: Sequence[Job], servers: Servers, number: int, now: int
) -> Job | None:
    """pick_next_task(): real time first, unless it has had its part and others wait."""
    while now >= servers.rt_since + servers.rt_period:
        servers.rt_since += servers.rt_period
        servers.rt_used = [0] * len(servers.free)
    ready = [job for job in urgent if job.ready(number, now)]
    spent = servers.rt_used[number] >= servers.rt_period - servers.rt_spare
    fair = _pick(root, number, now) if spent or not ready else None
    if fair is not None or not ready:
        return fair
    # Among equals a FIFO job stays, and round robin gives way to who was served longest ago.
    return min(ready, key=lambda job: (-job.priority, not job.fifo, 0 if job.fifo else job.vtime))


_VTIME = attrgetter("vtime")


def _pick(group: Group, number: int, now: int) -> Job | None:
    """The ready job that is furthest behind, level by level."""
    if group.bucket is not None and group.bucket.is_dry(now):
        return None
    children = group.children
    for child in sorted(children, key=_VTIME) if len(children) > 1 else children:
        if type(child) is Group:
            found = _pick(child, number, now)
            if found is None:
                continue
        else:
            assert type(child) is Job
            # ``ready``, without a call: every turn of every processor asks this
            if child.until > now or child.left == 0 or child.priority:
                continue
            if child.servers is not None and number not in child.servers:
                continue
            if child.charges and _is_dry(child, now):
                continue
            found = child
        if child.vtime > group.floor:
            group.floor = child.vtime
        return found
    return None


def _is_dry(job: Job, now: int) -> bool:
    return any(bucket.is_dry(now) for bucket, _n, _d in job.charges)


def _turn(job: Job, servers: Servers, number: int, most: int) -> int:
    """How long ``job`` is served at once: a slice, or less where it or a bucket ends sooner."""
    length = min(servers.slice, most)
    if job.left is not None:
        length = min(length, job.left)
    if job.priority:
        left = servers.rt_period - servers.rt_spare - servers.rt_used[number]
        return min(length, left) if left > 0 else length
    for bucket, numerator, denominator in job.charges:
        length = min(length, max(1, -(-bucket.left * denominator // numerator)))
    return length


def _charge(job: Job, servers: Servers, number: int, now: int, length: int) -> None:
    """update_curr(): virtual time passes more slowly for those who weigh more."""
    job.ran += length
    servers.busy[number] += length
    job.vtime += length * UNIT // job.weight
    if job.left is not None:
        job.left -= length
    if job.priority:
        servers.rt_used[number] += length
        return
    for group in job.path:
        group.vtime += length * UNIT // group.weight
    for bucket, numerator, denominator in job.charges:
        bucket.left -= length * numerator // denominator
        bucket.until = max(bucket.until, now + length)


def _soonest(pool: Pool, now: int, end: int) -> int:
    """When something may change for an idle server: a turn ends, or a dry bucket is filled."""
    instants = [job.until for job in pool.jobs]
    instants += [bucket.due for bucket in pool.buckets() if bucket.dry is not None]
    return min((at for at in instants if at > now), default=end)
