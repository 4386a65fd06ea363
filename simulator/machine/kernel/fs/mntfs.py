"""mntfs: /etc/mnttab, the mounts of the reader's zone, with the paths that it knows them by.

Source: uts/common/fs/mntfs/mntvnops.c ("only those mounts ... within the zone's root are
visible"), mnttab(4).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulator.machine.abi.constants import MS_NODEV, MS_NOSUID, MS_RDONLY, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, MountId, SuperblockId, VirtualId
from simulator.machine.kernel import zone
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.registry import FilesystemType, register_virtual
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.vfs import dpath
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

TAG = "mntfs"


def table(trap: "Trap") -> str:
    """special, mount point, type, options, time: separated by tabs."""
    row = zone.of(trap)
    top: At = row.root if row.root is not None else trap.store.row(Task, 1).root
    lines: list[str] = []
    for mounted in sorted(trap.store.all(Mount), key=lambda one: one.id):
        at = At(MountId(mounted.id), mounted.root)
        if mounted.ns is None or mounted.parent is None:
            continue
        if mounted.id == top.mount:
            place = "/"
        elif dpath.is_reachable(trap, at, top):
            place = dpath.path_of(trap, at, top)
        else:
            continue
        trap.touch("mount", mounted.domain if row.root is None else KERNEL, "name", place)
        sb = trap.store.row(Superblock, mounted.sb)
        words = "ro" if mounted.flags & MS_RDONLY else "rw"
        words += ",nodevices" if mounted.flags & MS_NODEV else ",devices"
        words += ",nosetuid" if mounted.flags & MS_NOSUID else ",setuid"
        shared = mounted.root != sb.root and place != "/"
        fstype = "lofs" if shared else sb.fstype
        special = place if row.root is not None and place == "/" else mounted.source
        lines.append(f"{special}\t{place}\t{fstype}\t{words},dev={sb.device:x}\t0\n")
    return "".join(lines)


class _Mnttab:
    """The only inode is ("mntfs", superblock)."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        sb = SuperblockId(trap.store.row(Superblock, inode[1]).id)
        return Inode(id=inode, sb=sb, mode=S_IFREG | 0o444, parent=inode, domain=KERNEL)

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> VirtualId | None:
        del trap, directory, name
        return None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        del trap, directory
        return ()

    def follow(self, trap: "Trap", inode: VirtualId) -> str:
        del trap, inode
        return ""

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        del inode
        return table(trap).encode("utf-8", "surrogateescape")

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del inode, data
        trap.fail(Errno.EBADF, N_("The file is only read."), "mnttab(4)")

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        del trap, inode, flags


register_virtual(TAG, _Mnttab())


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    options.none_known(trap, text)
    return stored.computed_superblock(trap, TAG, source, TAG)


MNTFS = FilesystemType(TAG, _make)
