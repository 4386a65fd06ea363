"""Lines of JSON over a socket: Warden's protocol until 2012, and the words of ``wshd``.

A request is an array, ``["create", {...}]``; a reply ``{"type": "object", "payload": ...}`` or
``{"type": "error", "payload": "message"}`` (warden/lib/warden/server.rb before commit 088769f).
"""

from typing import Any

import msgspec

from simulator.machine.abi.constants import AF_INET, AF_UNIX, SOCK_STREAM
from simulator.machine.userland.process import Process, SysError


class WardenError(Exception):
    """What the daemon answers instead of an object."""


class Lines:
    """A socket read line by line."""

    def __init__(self, sys: Process, fd: int) -> None:
        self.sys = sys
        self.fd = fd
        self._held = b""

    async def receive(self) -> Any:
        """The next object; None at the end. Raises ``WardenError`` for what is no JSON."""
        while b"\n" not in self._held:
            block = await self.sys.read(self.fd)
            if not block:
                return None
            self._held += block
        line, _, self._held = self._held.partition(b"\n")
        try:
            return msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise WardenError(str(error)) from None

    async def send(self, thing: Any) -> None:
        """One line."""
        await self.sys.write(self.fd, msgspec.json.encode(thing) + b"\n")

    async def answer(self, payload: Any) -> None:
        """A reply."""
        await self.send({"type": "object", "payload": payload})

    async def refuse(self, message: str) -> None:
        """An error reply."""
        await self.send({"type": "error", "payload": message})


def _inet(address: str) -> tuple[str, int] | None:
    """``HOST:PORT``; None for a path."""
    host, colon, port = address.rpartition(":")
    return (host, int(port)) if colon and port.isdigit() and not address.startswith("/") else None


async def connect(sys: Process, address: str) -> Lines:
    """A connection to a socket's path, or to ``HOST:PORT``. Raises ``SysError``."""
    inet = _inet(address)
    fd = await sys.value("socket", AF_INET if inet else AF_UNIX, SOCK_STREAM, 0)
    try:
        await sys.call("connect", fd, inet or address)
    except SysError:
        await sys.close(fd)
        raise
    return Lines(sys, fd)


async def listen(sys: Process, address: str, mode: int) -> int:
    """A listening socket at a path, where an older one goes; or at ``HOST:PORT``.

    Warden itself knows paths only: another host reaches it through a relay such as socat(1).
    """
    inet = _inet(address)
    fd = await sys.value("socket", AF_INET if inet else AF_UNIX, SOCK_STREAM, 0)
    if inet is None:
        await sys.succeeds("unlink", address)
    await sys.call("bind", fd, inet or address)
    await sys.call("listen", fd, 64)
    if inet is None:
        await sys.call("chmod", address, mode)
    return fd
