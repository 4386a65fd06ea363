"""What every tool does with files: write one whole, ask for one, take a tree away."""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY, S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process


async def write(sys: "Process", path: str, content: bytes | str, mode: int = 0o644) -> None:
    """A whole file. Raises ``SysError``."""
    fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
    await sys.write(fd, content.encode() if isinstance(content, str) else content)
    await sys.close(fd)


async def exists(sys: "Process", path: str) -> bool:
    """Whether there is something of that name, a dangling link too."""
    return await sys.succeeds("lstat", path)


async def remove(sys: "Process", path: str) -> None:
    """A file, or a directory with all that is in it. Raises ``SysError``."""
    facts = await sys.lstat(path)
    if facts["mode"] & S_IFMT != S_IFDIR:
        await sys.call("unlink", path)
        return
    for name in await sys.names(path):
        await remove(sys, f"{path}/{name}")
    await sys.call("rmdir", path)
