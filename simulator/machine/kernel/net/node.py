"""The file that binding a UNIX socket to a path makes."""

from simulator.machine.abi.constants import AT_FDCWD
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId
from simulator.machine.kernel.trap import Denied, Trap
from simulator.machine.kernel.vfs import namei


def make(trap: Trap, path: str, mode: int) -> InodeId:
    """A new socket file. EADDRINUSE when the name is taken, else as mknod(2)."""
    try:
        last = namei.new_name(trap, AT_FDCWD, path)
    except Denied as refusal:
        if refusal.denial.errno is Errno.EEXIST:
            trap.fail(Errno.EADDRINUSE, N_("A file has this name already."), "bind(2)")
        raise
    directory = namei.may_create(trap, last.parent)
    return namei.make(trap, last.parent, directory, last.name, mode & ~trap.task.umask).inode
