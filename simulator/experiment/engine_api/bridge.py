"""One real connection and the simulated one that it stands for: bytes go both ways."""

import asyncio
import sys
from typing import TYPE_CHECKING, cast

from simulator.experiment.engine_api.glass import concerns, hand_over
from simulator.experiment.engine_api.machine import BUSY, SOCKET
from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import MSG_DONTWAIT, MSG_NOSIGNAL, SHUT_WR

if TYPE_CHECKING:
    from simulator.experiment.engine_api.server import Server
    from simulator.machine.kernel.net.socket import Socket

_BLOCK = 65536
_UPGRADED = b"HTTP/1.1 101 "
_MOMENT = 0.001
_ENOUGH = 1 << 20
"""Bytes from a real client that wait before it is asked to wait."""


class Bridge(asyncio.Protocol):
    """The real side of a connection. ``address`` is where it leads in the model."""

    def __init__(self, server: "Server", address: "str | tuple[str, int]") -> None:
        self.server = server
        self.address = address
        self.transport: asyncio.Transport | None = None
        self.fd = -1
        self.end = 0
        """The model's socket, ``fd``'s."""
        self.seen: Socket | None = None
        """How it was when all that it held had been carried."""
        self.news = True
        """The real side has changed since then."""
        self.waiting = bytearray()
        self.ended = False
        """The client sends no more."""
        self.told_end = False
        self.lost = False
        self.full = False
        self.quiet = False
        """The model sends no more."""
        self.held = b""
        """What came right behind the head of a connection that becomes a raw stream."""
        self.holding = False

    # -- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self.transport = cast("asyncio.Transport", transport)
        self.server.bridges.append(self)
        self._wake()

    def data_received(self, data: bytes) -> None:
        """It said something."""
        self.waiting += data
        if len(self.waiting) > _ENOUGH and self.transport is not None:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """It says no more, and may still listen."""
        self.ended = True
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        del exc
        self.lost = self.ended = True
        self._wake()

    def pause_writing(self) -> None:
        """It listens too slowly."""
        self.full = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self.full = False
        self._wake()

    def _wake(self) -> None:
        self.news = True
        self.server.wake.set()

    # -- what the server's loop does

    def pump(self) -> bool:
        """Carry what there is; whether anything moved."""
        machine = self.server.machine
        if self.fd < 0:
            if self._looks_on():
                return False
            fd = machine.connect(self.address)
            if fd is None:
                self._close()
                return True
            if fd == BUSY:
                return False
            self.fd = fd
            connected = machine.socket(fd)
            self.end = connected.id if connected is not None else 0
        if not self._has_work():
            return False
        self.news = False
        moved = self._inward()
        moved = self._outward() or moved
        if self.lost:
            machine.call("close", self.fd)
            self.server.bridges.remove(self)
            return True
        if self.quiet and machine.gone(self.seen):
            self._close()
        return moved

    def _has_work(self) -> bool:
        """Whether anything can have changed: clients keep many connections that rest."""
        if self.news or self.waiting or self.holding:
            return True
        machine = self.server.machine
        if self.quiet:
            return machine.gone(self.seen)
        return machine.state(self.end) is not self.seen

    def _looks_on(self) -> bool:
        """Whether it is, or may become, an onlooker's connection: the model hears nothing of it."""
        glass = self.server.glass
        if glass is None or self.address != SOCKET or self.lost or self.transport is None:
            return False
        wants = concerns(self.waiting)
        if wants:
            self.server.bridges.remove(self)
            hand_over(self.server, glass, self.transport, bytes(self.waiting))
        return bool(wants) or (wants is None and not self.ended)

    def _inward(self) -> bool:
        machine = self.server.machine
        moved = False
        while self.waiting and not self.lost:
            piece = bytes(self.waiting[:_BLOCK])
            sent = machine.call(
                "sendto", self.fd, piece, len(piece), MSG_DONTWAIT | MSG_NOSIGNAL, None
            )
            if not isinstance(sent, Returned):
                if machine.gone(machine.state(self.end)):
                    self.waiting.clear()
                break
            del self.waiting[: sent.value]
            moved = True
        if moved and len(self.waiting) < _ENOUGH and self.transport is not None and not self.lost:
            self.transport.resume_reading()
        if self.ended and not self.waiting and not self.told_end:
            machine.call("shutdown", self.fd, SHUT_WR)
            self.told_end = moved = True
        return moved

    def _outward(self) -> bool:
        machine = self.server.machine
        if self.full or self.quiet or self.lost or self.transport is None or self._held_back():
            return False
        moved = False
        while True:
            socket = machine.state(self.end)
            if socket is not None and not socket.queue and not socket.peer_closed:
                self.seen = socket
                return moved
            reply = machine.call("recvfrom", self.fd, _BLOCK, MSG_DONTWAIT)
            data = reply.data if isinstance(reply, Returned) else b""
            if not data:
                self.quiet, self.seen = True, machine.state(self.end)
                self._end_output()
                return True
            self.server.acknowledge()
            self._tell(cast("bytes", data))
            moved = True
            if self.holding:
                return moved

    def _tell(self, data: bytes) -> None:
        """Send, but keep the first bytes of a raw stream apart from the head before it.

        The SDK for Python reads the head through a buffer and the stream without it, so what comes
        along with the head would be lost; a real daemon needs longer to start anything.
        """
        assert self.transport is not None
        if data.startswith(_UPGRADED):
            head, blank, self.held = data.partition(b"\r\n\r\n")
            self.transport.write(head + blank)
            self.holding = True
            return
        self.transport.write(data)

    def _held_back(self) -> bool:
        """Whether the client has yet to read the head of its raw stream."""
        if not self.holding:
            return False
        assert self.transport is not None
        if _unread(self.transport):
            asyncio.get_running_loop().call_later(_MOMENT, self.server.wake.set)
            return True
        self.holding = False
        held, self.held = self.held, b""
        if held:
            self.transport.write(held)
        return False

    def _end_output(self) -> None:
        assert self.transport is not None
        if self.ended or self.server.machine.gone(self.seen):
            self._close()
        elif self.transport.can_write_eof():
            self.transport.write_eof()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()
        if self.fd < 0 and self in self.server.bridges:
            self.server.bridges.remove(self)


def _unread(transport: asyncio.Transport) -> int:
    """Bytes that were sent and that the other end has not taken (SIOCOUTQ); 0 where unknown."""
    try:
        import fcntl
        import termios
    except ImportError:  # no such thing on this system
        return 0
    place = transport.get_extra_info("socket")
    try:
        answer = fcntl.ioctl(place.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return transport.get_write_buffer_size() + int.from_bytes(answer, sys.byteorder)
