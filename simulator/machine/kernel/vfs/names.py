"""One name in one directory: how long it may be, and what it is there.

Source: fs/namei.c (lookup_one_len, lookup_dcache), path_resolution(7).
"""

from typing import TYPE_CHECKING, NoReturn

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import Dentry

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

NAME_MAX = 255
SURELY_SHORT = NAME_MAX // 4
"""A name of so few characters has at most ``NAME_MAX`` bytes in any encoding."""


def child(trap: "Trap", parent: At, name: str) -> At | None:
    """What ``name`` is in the directory ``parent``, below whatever is mounted on it."""
    if len(name) > SURELY_SHORT:
        check_name(trap, name)
    directory = parent.inode
    if isinstance(directory, int):
        dentry = trap.store.get(Dentry, (directory, name))
        return None if dentry is None else At(parent.mount, dentry.inode)
    inode = inodes.lookup(trap, directory, name)
    return None if inode is None else At(parent.mount, inode)


def check_name(trap: "Trap", name: str) -> None:
    """ENAMETOOLONG for a name of more than 255 bytes."""
    if len(name) > NAME_MAX or len(name.encode("utf-8", "surrogateescape")) > NAME_MAX:
        trap.fail(Errno.ENAMETOOLONG, N_("A name has at most 255 bytes."), "path_resolution(7)")


def missing(trap: "Trap") -> NoReturn:
    """ENOENT."""
    trap.fail(Errno.ENOENT, N_("Nothing has this name here."), "path_resolution(7)")
