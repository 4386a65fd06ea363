"""The filesystem types a kernel knows, and the seam to files that are computed.

A type whose files are stored as rows needs only ``make`` (tmpfs). One whose files are computed
registers a ``Virtual`` too, under the tag that begins its inodes' ids.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from simulator.machine.abi.ids import InodeId, VirtualId

if TYPE_CHECKING:
    from simulator.machine.kernel.task import At
    from simulator.machine.kernel.trap import Trap
    from simulator.machine.kernel.vfs.inode import Inode, Superblock


class Virtual(Protocol):
    """How a filesystem answers for inodes that it computes; ids begin with its tag."""

    def load(self, trap: "Trap", inode: VirtualId) -> "Inode":
        """The inode as it is now."""
        ...

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        """What ``name`` is in ``directory``; None when nothing."""
        ...

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        """The names in ``directory``."""
        ...

    def follow(self, trap: "Trap", inode: VirtualId) -> "At | str":
        """Where a symlink leads: a path to walk, or, for a magic link, the place itself."""
        ...

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        """The whole content of a regular file."""
        ...

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        """Take what write(2) brings; returns the bytes taken."""
        ...

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """Refuse an open(2) that the mode bits would allow (ptrace rules, sysctl owners)."""
        ...


@dataclass(frozen=True, slots=True)
class FilesystemType:
    """One line of /proc/filesystems.

    ``make`` builds the superblock that mount(2) asked for (source, options) or raises ``Denied``.
    ``userns_mount`` is FS_USERNS_MOUNT: a non-initial user namespace's root may mount it.
    """

    name: str
    make: Callable[["Trap", str, str], "Superblock"]
    userns_mount: bool = False
    needs_device: bool = False


_VIRTUAL: dict[str, Virtual] = {}


def register_virtual(tag: str, ops: Virtual) -> None:
    """Answer for inodes whose id begins with ``tag``; a tag taken twice is a bug."""
    if tag in _VIRTUAL:
        raise ValueError(tag)
    _VIRTUAL[tag] = ops


def virtual(inode: VirtualId) -> Virtual:
    """Who answers for ``inode``."""
    return _VIRTUAL[inode[0]]  # pyright: ignore[reportArgumentType]
