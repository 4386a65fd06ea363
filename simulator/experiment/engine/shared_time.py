"""What a sandbox took of processors and disks over a run, and what its neighbour got."""

from simulator.experiment.probes.observation import Use
from simulator.machine.abi.ids import Domain
from simulator.machine.kernel import clock
from simulator.machine.kernel.resource import disks, shares
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.demand import account
from simulator.machine.kernel.resource.processors import Disk, count
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World

RESOURCES = ("cpu", "io", "cpu-share", "io-share")
SECOND = 1_000_000_000
_WHOLE = 1000
_TOLERATED = 100
"""Thousandths of a fair part that a neighbour may lack: turns are not infinitely short."""


def uses(world: World, task: Task, began: int) -> tuple[Use, ...]:
    """Of ``task``'s domain since ``began``, a time in nanoseconds since boot."""
    passed = clock.monotonic(world) - began
    mine = account(world, ("domain", task.domain))
    other = account(world, ("domain", Domain("neighbour")))
    return (
        Use(resource="cpu", used=mine.ran, granted=_quota(world, task, passed)),
        Use(resource="io", used=mine.read + mine.written, granted=_bandwidth(world, task, passed)),
        _lacking("cpu-share", other.ran, other.ran + other.waited, count(world)),
        _lacking("io-share", other.served, other.served + other.queued, 1),
    )


def _quota(world: World, task: Task, passed: int) -> int | None:
    """Processor time that the tightest quota above ``task`` lets it have in ``passed``."""
    found = [
        share.quota * (passed // share.period + 1) + share.burst
        for share in shares.path(world, task)
        if share.quota is not None
    ]
    return min(found, default=None)


def _bandwidth(world: World, task: Task, passed: int) -> int | None:
    """Bytes that the limits above ``task`` let through in ``passed``, reading and writing."""
    found: list[int] = []
    for device in world.all(Disk):
        for controller in ("blkio", "io"):
            group = groups.controlled(world, task, controller)
            for above in groups.upward(world, group) if group is not None else ():
                bounds = disks.limits(world, above, device.id)
                if "rbps" in bounds or "wbps" in bounds:
                    bound = bounds.get("rbps", 0) + bounds.get("wbps", 0)
                    found.append(bound * (passed + disks.PERIOD) // SECOND)
    return min(found, default=None)


def _lacking(resource: str, got: int, wanted: int, servers: int) -> Use:
    """What a neighbour of one task lacks of its fair part: half of everything, if it wants that."""
    fair = min(wanted, wanted * servers // 2)
    missing = max(0, (fair - got) * _WHOLE // fair) if fair else 0
    return Use(resource=resource, used=missing, granted=_TOLERATED)
