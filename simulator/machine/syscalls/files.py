"""Opening, reading, writing and closing files: open(2), read(2), write(2), lseek(2)."""

from typing import Any

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import (
    AT_FDCWD,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_PATH,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs import devices, disk_image, pty
from simulator.machine.kernel.fs.registry import operations
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import io, ops
from simulator.machine.kernel.vfs.open import open_file
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux, posix

DRIVERS = (disk_image, pty)
"""Drivers that enter themselves when imported."""

_KNOWN_OPEN_FLAGS = 0o37777703
"""VALID_OPEN_FLAGS."""
_RESOLVE_ALL = 0x3F
_OPEN_HOW_SIZE = 24
_PATH_ONLY = 0o12600000
"""O_PATH, O_DIRECTORY, O_NOFOLLOW and O_CLOEXEC."""


@posix("open")
def open_(trap: Trap, path: str, flags: int, mode: int = 0) -> int:
    """open(2): a descriptor for ``path``."""
    return open_file(trap, AT_FDCWD, path, flags, mode)


@posix("openat")
def openat(trap: Trap, dirfd: int, path: str, flags: int, mode: int = 0) -> int:
    """openat(2): like open(2), from a directory's descriptor."""
    return open_file(trap, dirfd, path, flags, mode)


@posix("creat")
def creat(trap: Trap, path: str, mode: int = 0) -> int:
    """creat(2): open(2) with O_CREAT|O_WRONLY|O_TRUNC."""
    return open_file(trap, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode)


@linux("openat2", since=(5, 6))
def openat2(trap: Trap, dirfd: int, path: str, how: Any, size: int = _OPEN_HOW_SIZE) -> int:
    """openat2(2): ``how`` is (flags, mode, resolve); unknown bits are refused."""
    if size < _OPEN_HOW_SIZE:
        trap.fail(Errno.EINVAL, N_("The structure is too small."), "openat2(2)")
    if not isinstance(how, (tuple, list)):
        raise NotModelled("open_how is written as (flags, mode, resolve)")
    flags, mode, resolve = ([*decode.numbers(how, "open_how"), 0, 0, 0])[:3]
    if (
        flags & ~_KNOWN_OPEN_FLAGS
        or mode & ~0o7777
        or (mode and not flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
        or resolve & ~_RESOLVE_ALL
        or resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) == RESOLVE_BENEATH | RESOLVE_IN_ROOT
        or (flags & O_PATH and flags & ~_PATH_ONLY)
    ):
        trap.fail(Errno.EINVAL, N_("openat2() refuses bits that mean nothing."), "openat2(2)")
    return open_file(trap, dirfd, path, flags, mode, resolve)


@posix("close")
def close(trap: Trap, fd: int) -> int:
    """close(2): the descriptor, and the description with its last one."""
    fds.close(trap, fd)
    return 0


@linux("close_range", since=(5, 9))
def close_range(trap: Trap, first: int, last: int, flags: int = 0) -> int:
    """close_range(2): every descriptor from ``first`` to ``last``; CLOSE_RANGE_CLOEXEC marks."""
    if flags & ~6 or first > last:
        trap.fail(Errno.EINVAL, N_("That is no range."), "close_range(2)")
    if flags & 2:
        raise NotModelled("CLOSE_RANGE_UNSHARE")
    fds.close_range(trap, first, last, mark=bool(flags & 4))
    return 0


@posix("read")
def read(trap: Trap, fd: int, count: int) -> Returned:
    """read(2): the bytes are the data."""
    data = io.read(trap, fds.get(trap, fd), count)
    return Returned(len(data), data if count else None)


@posix("pread64", "pread")
def pread64(trap: Trap, fd: int, count: int, offset: int = 0) -> Returned:
    """pread(2): at ``offset``, without moving."""
    if offset < 0:
        trap.fail(Errno.EINVAL, N_("That is no place in a file."), "pread(2)")
    data = io.read(trap, fds.get(trap, fd), count, offset)
    return Returned(len(data), data if count else None)


@posix("write")
def write(trap: Trap, fd: int, data: Any, count: int | None = None) -> int:
    """write(2): a larger count pads the data with zeros, a smaller one cuts."""
    file = fds.get(trap, fd)
    return io.write(trap, file, *_given(trap, data, count))


@posix("pwrite64", "pwrite")
def pwrite64(trap: Trap, fd: int, data: Any, count: int | None = None, offset: int = 0) -> int:
    """pwrite(2): at ``offset``, without moving."""
    if offset < 0:
        trap.fail(Errno.EINVAL, N_("That is no place in a file."), "pwrite(2)")
    file = fds.get(trap, fd)
    return io.write(trap, file, *_given(trap, data, count), offset)


def _given(trap: Trap, data: Any, count: int | None) -> tuple[bytes, int]:
    """The bytes to write and how many of them, as C would see buffer and count."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    if not isinstance(data, bytes):
        if count:
            trap.fail(Errno.EFAULT, N_("The buffer is no memory of the process."), "write(2)")
        return b"", 0
    length = len(data) if count is None else count
    if length < 0 or length >> 63:
        trap.fail(Errno.EINVAL, N_("That is no count."), "write(2)")
    return data[:length], length


@posix("lseek")
def lseek(trap: Trap, fd: int, offset: int, whence: int) -> int:
    """lseek(2): where the next read or write begins."""
    return io.seek(trap, fds.get(trap, fd), offset, whence)


@posix("fsync", "fdatasync")
def fsync(trap: Trap, fd: int) -> int:
    """fsync(2): everything written is always on the disk here. EINVAL for what can't be synced."""
    file = fds.get(trap, fd)
    if file.at is None or not fds.operations_of(file.kind).syncs or not _syncs(trap, file.at):
        trap.fail(Errno.EINVAL, N_("This kind of descriptor has nothing to sync."), "fsync(2)")
    return 0


def _syncs(trap: Trap, at: At) -> bool:
    """Whether fsync(2) has somebody to turn to (vfs_fsync_range())."""
    if not trap.family.traits.syncs_by_operation:
        return True
    kind = inodes.load(trap, at.inode).mode & S_IFMT
    if isinstance(at.inode, tuple) and kind in (S_IFREG, S_IFDIR):
        return kind in operations(at.inode).synced
    return kind != S_IFCHR


@linux("syncfs", since=(2, 6, 39))
def syncfs(trap: Trap, fd: int) -> int:
    """syncfs(2): likewise; every descriptor is of some file system. EBADF."""
    fds.get(trap, fd)
    return 0


@posix("sync")
def sync(trap: Trap) -> int:
    """sync(2): nothing is ever only in memory here."""
    del trap
    return 0


@linux("fallocate", since=(2, 6, 23))
def fallocate(trap: Trap, fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(2): allocate (0), allocate keeping the size (1), or punch a hole (3)."""
    file = fds.get(trap, fd)
    if offset < 0 or length <= 0:
        trap.fail(Errno.EINVAL, N_("That is no range."), "fallocate(2)")
    if mode & ~0x7F or (mode & 2 and not mode & 1):
        trap.fail(Errno.EOPNOTSUPP, N_("There is no such mode."), "fallocate(2)")
    if not fds.writable(file):
        trap.fail(Errno.EBADF, N_("The descriptor is not open for writing."), "fallocate(2)")
    refusal = fds.operations_of(file.kind).allocate
    if refusal is not None:
        trap.fail(refusal, N_("Its filesystem allocates nothing."), "fallocate(2)")
    if file.at is None:
        errno = Errno.EOPNOTSUPP if file.kind == "pidfd" else Errno.ENODEV
        trap.fail(errno, N_("Only a regular file has room to allocate."), "fallocate(2)")
    inode = inodes.load(trap, file.at.inode)
    kind = inode.mode & S_IFMT
    if kind != S_IFREG:
        errno = {S_IFDIR: Errno.EISDIR, S_IFIFO: Errno.ESPIPE}.get(kind, Errno.ENODEV)
        trap.fail(errno, N_("Only a regular file has room to allocate."), "fallocate(2)")
    if mode == 3:
        ops.punch(trap, file.at.inode, offset, length)
        return 0
    if mode not in (0, 1):
        raise NotModelled("collapsing, zeroing and inserting ranges")
    if mode == 0 and not io.check_size(trap, inode, offset + length):
        return 0
    ops.allocate(trap, file.at.inode, offset, length, keep_size=mode == 1)
    return 0


@linux("sendfile", since=(2, 2))
def sendfile(trap: Trap, out: int, source: int, offset: int = 0, count: int = 0) -> int:
    """sendfile(2) with a null offset: bytes from one descriptor to another.

    A program leaves the offset out: ``sendfile(out, in, count)``.
    """
    count = count or offset
    file = fds.get(trap, source)
    if not fds.readable(file):
        trap.fail(Errno.EBADF, N_("The descriptor is not open for reading."), "sendfile(2)")
    if count < 0 or count >> 63:
        trap.fail(Errno.EINVAL, N_("That is no count."), "sendfile(2)")
    target = fds.get(trap, out)
    if not fds.writable(target):
        trap.fail(Errno.EBADF, N_("The descriptor is not open for writing."), "sendfile(2)")
    if target.kind != "pipe":
        _need_splice(trap, file, target)
    if not count:
        return 0
    unread = file.kind == "pipe" or _is_directory(trap, file) or not _splices(trap, file, "r")
    data = b"" if unread else io.read(trap, file, min(count, 65536))
    unwritten = target.kind in _NO_SPLICE or not _splices(trap, target, "w")
    if unread or (data and unwritten):
        trap.fail(Errno.EINVAL, N_("This kind of file is not spliced."), "sendfile(2)")
    return io.write(trap, target, data, len(data)) if data else 0


_NO_SPLICE = frozenset({"eventfd", "pidfd", "mount", "fscontext"})


@linux("copy_file_range", since=(4, 5))
def copy_file_range(trap: Trap, source: int, out: int, count: int, flags: int = 0) -> int:
    """copy_file_range(2) with null offsets: EBADF EINVAL EISDIR EXDEV.

    Source: vfs_copy_file_range(), generic_file_rw_checks().
    """
    file, target = fds.get(trap, source), fds.get(trap, out)
    if flags:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "copy_file_range(2)")
    if _is_directory(trap, file) or _is_directory(trap, target):
        trap.fail(Errno.EISDIR, N_("This is a directory."), "copy_file_range(2)")
    if not _is_regular(trap, file) or not _is_regular(trap, target):
        trap.fail(Errno.EINVAL, N_("Only files are copied."), "copy_file_range(2)")
    if not fds.readable(file) or not fds.writable(target) or target.flags & O_APPEND:
        trap.fail(Errno.EBADF, N_("Not open for what a copy needs."), "copy_file_range(2)")
    across = (5, 3) <= trap.family.release < (5, 19)
    if not across and _filesystem(trap, file) != _filesystem(trap, target):
        trap.fail(Errno.EXDEV, N_("The files are on different filesystems."), "copy_file_range(2)")
    count = min(count, max(_size(trap, file) - file.offset, 0))
    if count and file.at == target.at and abs(file.offset - target.offset) < count:
        trap.fail(Errno.EINVAL, N_("The ranges overlap."), "copy_file_range(2)")
    data = io.read(trap, file, min(count, 65536)) if count else b""
    return io.write(trap, target, data, len(data)) if data else 0


def _filesystem(trap: Trap, file: fds.File) -> int | None:
    return None if file.at is None else inodes.load(trap, file.at.inode).sb


def _size(trap: Trap, file: fds.File) -> int:
    return inodes.load(trap, file.at.inode).size if file.at is not None else 0


def _is_regular(trap: Trap, file: fds.File) -> bool:
    return file.at is not None and inodes.load(trap, file.at.inode).mode & S_IFMT == S_IFREG


def _is_directory(trap: Trap, file: fds.File) -> bool:
    return file.at is not None and inodes.is_dir(inodes.load(trap, file.at.inode))


def _splices(trap: Trap, file: fds.File, way: str) -> bool:
    """Whether a device's driver has the splice of this direction; others have both."""
    if file.kind != "device" or file.at is None:
        return True
    inode = inodes.load(trap, file.at.inode)
    driver = devices.driver_of(inode.mode & S_IFMT, inode.rdev)
    return driver is None or way in driver.splices


def _need_splice(trap: Trap, file: fds.File, target: fds.File) -> None:
    """do_splice_direct(): EINVAL to append, and from what has no position (a pipe, a socket)."""
    if target.flags & O_APPEND:
        trap.fail(Errno.EINVAL, N_("Appending is not for splices."), "sendfile(2)")
    if file.kind not in io.SEEKABLE:
        trap.fail(Errno.EINVAL, N_("The source has no position."), "sendfile(2)")
