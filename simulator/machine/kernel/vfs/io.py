"""Reading and writing an open description: read(2), write(2), lseek(2), fs/read_write.c."""

from typing import TYPE_CHECKING, NoReturn

import msgspec

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import (
    FIONREAD,
    FS_IOC_GETFLAGS,
    FS_IOC_SETFLAGS,
    O_APPEND,
    RLIM_INFINITY,
    RLIMIT_FSIZE,
    S_IFBLK,
    S_IFDIR,
    S_IFMT,
    S_IFREG,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
    SIGXFSZ,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId
from simulator.machine.abi.zeros import blank
from simulator.machine.kernel import signal
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.fs.registry import operations
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs import attributes, content, namei, ops
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.state.store import Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

MAX_COUNT = 0x7FFFF000
"""MAX_RW_COUNT: no call moves more bytes."""
LARGEST = 64 << 20
"""Bytes that the model is ready to hold at once: a single transfer of more is not modelled."""
MAX_FILE_SIZE = (1 << 63) - 1

_PAGE = 4096
"""A transfer of less is too little to be followed in the page cache."""

SEEKABLE = frozenset(("inode", "device", "mqueue"))
_STANDING = frozenset(("eventfd", "inotify", "epoll", "timerfd", "fanotify", "userfaultfd"))
"""Whose lseek(2) is noop_llseek()."""
POSITIONED = SEEKABLE | {"pidfd"}
"""What pread(2) may be tried on: do_dentry_open() gives FMODE_PREAD, also to a pidfd since 6.9."""


def read(trap: "Trap", file: fds.File, count: int, offset: int | None = None) -> bytes:
    """Up to ``count`` bytes; from ``offset`` without moving the description's own (pread(2))."""
    if offset is not None and file.kind not in POSITIONED:
        _no_position(trap)
    if not fds.readable(file):
        trap.fail(Errno.EBADF, N_("The descriptor is not open for reading."), "read(2)")
    if count < 0 or count >> 63:
        trap.fail(Errno.EINVAL, N_("That is no count."), "read(2)")
    at = file.offset if offset is None else offset
    data = _read(trap, file, min(count, MAX_COUNT), at)
    if offset is None and data and _has_position(file):
        trap.store.put(msgspec.structs.replace(file, offset=at + len(data)))
    return data


def write(trap: "Trap", file: fds.File, data: bytes, length: int, offset: int | None = None) -> int:
    """Write ``data``, then zeros up to ``length``; gives how many bytes were taken."""
    if offset is not None and file.kind not in POSITIONED:
        _no_position(trap)
    if not fds.writable(file):
        trap.fail(Errno.EBADF, N_("The descriptor is not open for writing."), "write(2)")
    length = min(length, MAX_COUNT)
    if file.kind != "inode":
        return _write_other(trap, file, _padded(data, length), offset)
    assert file.at is not None
    inode = inodes.load(trap, file.at.inode)
    at = file.offset if offset is None else offset
    if file.flags & O_APPEND:
        at = inode.size
    if length and inode.mode & S_IFMT == S_IFREG and _is_kept(trap, file.at.inode):
        length = _within_limits(trap, at, length)
        if length <= 0:
            return 0
        if inode.mode & 0o6000 or inode.xattrs:
            attributes.drop_privileges(trap, file.at.inode)
    if file.domain != trap.task.domain:
        namei.touch(trap, file.at, inode, "write")
    data = b"" if length >= _PAGE and blank(data) else data[:length]
    taken = ops.write(trap, file.at.inode, at, data, length) if length else 0
    if trap.store.get(fds.File, file.id) is None:
        return taken  # it cost the writer its life (out of memory), and its descriptors with it
    if taken >= _PAGE:
        _in_memory(trap, file.at.inode, at + taken)
    if offset is None and taken:
        trap.store.put(msgspec.structs.replace(file, offset=at + taken))
    return taken


def seek(trap: "Trap", file: fds.File, offset: int, whence: int) -> int:
    """lseek(2): the new position. ESPIPE, EINVAL, ENXIO, EOVERFLOW."""
    if whence not in (SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE):
        trap.fail(Errno.EINVAL, N_("There is no such way to seek."), "lseek(2)")
    if file.kind in _STANDING:
        return 0
    if file.kind not in SEEKABLE or file.at is None or not _seeks(file.at.inode):
        _no_position(trap)
    inode = inodes.load(trap, file.at.inode)
    if not _has_position(file):
        return 0
    stored = ops.stored(trap, file.at.inode)
    row = stored or inode
    computed = stored is None and inode.mode & S_IFMT == S_IFDIR
    if file.kind == "mqueue" or computed:
        length = 0 if computed else row.size
        return _moved(trap, file, _default_position(trap, file, length, offset, whence))
    if inode.mode & S_IFMT == S_IFDIR and whence not in (SEEK_SET, SEEK_CUR):
        trap.fail(Errno.EINVAL, N_("A directory is only rewound or moved in."), "lseek(2)")
    if whence in (SEEK_DATA, SEEK_HOLE):
        if not 0 <= offset < row.size:
            trap.fail(Errno.ENXIO, N_("The offset lies behind the end."), "lseek(2)")
        found = content.next_data(row, offset) if whence == SEEK_DATA else None
        if whence == SEEK_DATA and found is None:
            trap.fail(Errno.ENXIO, N_("No data follows the offset."), "lseek(2)")
        position = content.next_hole(row, offset) if found is None else found
    else:
        position = offset + {SEEK_SET: 0, SEEK_CUR: file.offset, SEEK_END: row.size}[whence]
    return _moved(trap, file, position)


def _default_position(trap: "Trap", file: fds.File, length: int, offset: int, whence: int) -> int:
    """default_llseek(), generic_file_llseek(): all up to ``length`` is data. ENXIO."""
    if whence in (SEEK_DATA, SEEK_HOLE):
        if offset >= length:
            trap.fail(Errno.ENXIO, N_("The offset lies behind the end."), "lseek(2)")
        return offset if whence == SEEK_DATA else length
    return offset + {SEEK_SET: 0, SEEK_CUR: file.offset, SEEK_END: length}[whence]


def _moved(trap: "Trap", file: fds.File, position: int) -> int:
    if not 0 <= position <= MAX_FILE_SIZE:
        trap.fail(Errno.EINVAL, N_("That is no place in a file."), "lseek(2)")
    trap.store.put(msgspec.structs.replace(file, offset=position))
    return position


def _read(trap: "Trap", file: fds.File, count: int, at: int) -> bytes:
    if file.kind != "inode":
        operations = fds.operations_of(file.kind)
        if operations.read is None:
            trap.fail(Errno.EINVAL, N_("This kind of descriptor can't be read."), "read(2)")
        file = msgspec.structs.replace(file, offset=at)
        if file.kind == "device":
            count = min(count, LARGEST)
        return operations.read(trap, file, count)
    assert file.at is not None
    inode = inodes.load(trap, file.at.inode)
    if inode.mode & S_IFMT == S_IFDIR:
        trap.fail(Errno.EISDIR, N_("A directory is read with getdents64()."), "read(2)")
    namei.touch(trap, file.at, inode, "read")
    if min(count, inode.size - at) > LARGEST:
        raise NotModelled("a single read of more than 64 MiB")
    found = ops.read(trap, file.at.inode, at, count)
    if len(found) >= _PAGE:
        _in_memory(trap, file.at.inode, at + len(found))
    return found


def _in_memory(trap: "Trap", inode: InodeId, end: int) -> None:
    """Pages of a file on a disk stay in memory and count for whoever touched them first."""
    row = ops.stored(trap, inode)
    if row is not None and trap.store.row(Superblock, row.sb).fstype not in ops.IN_MEMORY:
        memory.note_file(trap, row.id, end)


def _write_other(trap: "Trap", file: fds.File, data: bytes, offset: int | None) -> int:
    operations = fds.operations_of(file.kind)
    if operations.write is None:
        trap.fail(Errno.EINVAL, N_("This kind of descriptor can't be written."), "write(2)")
    if file.kind != "device":
        return operations.write(trap, file, data)
    at = file.offset if offset is None else offset
    taken = operations.write(trap, msgspec.structs.replace(file, offset=at), data)
    if offset is None and taken and _is_block(trap, file):
        trap.store.put(msgspec.structs.replace(file, offset=at + taken))
    return taken


def _has_position(file: fds.File) -> bool:
    if file.kind == "device":
        return devices.is_positioned(file)
    return file.kind in SEEKABLE


def _is_block(trap: "Trap", file: fds.File) -> bool:
    return file.at is not None and inodes.load(trap, file.at.inode).mode & S_IFMT == S_IFBLK


def _padded(data: bytes, length: int) -> bytes:
    if length > LARGEST:
        raise NotModelled("a single write of more than 64 MiB")
    return data[:length].ljust(length, b"\0")


def _is_kept(trap: "Trap", inode: InodeId) -> bool:
    """generic_write_checks() is for files that keep what is written, not for the kernel's own."""
    return isinstance(inode, int) or ops.stored(trap, inode) is not None


def _within_limits(trap: "Trap", at: int, length: int) -> int:
    """How much may be written at ``at`` under RLIMIT_FSIZE. EFBIG and SIGXFSZ for nothing."""
    limit = trap.task.rlimits[RLIMIT_FSIZE][0]
    if limit != RLIM_INFINITY and at >= limit:
        if not signal.raise_own(trap, SIGXFSZ):
            trap.deny(
                Errno.EFBIG,
                "rlimit",
                N_("The file would grow beyond RLIMIT_FSIZE."),
                "getrlimit(2)",
            )
        return 0
    if at >= MAX_FILE_SIZE:
        _too_big(trap)
    return min(length, limit - at, MAX_FILE_SIZE - at)


def check_size(trap: "Trap", inode: Inode, size: int) -> bool:
    """inode_newsize_ok(): EFBIG and SIGXFSZ beyond RLIMIT_FSIZE; False when that killed."""
    limit = trap.task.rlimits[RLIMIT_FSIZE][0]
    if limit != RLIM_INFINITY and size > limit and size > inode.size:
        if signal.raise_own(trap, SIGXFSZ):
            return False
        trap.deny(
            Errno.EFBIG,
            "rlimit",
            N_("The file would grow beyond RLIMIT_FSIZE."),
            "getrlimit(2)",
        )
    return True


def _too_big(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EFBIG, N_("No file can be that large."), "write(2)")


def _seeks(inode: InodeId) -> bool:
    return isinstance(inode, int) or operations(inode).seeks


def _no_position(trap: "Trap") -> NoReturn:
    trap.fail(Errno.ESPIPE, N_("A stream has no position."), "lseek(2)")


def _release(store: Store, file: fds.File) -> None:
    if file.at is not None and isinstance(file.at.inode, int):
        ops.forget(store, file.at.inode)


def _read_inode(trap: "Trap", file: fds.File, count: int) -> bytes:
    return read(trap, file, count)


def _write_inode(trap: "Trap", file: fds.File, data: bytes) -> int:
    return write(trap, file, data, len(data))


def _ioctl(trap: "Trap", file: fds.File, request: int, argument: Value) -> Result | int:
    """ioctl_iflags(2), FIONREAD, and what a computed file knows by itself. ENOTTY."""
    assert file.at is not None
    if isinstance(file.at.inode, tuple):
        own = operations(file.at.inode).ioctl
        if own is not None:
            return own(trap, file, request, argument)
    inode = inodes.load(trap, file.at.inode)
    if request in (FS_IOC_GETFLAGS, FS_IOC_SETFLAGS) and inode.mode & S_IFMT in (S_IFREG, S_IFDIR):
        if request == FS_IOC_GETFLAGS:
            return Returned(0, inode.flags)
        attributes.change_flags(trap, file.at, argument if isinstance(argument, int) else 0)
        return 0
    if request != FIONREAD or inode.mode & S_IFMT != S_IFREG:
        trap.fail(Errno.ENOTTY, N_("A file has no such request."), "ioctl(2)")
    return Returned(0, inode.size - file.offset)


fds.register("inode", fds.FileOps(_read_inode, _write_inode, _release, _ioctl))
