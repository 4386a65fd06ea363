"""A disk's time divided among those who wait for it: weights and limits of control groups.

Source: block/bfq-cgroup.c and block/bfq-iosched.c (weights), block/blk-throttle.c (limits),
Documentation/admin-guide/cgroup-v1/blkio-controller.rst, cgroup-v2.rst (IO).
"""

from simulator.machine.kernel.resource import booking
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.demand import Demand, Standing, bandwidth, spent
from simulator.machine.kernel.resource.fair import Bucket, Charge, Group, Job, Pool, Servers, attach
from simulator.machine.kernel.resource.group import Cgroup, Hierarchy
from simulator.machine.kernel.resource.processors import WEIGHING, disk
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World

TURN = 2_000_000
"""The longest turn of one request stream, in nanoseconds of the disk's time."""
PERIOD = 100_000_000
"""Over which a limit is kept, in nanoseconds (throtl_slice)."""
ORDINARY = 100
"""BFQ's weight of whoever was given none (BFQ_WEIGHT_LEGACY_DFL, CGROUP_WEIGHT_DFL)."""
_SCALE = 1000

V1_LIMITS = {
    "rbps": "blkio.throttle.read_bps_device",
    "wbps": "blkio.throttle.write_bps_device",
    "riops": "blkio.throttle.read_iops_device",
    "wiops": "blkio.throttle.write_iops_device",
}


def disk_pool(world: World, device: int, wanting: list[tuple[Demand, Task]]) -> Pool:
    """The one server that a disk is, and the requests that wait for it."""
    weighs = disk(world, device).scheduler in WEIGHING
    root = _placed(world, Group(("io", 0)), device)
    made: dict[object, Group] = {}
    buckets: dict[object, Bucket] = {}
    jobs: list[Job] = []
    for demand, task in wanting:
        chain = _chain(world, task)
        path: list[Group] = []
        above = root
        for one in chain if weighs else ():
            group = made.get(one.id)
            if group is None:
                group = _placed(world, Group(("cgroup", one.id), weight(world, one)), device)
                attach(above, group)
                made[one.id] = group
            path.append(group)
            above = group
        charges = [c for one in chain for c in _charges(world, one, demand, buckets)]
        had = spent(world, task.id)
        goal = demand.goal
        job = Job(
            key=task.id,
            weight=ORDINARY,
            vtime=had.disk_vtime,
            left=None if goal is None else max(0, goal - had.served),
            until=had.disk_until,
            charges=tuple(charges),
            path=tuple(path),
        )
        attach(above, job)
        jobs.append(job)
    return Pool(root, jobs, Servers([disk(world, device).free], TURN))


def weight(world: World, group: Cgroup) -> int:
    """io.weight, blkio.weight or the same under BFQ's name; 100 unless written."""
    version = world.row(Hierarchy, group.hierarchy).version
    names = ("io.bfq.weight", "io.weight") if version == 2 else ("blkio.weight", "blkio.bfq.weight")
    for name in names:
        text = group.settings.get(name)
        if text is not None:
            word = text.split()[-1]
            return max(1, int(word)) if word.isdigit() else ORDINARY
    return ORDINARY


def limits(world: World, group: Cgroup, device: int) -> dict[str, int]:
    """``rbps``, ``wbps``, ``riops``, ``wiops`` of ``group`` on a disk, as far as they are set."""
    named = f"{device >> 8 & 0xFFF}:{device & 0xF0}"
    if world.row(Hierarchy, group.hierarchy).version == 2:
        for line in group.settings.get("io.max", "").splitlines():
            words = line.split()
            if words[:1] == [named]:
                pairs = (word.partition("=") for word in words[1:])
                return {key: int(value) for key, _, value in pairs if value.isdigit()}
        return {}
    found: dict[str, int] = {}
    for key, name in V1_LIMITS.items():
        for line in group.settings.get(name, "").splitlines():
            words = line.split()
            if words[0] == named and int(words[1]):
                found[key] = int(words[1])
    return found


def _chain(world: World, task: Task) -> tuple[Cgroup, ...]:
    """The task's groups of the controller, outermost first, without the root."""
    for name in ("blkio", "io"):
        group = groups.controlled(world, task, name)
        if group is not None:
            chain = [above for above in groups.upward(world, group) if above.parent is not None]
            if name == "io":
                chain = [g for g in chain if "io" in world.row(Cgroup, g.parent or 0).subtree]
            return tuple(reversed(chain))
    return ()


def _charges(
    world: World, group: Cgroup, demand: Demand, buckets: dict[object, Bucket]
) -> list[Charge]:
    """What a nanosecond of service costs in each limit of ``group`` that binds the demand."""
    assert demand.device is not None
    each = booking.cost(world, demand)
    way = "w" if demand.write else "r"
    set_ = limits(world, group, demand.device)
    found: list[Charge] = []
    for key, numerator in ((f"{way}bps", demand.block * _SCALE), (f"{way}iops", _SCALE * _SCALE)):
        if key not in set_:
            continue
        name = ("io", group.id, demand.device & ~0xF, key)
        if name not in buckets:
            unit = _SCALE if key.endswith("bps") else _SCALE * _SCALE
            quota = max(1, set_[key] * unit * PERIOD // booking.SECOND)
            now = bandwidth(world, name)
            buckets[name] = Bucket(
                name,
                quota,
                PERIOD,
                left=min(now.left, quota),
                due=now.due,
                periods=now.periods,
                throttled=now.throttled,
                waited=now.waited,
                dry=now.dry,
            )
        found.append((buckets[name], numerator, each))
    return found


def _placed(world: World, group: Group, device: int) -> Group:
    stood = world.get(Standing, (group.key, device))
    if stood is not None:
        group.vtime, group.floor = stood.vtime, stood.floor
    return group
