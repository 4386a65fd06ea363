"""/proc/filesystems: what a current Linux can mount."""

from collections.abc import Mapping

from simulator.machine.kernel.fs import (
    cgroupfs,
    devnodes,
    disk,
    lxcfs,
    overlay,
    procfs,
    single,
    sysfs,
    tmpfs,
    tun,
)
from simulator.machine.kernel.fs.registry import FilesystemType

tun.register()

FILESYSTEMS: Mapping[str, FilesystemType] = {
    kind.name: kind
    for kind in (
        tmpfs.TMPFS,
        tmpfs.RAMFS,
        devnodes.DEVTMPFS,
        devnodes.DEVPTS,
        overlay.OVERLAY,
        procfs.PROC,
        sysfs.SYSFS,
        cgroupfs.CGROUP,
        cgroupfs.CGROUP2,
        lxcfs.LXCFS,
        *single.SMALL,
        *disk.DISKS,
    )
}
