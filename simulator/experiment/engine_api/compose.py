"""``vitrina compose``: the desk of a real terminal, at an engine's real socket.

The command is the simulated ``docker compose``'s own code; files, streams and time are this
machine's. Without an engine one is made that lives as long as the command.
"""

import asyncio
import contextlib
import io
import os
import sys
import tarfile
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from simulator.experiment.engine_api.server import Server
from simulator.isolation.control.docker.client.flags import Flag, parse
from simulator.isolation.control.docker.client.wire import Client, ClientError
from simulator.isolation.control.docker.compose.desk import Work
from simulator.isolation.control.docker.compose.main import GLOBAL, main
from simulator.machine.abi.i18n import gettext as _

_BLOCK = 65536
_LASTING = frozenset(("up", "create", "start", "scale"))
_SOCKET = "unix:///var/run/docker.sock"


class RealClient(Client):
    """Requests over real sockets of this machine, to ``unix://PATH`` or ``tcp://HOST:PORT``."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self.host = host
        self.streams: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._next = 0

    async def _connect(self) -> int:
        kind, _colon, place = self.host.partition("://")
        try:
            if kind == "tcp":
                name, _colon, port = place.rpartition(":")
                pair = await asyncio.open_connection(name, int(port or 2375))
            else:
                pair = await asyncio.open_unix_connection(place)
        except OSError:
            raise ClientError(
                f"Cannot connect to the Docker daemon at {self.host}. Is the docker daemon running?"
            ) from None
        self._next += 1
        self.streams[self._next] = pair
        return self._next

    async def _send(self, fd: int, data: bytes) -> None:
        writer = self.streams[fd][1]
        writer.write(data)
        with contextlib.suppress(ConnectionError):  # the answer says why it was not read
            await writer.drain()

    async def _receive(self, fd: int) -> bytes:
        try:
            return await self.streams[fd][0].read(_BLOCK)
        except ConnectionError:
            return b""

    async def _close(self, fd: int) -> None:
        self.streams.pop(fd)[1].close()

    async def end_input(self, fd: int) -> None:
        """Nothing more is sent."""
        writer = self.streams[fd][1]
        if writer.can_write_eof():
            writer.write_eof()

    # -- for an attached stream

    async def more(self, fd: int) -> bytes:
        """What comes next on a hijacked connection."""
        return await self._receive(fd)

    async def put(self, fd: int, data: bytes) -> None:
        """Send on a hijacked connection."""
        await self._send(fd, data)

    async def end(self, fd: int) -> None:
        """Close it."""
        await self._close(fd)


class RealDesk:
    """This machine's files, streams and clock."""

    def __init__(self, client: RealClient, env: Mapping[str, str]) -> None:
        self.client = client
        self.api: Client = client
        self.env = env
        self.cwd = Path.cwd().as_posix()
        self.apart = True

    async def read(self, path: str) -> str | None:
        """A file's text; None when there is none."""
        try:
            return Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    async def write(self, stream: int, data: bytes) -> None:
        """To this process's output."""
        target = sys.stdout if stream == 1 else sys.stderr
        target.write(data.decode("utf-8", "replace"))
        target.flush()

    async def pause(self, seconds: float) -> None:
        """Let real time pass."""
        await asyncio.sleep(seconds)

    async def pack(self, path: str, name: str = ".") -> bytes:
        """A directory or file; empty when there is none, or it can't be read."""
        kept = io.BytesIO()
        if not Path(path).exists():
            return b""
        try:
            with tarfile.open(fileobj=kept, mode="w") as archive:
                archive.add(path, arcname=name)
        except OSError as error:
            raise ClientError(f"{path}: {error.strerror}") from None
        return kept.getvalue()

    async def unpack(self, content: bytes, place: str) -> None:
        """Into a directory of this machine; nothing of it leaves that."""
        try:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                archive.extractall(place, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise ClientError(f"{place}: {error}") from None

    async def kind(self, path: str) -> str:
        """``file``, ``directory``, or empty for what is not there."""
        one = Path(path)
        return "directory" if one.is_dir() else "file" if one.exists() else ""

    async def converse(self, fd: int, early: bytes, *, stdin: bool, tty: bool) -> None:
        """The streams of a process in a container, until its output ends."""
        typing = asyncio.ensure_future(self._type(fd)) if stdin else None
        left = early
        while True:
            if tty:
                await self.write(1, left)
                left = b""
            while len(left) >= 8 and len(left) >= 8 + int.from_bytes(left[4:8], "big"):
                end = 8 + int.from_bytes(left[4:8], "big")
                await self.write(2 if left[0] == 2 else 1, left[8:end])
                left = left[end:]
            data = await self.client.more(fd)
            if not data:
                break
            left += data
        if typing is not None:
            typing.cancel()
        await self.client.end(fd)

    async def _type(self, fd: int) -> None:
        """What is typed here, for as long as it takes; a thread waits for it."""
        loop = asyncio.get_running_loop()
        typed: asyncio.Queue[bytes] = asyncio.Queue()

        def listen() -> None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                while data := os.read(sys.stdin.fileno(), _BLOCK):
                    loop.call_soon_threadsafe(typed.put_nowait, data)
                loop.call_soon_threadsafe(typed.put_nowait, b"")

        threading.Thread(target=listen, daemon=True).start()
        while data := await typed.get():
            await self.client.put(fd, data)
        await self.client.end_input(fd)

    async def together(self, works: list[Work]) -> None:
        """All at once."""
        await asyncio.gather(*(work(self) for work in works))


async def run(words: Sequence[str], env: Mapping[str, str]) -> int:
    """``vitrina compose WORDS``: the status that it ends with."""
    socket, rest = _engine(list(words))
    host = f"unix://{socket}" if socket else env.get("DOCKER_HOST", "")
    if host:
        return await _closing(RealDesk(RealClient(host), env), main, rest)
    with tempfile.TemporaryDirectory() as place:
        server = Server()
        path = str(Path(place) / "engine.sock")
        await server.listen_unix(path)
        running = asyncio.ensure_future(server.run())
        try:
            desk = RealDesk(RealClient(f"unix://{path}"), env)
            return await _closing(desk, _alone, rest)
        finally:
            server.stop()
            await running


async def _closing(
    desk: RealDesk, command: Callable[[RealDesk, list[str]], Awaitable[int]], words: list[str]
) -> int:
    try:
        return await command(desk, words)
    finally:
        await desk.client.leave()


async def _alone(desk: RealDesk, words: list[str]) -> int:
    """One command on an engine of its own, and what has become of it."""
    given = parse("compose", GLOBAL, words, stop_early=True)
    status = await main(desk, words)
    command = given.words[0] if given.words else ""
    if command in _LASTING:
        shared = words[: len(words) - len(given.words)]
        await desk.pause(1)
        await main(desk, [*shared, "ps", "-a"])
        await main(desk, [*shared, "logs"])
        note = _(
            "this engine ends with the command; for one that stays: vitrina engine --socket PATH"
        )
        await desk.write(2, f"{note}\n".encode())
    return status


def _engine(words: list[str]) -> tuple[str, list[str]]:
    """``--socket PATH`` before the command, and the words without it."""
    flags = {**GLOBAL, "socket": Flag("text")}
    try:
        given = parse("compose", flags, words, stop_early=True)
    except ClientError:
        return "", words  # the command itself complains
    head = words[: len(words) - len(given.words)]
    kept: list[str] = []
    while head:
        word = head.pop(0)
        if word == "--socket":
            head.pop(0)
        elif not word.startswith("--socket="):
            kept.append(word)
    return given.text("socket"), [*kept, *given.words]
