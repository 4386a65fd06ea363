"""What of an open file mmap(2) can show, and for whom. do_mmap(), ``f_op->mmap``, mm/memfd.c."""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_WRITE,
    FS_APPEND_FL,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_TYPE,
    MS_NOEXEC,
    PROT_EXEC,
    PROT_WRITE,
    S_IFMT,
    S_IFREG,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.fs.registry import operations
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import ops
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_LEGACY_FLAGS = 0x7F9F3
"""LEGACY_MAP_MASK: what MAP_SHARED_VALIDATE takes besides."""
_NO_PROGRAMS = frozenset(("proc", "sysfs", "cgroup", "cgroup2", "nsfs", "mqueue"))
"""SB_I_NOEXEC: filesystems of the kernel's own objects."""
_OTHERS = frozenset(("perf", "io_uring", "secretmem", "pty"))


def need_type(trap: "Trap", file: fds.File, protection: int, flags: int) -> None:
    """What MAP_SHARED and MAP_PRIVATE ask of the way the file was opened. EINVAL EACCES."""
    kind = flags & MAP_TYPE
    shares = kind in (MAP_SHARED, MAP_SHARED_VALIDATE)
    if kind == MAP_SHARED_VALIDATE and trap.family.release < (4, 15):
        shares = False
    if not shares and kind != MAP_PRIVATE:
        trap.fail(Errno.EINVAL, N_("A mapping is either shared or private."), "mmap(2)")
    if kind == MAP_SHARED_VALIDATE and flags & ~_LEGACY_FLAGS:
        trap.fail(Errno.EOPNOTSUPP, N_("The file has no such kind of mapping."), "mmap(2)")
    writable = fds.writable(file)
    appends = writable and _appends(trap, file)
    if shares and (appends or (protection & PROT_WRITE and not writable)):
        trap.fail(Errno.EACCES, N_("The descriptor is not open for that."), "mmap(2)")
    if not fds.readable(file):
        trap.fail(Errno.EACCES, N_("The descriptor is not open for that."), "mmap(2)")
    if protection & PROT_EXEC and not may_execute(trap, file):
        trap.deny(Errno.EPERM, "noexec-mount", N_("Nothing on this mount is executed."), "mmap(2)")


def _appends(trap: "Trap", file: fds.File) -> bool:
    return file.at is not None and bool(inodes.load(trap, file.at.inode).flags & FS_APPEND_FL)


def may_execute(trap: "Trap", file: fds.File) -> bool:
    """path_noexec()."""
    if file.at is None:
        return False
    mount = trap.store.row(Mount, file.at.mount)
    return not (
        mount.flags & MS_NOEXEC or trap.store.row(Superblock, mount.sb).fstype in _NO_PROGRAMS
    )


def need_method(trap: "Trap", file: fds.File, protection: int) -> None:
    """The file's own mmap(). ENODEV where there is none, EIO EPERM EINVAL."""
    errno = _refusal(trap, file, protection)
    if errno is not None:
        trap.fail(errno, N_("A file of this kind is not mapped."), "mmap(2)")


def _refusal(trap: "Trap", file: fds.File, protection: int) -> Errno | None:
    if file.kind in _OTHERS:
        raise NotModelled("a mapping of a description of this kind")
    if file.kind == "device":
        return None if devices.is_mapped(file) else Errno.ENODEV
    if file.kind == "socket":
        return _of_socket(trap.store.row(Socket, file.object), protection)
    if file.at is None or file.kind != "inode":
        return Errno.ENODEV
    inode = file.at.inode
    if inodes.load(trap, inode).mode & S_IFMT != S_IFREG:
        return Errno.ENODEV
    if isinstance(inode, int) or ops.stored(trap, inode) is not None:
        return None
    return operations(inode).unmapped(inode)


def _of_socket(socket: Socket, protection: int) -> Errno | None:
    """tcp_mmap() shows what was received, to be read; sock_no_mmap()."""
    if socket.family not in (AF_INET, AF_INET6) or socket.type != SOCK_STREAM:
        return Errno.ENODEV
    return Errno.EPERM if protection & (PROT_WRITE | PROT_EXEC) else None


def need_unsealed(trap: "Trap", file: fds.File, protection: int) -> bool:
    """memfd_check_seals_mmap(): EPERM to write what is sealed; whether it may ever be written."""
    if file.at is None or not isinstance(file.at.inode, int):
        return True
    if not inodes.load(trap, file.at.inode).seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE):
        return True
    if protection & PROT_WRITE:
        trap.deny(Errno.EPERM, "seal", N_("A seal forbids to write to the file."), "fcntl(2)")
    return False
