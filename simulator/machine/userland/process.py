"""A process as its own program sees it: system calls to await, and errno when one fails.

A program is a coroutine, ``async def main(sys: Process, argv: Sequence[str]) -> int``. Awaiting
a call hands it to the driver (``runtime.py``), which runs it on the kernel and resumes the program
with the result; there is no event loop but that.
"""

from collections.abc import Awaitable, Callable, Generator, Sequence
from types import coroutine
from typing import Any, TypeAlias, cast

import msgspec

from simulator.machine.abi.call import Call, Failed, Result, Returned, Value
from simulator.machine.abi.constants import AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.ids import Pid

BLOCK = 65536
DIRENTS = 32768
HELD = 64 << 20
"""Bytes that a program may hold at once: what wants more has no memory left, as by malloc(3)."""

Body: TypeAlias = Callable[["Process"], Awaitable[int]]
"""What a child runs after fork(2); its value is the exit status."""
Main: TypeAlias = Callable[["Process", Sequence[str]], Awaitable[int]]
"""A program."""


class Syscall(msgspec.Struct, frozen=True):
    """Asked of the driver: run this call for me."""

    call: Call


class Spawn(msgspec.Struct, frozen=True):
    """Asked of the driver: fork(2) or clone(2) by ``call``, with ``body`` in the child."""

    call: Call
    body: Body


class Bear(msgspec.Struct, frozen=True):
    """Asked of the driver: fork(2) or clone(2) by ``call``, with nobody in the child yet.

    A container runtime goes on in the child as itself; here the parent makes the child's calls,
    by ``Drive``, until the child executes a program of its own.
    """

    call: Call
    mechanism: str = ""


class Drive(msgspec.Struct, frozen=True):
    """Asked of the driver: run this call for task ``pid``, which ``Bear`` made, or for oneself.

    ``actor`` and ``mechanism`` are what the timeline says of it.
    """

    pid: Pid
    call: Call
    actor: str = ""
    mechanism: str = ""


class Pause(msgspec.Struct, frozen=True):
    """Told to the driver: a step was made without a system call (a turn of a loop)."""


Request: TypeAlias = Syscall | Spawn | Bear | Drive | Pause


class SysError(Exception):
    """A system call failed; ``message`` is what strerror(3) says."""

    def __init__(self, errno: Errno, call: str) -> None:
        super().__init__(f"{call}: {errno.message}")
        self.errno = errno
        self.call = call

    @property
    def message(self) -> str:
        """The error as a sentence."""
        return self.errno.message


@coroutine
def _enter(request: Request) -> Generator[Request, Result, Result]:
    return (yield request)


class Process:
    """The calls of one process. ``env`` is the environment its execve(2) gave it."""

    __slots__ = ("calls", "collection", "env", "name", "pid", "status", "terminal")

    def __init__(self, pid: Pid, name: str = "", env: dict[str, str] | None = None) -> None:
        self.pid = pid
        """The kernel's number, for the driver; a program asks ``getpid``."""
        self.name = name
        self.env = env if env is not None else {}
        self.collection = b""
        """Which collection of programs this one belongs to (``registry.py``)."""
        self.terminal = 0
        """The inode number of what a person types into (``conversation.py``), 0 when nobody."""
        self.calls = 0
        """How many system calls it has made, forks included."""
        self.status = 0
        """What a shell that waits for input has in ``$?``."""

    async def call(self, name: str, *args: Value) -> Returned:
        """Any system call by name. Raises ``SysError``."""
        self.calls += 1
        result = await _enter(Syscall(Call(name, args)))
        if name == "clock_gettime" and isinstance(result, Failed):
            result = await self._old_clock(result)
        return _checked(name, result)

    async def _old_clock(self, result: Failed) -> Result:
        """clock_gettime(3) where the kernel is too old for the call: gettimeofday(2)."""
        if result.errno is not Errno.ENOSYS:
            return result
        reply = _checked("gettimeofday", await _enter(Syscall(Call("gettimeofday", ()))))
        seconds, rest = cast("tuple[int, int]", reply.data)
        return Returned(0, (seconds, rest * 1000))

    async def value(self, name: str, *args: Value) -> int:
        """A call's return value. Raises ``SysError``."""
        return (await self.call(name, *args)).value

    async def data(self, name: str, *args: Value) -> Any:
        """What a call wrote for its caller. Raises ``SysError``."""
        return (await self.call(name, *args)).data

    async def succeeds(self, name: str, *args: Value) -> bool:
        """Whether a call succeeded."""
        try:
            await self.call(name, *args)
        except SysError:
            return False
        return True

    async def pause(self) -> None:
        """Count a step that makes no system call, so that an endless loop is noticed."""
        await _enter(Pause())

    async def burn(self, nanoseconds: int | None = None, *, system: int = 0) -> None:
        """Compute for so much processor time (None: for ever), ``system`` thousandths in calls."""
        await self.call("@burn", nanoseconds, system)

    async def touch(self, address: int, size: int) -> None:
        """Write to every page of ``size`` bytes from ``address``. Raises ``SysError``."""
        await self.call("@touch", address, size)

    async def transfer(self, fd: int, size: int, block: int, *, write: bool) -> None:
        """Wait until ``size`` bytes have gone between ``fd`` and its disk. Raises ``SysError``."""
        await self.call("@transfer", fd, size, block, int(write))

    async def spawn(self, body: Body, flags: int = 0) -> int:
        """fork(2), or clone(2) with ``flags``: the child runs ``body``; returns its pid."""
        self.calls += 1
        call = Call("clone", (flags,)) if flags else Call("fork")
        return _checked(call.name, await _enter(Spawn(call, body))).value

    async def bear(self, call: Call, mechanism: str = "") -> tuple[Pid, int]:
        """A child that waits to be driven: the kernel's number of it, and the caller's.

        Raises ``SysError``.
        """
        born = _checked(call.name, await _enter(Bear(call, mechanism)))
        return Pid(cast("int", born.data)), born.value

    async def drive(self, pid: Pid, call: Call, actor: str = "", mechanism: str = "") -> Result:
        """The result, whatever it is, of a call that a child from ``bear`` makes."""
        return await _enter(Drive(pid, call, actor, mechanism))

    async def open(self, path: str, flags: int = O_RDONLY, mode: int = 0o666) -> int:
        """open(2)."""
        return await self.value("open", path, flags, mode)

    async def close(self, fd: int) -> None:
        """close(2)."""
        await self.call("close", fd)

    async def read(self, fd: int, size: int = BLOCK) -> bytes:
        """read(2); empty at the end."""
        return cast("bytes", await self.data("read", fd, size)) or b""

    async def write(self, fd: int, data: bytes) -> None:
        """write(2) until everything is written; what a pipe did not take at once, in blocks."""
        done, size = 0, len(data)
        while done < size:
            block = data if not done else data[done : done + BLOCK]
            done += await self.value("write", fd, block, len(block))

    async def out(self, text: str) -> None:
        """Write to standard output."""
        await self.write(1, text.encode("utf-8", "surrogateescape"))

    async def err(self, text: str) -> None:
        """Write to standard error; a closed one is nobody's business."""
        try:
            await self.write(2, text.encode("utf-8", "surrogateescape"))
        except SysError:
            return

    async def complain(self, text: str) -> int:
        """``name: text`` on standard error; returns 1, a failing status."""
        await self.err(f"{self.name}: {text}\n")
        return 1

    async def fault(self, about: str, error: SysError) -> int:
        """``name: about: what went wrong`` on standard error; returns 1."""
        return await self.complain(f"{about}: {error.message}")

    async def slurp(self, path: str) -> bytes:
        """A whole file."""
        fd = await self.open(path, O_RDONLY | O_CLOEXEC)
        return await self.drain(fd)

    async def text(self, path: str) -> str:
        """A whole file as text."""
        return (await self.slurp(path)).decode("utf-8", "surrogateescape")

    async def text_or_empty(self, path: str) -> str:
        """A whole file as text; empty when it can't be read."""
        try:
            return await self.text(path)
        except SysError:
            return ""

    async def drain(self, fd: int) -> bytes:
        """Read ``fd`` to its end and close it. Raises ``SysError``; ENOMEM beyond ``HELD``."""
        blocks: list[bytes] = []
        held = 0
        try:
            while block := await self.read(fd):
                blocks.append(block)
                held += len(block)
                if held > HELD:
                    raise SysError(Errno.ENOMEM, "read")
        except SysError:
            await self.close(fd)
            raise
        await self.close(fd)
        return b"".join(blocks)

    async def names(self, path: str) -> list[str]:
        """The names in a directory, in its own order, without ``.`` and ``..``."""
        fd = await self.open_directory(path)
        found = await self.entries(fd)
        await self.close(fd)
        return found

    async def open_directory(self, path: str) -> int:
        """opendir(3): openat(2), and open(2) where the kernel is too old for that."""
        flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        try:
            return await self.value("openat", AT_FDCWD, path, flags, 0)
        except SysError as error:
            if error.errno is not Errno.ENOSYS:
                raise
        return await self.open(path, flags)

    async def entries(self, fd: int) -> list[str]:
        """readdir(3) to the end, without ``.`` and ``..``."""
        found: list[str] = []
        while True:
            reply = await self.call("getdents64", fd, DIRENTS)
            if not reply.value:
                break
            found += cast("list[str]", reply.data)
        return [name for name in found if name not in (".", "..")]

    async def stat(self, path: str) -> dict[str, int]:
        """stat(2)."""
        return await self.data("stat", path)

    async def lstat(self, path: str) -> dict[str, int]:
        """lstat(2)."""
        return await self.data("lstat", path)

    async def readlink(self, path: str) -> str:
        """readlink(2)."""
        return cast("str", await self.data("readlink", path, 4096))

    async def execve(self, path: str, argv: Sequence[str], env: dict[str, str]) -> None:
        """execve(2): does not return when it succeeds. Raises ``SysError``."""
        pairs = [f"{key}={value}" for key, value in env.items()]
        await self.call("execve", path, list(argv), cast("Value", pairs))


def _checked(name: str, result: Result) -> Returned:
    if isinstance(result, Returned):
        return result
    assert isinstance(result, Failed), result
    raise SysError(result.errno, name)
