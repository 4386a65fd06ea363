"""Filling a zone's root from the global zone, copying it, and taking it away: by system calls."""

from typing import TYPE_CHECKING

from simulator.isolation.control import files
from simulator.machine.abi.constants import (
    AT_FDCWD,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
)

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

EMPTY = (
    ("dev", 0o755),
    ("mnt", 0o755),
    ("proc", 0o555),
    ("run", 0o755),
    ("srv", 0o755),
    ("system", 0o755),
    ("system/contract", 0o555),
    ("system/object", 0o555),
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/adm", 0o755),
)
"""Directories that every zone's root has, and that begin empty."""
PRIVATE = ("/etc/zones", "/etc/mnttab")
"""What is the global zone's alone."""


async def install(sys: "Process", root: str, shared: tuple[str, ...]) -> int:
    """A zone's root, with copies of the global zone's files; how many files were copied.

    ``shared`` directories stay empty: they are mounted there.
    """
    for name, mode in EMPTY:
        await _mkdir(sys, f"{root}/{name}", mode)
    count = 0
    for name in ("etc", "home", "root", "lib", "platform", "sbin", "usr"):
        path = f"/{name}"
        if path in shared:
            await _mkdir(sys, f"{root}{path}", 0o755)
        elif await files.exists(sys, path):
            count += await copy(sys, path, f"{root}{path}", {})
    await sys.call("symlink", "./usr/bin", f"{root}/bin")
    await files.write(sys, f"{root}/etc/mnttab", b"", 0o444)
    return count


async def copy(sys: "Process", source: str, target: str, seen: dict[int, str]) -> int:
    """A tree, with its owners, modes, links and names of one file; the number of files."""
    if source in PRIVATE:
        return 0
    facts = await sys.lstat(source)
    kind, mode = facts["mode"] & S_IFMT, facts["mode"] & 0o7777
    if kind == S_IFDIR:
        await _mkdir(sys, target, mode)
        count = 0
        for name in await sys.names(source):
            count += await copy(sys, f"{source}/{name}", f"{target}/{name}", seen)
        return count
    if kind == S_IFLNK:
        await sys.call("symlink", await sys.readlink(source), target)
    elif kind == S_IFREG and facts["ino"] in seen:
        await sys.call("link", seen[facts["ino"]], target)
    elif kind == S_IFREG:
        await files.write(sys, target, await sys.slurp(source), mode)
        await sys.call("fchownat", AT_FDCWD, target, facts["uid"], facts["gid"], 0)
        await sys.call("chmod", target, mode)
        seen[facts["ino"]] = target
    return 1


async def _mkdir(sys: "Process", path: str, mode: int) -> None:
    await sys.succeeds("mkdir", path, 0o755)
    await sys.call("chmod", path, mode)
