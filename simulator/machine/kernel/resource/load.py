"""The load average: how many tasks wanted to run or waited for a disk, over 1, 5 and 15 minutes.

Counted every five seconds with the kernel's own fixed-point numbers (kernel/sched/loadavg.c,
include/linux/sched/loadavg.h). Who reads it long after sees it fallen off meanwhile.
"""

from simulator.machine.kernel.clock import UPTIME_AT_START_NS, monotonic
from simulator.machine.state.store import Row, Store, World

EVERY = 5_000_000_000
ONE = 1 << 11
FALL = (1884, 2014, 2037)
"""1/exp(5s/1min), 1/exp(5s/5min), 1/exp(5s/15min) as fractions of ``ONE``."""


class Load(Row, frozen=True, kw_only=True):
    """The averages (``id`` 0) as of ``at``, in nanoseconds of CLOCK_MONOTONIC."""

    values: tuple[int, int, int] = (0, 0, 0)
    at: int = UPTIME_AT_START_NS


def averages(world: World) -> tuple[float, float, float]:
    """What /proc/loadavg says now."""
    one, five, fifteen = _after(world.get(Load, 0) or Load(id=0), monotonic(world), 0).values
    return one / ONE, five / ONE, fifteen / ONE


def count(store: Store, start: int, end: int, active: int) -> None:
    """Take into account that ``active`` tasks wanted something from ``start`` to ``end``."""
    before = store.get(Load, 0) or Load(id=0)
    store.put(_after(_after(before, start, 0), end, active))


def _after(load: Load, now: int, active: int) -> Load:
    """calc_load_n(), one step after another; it soon stays where it is."""
    steps = (now - load.at) // EVERY
    if steps <= 0:
        return load
    values = load.values
    for _ in range(steps):
        following = tuple(
            _step(value, fall, active * ONE) for value, fall in zip(values, FALL, strict=True)
        )
        if following == values:
            break
        values = following
    return Load(id=0, values=values, at=load.at + steps * EVERY)  # pyright: ignore[reportArgumentType]


def _step(load: int, fall: int, active: int) -> int:
    """calc_load(): rounded up while it rises."""
    moved = load * fall + active * (ONE - fall)
    return (moved + (ONE - 1 if active >= load else 0)) // ONE
