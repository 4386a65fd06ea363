"""What a layer changes of those below it: new files, copies, whiteouts, as overlayfs has them."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from simulator.classroom.tui.present.engine.disk import Disk, size
from simulator.machine.abi.constants import S_IFCHR, S_IFDIR, S_IFMT
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.vfs.inode import Inode

MOST = 200
"""Files that are named at most: a layer of an image may have thousands."""
_OPAQUE = "trusted.overlay.opaque"


class Change(msgspec.Struct, frozen=True):
    """``mark``: + new, ⇡ a copy of what is below, ✗ a whiteout, ▪ opaque, · on the way."""

    mark: str
    path: str
    said: str = ""

    @property
    def text(self) -> str:
        """As one line."""
        return f"{self.mark} {self.path}  {self.said}".rstrip()


def changes(
    disk: Disk, upper: str, lower: Sequence[str], most: int = MOST
) -> tuple[list[Change], int]:
    """What the directory ``upper`` changes of the directories ``lower``, topmost first; how many
    files more than ``most`` there are.
    """
    found = disk.below(upper)
    named = [_change(disk, lower, path, inode) for path, inode in islice(found, most)]
    return named, sum(1 for _more in found)


def _change(disk: Disk, lower: Sequence[str], path: str, inode: Inode) -> Change:
    if inode.mode & S_IFMT == S_IFCHR and inode.rdev == 0:
        return Change("✗", path, _("whiteout: covers the file below"))
    below = next((number for number, one in enumerate(lower, 1) if disk.find(one + path)), 0)
    directory = inode.mode & S_IFMT == S_IFDIR
    if not below:
        new = _("new") if directory else _("new, {size}").format(size=size(inode.size))
        return Change("+", path, new)
    if directory and (inode.xattrs or {}).get(_OPAQUE) == b"y":
        return Change("▪", path, _("opaque: nothing below is seen"))
    if directory:
        return Change("·", path)
    said = _("copied up from {layer}, {size}").format(layer=below, size=size(inode.size))
    return Change("⇡", path, said)
