"""Descriptors: dup(2), fcntl(2), flock(2), ioctl(2), pipe(2), eventfd(2), memfd_create(2)."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import (
    EFD_CLOEXEC,
    EFD_NONBLOCK,
    EFD_SEMAPHORE,
    F_ADD_SEALS,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLK,
    F_GETOWN,
    F_GETPIPE_SZ,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_SETFD,
    F_SETFL,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_SETPIPE_SZ,
    FD_CLOEXEC,
    FIONREAD,
    FS_APPEND_FL,
    MFD_ALLOW_SEALING,
    MFD_CLOEXEC,
    O_APPEND,
    O_CLOEXEC,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_WRONLY,
    RLIMIT_NOFILE,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import pids
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import anonymous, locking, permission, pipe
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.syscalls.registry import linux, posix

_SETTABLE = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME
_FIONBIO, _FIOCLEX, _FIONCLEX = 0x5421, 0x5451, 0x5450
_MFD_KNOWN = MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x4 | 0x8 | 0x10
_PATH_COMMANDS = (F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL)
_MEMFD_NAME_MAX = 249


@posix("dup")
def dup(trap: Trap, fd: int) -> int:
    """dup(2): the lowest free descriptor for the same description."""
    return _duplicate(trap, fd, 0, False)


@posix("dup2")
def dup2(trap: Trap, old: int, new: int) -> int:
    """dup2(2): the same number twice is only a check."""
    if old == new:
        fds.slot_of(trap, old)
        return new
    return _replace(trap, old, new, False)


@posix("dup3")
def dup3(trap: Trap, old: int, new: int, flags: int = 0) -> int:
    """dup3(2)."""
    if flags & ~O_CLOEXEC or old == new:
        trap.fail(Errno.EINVAL, N_("The descriptors are equal, or the flag is unknown."), "dup(2)")
    return _replace(trap, old, new, bool(flags & O_CLOEXEC))


def _duplicate(trap: Trap, fd: int, lowest: int, cloexec: bool) -> int:
    slot = fds.slot_of(trap, fd)
    new = fds.lowest_free(trap, lowest)
    charge(trap, "descriptor", new)
    fds.put_slot(trap, new, fds.Slot(slot.file, cloexec))
    return new


def _replace(trap: Trap, old: int, new: int, cloexec: bool) -> int:
    slot = fds.slot_of(trap, old)
    if not 0 <= new < trap.task.rlimits[RLIMIT_NOFILE][0]:
        trap.fail(Errno.EBADF, N_("The new descriptor is beyond RLIMIT_NOFILE."), "dup(2)")
    charge(trap, "descriptor", new)
    if new in trap.store.row(fds.FdTable, trap.task.files).slots:
        fds.close(trap, new)
    fds.put_slot(trap, new, fds.Slot(slot.file, cloexec))
    return new


@posix("fcntl")
def fcntl(trap: Trap, fd: int, command: int, argument: Any = 0) -> Result | int:
    """fcntl(2): record locks are (type, whence, start, length); F_GETLK adds the pid."""
    file = fds.get_any(trap, fd)
    if file.flags & O_PATH and command not in _PATH_COMMANDS:
        trap.fail(Errno.EBADF, N_("The descriptor was opened with O_PATH."), "fcntl(2)")
    number = argument if isinstance(argument, int) else 0
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        if not 0 <= number < trap.task.rlimits[RLIMIT_NOFILE][0]:
            trap.fail(Errno.EINVAL, N_("The number is beyond RLIMIT_NOFILE."), "fcntl(2)")
        return _duplicate(trap, fd, number, command == F_DUPFD_CLOEXEC)
    if command == F_GETFD:
        return FD_CLOEXEC if fds.slot_of(trap, fd).cloexec else 0
    if command == F_SETFD:
        slot = fds.slot_of(trap, fd)
        fds.put_slot(trap, fd, fds.Slot(slot.file, bool(number & FD_CLOEXEC)))
        return 0
    if command == F_GETFL:
        return file.flags
    if command == F_SETFL:
        return _set_flags(trap, file, number)
    if command in (F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW):
        return locking.record(trap, file, command, argument)
    return _special(trap, file, command, number)


def _need_owner(trap: Trap, number: int) -> None:
    """f_setown(): a process, or, as a negative number, a group. EINVAL, ESRCH."""
    if number == -(1 << 31):
        trap.fail(Errno.EINVAL, "", "fcntl(2)")
    if number and pids.taken(trap.store, trap.task.ns.pid, abs(number)) is None:
        trap.fail(Errno.ESRCH, N_("There is no such process."), "fcntl(2)")


def _set_flags(trap: Trap, file: fds.File, flags: int) -> int:
    """setfl(): only O_APPEND, O_NONBLOCK, O_DIRECT and O_NOATIME change."""
    if file.at is not None:
        inode = inodes.load(trap, file.at.inode)
        if inode.flags & FS_APPEND_FL and file.flags & O_APPEND and not flags & O_APPEND:
            trap.deny(
                Errno.EPERM,
                "immutable",
                N_("The file may only be appended to."),
                "ioctl_iflags(2)",
            )
        if (
            flags & O_NOATIME
            and not file.flags & O_NOATIME
            and not permission.owner_or_capable(trap, inode)
        ):
            trap.deny(
                Errno.EPERM, "file-owner", N_("O_NOATIME is for the file's owner."), "open(2)"
            )
    kept = file.flags & ~_SETTABLE | flags & _SETTABLE
    trap.store.put(msgspec.structs.replace(file, flags=kept))
    return 0


def _special(trap: Trap, file: fds.File, command: int, number: int) -> int:
    if command in (F_SETPIPE_SZ, F_GETPIPE_SZ):
        if file.kind != "pipe":
            trap.fail(Errno.EBADF, N_("It is no pipe."), "fcntl(2)")
        if command == F_GETPIPE_SZ:
            return pipe.capacity(trap, file)
        return pipe.resize(trap, file, number, trap.has(Privilege.RESOURCE_RAISE))
    if command in (F_ADD_SEALS, F_GET_SEALS):
        return anonymous.seals(trap, file, number if command == F_ADD_SEALS else None)
    if command == F_SETOWN:
        _need_owner(trap, number)
        trap.store.put(msgspec.structs.replace(file, owner=number))
        return 0
    if command != F_GETOWN:
        trap.fail(Errno.EINVAL, N_("There is no such command."), "fcntl(2)")
    if trap.family.traits.errors_are_negative and file.owner < 0:
        _need_no_error(trap, file.owner)
    return file.owner


def _need_no_error(trap: Trap, owner: int) -> None:
    """fcntl(2), BUGS: a small process group, which is negative, is taken for an error."""
    for name, number in trap.family.errno_numbers.items():
        if number == -owner:
            trap.fail(Errno(name), N_("The process group reads as an error."), "fcntl(2)")


@posix("flock")
def flock(trap: Trap, fd: int, operation: int) -> int:
    """flock(2): a lock of the whole file, held by the description. EINVAL comes before EBADF."""
    kind = locking.kind_of(trap, operation)
    return locking.whole(trap, fds.get(trap, fd), kind, operation)


@posix("ioctl")
def ioctl(trap: Trap, fd: int, request: int, argument: Any = None) -> Result | int:
    """ioctl(2): what every descriptor knows here, the rest by its kind. ENOTTY."""
    file = fds.get(trap, fd)
    if request in (_FIOCLEX, _FIONCLEX):
        slot = fds.slot_of(trap, fd)
        fds.put_slot(trap, fd, fds.Slot(slot.file, request == _FIOCLEX))
        return 0
    if request == _FIONBIO:
        flags = file.flags | O_NONBLOCK if argument else file.flags & ~O_NONBLOCK
        trap.store.put(msgspec.structs.replace(file, flags=flags))
        return 0
    operations = fds.operations_of(file.kind)
    if operations.ioctl is None:
        trap.fail(Errno.ENOTTY, N_("This kind of descriptor has no such request."), "ioctl(2)")
    result = operations.ioctl(trap, file, request, argument)
    if request == FIONREAD and argument == 0:
        trap.fail(Errno.EFAULT, N_("The number goes to where the pointer leads."), "ioctl(2)")
    return result


@posix("pipe")
def pipe_(trap: Trap) -> Returned:
    """pipe(2): the data are the descriptors, reading end first."""
    return pipe2(trap, 0)


@posix("pipe2")
def pipe2(trap: Trap, flags: int = 0) -> Returned:
    """pipe2(2): O_CLOEXEC, O_NONBLOCK, O_DIRECT."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "pipe(2)")
    row = pipe.make(trap)
    ends: list[int] = []
    for access in (O_RDONLY, O_WRONLY):
        file = fds.File(
            id=fds.new_file_id(trap),
            kind="pipe",
            flags=access | flags & ~O_CLOEXEC,
            object=row.id,
            label=f"pipe:[{row.id}]",
            domain=trap.task.domain,
        )
        ends.append(fds.install(trap, file, cloexec=bool(flags & O_CLOEXEC)))
    return Returned(0, tuple(ends))


@linux("eventfd")
def eventfd(trap: Trap, initial: int) -> int:
    """eventfd(2), the call without flags."""
    return eventfd2(trap, initial, 0)


@linux("eventfd2", since=(2, 6, 27))
def eventfd2(trap: Trap, initial: int, flags: int = 0) -> int:
    """eventfd(2)."""
    if flags & ~(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "eventfd(2)")
    return anonymous.eventfd(trap, initial & 0xFFFFFFFF, flags)


@linux("memfd_create", since=(3, 17))
def memfd_create(trap: Trap, name: str, flags: int = 0) -> int:
    """memfd_create(2): a file in memory without a name anywhere."""
    if flags & ~_MFD_KNOWN:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "memfd_create(2)")
    if len(name) > _MEMFD_NAME_MAX:
        trap.fail(Errno.EINVAL, N_("The name is too long."), "memfd_create(2)")
    return anonymous.memfd(trap, name, flags)
