"""Files that several guests share by hard links, and the copy that a writer gets.

A unified file is immutable, with the flag that lets its names go (``setattr --iunlink``). Opened
for writing while it has other names, it is copied under this one first; alone, it loses both flags.
Source: fs/namei.c may_open(), cow_break_link() of Linux-VServer (CONFIG_VSERVER_COWBL).
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    FS_IMMUTABLE_FL,
    FS_IXUNLINK_FL,
    O_ACCMODE,
    O_RDONLY,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import permission, tree
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.path import Found

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

UNIFIED = FS_IMMUTABLE_FL | FS_IXUNLINK_FL


def own_copy(trap: "Trap", found: Found, at: At, flags: int) -> At:
    """The file that an open(2) for writing of ``at`` really gets."""
    if flags & O_ACCMODE == O_RDONLY or not trap.family.traits.copies_unified_files:
        return at
    row = inodes.load(trap, at.inode)
    if row.flags & UNIFIED != UNIFIED or not isinstance(at.inode, int):
        return at
    if row.mode & S_IFMT != S_IFREG or row.nlink < 2 or not isinstance(found.parent.inode, int):
        trap.store.put(msgspec.structs.replace(row, flags=row.flags & ~UNIFIED))
        return at
    return At(at.mount, _copied(trap, found.parent.inode, found.name, row))


def _copied(trap: "Trap", directory: int, name: str, row: Inode) -> int:
    above = inodes.load(trap, directory)
    permission.need(trap, above, permission.WRITE | permission.EXEC)
    tree.unlink(trap.store, directory, name)
    made = tree.make(
        trap.store,
        directory,
        name,
        row.mode,
        uid=row.uid,
        gid=row.gid,
        content=row.content,
        domain=trap.task.domain,
    )
    own = msgspec.structs.replace(made, extents=row.extents, xattrs=row.xattrs, size=row.size)
    trap.store.put(own)
    return own.id
