"""What a container holds of each resource that a beancounter counts, from the objects themselves.

The sizes of kernel structures are the model's: a task costs what wiki.openvz.org says a process
costs at least (UBC parameters, kmemsize: "24 kilobytes at minimum, 30-60 KB typically").
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from simulator.machine.abi.constants import AF_INET, AF_INET6, SOCK_STREAM
from simulator.machine.kernel.ipc.shm import Segment
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.resource import mapping
from simulator.machine.kernel.resource.memory import held as memory_held
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.kernel.vfs.lock import Locks
from simulator.machine.state.store import Index, World

if TYPE_CHECKING:
    from simulator.machine.kernel.context import Context

RESOURCES = (
    "kmemsize", "lockedpages", "privvmpages", "shmpages", "numproc", "physpages", "vmguarpages",
    "oomguarpages", "numtcpsock", "numflock", "numpty", "numsiginfo", "tcpsndbuf", "tcprcvbuf",
    "othersockbuf", "dgramrcvbuf", "numothersock", "dcachesize", "numfile", "numiptent",
    "swappages",
)  # fmt: skip
"""ub_rnames[], without the dummies, in the order of /proc/user_beancounters."""

PAGE = 4096
KMEM_TASK = 32_768
KMEM_FILE = 256
KMEM_SOCKET = 1_536
DENTRY = 384
PRIVATE_PAGES = 256
"""What any program's address space has of its own, besides what it asked for."""

IN_CONTEXT = Index(Socket, lambda socket: (socket.context,), "context")


def held(world: World, row: "Context", resource: str) -> int:
    """How much of ``resource`` the container holds now."""
    count = _COUNTS.get(resource)
    return 0 if count is None else count(world, row)


def _alive(world: World, row: "Context") -> list[Task]:
    return [task for task in ves.tasks(world, row) if task.state is not TaskState.ZOMBIE]


def _files(world: World, row: "Context") -> set[int]:
    found: set[int] = set()
    for files in {task.files for task in _alive(world, row)}:
        table = world.get(FdTable, files)
        if table is not None:
            found.update(slot.file for slot in table.slots.values())
    return found


def _numproc(world: World, row: "Context") -> int:
    return len(ves.tasks(world, row))


def _numfile(world: World, row: "Context") -> int:
    return len(_files(world, row))


def _tcp(world: World, row: "Context") -> int:
    return sum(map(_is_tcp, world.rows_by(IN_CONTEXT, row.id)))


def _is_tcp(socket: Socket) -> bool:
    return socket.family in (AF_INET, AF_INET6) and socket.type == SOCK_STREAM


def _othersock(world: World, row: "Context") -> int:
    return world.many(IN_CONTEXT, row.id) - _tcp(world, row)


def _flock(world: World, row: "Context") -> int:
    mine = {task.id for task in ves.tasks(world, row)}
    return sum(lock.pid in mine for locks in world.all(Locks) for lock in locks.held)


def _pty(world: World, row: "Context") -> int:
    opened = (world.get(File, number) for number in _files(world, row))
    return sum(file is not None and _is_master(file) for file in opened)


def _is_master(file: File) -> bool:
    key = file.object
    return file.kind == "pty" and isinstance(key, tuple) and "master" in key


def _physical(world: World, row: "Context") -> int:
    return -(-memory_held(_alive(world, row)) // PAGE)


def _private(world: World, row: "Context") -> int:
    alive = _alive(world, row)
    mapped = sum(task.mapped for task in alive)
    return len(alive) * PRIVATE_PAGES + mapped // PAGE


def _locked(world: World, row: "Context") -> int:
    return mapping.locked(world, (task.id for task in _alive(world, row))) // PAGE


def _shared(world: World, row: "Context") -> int:
    init = ves.init_of(world, row)
    if init is None:
        return 0
    return sum(-(-one.size // PAGE) for one in world.all(Segment) if one.id[0] == init.ns.ipc)


def _kernel(world: World, row: "Context") -> int:
    return (
        _numproc(world, row) * KMEM_TASK
        + _numfile(world, row) * KMEM_FILE
        + world.many(IN_CONTEXT, row.id) * KMEM_SOCKET
    )


def _dentries(world: World, row: "Context") -> int:
    return _numfile(world, row) * DENTRY


def _queued(wanted: Callable[[Socket], bool]) -> "Callable[[World, Context], int]":
    def count(world: World, row: "Context") -> int:
        sockets = world.rows_by(IN_CONTEXT, row.id)
        return sum(len(one.data) for socket in sockets if wanted(socket) for one in socket.queue)

    return count


def _is_other(socket: Socket) -> bool:
    return socket.family not in (AF_INET, AF_INET6)


def _is_datagram(socket: Socket) -> bool:
    return socket.family in (AF_INET, AF_INET6) and socket.type != SOCK_STREAM


_COUNTS: "Mapping[str, Callable[[World, Context], int]]" = {
    "kmemsize": _kernel,
    "lockedpages": _locked,
    "privvmpages": _private,
    "shmpages": _shared,
    "numproc": _numproc,
    "physpages": _physical,
    "oomguarpages": _physical,
    "numtcpsock": _tcp,
    "numflock": _flock,
    "numpty": _pty,
    "tcprcvbuf": _queued(_is_tcp),
    "othersockbuf": _queued(_is_other),
    "dgramrcvbuf": _queued(_is_datagram),
    "numothersock": _othersock,
    "dcachesize": _dentries,
    "numfile": _numfile,
}
"""What has no entry is never held here: locked pages, signals in flight, packet filter rules."""
