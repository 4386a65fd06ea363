"""The machine's processors: how many there are, and what they have done."""

from simulator.machine.state.store import Row, World

DEFAULT_COUNT = 2


class Processors(Row, frozen=True, kw_only=True):
    """All of them (``id`` 0); times are nanoseconds.

    ``busy`` is each one's work, ``user``, ``nice`` and ``system`` that of all together. ``free``
    is when each is done with its present turn; ``rt_*`` what real-time tasks have had of the
    present period.
    """

    count: int = DEFAULT_COUNT
    busy: tuple[int, ...] = ()
    user: int = 0
    nice: int = 0
    system: int = 0
    free: tuple[int, ...] = ()
    rt_since: int = 0
    rt_used: tuple[int, ...] = ()


class Disk(Row, frozen=True, kw_only=True):
    """What a disk can do (``id`` is its device number) and has done.

    ``bandwidth`` is bytes a second, ``latency`` nanoseconds that each request costs besides.
    ``scheduler`` decides who is served first (/sys/block/DISK/queue/scheduler): only bfq and, until
    Linux 5.0, cfq know weights of control groups.
    """

    bandwidth: int = 200_000_000
    latency: int = 20_000
    scheduler: str = "mq-deadline"
    free: int = 0
    busy: int = 0


DEFAULT = Processors(id=0)
WEIGHING = frozenset(("bfq", "cfq"))
"""Schedulers of disks that heed the weights of groups."""


def processors(world: World) -> Processors:
    """The machine's processors."""
    return world.get(Processors, 0) or DEFAULT


def count(world: World) -> int:
    """How many processors there are."""
    return processors(world).count


def listed(mask: int) -> str:
    """The processors of a mask as a list such as ``0-1,3``; the other way round: parse_list()."""
    ranges: list[str] = []
    first: int | None = None
    for number in range(mask.bit_length() + 1):
        if mask >> number & 1:
            first = number if first is None else first
        elif first is not None:
            ranges.append(f"{first}-{number - 1}" if first < number - 1 else f"{first}")
            first = None
    return ",".join(ranges)


def online(world: World) -> str:
    """Their numbers as a list such as ``0-3``."""
    return listed((1 << count(world)) - 1)


def parse_list(text: str) -> frozenset[int]:
    """The numbers of a list such as ``0-1,3``; empty for an empty one."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        low, _, high = part.partition("-")
        found.update(range(int(low), int(high or low) + 1))
    return frozenset(found)


def disk(world: World, device: int) -> Disk:
    """The disk with this device number; partitions are parts of it (16 minors to a disk)."""
    whole = device & ~0xF
    return world.get(Disk, whole) or Disk(id=whole)
