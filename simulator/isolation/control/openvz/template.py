"""Unpacking an OS template into a private area: the machine's own programs, and an init.

A cached template is a file of the right name; what would be unpacked from it is put together from
what this machine has.
"""

from typing import TYPE_CHECKING

from simulator.isolation.control import files
from simulator.machine.abi.constants import S_IFCHR

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

DIRECTORIES = (
    ("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("mnt", 0o755),
    ("proc", 0o755), ("root", 0o700), ("sbin", 0o755), ("sys", 0o755), ("tmp", 0o1777),
    ("usr", 0o755), ("var", 0o755),
)  # fmt: skip
NODES = (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9))
_TOOLS = "/usr/libexec/openvz"
"""The tools' collection of programs: under the name ``init`` it is the init that they share."""


async def unpack(sys: "Process", root: str) -> None:
    """A tree that a container can boot from."""
    await make_directories(sys, root)
    for name, mode in DIRECTORIES:
        await sys.call("mkdir", f"{root}/{name}", mode)
        await sys.call("chmod", f"{root}/{name}", mode)
    await _programs(sys, f"{root}/bin")
    await files.write(sys, f"{root}/sbin/init", await sys.slurp(_TOOLS), 0o755)
    for name in ("passwd", "group"):
        await files.write(sys, f"{root}/etc/{name}", await sys.slurp(f"/etc/{name}"))
    await files.write(sys, f"{root}/etc/shadow", b"root:!!:15000:0:99999:7:::\n", 0o600)
    for name, minor in NODES:
        await sys.call("mknod", f"{root}/dev/{name}", S_IFCHR | 0o666, 1 << 8 | minor)
    await sys.call("mknod", f"{root}/dev/tty", S_IFCHR | 0o666, 5 << 8)


async def make_directories(sys: "Process", path: str) -> None:
    """mkdir -p."""
    at = ""
    for name in filter(None, path.split("/")):
        at += f"/{name}"
        await sys.succeeds("mkdir", at, 0o755)


async def _programs(sys: "Process", target: str) -> None:
    await files.write(sys, f"{target}/busybox", await sys.slurp("/bin/busybox"), 0o755)
    for name in await sys.names("/bin"):
        if name != "busybox":
            await sys.call("link", f"{target}/busybox", f"{target}/{name}")
