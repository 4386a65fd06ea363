"""What containers print, a line at a time behind their names, until they end."""

from typing import Any

from simulator.isolation.control.docker.compose.desk import Desk, Work
from simulator.isolation.control.docker.compose.main import Sitting
from simulator.isolation.control.docker.compose.plan import Seen
from simulator.isolation.control.docker.engine import times

_HEAD = 8


class Attached:
    """What ``up`` without -d shows, and what it does when a container ends.

    ``aborts``: the first that ends stops all (``--abort-on-container-exit``), or only one that
    failed (``failing``). ``status`` is what the command ends with.
    """

    def __init__(
        self, shown: list[Seen], *, aborts: bool = False, failing: bool = False, source: str = ""
    ) -> None:
        self.shown = shown
        self.aborts = aborts
        self.failing = failing
        self.source = source
        self.status = 0
        self._ended = False

    async def ended(self, desk: Desk, one: Seen) -> None:
        """A container's output is over: tell its status, stop the others where that was asked."""
        told = await desk.api.ask("POST", f"/containers/{one.id}/wait")
        code = int(told["StatusCode"])
        await desk.write(1, f"{label(one)} exited with code {code}\n".encode())
        counts = one.service == self.source if self.source else not self._ended
        if counts and (self.aborts or (self.failing and code)):
            self.status = code
        if self._ended or not (self.aborts or (self.failing and code)):
            return
        self._ended = True
        await desk.write(1, b"Aborting on container exit...\n")
        for other in reversed(self.shown):
            await desk.write(2, f" Container {other.name}  Stopping\n".encode())
            await desk.api.ask("POST", f"/containers/{other.id}/stop")
            await desk.write(2, f" Container {other.name}  Stopped\n".encode())


async def follow(
    sitting: Sitting, attached: Attached, *, prefix: bool, timestamps: bool = False
) -> int:
    """Show what containers print until they end; the status to end with."""
    names = ", ".join(label(one) for one in attached.shown)
    await sitting.err(f"Attaching to {names}\n")
    query = {"stdout": 1, "stderr": 1, "follow": 1} | ({"timestamps": 1} if timestamps else {})
    await together(sitting, attached.shown, query, prefix=prefix, attached=attached)
    return attached.status


def label(one: Seen) -> str:
    """``web-1``: what a line of its output begins with."""
    return f"{one.service}-{one.number}"


async def together(
    sitting: Sitting,
    shown: list[Seen],
    query: dict[str, Any],
    *,
    prefix: bool,
    attached: Attached | None = None,
) -> None:
    """The output of each, a line at a time, behind its name."""
    width = max((len(label(one)) for one in shown), default=0)

    def showing(one: Seen) -> Work:
        async def work(desk: Desk) -> None:
            head = f"{label(one).ljust(width)}  | " if prefix else ""
            await _show(desk, one, head.encode(), query, fresh=attached is not None)
            if attached is not None:
                await attached.ended(desk, one)

        return work

    await sitting.desk.together([showing(one) for one in shown])


async def _show(
    desk: Desk, one: Seen, head: bytes, query: dict[str, Any], *, fresh: bool = False
) -> None:
    """The lines of one container; ``fresh``: only those of its present run."""
    told = await desk.api.ask("GET", f"/containers/{one.id}/json")
    if fresh:
        began = times.parse(told["State"]["StartedAt"]) or 0
        query = {**query, "since": f"{began // times.SECOND}.{began % times.SECOND:09}"}
    framed, line = b"", b""
    async for piece in desk.api.stream("GET", f"/containers/{one.id}/logs", query):
        framed += piece
        if told["Config"]["Tty"]:
            line, framed = line + framed, b""
        while len(framed) >= _HEAD and len(framed) >= _HEAD + int.from_bytes(framed[4:8], "big"):
            end = _HEAD + int.from_bytes(framed[4:8], "big")
            line += framed[_HEAD:end]
            framed = framed[end:]
        *whole, line = line.split(b"\n")
        for text in whole:
            await desk.write(1, head + text + b"\n")
    if line:
        await desk.write(1, head + line + b"\n")
