"""Where a compose command sits: what it may ask of the machine it is typed on.

``Terminal`` is that of a process of the simulated machine; ``vitrina compose`` has one of this.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from simulator.isolation.control.docker.client import running
from simulator.isolation.control.docker.client.wire import Api, Client
from simulator.isolation.control.docker.engine.sync import go
from simulator.isolation.control.docker.images import tarball
from simulator.machine.abi.constants import S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

_SECOND = 1_000_000_000
Work = Callable[["Desk"], Awaitable[None]]


class Desk(Protocol):
    """Files, streams, time, and a way to the daemon."""

    api: Client
    env: Mapping[str, str]
    cwd: str
    apart: bool
    """Whether its files are on another machine than the engine's: what is bound is copied."""

    async def read(self, path: str) -> str | None:
        """A file's text; None when there is none."""
        ...

    async def write(self, stream: int, data: bytes) -> None:
        """To standard output (1) or error (2)."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def pack(self, path: str, name: str = ".") -> bytes:
        """A directory or file as an archive, called ``name`` there; empty when there is none."""
        ...

    async def unpack(self, content: bytes, place: str) -> None:
        """Lay an archive out in a directory."""
        ...

    async def kind(self, path: str) -> str:
        """``file``, ``directory``, or empty for what is not there."""
        ...

    async def converse(self, fd: int, early: bytes, *, stdin: bool, tty: bool) -> None:
        """Carry an attached connection's streams until its output ends."""
        ...

    async def together(self, works: list[Work]) -> None:
        """Do several things at once; each has a desk of its own."""
        ...


class Terminal:
    """A process of the simulated machine."""

    def __init__(self, sys: "Process", api: Api, cwd: str) -> None:
        self.sys = sys
        self.terminal = api
        self.api: Client = api
        self.apart = False
        self.env: Mapping[str, str] = sys.env
        self.cwd = cwd

    async def read(self, path: str) -> str | None:
        """A file of the simulated machine."""
        from simulator.machine.userland.process import SysError

        try:
            return await self.sys.text(path)
        except SysError:
            return None

    async def write(self, stream: int, data: bytes) -> None:
        """write(2)."""
        await self.sys.write(stream, data)

    async def pause(self, seconds: float) -> None:
        """nanosleep(2)."""
        await self.sys.call("nanosleep", divmod(int(seconds * _SECOND), _SECOND))

    async def pack(self, path: str, name: str = ".") -> bytes:
        """What lies at a path of the simulated machine."""
        return await tarball.pack(self.sys, path, name)

    async def unpack(self, content: bytes, place: str) -> None:
        """Into a directory of the simulated machine."""
        await tarball.unpack(self.sys, content, place)

    async def kind(self, path: str) -> str:
        """stat(2)."""
        from simulator.machine.userland.process import SysError

        try:
            mode = (await self.sys.stat(path))["mode"]
        except SysError:
            return ""
        return "directory" if mode & S_IFMT == S_IFDIR else "file"

    async def converse(self, fd: int, early: bytes, *, stdin: bool, tty: bool) -> None:
        """The program's own streams."""
        await running.copy(self.sys, fd, early, stdin=stdin, tty=tty)

    async def together(self, works: list[Work]) -> None:
        """Each in a worker; the last to end ends the waiting."""
        pids: list[int] = []
        for work in works:

            async def body(own: "Process", work: Work = work) -> None:
                await work(Terminal(own, self.terminal.shared(own), self.cwd))

            pids.append(await go(self.sys, body))
        for pid in pids:
            await self.sys.succeeds("wait4", pid, 0)
