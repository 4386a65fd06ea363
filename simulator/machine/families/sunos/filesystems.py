"""What SunOS can mount: vfssw[]. lofs is a call's own business (``syscalls/sunos_mount.py``)."""

from collections.abc import Mapping

from simulator.machine.kernel.fs import devfs_sunos, mntfs, procfs_sunos, single, stored, tmpfs
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.inode import Superblock

_MODULES = {f"{name}/object": b"\x7fELF\n" for name in ("genunix", "ip", "zfs", "sockfs", "tmpfs")}


def _contracts(trap: Trap, source: str, text: str) -> Superblock:
    """A zone sees the contracts of its own processes; the model has none."""
    del text
    return stored.new_superblock(trap, "ctfs", source, mode=0o555)


CTFS = FilesystemType("ctfs", _contracts)
"""Contracts: ctfs(7FS)."""
OBJFS = single.machine_wide("objfs", 0o555, _MODULES)
"""The kernel's modules as files, for debuggers: objfs(7FS). Every zone sees the same ones."""

FILESYSTEMS: Mapping[str, FilesystemType] = {
    kind.name: kind
    for kind in (tmpfs.TMPFS, devfs_sunos.DEV, procfs_sunos.PROC, mntfs.MNTFS, CTFS, OBJFS)
}
