"""A container's files in the depot: snapshot.json, and the pools that its numbers come from.

Source: warden/lib/warden/container/base.rb (write_snapshot, generate_container_id, acquire).
"""

from typing import Any, cast

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.warden.config import Config
from simulator.isolation.control.warden.wire import WardenError
from simulator.isolation.mechanisms.point_to_point import addresses
from simulator.machine.userland.process import Process, SysError

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
FIRST_ORDINAL = 3
"""The session's own sandboxes have the first two networks of the pool."""


class Snapshot(msgspec.Struct):
    """What is remembered of a container. ``ordinal`` counts networks and user ids of the pools."""

    handle: str
    container_id: str
    ordinal: int
    pid: int
    state: str = "active"
    grace_time: int | None = 300
    events: list[str] = []
    jobs: list[int] = []
    resources: dict[str, Any] = {}


class Container:
    """One container of a depot."""

    def __init__(self, sys: Process, config: Config, snapshot: Snapshot) -> None:
        self.sys = sys
        self.config = config
        self.snapshot = snapshot

    @property
    def path(self) -> str:
        """Its directory."""
        return f"{self.config.depot}/{self.snapshot.container_id}"

    @property
    def addresses(self) -> tuple[str, str]:
        """The host's and its own."""
        pool = ".".join(self.config.pool.split(".")[:2])
        return addresses(pool, self.snapshot.ordinal)

    def group(self, subsystem: str) -> str:
        """Its control group."""
        return f"/tmp/warden/cgroup/{subsystem}/instance-{self.snapshot.container_id}"

    def need(self, *states: str) -> None:
        """check_state_in(). Raises ``WardenError``."""
        if self.snapshot.state not in states:
            listed = ", ".join(states)
            raise WardenError(
                f"Container state must be one of '{listed}',"
                f" current state is '{self.snapshot.state}'"
            )

    async def save(self) -> None:
        """write_snapshot(): to a file beside it, then renamed."""
        fresh = f"{self.path}/snapshot.json.new"
        await files.write(self.sys, fresh, msgspec.json.encode(self.snapshot))
        await self.sys.call("rename", fresh, f"{self.path}/snapshot.json")

    async def reload(self) -> None:
        """What others have written since."""
        text = await self.sys.slurp(f"{self.path}/snapshot.json")
        self.snapshot = msgspec.json.decode(text, type=Snapshot)

    async def tasks(self) -> list[int]:
        """The pids in its control group, as the host sees them."""
        text = await self.sys.text_or_empty(f"{self.group('cpu')}/tasks")
        return [int(word) for word in text.split()]


async def every(sys: Process, config: Config) -> list[Container]:
    """The containers of the depot that have a snapshot, oldest first."""
    found: list[Container] = []
    try:
        names = await sys.names(config.depot)
    except SysError:
        return []
    for name in names:
        text = await sys.text_or_empty(f"{config.depot}/{name}/snapshot.json")
        if text:
            found.append(Container(sys, config, msgspec.json.decode(text, type=Snapshot)))
    return sorted(found, key=lambda one: one.snapshot.ordinal)


async def find(sys: Process, config: Config, handle: object) -> Container:
    """The container of that handle. Raises ``WardenError``."""
    for one in await every(sys, config):
        if one.snapshot.handle == handle:
            return one
    raise WardenError("unknown handle")


async def fresh_id(sys: Process, config: Config) -> str:
    """Eleven digits of base 32: microseconds of the clock, counted on where one is taken."""
    seconds, nanoseconds = cast("tuple[int, int]", await sys.data("clock_gettime", 0))
    number = seconds * 1_000_000 + nanoseconds // 1000 + 1
    taken = set(await sys.names(config.depot))
    while (text := _spelled(number)) in taken:
        number += 1
    return text


def _spelled(number: int) -> str:
    return "".join(_DIGITS[number >> (55 - (at + 1) * 5) & 31] for at in range(11))


async def fresh_ordinal(sys: Process, config: Config) -> int:
    """The first network of the pool that nobody has."""
    taken = {one.snapshot.ordinal for one in await every(sys, config)}
    return next(number for number in range(FIRST_ORDINAL, 257) if number not in taken)


async def fresh_job(sys: Process, config: Config) -> int:
    """Job numbers are the daemon's, not a container's."""
    path = f"{config.depot}/.job_id"
    number = int(await sys.text_or_empty(path) or 0) + 1
    await files.write(sys, path, str(number).encode())
    return number
