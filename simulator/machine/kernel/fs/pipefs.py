"""pipefs: what makes an anonymous pipe a place that /proc/PID/fd/N can lead to. fs/pipe.c.

No path leads here but such a magic link; opening one is opening the pipe again.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulator.machine.abi.constants import S_IFIFO
from simulator.machine.abi.ids import KERNEL, InodeId, VirtualId
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.fs.registry import register_virtual
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs.inode import Inode

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def place(number: int) -> At:
    """Where pipe ``number`` is found."""
    return At(nsfs.MOUNT, ("pipe", number))


def name(inode: InodeId) -> str:
    """``pipe:[7]``."""
    assert isinstance(inode, tuple)
    return f"pipe:[{inode[1]}]"


class _Pipefs:
    """A filesystem of FIFOs without names; each belongs to whoever may reach it."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        cred = trap.task.cred
        return Inode(
            id=inode,
            sb=nsfs.SUPERBLOCK,
            mode=S_IFIFO | 0o600,
            uid=cred.fsuid,
            gid=cred.fsgid,
            domain=KERNEL,
        )

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        del trap, directory, name
        return None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        del trap, directory
        return ()

    def follow(self, trap: "Trap", inode: VirtualId) -> At | str:
        del trap
        raise AssertionError(inode)

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        del trap
        raise AssertionError(inode)

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del trap, data
        raise AssertionError(inode)

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        del trap, inode, flags


register_virtual("pipe", _Pipefs())
