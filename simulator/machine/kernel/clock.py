"""Virtual time: nothing here asks the real clock, so a run repeats exactly.

Time passes when a task sleeps (nanosleep(2)) or burns CPU, never by itself; only a clock call moves
the wall clock against it.
"""

from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.state.store import Row, Store, World

BOOT_REALTIME_NS = 1_700_000_000 * 1_000_000_000
"""The wall clock at boot: 2023-11-14 22:13:20 UTC, in nanoseconds since the epoch."""

UPTIME_AT_START_NS = 3_600 * 1_000_000_000
"""The world starts an hour after boot, in nanoseconds."""


class Clock(Row, frozen=True, kw_only=True):
    """The machine's one clock (``id`` 0). ``monotonic`` and ``realtime_offset`` are nanoseconds.

    ``waits``: somebody moves it with the real clock, so a sleep lasts, however short it is; else a
    short one only moves the clock.
    """

    monotonic: int = UPTIME_AT_START_NS
    realtime_offset: int = BOOT_REALTIME_NS
    tick: int = 10_000
    waits: bool = False
    domain: Domain = HOST


def clock(world: World) -> Clock:
    """The machine's clock row."""
    return world.row(Clock, 0)


def monotonic(world: World) -> int:
    """CLOCK_MONOTONIC in nanoseconds since boot."""
    return clock(world).monotonic


def realtime(world: World) -> int:
    """CLOCK_REALTIME in nanoseconds since the epoch."""
    now = world.row(Clock, 0)
    return now.monotonic + now.realtime_offset


def advance(store: Store, nanoseconds: int) -> None:
    """Let time pass."""
    now = clock(store)
    store.put(
        Clock(
            id=0,
            monotonic=now.monotonic + nanoseconds,
            realtime_offset=now.realtime_offset,
            tick=now.tick,
            waits=now.waits,
            domain=now.domain,
        )
    )
