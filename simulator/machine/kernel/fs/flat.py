"""What filesystems have in common whose files no directory names: nsfs, pipefs, sockfs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulator.machine.abi.ids import InodeId, VirtualId
from simulator.machine.kernel.task import At

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


class Flat:
    """Half of a ``registry.Virtual``: no directories, no links, nothing asked before opening."""

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        """No name is found."""
        del trap, directory, name
        return None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        """No name is listed."""
        del trap, directory
        return ()

    def follow(self, trap: "Trap", inode: VirtualId) -> At | str:
        """Nothing is a link."""
        del trap
        raise AssertionError(inode)

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """Whoever reached it may open it."""
        del trap, inode, flags
