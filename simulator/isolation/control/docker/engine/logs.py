"""The json-file logging driver: a line of JSON for each line printed. moby ``jsonfilelog``."""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from simulator.isolation.control.docker.engine import files, times
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.streams import STDERR, STDOUT
from simulator.machine.userland.process import Process, SysError

_NAMES = {STDOUT: "stdout", STDERR: "stderr"}


class Line(NamedTuple):
    """One entry; ``time`` in nanoseconds."""

    stream: int
    text: bytes
    time: int


async def open_log(sys: Process, container: Container) -> int:
    """A descriptor to append to; -1 for a driver that keeps nothing."""
    if container.host.LogConfig.Type == "none":
        return -1
    return await files.append(sys, container.log_path)


async def write(sys: Process, fd: int, stream: int, data: bytes) -> None:
    """Append what was printed, line by line; a part of a line is a line without its end.

    What the disk does not take is lost, and the container goes on (moby ``copier.go``).
    """
    now = times.rfc3339(await times.now(sys))
    entries = b"".join(
        msgspec.json.encode(
            {"log": piece.decode("utf-8", "replace"), "stream": _NAMES[stream], "time": now}
        )
        + b"\n"
        for piece in data.splitlines(keepends=True)
    )
    with contextlib.suppress(SysError):
        await sys.write(fd, entries)


async def read(sys: Process, container: Container) -> list[Line]:
    """Everything that is kept."""
    try:
        content = await sys.slurp(container.log_path)
    except SysError:
        return []
    return list(_parsed(content))


def _parsed(content: bytes) -> Iterator[Line]:
    streams = {name: number for number, name in _NAMES.items()}
    for text in content.splitlines():
        try:
            told: dict[str, Any] = msgspec.json.decode(text)
        except msgspec.MsgspecError:  # the disk was full in the middle of it
            continue
        yield Line(streams[told["stream"]], told["log"].encode(), times.parse(told["time"]) or 0)
