"""``vitrina engine``: listens for real clients and keeps the simulated machine going for them."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from simulator.experiment.engine_api.bridge import Bridge
from simulator.experiment.engine_api.disk import DiskFile
from simulator.experiment.engine_api.glass import EVERY, MOST, Glass, Window
from simulator.experiment.engine_api.hosts import DEFAULT, Host
from simulator.experiment.engine_api.machine import SOCKET, Machine
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

_SLICE = 0.02
"""Seconds that the machine may take before real clients are looked after again."""
_ROUNDS = 16
_LONGEST = 1.0


class ServeError(VitrinaError):
    """A socket that can't be listened on; one line."""


class Server:
    """One machine and its real clients."""

    def __init__(self, state: Path | None = None, host: Host = DEFAULT) -> None:
        self.disk = DiskFile(state) if state is not None else None
        restore = self.disk.restore if self.disk is not None else None
        self.machine = Machine(time.time_ns(), restore, host)
        if self.disk is not None:
            self.disk.begin(self.machine.kernel)
            self.machine.on_forget = self.disk.flush
        self.machine.on_gap = _complain
        self.bridges: list[Bridge] = []
        self.glass: Glass | None = None
        """What onlookers are shown; None: there is nothing to see."""
        self._windows: list[Window] = []
        self._shown = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self.wake = asyncio.Event()
        self._ended = False
        self._servers: list[asyncio.AbstractServer] = []
        self.machine.set_time(time.time_ns())
        self._last = time.monotonic_ns()

    def acknowledge(self) -> None:
        """Before a client is told anything, what it may be told of is on the real disk."""
        if self.disk is not None:
            self.disk.flush()

    async def listen_unix(self, path: str) -> None:
        """Listen on a real UNIX socket. Raises ``ServeError``."""
        loop = asyncio.get_running_loop()
        _free(path)
        try:
            server = await loop.create_unix_server(lambda: Bridge(self, SOCKET), path, backlog=512)
        except OSError as error:
            reason = error.strerror or error
            raise ServeError(_("{path}: {reason}").format(path=path, reason=reason)) from None
        os.chmod(path, 0o660)
        self._servers.append(server)

    async def listen_tcp(
        self, host: str, port: int, address: "str | tuple[str, int]" = SOCKET
    ) -> None:
        """Listen on a real TCP port, for the API or for a port of the simulated host."""
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: Bridge(self, address), host, port, backlog=512
            )
        except OSError as error:
            place = f"{host}:{port}"
            raise ServeError(_("{path}: {reason}").format(path=place, reason=error)) from None
        self._servers.append(server)

    async def run(self, ready: Callable[[], None] | None = None) -> None:
        """Until ``stop``. ``ready`` is called when the daemon listens."""
        self._work()
        if ready is not None:
            ready()
        try:
            while not self._ended:
                busy = self._work()
                self._show()
                if busy:
                    await asyncio.sleep(0)
                    continue
                self.machine.tidy()
                await self._rest()
        finally:
            for server in self._servers:
                server.close()
            for window in tuple(self._windows):
                window.close()
            if self.disk is not None:
                self.disk.close()

    def stop(self) -> None:
        """End ``run``.

        Not by cancelling its task: before Python 3.12 ``asyncio.wait_for`` loses a cancellation
        that comes as what it waits for is done, and a busy engine would then never end.
        """
        self._ended = True
        self.wake.set()

    def _work(self) -> bool:
        """One slice of the machine's time; whether there is more to do at once."""
        self.wake.clear()
        now = time.monotonic_ns()
        self.machine.advance(now - self._last)
        self._last = now
        until = time.monotonic() + _SLICE
        while True:
            moved = any([bridge.pump() for bridge in tuple(self.bridges)])
            acted = self.machine.turn(_ROUNDS)
            if not moved and not acted:
                return False
            if time.monotonic() > until:
                return True

    # -- onlookers

    def admit(self, window: Window) -> bool:
        """Another onlooker, if there is room."""
        if len(self._windows) >= MOST:
            return False
        self._windows.append(window)
        return True

    def leave(self, window: Window) -> None:
        """One onlooker less, if it was one."""
        if window in self._windows:
            self._windows.remove(window)

    def _show(self) -> None:
        """Now and then, tell onlookers what happened."""
        if self.glass is None or not self._windows:
            return
        now = time.monotonic()
        early = now - self._shown < EVERY
        if not early:
            self._shown = now
            early = self.glass.look()
            for window in tuple(self._windows):
                window.pump()
        if early and self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(EVERY, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.wake.set()

    async def _rest(self) -> None:
        """Until a client says something, or a sleep in the model is over."""
        deadline = self.machine.next_deadline()
        wait = _LONGEST if deadline is None else min(_LONGEST, deadline / 1e9)
        alarm = asyncio.get_running_loop().call_later(max(wait, 0.001), self.wake.set)
        await self.wake.wait()
        alarm.cancel()


def _complain(why: str) -> None:
    print(_("a program of the simulated machine was ended: {why}").format(why=why), file=sys.stderr)


def _free(path: str) -> None:
    """Take away the socket of a server that has gone. Raises ``ServeError`` for anything else."""
    place = Path(path)
    if not place.exists() and not place.is_symlink():
        return
    if not place.is_socket():
        raise ServeError(_("{path}: there is a file of another kind").format(path=path))
    import socket

    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            place.unlink()
            return
    raise ServeError(_("{path}: another server listens there").format(path=path))
