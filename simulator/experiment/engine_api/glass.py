"""Onlookers of a running engine: ``GET /vitrina/...`` on the socket that clients use.

Read-only, and not of the simulated machine: no process of it sees the request, no call is made for
it. What is answered is JSON.

``/vitrina/watch`` is a stream, one object a line (``application/x-ndjson``), until one of the two
ends hangs up: what a ``Glass`` says is new. Every other path below ``/vitrina/`` is one answer of
the ``Glass``, or 404.

The machine never waits for an onlooker. Nothing is queued for one: an onlooker that reads slowly is
told later, and then only how things stand; one that reads nothing for ``PATIENCE`` is let go.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import h11
import msgspec

if TYPE_CHECKING:
    from simulator.experiment.engine_api.server import Server

PREFIX = b"GET /vitrina/"
WATCH = "watch"
PATIENCE = 30.0
"""Seconds for which an onlooker may read nothing."""
EVERY = 0.1
"""Seconds between two pieces of news."""
MOST = 32
"""Onlookers at a time."""
_FULL = 1 << 18
"""Bytes that wait in this process for a slow reader before it is passed over."""


class Onlooker(Protocol):
    """What one onlooker has been told already."""

    def news(self) -> list[bytes]:
        """The lines that are new to it, without their ends."""
        ...


class Glass(Protocol):
    """What can be seen of a machine."""

    def look(self) -> bool:
        """Take note of what happened; whether there is more. Never longer than a moment."""
        ...

    def onlooker(self) -> Onlooker:
        """Somebody who was told nothing yet."""
        ...

    def answer(self, path: str, query: Mapping[str, str]) -> bytes | None:
        """The answer to ``GET /vitrina/PATH?QUERY``; None for a path that there is not."""
        ...


def concerns(data: bytes | bytearray) -> bool | None:
    """Whether a connection that begins so is an onlooker's; None when it is too early to say."""
    begun = bytes(data[: len(PREFIX)])
    if len(begun) < len(PREFIX) and PREFIX.startswith(begun):
        return None
    return begun == PREFIX


class Window(asyncio.Protocol):
    """The connection of one onlooker."""

    def __init__(self, server: "Server", glass: Glass, transport: asyncio.Transport) -> None:
        self._server = server
        self._glass = glass
        self._transport = transport
        self._http = h11.Connection(h11.SERVER)
        self._told: Onlooker | None = None
        self._full_since: float | None = None

    def data_received(self, data: bytes) -> None:
        """A request, or a piece of one."""
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
        except h11.RemoteProtocolError:
            self._say(400, b'{"message":"malformed request"}')
            return
        if isinstance(event, h11.Request):
            self._answer(event.target.decode("ascii", "replace"))

    def connection_lost(self, exc: Exception | None) -> None:
        """It looks no longer."""
        del exc
        self._server.leave(self)

    def _answer(self, target: str) -> None:
        parts = urlsplit(target)
        path = unquote(parts.path).removeprefix("/vitrina/")
        if path == WATCH:
            self._begin()
            return
        found = self._glass.answer(path, dict(parse_qsl(parts.query)))
        if found is None:
            self._say(404, msgspec.json.encode({"message": f"nothing is called {path}"}))
        else:
            self._say(200, found)

    def _begin(self) -> None:
        if not self._server.admit(self):
            self._say(503, b'{"message":"too many are watching"}')
            return
        self._told = self._glass.onlooker()
        self._head(200, "application/x-ndjson")
        self.pump()

    def _head(self, status: int, kind: str) -> None:
        head = [("Content-Type", kind), ("Connection", "close"), ("Cache-Control", "no-store")]
        self._write(h11.Response(status_code=status, headers=head))

    def _say(self, status: int, body: bytes) -> None:
        """The whole answer, and the end."""
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._head(status, "application/json")
            self._write(h11.Data(data=body + b"\n"))
            self._write(h11.EndOfMessage())
        self._transport.close()

    def _write(self, event: "h11.Response | h11.Data | h11.EndOfMessage") -> None:
        data = self._http.send(event)
        if data:
            self._transport.write(data)

    def pump(self) -> None:
        """Tell it what is new, unless it has yet to read what it was told."""
        if self._told is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > _FULL:
            now = time.monotonic()
            self._full_since = self._full_since or now
            if now - self._full_since > PATIENCE:
                self._transport.abort()
            return
        self._full_since = None
        lines = self._told.news()
        if lines:
            self._write(h11.Data(data=b"\n".join([*lines, b""])))

    def close(self) -> None:
        """The machine ends."""
        if self._told is not None and not self._transport.is_closing():
            self._write(h11.EndOfMessage())
        self._transport.close()


def hand_over(server: "Server", glass: Glass, transport: asyncio.Transport, data: bytes) -> None:
    """From here on the connection is an onlooker's."""
    window = Window(server, glass, transport)
    transport.set_protocol(cast("asyncio.BaseProtocol", window))
    transport.resume_reading()
    window.data_received(data)
