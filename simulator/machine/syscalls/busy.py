"""What a program does between its system calls: compute, and wait for a disk.

These are no calls of any kernel, so they begin with ``@`` and neither the probe language nor the
shell knows them; filters never see them. The programs of the model say them where a real one would
be busy. ``sched.py`` says how long it takes.
"""

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import S_IFBLK, S_IFMT
from simulator.machine.abi.errno import Errno
from simulator.machine.kernel.exit import at_exit
from simulator.machine.kernel.resource import booking
from simulator.machine.kernel.resource.demand import PER_MILLE, Demand, spent
from simulator.machine.kernel.task import Caught, Task, TaskState
from simulator.machine.kernel.trap import Sleep, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.state.store import Store
from simulator.machine.syscalls.registry import posix

DISK_MAJORS = frozenset((3, 8, 22, 65, 179, 202, 252, 253, 254, 259))
"""IDE, SCSI, MMC, Xen, virtio, device mapper, NVMe: majors behind which something turns."""

STACKED = frozenset(("overlay", "aufs", "unionfs", "nullfs", "lofs", "simfs"))
"""Filesystems whose files lie in another one: on the machine's disk."""


@posix("@caught")
def caught(trap: Trap) -> Returned:
    """Which signals' handlers (SIG_TOLD) have run since the last time, oldest first."""
    held = trap.store.get(Caught, trap.task.id)
    if held is None:
        return Returned(0, ())
    trap.store.drop(Caught, trap.task.id)
    return Returned(0, held.signals)


@at_exit
def _forget_caught(store: Store, task: Task) -> None:
    if store.get(Caught, task.id) is not None:
        store.drop(Caught, task.id)


@posix("@burn")
def burn(trap: Trap, nanoseconds: int | None = None, system: int = 0) -> int:
    """Compute for so long (None: without end); ``system`` thousandths of it in the kernel."""
    if nanoseconds is not None and nanoseconds <= 0:
        return 0
    had = spent(trap.store, trap.task.id)
    goal = None if nanoseconds is None else had.user + had.system + nanoseconds
    _serve(
        trap,
        Demand(id=trap.task.id, goal=goal, system=min(system, PER_MILLE)),
        "cpu",
        TaskState.RUNNING,
    )
    return 0


@posix("@transfer")
def transfer(trap: Trap, fd: int, size: int, block: int, write: int) -> int:
    """Wait until ``size`` bytes in requests of ``block`` have gone between ``fd`` and its disk.

    A descriptor with no disk behind it takes no time. EBADF, EINVAL.
    """
    if size < 0 or block <= 0:
        trap.fail(Errno.EINVAL)
    device = device_of(trap, fd)
    if device is None or size == 0:
        return 0
    had = spent(trap.store, trap.task.id)
    wanted = Demand(id=trap.task.id, device=device, block=block, write=bool(write))
    length = -(-size // block) * booking.cost(trap.store, wanted)
    # What an earlier kind of request left unfinished is not carried over to this one.
    wanted = Demand(
        id=trap.task.id,
        device=device,
        block=block,
        write=bool(write),
        goal=had.served + length,
    )
    _serve(trap, wanted, "disk", TaskState.DISK)
    return 0


def device_of(trap: Trap, fd: int) -> int | None:
    """The disk behind descriptor ``fd``, or None. EBADF."""
    file = fds.get(trap, fd)
    if file.at is None:
        return None
    inode = inodes.load(trap, file.at.inode)
    if inode.mode & S_IFMT == S_IFBLK:
        number = inode.rdev
    elif file.kind == "inode":
        filesystem = trap.store.row(Superblock, inode.sb)
        number = filesystem.device
        if filesystem.fstype in STACKED:
            number = next((sb.device for sb in trap.store.all(Superblock) if _is_disk(sb)), 0)
    else:
        return None
    return number & ~0xF if number >> 8 in DISK_MAJORS else None


def _is_disk(filesystem: Superblock) -> bool:
    return filesystem.device >> 8 in DISK_MAJORS


def _serve(trap: Trap, wanted: Demand, on: str, state: TaskState) -> None:
    """Sleep until served; the second time round, look whether that is so."""
    standing = trap.store.get(Demand, trap.task.id)
    if standing is not None and standing.done:
        trap.store.drop(Demand, trap.task.id)
        return
    raise Sleep(
        on,
        {(Demand, trap.task.id), (Task, trap.task.id)},
        leaving=standing or wanted,
        state=state,
    )
