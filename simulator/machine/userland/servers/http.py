"""HTTP over a descriptor with h11: one request after another, and files from a directory."""

import posixpath
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import h11

from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.servers.serving import Closed, Connection

TYPES = {
    "css": "text/css", "gif": "image/gif", "htm": "text/html", "html": "text/html",
    "ico": "image/x-icon", "jpg": "image/jpeg", "js": "application/javascript",
    "json": "application/json", "png": "image/png", "svg": "image/svg+xml", "txt": "text/plain",
    "xml": "text/xml",
}  # fmt: skip


class Request(NamedTuple):
    """A request; ``path`` is decoded, ``target`` as it came."""

    method: str
    target: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: str
    version: str


class Answer(NamedTuple):
    """What goes back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def phrase(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase


Respond = Callable[[Process, Request], Awaitable[Answer]]


async def converse(sys: Process, connection: Connection, respond: Respond, server: str) -> None:
    """Answer every request of a connection. Raises ``Closed``."""
    http = h11.Connection(h11.SERVER)
    while True:
        try:
            request = await _request(sys, connection, http)
        except h11.RemoteProtocolError:
            return
        if request is None:
            return
        answer = await respond(sys, request)
        await _send(sys, connection, http, request, answer, server)
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE:
            return
        http.start_next_cycle()


async def _event(sys: Process, connection: Connection, http: h11.Connection) -> Any:
    while (event := http.next_event()) is h11.NEED_DATA:
        if http.they_are_waiting_for_100_continue:
            proceed = http.send(h11.InformationalResponse(status_code=100, headers=[]))
            await connection.send(sys, proceed or b"")
        http.receive_data(await connection.more(sys))
    return event


async def _request(sys: Process, connection: Connection, http: h11.Connection) -> Request | None:
    head = await _event(sys, connection, http)
    if not isinstance(head, h11.Request):
        return None
    body = b""
    while isinstance(event := await _event(sys, connection, http), h11.Data):
        body += bytes(event.data)
    target = head.target.decode("latin-1")
    return Request(
        method=head.method.decode("latin-1"),
        target=target,
        path=unquote(urlsplit(target).path),
        headers={k.decode("latin-1"): v.decode("latin-1") for k, v in head.headers},
        body=body,
        peer=connection.peer,
        version=head.http_version.decode(),
    )


async def _send(
    sys: Process,
    connection: Connection,
    http: h11.Connection,
    request: Request,
    answer: Answer,
    server: str,
) -> None:
    headers = list(answer.headers)
    if not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("Content-Length", str(len(answer.body))))
    if server:
        headers.insert(0, ("Server", server))
    reason = answer.phrase.encode()
    head = h11.Response(status_code=answer.status, headers=headers, reason=reason)
    data = http.send(head) or b""
    if request.method != "HEAD" and answer.body:
        data += http.send(h11.Data(data=answer.body)) or b""
    await connection.send(sys, data + (http.send(h11.EndOfMessage()) or b""))


async def ask(
    sys: Process,
    connection: Connection,
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    """One request as a client: status, headers, body. Raises ``Closed``."""
    http = h11.Connection(h11.CLIENT)
    if body:
        headers = [*headers, ("Content-Length", str(len(body)))]
    data = http.send(h11.Request(method=method, target=target, headers=headers)) or b""
    if body:
        data += http.send(h11.Data(data=body)) or b""
    await connection.send(sys, data + (http.send(h11.EndOfMessage()) or b""))
    try:
        head = await _event(sys, connection, http)
        while isinstance(head, h11.InformationalResponse):
            head = await _event(sys, connection, http)
        if not isinstance(head, h11.Response):
            raise Closed
        found = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in head.headers}
        content = b""
        while isinstance(event := await _event(sys, connection, http), h11.Data):
            content += bytes(event.data)
    except h11.RemoteProtocolError:
        raise Closed from None
    return head.status_code, found, content


async def file(
    sys: Process, root: str, path: str, indexes: tuple[str, ...] = ("index.html",)
) -> tuple[int, bytes, str]:
    """A file below ``root``: status, content, type. A directory is 403 unless it has an index."""
    clean = posixpath.normpath("/" + path)
    place = root.rstrip("/") + ("" if clean == "/" else clean)
    try:
        status = await sys.stat(place)
        if status["mode"] & S_IFMT == S_IFDIR:
            if not path.endswith("/"):
                return 301, b"", ""
            for index in indexes:
                if await sys.succeeds("stat", f"{place}/{index}"):
                    return 200, await sys.slurp(f"{place}/{index}"), _type(index)
            return 403, b"", ""
        return 200, await sys.slurp(place), _type(place)
    except SysError as error:
        return (403 if error.errno is Errno.EACCES else 404), b"", ""


def _type(path: str) -> str:
    return TYPES.get(path.rpartition(".")[2].lower(), "application/octet-stream")


def clock(seconds: int) -> str:
    """A moment as access logs write it."""
    from simulator.machine.userland import calendar

    when = calendar.moment(seconds)
    month = calendar.MONTHS[when.month - 1]
    time = f"{when.hour:02}:{when.minute:02}:{when.second:02}"
    return f"{when.day:02}/{month}/{when.year}:{time} +0000"
