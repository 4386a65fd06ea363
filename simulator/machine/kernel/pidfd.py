"""Descriptors that stand for a process: pidfd_open(2)."""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import O_NONBLOCK, O_RDWR
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.vfs import fd

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap
    from simulator.machine.kernel.vfs.fd import File
    from simulator.machine.state.store import Store

KIND = "pidfd"


def install(trap: "Trap", pid: Pid, *, nonblock: bool = False) -> int:
    """A new descriptor, closed on exec, for task ``pid``. EMFILE."""
    flags = O_RDWR | (O_NONBLOCK if nonblock else 0)
    file = fd.File(
        id=fd.new_file_id(trap), kind=KIND, flags=flags, object=pid, domain=trap.task.domain
    )
    return fd.install(trap, file, cloexec=True)


def target(trap: "Trap", number: int) -> Pid:
    """The process behind descriptor ``number``. EBADF when it is no pidfd."""
    file = fd.get(trap, number)
    if file.kind != KIND:
        trap.fail(Errno.EBADF, N_("The descriptor is no pidfd."), "pidfd_open(2)")
    return file.object  # pyright: ignore[reportReturnType]


def _read(trap: "Trap", _file: "File", _count: int) -> bytes:
    trap.fail(Errno.EINVAL, N_("A pidfd can't be read or written."), "pidfd_open(2)")


def _write(trap: "Trap", _file: "File", _data: bytes) -> int:
    trap.fail(Errno.EINVAL, N_("A pidfd can't be read or written."), "pidfd_open(2)")


def _release(_store: "Store", _file: "File") -> None:
    return


# pidfs_init_inode(): S_IRWXU, and getattr shows no type
fd.register(KIND, fd.FileOps(read=_read, write=_write, release=_release, mode=0o700))
