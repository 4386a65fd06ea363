"""aufs: layers put together years before Linux had an overlay of its own; Ubuntu's kernels had it.

The files answer as an overlay's do; what differs in the model is how it is asked for. Source:
aufs(5), ``br:/upper=rw:/lower=ro``.
"""

from typing import TYPE_CHECKING

from simulator.machine.abi.ids import SuperblockId
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.overlay.layers import TAG, Node
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.vfs import path
from simulator.machine.kernel.vfs.inode import Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def _branches(trap: "Trap", text: str) -> tuple[str, list[str]]:
    """The writable branch and those below it. EINVAL for anything that is not modelled."""
    word, _colon, rest = text.partition(":")
    upper, *lowers = rest.split(":")
    plain = upper.endswith("=rw") and all(one.endswith("=ro") for one in lowers)
    if word != "br" or not lowers or not plain:
        options.refuse(trap)
    return upper.removesuffix("=rw"), [one.removesuffix("=ro") for one in lowers]


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    upper, lowers = _branches(trap, text)
    top = path.walk(trap, upper).inode
    if not isinstance(top, int):
        options.refuse(trap)
    below = tuple(path.walk(trap, one).inode for one in lowers)
    number = SuperblockId(trap.store.new_id(Superblock))
    return stored.put_superblock(
        trap.store,
        Superblock(
            id=number,
            fstype="aufs",
            source=source,
            root=Node(TAG, number, top, below, None, ""),
            options=text,
            owner=trap.task.cred.user_ns,
            domain=trap.task.domain,
        ),
    )


def _check(trap: "Trap", text: str) -> None:
    _branches(trap, text)


AUFS = FilesystemType("aufs", _make, check=_check)
