"""What every server and client of this room does: listen, accept, connect, look a name up."""

import contextlib
from collections.abc import Awaitable, Callable

from simulator.machine.abi.constants import (
    AF_INET,
    CLONE_FILES,
    MSG_NOSIGNAL,
    SIG_IGN,
    SIGCHLD,
    SIGINT,
    SIGPIPE,
    SIGTERM,
    SOCK_CLOEXEC,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland import resolver
from simulator.machine.userland.process import Process, SysError

Handle = Callable[[Process, "Connection"], Awaitable[None]]
_NOTED = 2
_SIGQUIT = 3
_BACKLOG = 511


class Closed(Exception):
    """The other side has closed the connection."""


class Connection:
    """A connected descriptor with what was read too much. ``peer`` is the other's address."""

    def __init__(self, fd: int, peer: str = "") -> None:
        self.fd = fd
        self.peer = peer
        self.left = b""

    async def more(self, sys: Process) -> bytes:
        """What comes next; empty at the end."""
        try:
            return await sys.read(self.fd)
        except SysError:
            return b""

    async def exactly(self, sys: Process, size: int) -> bytes:
        """So many bytes. Raises ``Closed``."""
        while len(self.left) < size:
            data = await self.more(sys)
            if not data:
                raise Closed
            self.left += data
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    async def line(self, sys: Process) -> bytes:
        """Up to a newline, without it or a carriage return. Raises ``Closed``."""
        while b"\n" not in self.left:
            data = await self.more(sys)
            if not data:
                raise Closed
            self.left += data
        line, _, self.left = self.left.partition(b"\n")
        return line.removesuffix(b"\r")

    async def send(self, sys: Process, data: bytes) -> None:
        """Bytes to the other side. Raises ``Closed``."""
        try:
            while data:
                data = data[await sys.value("sendto", self.fd, data, len(data), MSG_NOSIGNAL) :]
        except SysError:
            raise Closed from None


async def listen(sys: Process, port: int, address: str = "0.0.0.0") -> int:
    """A listening TCP socket. Raises ``SysError``."""
    fd = await sys.value("socket", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
    await sys.succeeds("setsockopt", fd, 1, 2, 1)
    await sys.call("bind", fd, (address, port))
    await sys.call("listen", fd, _BACKLOG)
    return fd


async def note_signals(sys: Process) -> None:
    """Be ended by SIGTERM, SIGINT and SIGQUIT in one's own way: a sleeping call is interrupted."""
    for signal in (SIGTERM, SIGINT, _SIGQUIT):
        await sys.call("rt_sigaction", signal, _NOTED)
    await sys.call("rt_sigaction", SIGCHLD, SIG_IGN)
    await sys.call("rt_sigaction", SIGPIPE, SIG_IGN)


async def serve(sys: Process, listening: int, handle: Handle) -> None:
    """Give every connection a worker, until a signal says that it is enough."""
    while True:
        try:
            accepted = await sys.call("accept4", listening, SOCK_CLOEXEC)
        except SysError as error:
            if error.errno is Errno.EINTR:
                return
            raise
        await _worker(sys, accepted.value, await _peer(sys, accepted.value), handle)


async def _peer(sys: Process, fd: int) -> str:
    """The address of the other side; empty when it is gone already."""
    try:
        address: tuple[str, int] = await sys.data("getpeername", fd)
    except SysError:
        return ""
    return address[0]


async def _worker(sys: Process, fd: int, peer: str, handle: Handle) -> None:
    async def body(own: Process) -> int:
        connection = Connection(fd, peer)
        with contextlib.suppress(Closed, SysError):
            await handle(own, connection)
        await own.succeeds("close", fd)
        return 0

    await sys.spawn(body, CLONE_FILES)


async def connect(sys: Process, host: str, port: int) -> Connection:
    """A connection. Raises ``SysError``; ``LookupError`` for a name that nobody knows."""
    address = await lookup(sys, host)
    fd = await sys.value("socket", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
    try:
        await sys.call("connect", fd, (address, port))
    except SysError:
        await sys.close(fd)
        raise
    return Connection(fd, address)


class Closing:
    """``async with Closing(sys, fd)``: closed at the end; a program that was ended closes nothing.

    A coroutine that is ended while it waits can make no more calls; its kernel task closes all.
    """

    def __init__(self, sys: Process, fd: int) -> None:
        self._sys, self._fd = sys, fd

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, *_rest: object) -> None:
        if kind is not GeneratorExit:
            await self._sys.succeeds("close", self._fd)


async def lookup(sys: Process, host: str) -> str:
    """An IPv4 address by /etc/hosts and the name servers. Raises ``LookupError``."""
    if host == "localhost":  # nss-myhostname(8): no name server is asked
        return (await resolver.from_hosts(sys, host) or ["127.0.0.1"])[0]
    found = await resolver.addresses(sys, host)
    if not found:
        raise LookupError(host)
    return found[0]


async def now(sys: Process) -> int:
    """Seconds since the epoch."""
    return int((await sys.data("clock_gettime", 0))[0])
