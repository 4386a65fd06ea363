"""lxcfs: files of /proc as a container would have them on a machine of its own.

A filesystem in userspace on the host (FUSE): its daemon looks up who reads, the first process of
the reader's pid namespace, and that one's control group. The daemon and its answers are one piece
here. Source: lxcfs ``src/proc_fuse.c``, as started without options: the load average is then the
host's (``-l``), so are the counters of processors (``--enable-cfs``) and what ``meminfo`` says of
the kernel's own memory.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from simulator.machine.abi.constants import S_IFDIR, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import (
    HOST,
    INITIAL_USER_NS,
    KERNEL,
    InodeId,
    SuperblockId,
    VirtualId,
)
from simulator.machine.kernel import clock, pids
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.procfs import machine
from simulator.machine.kernel.fs.procfs.node import Look
from simulator.machine.kernel.fs.registry import FilesystemType, register_virtual
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.resource.group import Cgroup
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs.inode import Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_SECOND = 1_000_000_000
_KB = 1024


def _reaper(trap: "Trap") -> Task:
    """lookup_initpid_in_store(): the first process of the reader's pid namespace; on the host, and
    in a container that shares its pids, the reader.
    """
    ns = trap.store.row(PidNs, trap.task.ns.pid)
    first = pids.taken(trap.store, trap.task.ns.pid, 1) if ns.level else None
    return first or trap.task


def _limit(trap: "Trap", group: Cgroup) -> int | None:
    """get_min_memlimit(): the strictest of the group's and of those above it, in bytes."""
    found = [memory.limit(trap.store, above) for above in groups.upward(trap.store, group)]
    return min((one for one in found if one is not None), default=None)


def _meminfo(look: Look) -> str:
    """proc_meminfo_read(): total, free and available by the group; the kernel's own stay."""
    trap, host = look.trap, machine.meminfo(look)
    group = groups.controlled(trap.store, _reaper(trap), "memory")
    if group is None:
        return _of_host(look, "memory", host)
    used = memory.usage(trap.store, group) // _KB
    total, limit = memory.total(trap.store) // _KB, _limit(trap, group)
    if limit is None or limit // _KB >= total:
        _of_host(look, "memory", host)
    else:
        total = limit // _KB
    own = {
        "MemTotal": total,
        "MemFree": total - used,
        "MemAvailable": total - used,
        "Active": used,
        "AnonPages": used,
    } | dict.fromkeys(("Buffers", "Cached", "Inactive", "Mapped", "Shmem", "Slab"), 0)
    lines: list[str] = []
    for line in host.splitlines():
        name = line.partition(":")[0]
        lines.append(f"{name + ':':<16}{own[name]:8} kB" if name in own else line)
    return "".join(f"{line}\n" for line in lines)


def _uptime(look: Look) -> str:
    """proc_uptime_read(): how old the container's first process is."""
    now = clock.monotonic(look.trap.store)
    age = max(now - _reaper(look.trap).start_time, 0) / _SECOND
    return f"{age:.2f} {age:.2f}\n"


def _of_host(look: Look, kind: str, text: str) -> str:
    """What lxcfs hands through: the reader learns of the host."""
    if look.trap.task.domain != HOST:
        look.trap.touch(kind, HOST, "read", f"/proc/{look.name}")
    return text


_FILES: Mapping[str, Callable[[Look], str]] = {
    "cpuinfo": lambda look: _of_host(look, "cpu", machine.cpuinfo(look)),
    "loadavg": lambda look: _of_host(look, "cpu", machine.loadavg(look)),
    "meminfo": _meminfo,
    "stat": lambda look: _of_host(look, "cpu", machine.stat(look)),
    "swaps": lambda _look: "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    "uptime": _uptime,
}
FILES = tuple(_FILES)
"""The names below its ``proc`` directory."""


class Lxcfs:
    """The ``Virtual`` of inodes ("lxcfs", superblock), (..., "proc"), (..., "proc", NAME)."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        """The inode as it is now."""
        directory = len(inode) < 4
        return Inode(
            id=inode,
            sb=trap.store.row(Superblock, inode[1]).id,
            mode=S_IFDIR | 0o755 if directory else S_IFREG | 0o444,
            nlink=2 if directory else 1,
            size=0 if directory else 4096,
            parent=(inode if len(inode) == 2 else inode[:-1]) if directory else None,
            # What is learnt through a file is noted where it is read, not the file itself.
            domain=KERNEL,
        )

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        """What ``name`` is in ``directory``."""
        return (*directory, name) if name in self.names(trap, directory) else None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        """The names in ``directory``."""
        del trap
        return {2: ("proc",), 3: FILES}.get(len(directory), ())

    def follow(self, trap: "Trap", inode: VirtualId) -> str:
        """It has no symbolic links."""
        del inode
        trap.fail(Errno.EINVAL, N_("The file is no symbolic link."), "readlink(2)")

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        """What the daemon answers to this reader."""
        look = Look(trap, trap.store.row(Superblock, inode[1]), inode)
        return _FILES[str(inode[3])](look).encode()

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        """lxcfs_write() knows the files of /proc/pressure alone."""
        del inode, data
        trap.fail(Errno.EINVAL, N_("The file is not written to."), "lxcfs(1)")

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """Nothing beyond the permission bits (``allow_other``)."""


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    if text or trap.task.domain != HOST:
        # Without fd= of an open /dev/fuse nobody mounts anything; the host's daemon has one.
        options.refuse(trap)
    known = stored.find(trap.store, "fuse.lxcfs")
    if known is not None:
        return known
    number = SuperblockId(trap.store.new_id(Superblock))
    return stored.put_superblock(
        trap.store,
        Superblock(
            id=number,
            fstype="fuse.lxcfs",
            source=source,
            root=("lxcfs", number),
            owner=INITIAL_USER_NS,
            domain=HOST,
        ),
    )


LXCFS = FilesystemType("fuse.lxcfs", _make)
register_virtual("lxcfs", Lxcfs())
