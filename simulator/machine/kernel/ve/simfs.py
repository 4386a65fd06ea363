"""simfs: a directory of the host shown as a filesystem of its own, so that it can have a quota.

The files are the host's, inode for inode; only the superblock is new. Source: fs/simfs.c.
"""

from typing import TYPE_CHECKING

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import SuperblockId
from simulator.machine.kernel.fs import stored
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.inode import Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    """sim_get_sb(): the tree below ``source``. ENOENT, ENOTDIR."""
    del text
    at = paths.walk(trap, source)
    inode = inodes.load(trap, at.inode)
    if not inodes.is_dir(inode):
        trap.fail(Errno.ENOTDIR, N_("simfs shows a directory."), "fs/simfs.c")
    store = trap.store
    return stored.put_superblock(
        store,
        Superblock(
            id=SuperblockId(store.new_id(Superblock)),
            fstype="simfs",
            source=source,
            root=at.inode,
            owner=store.row(Superblock, inode.sb).owner,
            data={"beneath": inode.sb},
            domain=inode.domain,
        ),
    )


SIMFS = FilesystemType("simfs", _make)
