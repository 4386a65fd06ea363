"""What SunOS can mount: vfssw[]. lofs is a call's own business (``syscalls/sunos_mount.py``)."""

from collections.abc import Mapping

from simulator.machine.kernel.fs import devfs_sunos, mntfs, procfs_sunos, single, tmpfs
from simulator.machine.kernel.fs.registry import FilesystemType

_MODULES = {f"{name}/object": b"\x7fELF\n" for name in ("genunix", "ip", "zfs", "sockfs", "tmpfs")}

CTFS = single.machine_wide("ctfs", 0o555, {"all/": b"", "process/": b"", "device/": b""})
"""Contracts: ctfs(7FS). Which contracts a zone sees is not modelled."""
OBJFS = single.machine_wide("objfs", 0o555, _MODULES)
"""The kernel's modules as files, for debuggers: objfs(7FS). Every zone sees the same ones."""

FILESYSTEMS: Mapping[str, FilesystemType] = {
    kind.name: kind
    for kind in (tmpfs.TMPFS, devfs_sunos.DEV, procfs_sunos.PROC, mntfs.MNTFS, CTFS, OBJFS)
}
