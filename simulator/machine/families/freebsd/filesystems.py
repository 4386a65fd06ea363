"""What FreeBSD can mount: lsvfs(1)."""

from collections.abc import Mapping

from simulator.machine.kernel.fs import devfs, procfs_freebsd, tmpfs
from simulator.machine.kernel.fs.registry import FilesystemType

FILESYSTEMS: Mapping[str, FilesystemType] = {
    kind.name: kind for kind in (tmpfs.TMPFS, devfs.DEVFS, procfs_freebsd.PROCFS)
}
