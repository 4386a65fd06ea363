"""One request and its answer, over a connection that h11 parses."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import parse_qs, unquote, urlsplit

import h11
import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest
from simulator.isolation.control.docker.engine.sync import go, stop
from simulator.isolation.control.docker.wire import decoding
from simulator.isolation.control.docker.wire.router import Version
from simulator.machine.abi.constants import MSG_NOSIGNAL, SHUT_WR
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

MAX_HEAD = 1 << 20
"""Bytes of a request's head (net/http DefaultMaxHeaderBytes)."""
MAX_JSON = 8 << 20
"""Bytes of a JSON body."""
MAX_BODY = 256 << 20
"""Bytes of any body: an archive."""
RAW_STREAM = "application/vnd.docker.raw-stream"
MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream"
_BLOCK = 65536
T = TypeVar("T")


class Gone(Exception):
    """The client has closed the connection."""


class BadBody(BadRequest):
    """The body is cut off, or too large, or no body at all."""


def _of_chunks(error: str) -> str:
    """What h11 found wrong with a body, in the words of Go's net/http (``internal/chunked.go``)."""
    if "without sending" in error or "prematurely" in error:
        return "unexpected EOF"
    return "invalid byte in chunk length" if "header" in error else "malformed chunked encoding"


class Connection:
    """A descriptor and the state of HTTP on it. All reading and writing of a client is here."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)

    async def event(self, sys: Process) -> Any:
        """The next event. Raises ``h11.RemoteProtocolError``; ``h11.ConnectionClosed`` ends."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.http.they_are_waiting_for_100_continue:
                await self.put(sys, h11.InformationalResponse(status_code=100, headers=[]))
            self.http.receive_data(await self.receive(sys))

    async def receive(self, sys: Process, size: int = _BLOCK) -> bytes:
        """Bytes from the client; none at its end."""
        try:
            return await sys.read(self.fd, size)
        except SysError:
            return b""

    async def send(self, sys: Process, data: bytes) -> None:
        """Bytes to the client. Raises ``Gone``."""
        try:
            while data:
                done = await sys.value("sendto", self.fd, data, len(data), MSG_NOSIGNAL)
                data = data[done:]
        except SysError:
            raise Gone from None

    async def put(self, sys: Process, event: Any) -> None:
        """Send an event of h11."""
        data = cast("bytes | None", self.http.send(event))
        if data:
            await self.send(sys, data)


def _response(status: int, headers: list[tuple[str, str]]) -> h11.Response:
    reason = HTTPStatus(status).phrase.encode()
    return h11.Response(status_code=status, headers=headers, reason=reason)


class Exchange:
    """What a handler gets: the request's words, and the ways to answer it.

    ``sys`` is the worker that serves the connection; ``query`` the last value of each word of the
    query; ``names`` what the route's path stands for.
    """

    def __init__(
        self, sys: Process, engine: "Engine", connection: Connection, request: Any
    ) -> None:
        self.sys = sys
        self.engine = engine
        self.connection = connection
        self.method: str = request.method.decode("latin-1")
        text: str = request.target.decode("latin-1")
        target = urlsplit(text)
        self.path = unquote(target.path)
        self.lists = parse_qs(target.query, keep_blank_values=True)
        self.query = {key: values[-1] for key, values in self.lists.items()}
        self.headers: dict[str, str] = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in request.headers
        }
        self.http_version = request.http_version
        self.names: dict[str, str] = {}
        self.version: Version = (1, 24)
        self.begun = False
        self.hijacked = False
        self.body_read = False
        self.watcher = 0

    # -- the request

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean of the query (moby httputils.BoolValue)."""
        if name not in self.query:
            return default
        return self.query[name].strip().lower() not in ("", "0", "no", "false", "none")

    def number(self, name: str, default: int = 0) -> int:
        """A number of the query. Raises ``BadRequest`` in Go's words."""
        text = self.query.get(name, "")
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            message = f'strconv.Atoi: parsing "{text}": invalid syntax'
            raise BadRequest(message) from None

    async def chunks(self, limit: int = MAX_BODY) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ``BadBody``, and so above ``limit`` bytes, or ``Gone``."""
        taken = 0
        while not self.body_read:
            try:
                event = await self.connection.event(self.sys)
            except h11.RemoteProtocolError as error:
                raise BadBody(_of_chunks(str(error))) from None
            if isinstance(event, h11.Data):
                taken += len(event.data)
                if taken > limit:
                    raise BadBody("http: request body too large")
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.body_read = True
            else:
                raise Gone

    async def body(self, limit: int = MAX_BODY) -> bytes:
        """The whole body."""
        return b"".join([chunk async for chunk in self.chunks(limit)])

    async def json(self, kind: type[T], *, default: T | None = None) -> T:
        """The body as ``kind``. Raises ``BadRequest`` as moby's httputils.ReadJSON."""
        media = self.headers.get("content-type", "").partition(";")[0].strip()
        try:
            content = await self.body(MAX_JSON)
        except BadBody as error:
            raise BadRequest(f"invalid JSON: {error}") from None
        if not content.strip():
            if default is not None:
                return default
            raise BadRequest("invalid JSON: got EOF while reading request body")
        if media and media != "application/json":
            raise BadRequest(
                f"unsupported Content-Type header ({media}): must be 'application/json'"
            )
        try:
            return decoding.decode(content, kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            told = decoding.worded(error, content, kind)
            raise BadRequest(f"invalid JSON: {told}") from None

    # -- the answer

    def _headers(self, content_type: str, more: dict[str, str]) -> list[tuple[str, str]]:
        headers = {**self.engine.headers(), **more}
        if content_type:
            headers["Content-Type"] = content_type
        return list(headers.items())

    async def reply(
        self,
        status: int,
        content: Any = None,
        *,
        headers: dict[str, str] | None = None,
        content_type: str = "",
    ) -> None:
        """The whole answer: bytes and text as they are, anything else as JSON."""
        if isinstance(content, str):
            data, kind = content.encode(), "text/plain; charset=utf-8"
        elif isinstance(content, bytes):
            data, kind = content, "application/octet-stream"
        elif content is None:
            data, kind = b"", ""
        else:
            data, kind = msgspec.json.encode(content) + b"\n", "application/json"
        more = dict(headers or {})
        if status not in (204, 304):
            more["Content-Length"] = str(len(data))
        self.begun = True
        sent = self._headers(content_type or kind, more)
        out: bytes | None = self.connection.http.send(_response(status, sent))
        if self.method != "HEAD" and data:
            out = (out or b"") + (self.connection.http.send(h11.Data(data=data)) or b"")
        out = (out or b"") + (self.connection.http.send(h11.EndOfMessage()) or b"")
        await self.connection.send(self.sys, out)

    async def begin(self, status: int = 200, content_type: str = "application/json") -> None:
        """The first part of an answer that goes on: then ``write``, then ``finish``."""
        self.begun = True
        more = {"Connection": "close"} if self.watcher else {}
        sent = self._headers(content_type, more)
        await self.connection.put(self.sys, _response(status, sent))

    async def write(self, data: bytes) -> None:
        """One piece of an answer that was begun. Raises ``Gone``."""
        if data:
            await self.connection.put(self.sys, h11.Data(data=data))

    async def line(self, content: Any) -> None:
        """One JSON object of a stream of them."""
        await self.write(msgspec.json.encode(content) + b"\r\n")

    async def finish(self, data: bytes = b"") -> None:
        """The end of an answer that was begun, with the last of it. Raises ``Gone``."""
        http = self.connection.http
        out = http.send(h11.Data(data=data)) or b"" if data else b""
        await self.connection.send(self.sys, out + (http.send(h11.EndOfMessage()) or b""))

    async def watch(self, on_gone: Any) -> None:
        """Call ``on_gone(sys)`` when the client goes while its answer is still being made.

        A worker reads the connection for that, so it is closed after this request.
        """
        connection = self.connection

        async def reader(own: Process) -> None:
            while await connection.receive(own):
                continue
            await on_gone(own)

        self.watcher = await go(self.sys, reader)

    async def unwatch(self) -> None:
        """The answer is made: nobody has to look any more."""
        if self.watcher:
            await stop(self.sys, self.watcher)

    async def hijack(self, *, tty: bool) -> bytes:
        """Turn the connection into a raw stream; what the client sent already comes back.

        101 to a client that asked for an upgrade, else 200 (container_routes.go).
        """
        await self.body(MAX_JSON)
        kind = RAW_STREAM
        if not tty and self.version >= (1, 42):
            kind = MULTIPLEXED_STREAM
        if self.headers.get("upgrade"):
            head = f"HTTP/1.1 101 UPGRADED\r\nContent-Type: {kind}\r\n"
            head += "Connection: Upgrade\r\nUpgrade: tcp\r\n"
        else:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {RAW_STREAM}\r\n"
        self.begun = self.hijacked = True
        await self.connection.send(self.sys, (head + "\r\n").encode())
        return bytes(self.connection.http.trailing_data[0])

    async def half_close(self) -> None:
        """No more comes from us (shutdown(2) of the writing side)."""
        await self.sys.succeeds("shutdown", self.connection.fd, SHUT_WR)

    async def fail(self, error: ApiError) -> None:
        """Answer with an error: as a status, or in the stream that has already begun."""
        if self.begun:
            await self.line({"errorDetail": {"message": error.message}, "error": error.message})
            await self.finish()
        elif error.status == 304:
            await self.reply(304)
        else:
            await self.reply(error.status, {"message": error.message})
