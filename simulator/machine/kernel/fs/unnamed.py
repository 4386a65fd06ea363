"""pipefs and sockfs: pipes and sockets have an inode each, which no path leads to.

It has an owner, whoever made it, and permission bits, which fchmod(2) changes and hardly anything
asks for: a descriptor is the right to use it. /proc/PID/fd/N leads to a pipe's; opening that is
opening the pipe again. Source: fs/pipe.c get_pipe_inode(), net/socket.c sock_alloc().
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.machine.abi.ids import KERNEL, InodeId, VirtualId
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.fs.flat import Flat
from simulator.machine.kernel.fs.registry import FileOperations, Mutations, register_virtual
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.pipe import Pipe

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_ROWS: dict[str, type[Pipe] | type[Socket]] = {"pipe": Pipe, "socket": Socket}
_KEPT = ("mode", "uid", "gid")
"""What the row holds; times are nobody's."""


def place(inode: VirtualId) -> At:
    """Where the pipe or socket of this inode (``fd.unnamed``) is found."""
    return At(nsfs.MOUNT, inode)


def name(inode: InodeId) -> str:
    """``pipe:[7]``."""
    assert isinstance(inode, tuple)
    return f"{inode[0]}:[{inode[1]}]"


def _row(trap: "Trap", inode: VirtualId) -> Pipe | Socket:
    return trap.store.row(_ROWS[str(inode[0])], inode[1])


def _set_attributes(trap: "Trap", inode: VirtualId, changes: Mapping[str, Any]) -> None:
    kept = {name: changes[name] for name in _KEPT if name in changes}
    trap.store.put(msgspec.structs.replace(_row(trap, inode), **kept))


class _Unnamed(Flat):
    """A filesystem whose files have no names."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        row = _row(trap, inode)
        return Inode(
            id=inode,
            sb=nsfs.SUPERBLOCK,
            mode=row.mode,
            uid=row.uid,
            gid=row.gid,
            domain=KERNEL,
        )

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        del trap
        raise AssertionError(inode)

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del trap, data
        raise AssertionError(inode)


for tag in _ROWS:
    register_virtual(
        tag,
        _Unnamed(),
        Mutations(set_attributes=_set_attributes),
        operations=FileOperations(seeks=False, synced=frozenset()),
    )
