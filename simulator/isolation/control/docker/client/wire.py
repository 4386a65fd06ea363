"""Requests to dockerd over its socket, with h11."""

import abc
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode

import h11
import msgspec

from simulator.isolation.control.docker.wire.router import API_VERSION
from simulator.machine.abi.constants import AF_INET, AF_UNIX, MSG_NOSIGNAL, SOCK_STREAM
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError

HOST = "unix:///var/run/docker.sock"
_BLOCK = 65536


class ClientError(Exception):
    """What is printed instead of a result; ``status`` is the program's."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class DaemonError(ClientError):
    """The daemon said no: ``code`` is HTTP's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(f"Error response from daemon: {message}")
        self.code = code


class Client(abc.ABC):
    """Requests and their answers, over whatever connections a subclass makes; each has a number.

    A connection is used again, as Go's ``http.Transport`` does.
    """

    def __init__(self) -> None:
        self._idle: list[tuple[int, h11.Connection]] = []

    @abc.abstractmethod
    async def _connect(self) -> int:
        """A connection to the daemon. Raises ``ClientError``."""

    @abc.abstractmethod
    async def _send(self, fd: int, data: bytes) -> None:
        """All of ``data``."""

    @abc.abstractmethod
    async def _receive(self, fd: int) -> bytes:
        """What comes next; empty at the end."""

    @abc.abstractmethod
    async def _close(self, fd: int) -> None:
        """The connection's end."""

    def _request(
        self, method: str, path: str, query: dict[str, Any], content: bytes, upgrade: bool
    ) -> h11.Request:
        target = f"/v{API_VERSION}{quote(path)}"
        if query:
            target += "?" + urlencode(query)
        headers = [("Host", "docker"), ("User-Agent", "Docker-Client/27.5.1 (linux)")]
        headers.append(("Content-Length", str(len(content))))
        if content:
            tar = content[257:262] == b"ustar"
            kind = "application/x-tar" if tar else "application/json"
            headers.append(("Content-Type", kind))
        if upgrade:
            headers += [("Connection", "Upgrade"), ("Upgrade", "tcp")]
        return h11.Request(method=method, target=target, headers=headers)

    async def _begin(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None,
        body: Any,
        *,
        upgrade: bool = False,
    ) -> tuple[int, h11.Connection, Any]:
        """A descriptor, the state of HTTP on it, and the head of the answer."""
        content = b"" if body is None else body
        if not isinstance(content, bytes):
            content = msgspec.json.encode(content)
        request = self._request(method, path, query or {}, content, upgrade)
        while True:
            used = bool(self._idle)
            new = h11.Connection(h11.CLIENT)
            fd, http = self._idle.pop() if used else (await self._connect(), new)
            data = http.send(request) or b""
            if content:
                data += http.send(h11.Data(data=content)) or b""
            data += http.send(h11.EndOfMessage()) or b""
            try:
                await self._send(fd, data)
                head = await self._event(fd, http)
            except (SysError, h11.RemoteProtocolError):
                if not used:
                    raise
                head = None
            if isinstance(head, h11.Response | h11.InformationalResponse):
                return fd, http, head
            await self._close(fd)
            if not used:  # else it was closed at rest (net/http shouldRetryRequest())
                raise ClientError("error during connect: EOF")

    async def _done(self, fd: int, http: h11.Connection) -> None:
        """An answer is complete: the connection is for the next request, if it lasts."""
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
            self._idle.append((fd, http))
        else:
            await self._close(fd)

    async def leave(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            await self._close(self._idle.pop()[0])

    async def _event(self, fd: int, http: h11.Connection) -> Any:
        while (event := http.next_event()) is h11.NEED_DATA:
            http.receive_data(await self._receive(fd))
        return event

    async def stream(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None
    ) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ``DaemonError``."""
        fd, http, head = await self._begin(method, path, query, body)
        refused = b""
        while isinstance(event := await self._event(fd, http), h11.Data):
            if head.status_code >= 400:
                refused += bytes(event.data)
            else:
                yield bytes(event.data)
        await self._done(fd, http)
        if head.status_code >= 400:
            raise _refusal(refused, head.status_code)

    async def ask(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None
    ) -> Any:
        """The answer as JSON, None when there is none. Raises ``DaemonError``."""
        content = await self.data(method, path, query, body)
        return msgspec.json.decode(content) if content.strip() else None

    async def data(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None
    ) -> bytes:
        """The answer as bytes."""
        return b"".join([piece async for piece in self.stream(method, path, query, body)])

    async def lines(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None
    ) -> AsyncIterator[dict[str, Any]]:
        """A stream of JSON objects, one a line."""
        left = b""
        async for piece in self.stream(method, path, query, body):
            *whole, left = (left + piece).split(b"\n")
            for line in whole:
                if line.strip():
                    yield msgspec.json.decode(line)

    async def hijack(
        self, path: str, query: dict[str, Any] | None = None, body: Any = None
    ) -> tuple[int, bytes]:
        """A raw stream, and what came with its head. Raises ``DaemonError``."""
        fd, http, head = await self._begin("POST", path, query, body, upgrade=True)
        if head.status_code == 101:
            return fd, bytes(http.trailing_data[0])
        refused = b""
        while isinstance(event := await self._event(fd, http), h11.Data):
            refused += bytes(event.data)
        await self._close(fd)
        raise _refusal(refused, head.status_code)


class Api(Client):
    """One daemon of the simulated machine, as DOCKER_HOST or ``-H`` names it."""

    def __init__(self, sys: Process, host: str = "") -> None:
        super().__init__()
        self.sys = sys
        self.host = host or sys.env.get("DOCKER_HOST") or HOST

    def shared(self, worker: Process) -> "Api":
        """The same daemon and connections for a worker that shares the descriptors."""
        api = Api(worker, self.host)
        api._idle = self._idle
        return api

    async def _connect(self) -> int:
        kind, _, place = self.host.partition("://")
        family, address = AF_UNIX, place
        where: Any = address
        if kind == "tcp":
            name, _, port = place.rpartition(":")
            family, where = AF_INET, (name, int(port or 2375))
        fd = await self.sys.value("socket", family, SOCK_STREAM, 0)
        try:
            await self.sys.call("connect", fd, where)
        except SysError as error:
            await self.sys.close(fd)
            raise ClientError(self._unreachable(error, place)) from None
        return fd

    def _unreachable(self, error: SysError, place: str) -> str:
        if error.errno is Errno.EACCES:
            return (
                "permission denied while trying to connect to the Docker daemon socket at"
                f" {self.host}: dial unix {place}: connect: permission denied"
            )
        return f"Cannot connect to the Docker daemon at {self.host}. Is the docker daemon running?"

    async def _send(self, fd: int, data: bytes) -> None:
        while data:
            data = data[await self.sys.value("sendto", fd, data, len(data), MSG_NOSIGNAL) :]

    async def _receive(self, fd: int) -> bytes:
        return await self.sys.read(fd, _BLOCK)

    async def _close(self, fd: int) -> None:
        await self.sys.close(fd)


def _refusal(content: bytes, code: int) -> DaemonError:
    try:
        message = msgspec.json.decode(content, type=dict[str, str])["message"]
    except (msgspec.MsgspecError, KeyError):
        message = content.decode("utf-8", "replace").strip() or f"status {code}"
    return DaemonError(message, code)
