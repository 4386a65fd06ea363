"""The daemon's files, by system calls: whole files, trees, JSON."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from simulator.isolation.control.docker.engine.sync import Lock
from simulator.isolation.control.files import exists as exists
from simulator.machine.abi.constants import (
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_TRUNC,
    O_WRONLY,
    S_IFDIR,
    S_IFMT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError

T = TypeVar("T")


async def write(sys: Process, path: str, content: bytes, mode: int = 0o600) -> None:
    """Replace a file at once: write beside it, then rename (moby ``atomicwriter``).

    Two workers may do so at once: each writes a file of its own. Raises ``SysError``, which names
    the file: the old one stays, and nothing beside it.
    """
    beside = f"{path}.tmp{sys.pid}"
    fd = await sys.open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    try:
        await sys.write(fd, content)
    except SysError as error:
        await sys.succeeds("unlink", beside)
        raise SysError(error.errno, f"write {beside}") from None
    finally:
        await sys.close(fd)
    await sys.call("rename", beside, path)


async def append(sys: Process, path: str) -> int:
    """A descriptor that appends to ``path``."""
    return await sys.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)


async def save(sys: Process, path: str, content: Any) -> None:
    """Replace a file of JSON."""
    await write(sys, path, msgspec.json.encode(content))


class Kept:
    """A file of JSON that several workers save: each in its turn, what is true by then."""

    def __init__(self) -> None:
        self._lock = Lock()

    async def save(self, sys: Process, path: str, content: Callable[[], Any]) -> None:
        """Replace it by ``content()``."""
        async with self._lock.held(sys):
            await save(sys, path, content())


async def load(sys: Process, path: str, kind: type[T]) -> T | None:
    """A file of JSON; None when it is not there or holds something else."""
    try:
        return msgspec.json.decode(await sys.slurp(path), type=kind)
    except (SysError, msgspec.MsgspecError):
        return None


async def make(sys: Process, path: str, mode: int = 0o755) -> None:
    """mkdir -p, from the far end: most of a path is there as a rule."""
    try:
        await sys.call("mkdir", path, mode)
    except SysError as error:
        if error.errno is Errno.EEXIST:
            return
        above = path.rpartition("/")[0]
        if error.errno is not Errno.ENOENT or not above:
            raise
        await make(sys, above)
        await sys.call("mkdir", path, mode)


async def names(sys: Process, path: str) -> list[str]:
    """The sorted names in a directory; none when it is not there."""
    try:
        return sorted(await sys.names(path))
    except SysError:
        return []


async def remove(sys: Process, path: str) -> None:
    """rm -rf; what is not there is no mistake."""
    try:
        await sys.call("unlink", path)
        return
    except SysError as error:
        if error.errno is Errno.ENOENT:
            return
        if error.errno is not Errno.EISDIR:
            raise
    if not await sys.succeeds("rmdir", path):
        await remove_tree(sys, path)


async def remove_tree(sys: Process, path: str) -> None:
    """The same of a directory in which there is something; nothing there is no mistake either."""
    try:
        inside = await sys.names(path)
    except SysError as error:
        if error.errno is Errno.ENOENT:
            return
        raise
    for name in inside:
        await remove(sys, f"{path}/{name}")
    await sys.call("rmdir", path)


async def size(sys: Process, path: str) -> int:
    """Bytes of all regular files below ``path``."""
    try:
        status = await sys.lstat(path)
    except SysError:
        return 0
    if status["mode"] & S_IFMT != S_IFDIR:
        return status["size"]
    return sum([await size(sys, f"{path}/{name}") for name in await names(sys, path)])
