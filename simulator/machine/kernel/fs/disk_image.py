"""A disk as raw bytes: what a filesystem on it keeps, for whoever reads past the filesystem.

The image is made up when looked at: the superblock's magic number where ext4 has it, then every
file's content at a block of its own, in the order of the inodes. Writing lands in the file that
owns the block. No permission of any file is asked: that is the lesson. Source: blk(4), ext4(5).
"""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import BLKGETSIZE64, O_ACCMODE, O_RDONLY, O_WRONLY, S_IFBLK
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.inode import BY_SUPERBLOCK, DISK_SIZE, Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

BLOCK = 1024
FIRST_DATA = 4096
_MAGIC_AT = 1024 + 56
_MAGIC = b"\x53\xef"
SD_MAJOR = 8


class _Region(NamedTuple):
    start: int
    inode: Inode


def filesystem_on(trap: "Trap", rdev: int) -> Superblock | None:
    """The filesystem that a partition holds; the whole disk is taken for its first one."""
    wanted = rdev if rdev & 0xF else rdev | 1
    for sb in trap.store.all(Superblock):
        if sb.device == wanted:
            return sb
    return None


def _layout(trap: "Trap", sb: Superblock) -> list[_Region]:
    regions: list[_Region] = []
    position = FIRST_DATA
    for inode in sorted(trap.store.rows_by(BY_SUPERBLOCK, sb.id), key=lambda row: row.id):
        if inode.content:
            regions.append(_Region(position, inode))
            position += -(-len(inode.content) // BLOCK) * BLOCK
    return regions


def _sb(trap: "Trap", file: fds.File) -> Superblock:
    _, rdev = file.object  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
    sb = filesystem_on(trap, rdev)  # pyright: ignore[reportUnknownArgumentType]
    if sb is None:
        trap.fail(Errno.ENXIO, N_("There is no medium."), "open(2)")
    return sb


def _size(sb: Superblock) -> int:
    return sb.capacity or DISK_SIZE


def _open(trap: "Trap", file: fds.File, inode: Inode) -> fds.File:
    """blkdev_open(): there must be a disk; it belongs to whoever owns its filesystem."""
    del inode
    sb = _sb(trap, file)
    granted = file.at is not None and trap.store.row(Mount, file.at.mount).granted
    access = file.flags & O_ACCMODE
    if access != O_WRONLY:
        trap.touch("device", sb.domain, "read", file.label, granted)
    if access != O_RDONLY:
        trap.touch("device", sb.domain, "write", file.label, granted)
    return file


def _read(trap: "Trap", file: fds.File, count: int) -> bytes:
    sb = _sb(trap, file)
    start, end = file.offset, min(file.offset + count, _size(sb))
    if start >= end:
        return b""
    out = bytearray(end - start)
    _paste(out, start, 0, _boot_block(sb))
    _paste(out, start, _MAGIC_AT, _MAGIC)
    for region in _layout(trap, sb):
        if region.start >= end:
            break
        _paste(out, start, region.start, region.inode.content)
    return bytes(out)


def _boot_block(sb: Superblock) -> bytes:
    """The first block, which ext4 leaves to whoever boots from the disk."""
    kept = (sb.data or {}).get("boot", b"")
    return kept if isinstance(kept, bytes) else b""


def _write_boot_block(trap: "Trap", sb: Superblock, offset: int, data: bytes) -> None:
    if offset >= BLOCK:
        return
    block = bytearray(_boot_block(sb).ljust(min(BLOCK, offset + len(data)), b"\0"))
    _paste(block, 0, offset, data)
    trap.store.put(msgspec.structs.replace(sb, data={**(sb.data or {}), "boot": bytes(block)}))


def _paste(out: bytearray, base: int, at: int, data: bytes) -> None:
    """Lay ``data``, which begins at ``at``, over a buffer that begins at ``base``."""
    first, last = max(at, base), min(at + len(data), base + len(out))
    if first < last:
        out[first - base : last - base] = data[first - at : last - at]


def _write(trap: "Trap", file: fds.File, data: bytes) -> int:
    sb = _sb(trap, file)
    if file.offset >= _size(sb):
        trap.fail(Errno.ENOSPC, N_("The disk ends there."), "write(2)")
    _write_boot_block(trap, sb, file.offset, data)
    for region in _layout(trap, sb):
        buffer = bytearray(region.inode.content)
        _paste(buffer, region.start, file.offset, data)
        content = bytes(buffer)
        if content != region.inode.content:
            trap.store.put(msgspec.structs.replace(region.inode, content=content))
    return len(data)


def _ioctl(trap: "Trap", file: fds.File, request: int, argument: Value) -> Result | int:
    del argument
    if request != BLKGETSIZE64:
        trap.fail(Errno.ENOTTY, N_("A disk has no such request."), "ioctl(2)")
    return Returned(0, _size(_sb(trap, file)))


for _minor, _name in ((0, "/dev/sda"), (1, "/dev/sda1")):
    devices.register(
        S_IFBLK,
        SD_MAJOR,
        _minor,
        devices.Driver(
            name=_name, read=_read, write=_write, open=_open, ioctl=_ioctl, positioned=True
        ),
    )
