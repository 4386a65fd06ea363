"""Filesystems on block devices: whoever may mount the machine's disk sees all that is on it.

A device holds one filesystem. Mounted again, it is the same superblock, so a sandbox that can make
the node of the host's disk and mount it reads and writes the host's files.

Source: fs/super.c (get_tree_bdev), block/bdev.c (lookup_bdev, bd_prepare_to_claim).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from simulator.machine.abi.constants import MS_NODEV, S_IFBLK, S_IFMT
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs import devices, options
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_MINORS_PER_DISK = 16
_FOUND_UNOPENED = (6, 6)
"""Before, mount(2) opened the device and only then looked whether it is mounted already: the
control group's device rules were asked (get_sb_bdev(), open_bdev_exclusive())."""
_KNOWN = frozenset(
    (
        "acl", "noacl", "user_xattr", "nouser_xattr", "errors", "data", "barrier", "nobarrier",
        "discard", "nodiscard", "noload", "norecovery", "commit", "journal_checksum", "delalloc",
        "nodelalloc", "quota", "noquota", "usrquota", "grpquota", "stripe", "inode32", "inode64",
        "subvol", "compress", "space_cache", "ssd", "uid", "gid", "umask", "iocharset",
    )
)  # fmt: skip


def _check(trap: "Trap", text: str) -> None:
    if any(key not in _KNOWN for key, _ in options.split(text)):
        options.refuse(trap)


def device_at(trap: "Trap", source: str) -> int:
    """The number of the block device that ``source`` names.

    Errors: ENOENT; ENOTBLK for another file; EACCES where the mount allows no devices.
    """
    at = path.walk(trap, source)
    inode = inodes.load(trap, at.inode)
    if inode.mode & S_IFMT != S_IFBLK:
        trap.fail(Errno.ENOTBLK, N_("The source is no block device."), "mount(2)")
    if trap.store.row(Mount, at.mount).flags & MS_NODEV or _is_foreign(trap, inode.sb):
        trap.deny(
            Errno.EACCES,
            "nodev",
            N_("The device node lies on a mount where device nodes do not count (nodev)."),
            "mount(2)",
        )
    return inode.rdev


def _is_foreign(trap: "Trap", sb: int) -> bool:
    """SB_I_NODEV: a filesystem mounted in a user namespace has no working device nodes."""
    owner = trap.store.row(Superblock, sb).owner
    return owner != 1


def _make(fstype: str) -> "Callable[[Trap, str, str], Superblock]":
    def make(trap: "Trap", source: str, text: str) -> Superblock:
        del text
        number = device_at(trap, source)
        mounted = [sb for sb in trap.store.all(Superblock) if sb.device == number]
        same = next((sb for sb in mounted if sb.fstype == fstype), None)
        if trap.family.release < _FOUND_UNOPENED:
            trap.ask("may_open_device", S_IFBLK, number, "rw")
        if same is None:
            _refuse_new(trap, number, bool(mounted))
        trap.touch("device", same.domain, "read", same.source)
        return same

    return make


def _refuse_new(trap: "Trap", number: int, is_mounted: bool) -> NoReturn:
    """Nothing on this device is of the type that was asked for."""
    trap.ask("may_open_device", S_IFBLK, number, "rw")
    if devices.driver_of(S_IFBLK, number) is None and not is_mounted:
        trap.fail(Errno.ENXIO, N_("No driver answers for this device number."), "mount(2)")
    if is_mounted or _has_mounted_partition(trap, number):
        trap.fail(
            Errno.EBUSY,
            N_("The device, or a part of it, is mounted as another filesystem."),
            "mount(2)",
        )
    trap.fail(Errno.EINVAL, N_("The device holds no filesystem of this type."), "mount(2)")


def _has_mounted_partition(trap: "Trap", number: int) -> bool:
    return any(
        sb.device >> 8 == number >> 8
        and sb.device // _MINORS_PER_DISK == number // _MINORS_PER_DISK
        for sb in trap.store.all(Superblock)
    )


DISKS = tuple(
    FilesystemType(name, _make(name), needs_device=True, check=_check)
    for name in ("ext4", "ext3", "ext2", "xfs", "btrfs", "squashfs", "vfat", "iso9660")
)
