"""Device files: from a number to what answers. A number that no driver answers for is ENXIO.

A device node is only a number with a mode; whose device it is does not depend on which sandbox's
directory holds the node. Source: null(4), random(4), mem(4), console(4), tty(4), fs/char_dev.c.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import msgspec

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import (
    O_ACCMODE,
    O_NONBLOCK,
    O_RDONLY,
    O_WRONLY,
    RNDADDTOENTCNT,
    RNDCLEARPOOL,
    RNDGETENTCNT,
    RNDZAPENTCNT,
    S_IFBLK,
    S_IFCHR,
    S_IFMT,
    TCGETS,
    TIOCGWINSZ,
    TIOCSTI,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, KERNEL, Domain
from simulator.machine.abi.privilege import Privilege
from simulator.machine.abi.zeros import zeros
from simulator.machine.kernel import log, sysctl
from simulator.machine.kernel.trap import NotModelled, Sleep
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Counter, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

ENTROPY_BITS = 256
"""What a pool that was once filled always holds, since Linux 5.18."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What answers for a device number. ``domain`` is whose device it is.

    ``read`` and ``write`` begin at the description's offset, which the caller moves on. ``open``
    may refuse, or give another description (a terminal multiplexer's).
    """

    name: str
    maps: bool = False
    """Whether mmap(2) of it is one of zeros."""
    read: "Callable[[Trap, fds.File, int], bytes]"
    write: "Callable[[Trap, fds.File, bytes], int]"
    open: "Callable[[Trap, fds.File, Inode], fds.File] | None" = None
    ioctl: "Callable[[Trap, fds.File, int, Value], Result | int] | None" = None
    release: Callable[[Store, fds.File], None] | None = None
    positioned: bool = False
    """Whether reading moves on and lseek(2) moves at all; elsewhere the position stays 0."""
    splices: str = "rw"
    """How sendfile(2) takes it: ``r`` where it has a splice_read(), ``w`` a splice_write()."""
    domain: Domain = KERNEL


_DRIVERS: dict[tuple[int, int], Driver] = {}


def device_number(major: int, minor: int) -> int:
    """``dev_t`` as makedev(3) packs it."""
    return (major & 0xFFF) << 8 | minor & 0xFF | (minor & ~0xFF) << 12


def register(kind: int, major: int, minor: int, driver: Driver) -> None:
    """Answer for a device (S_IFCHR or S_IFBLK); a number taken twice is a bug."""
    key = (kind, device_number(major, minor))
    if key in _DRIVERS:
        raise ValueError(key)
    _DRIVERS[key] = driver


def driver_of(kind: int, rdev: int) -> Driver | None:
    """Who answers for the number, or None."""
    return _DRIVERS.get((kind, rdev))


def open_device(trap: "Trap", file: fds.File, inode: Inode) -> fds.File:
    """chrdev_open(), blkdev_open(): find the driver and let it open. ENXIO."""
    kind = inode.mode & S_IFMT
    driver = driver_of(kind, inode.rdev)
    if driver is None:
        trap.fail(Errno.ENXIO, N_("No driver answers for this device number."), "open(2)")
    opened = msgspec.structs.replace(
        file, kind="device", object=(kind, inode.rdev), label=driver.name
    )
    if driver.open is not None:
        opened = driver.open(trap, opened, inode)
    if driver.domain not in (KERNEL, trap.task.domain):
        granted = file.at is not None and trap.store.row(Mount, file.at.mount).granted
        access = file.flags & O_ACCMODE
        if access != O_WRONLY:
            trap.touch("device", driver.domain, "read", driver.name, granted)
        if access != O_RDONLY:
            trap.touch("device", driver.domain, "write", driver.name, granted)
    return opened


def is_positioned(file: fds.File) -> bool:
    """Whether the device behind ``file`` has a position."""
    return _driver(file).positioned


def is_mapped(file: fds.File) -> bool:
    """Whether mmap(2) shows what is behind ``file``: a disk, or zeros."""
    kind, _number = cast("tuple[int, int]", file.object)
    driver = _driver(file)
    if driver.name == "/dev/mem":
        raise NotModelled("a mapping of physical memory")
    return kind == S_IFBLK or driver.maps


def _driver(file: fds.File) -> Driver:
    return _DRIVERS[file.object]  # pyright: ignore[reportArgumentType]


def _read(trap: "Trap", file: fds.File, count: int) -> bytes:
    return _driver(file).read(trap, file, count)


def _write(trap: "Trap", file: fds.File, data: bytes) -> int:
    return _driver(file).write(trap, file, data)


def _release(store: Store, file: fds.File) -> None:
    release = _driver(file).release
    if release is not None:
        release(store, file)


def _ioctl(trap: "Trap", file: fds.File, request: int, argument: Value) -> Result | int:
    ioctl = _driver(file).ioctl
    if ioctl is None:
        trap.fail(Errno.ENOTTY, N_("The device has no such request."), "ioctl(2)")
    return ioctl(trap, file, request, argument)


fds.register("device", fds.FileOps(_read, _write, _release, _ioctl))


def _nothing(_trap: "Trap", _file: fds.File, _count: int) -> bytes:
    return b""


def _zeros(_trap: "Trap", _file: fds.File, count: int) -> bytes:
    return zeros(count)


def _swallow(_trap: "Trap", _file: fds.File, data: bytes) -> int:
    return len(data)


def _always_full(trap: "Trap", _file: fds.File, _data: bytes) -> int:
    trap.fail(Errno.ENOSPC, N_("/dev/full is always full."), "full(4)")


def _noise(trap: "Trap", _file: fds.File, count: int) -> bytes:
    """Random enough to look at, and the same in every run of the same steps."""
    number = trap.store.new_id("random")
    return hashlib.shake_128(b"vitrina %d" % number).digest(count)


def _entropy(trap: "Trap", _file: fds.File, request: int, argument: Value) -> Result | int:
    """random_ioctl(): the pool is one for the machine; only CAP_SYS_ADMIN says what is in it."""
    if request == RNDGETENTCNT:
        return Returned(0, ENTROPY_BITS)
    if request not in (RNDADDTOENTCNT, RNDZAPENTCNT, RNDCLEARPOOL):
        trap.fail(Errno.EINVAL, N_("The random pool has no such request."), "random(4)")
    trap.need(Privilege.ENTROPY)
    if request == RNDADDTOENTCNT and argument is None:
        trap.fail(Errno.EFAULT, "", "random(4)")
    trap.authority("kernel", "entropy")
    return 0


def _raw_io(trap: "Trap", file: fds.File, _inode: Inode) -> fds.File:
    """mem(4): opening needs CAP_SYS_RAWIO over the machine, whatever the node's mode."""
    trap.need(Privilege.KERNEL_MEMORY)
    return file


def _no_terminal(trap: "Trap", _file: fds.File, _inode: Inode) -> fds.File:
    trap.fail(Errno.ENXIO, N_("The process has no controlling terminal."), "tty(4)")


def _unmodelled_read(_trap: "Trap", _file: fds.File, _count: int) -> bytes:
    raise NotModelled("what this device gives is not modelled")


def _unmodelled_write(_trap: "Trap", _file: fds.File, _data: bytes) -> int:
    raise NotModelled("what this device takes is not modelled")


def _keyboard(_trap: "Trap", _file: fds.File, _count: int) -> bytes:
    raise Sleep("tty: input", {(Counter, "keyboard")})


def _open_log(trap: "Trap", file: fds.File, _inode: Inode) -> fds.File:
    """devkmsg_open(): reading is for CAP_SYSLOG once kernel.dmesg_restrict is set."""
    if file.flags & O_ACCMODE != O_WRONLY and sysctl.number(
        trap.store, trap.family, "kernel.dmesg_restrict"
    ):
        trap.need(Privilege.KERNEL_LOG)
    return file


def _read_log(trap: "Trap", file: fds.File, count: int) -> bytes:
    """devkmsg_read(): one record at a time, in the format of Documentation/ABI/testing/dev-kmsg."""
    position = 0
    ring = log.of(trap)
    for number, line in enumerate(ring.lines):
        record = f"6,{number},{number},-;{line}\n".encode("utf-8", "surrogateescape")
        if position >= file.offset:
            if len(record) > count:
                trap.fail(Errno.EINVAL, N_("The buffer is too small for the record."), "read(2)")
            trap.touch("kernel-log", ring.domain, "read", "/dev/kmsg")
            return record
        position += len(record)
    if file.flags & O_NONBLOCK:
        trap.fail(Errno.EAGAIN, N_("The log has nothing new."), "read(2)")
    raise Sleep("kmsg: a record", {(log.KernelLog, ring.id)})


def _write_log(trap: "Trap", _file: fds.File, data: bytes) -> int:
    ring = log.of(trap)
    trap.touch("kernel-log", ring.domain, "write", "/dev/kmsg")
    log.append(trap.store, data.decode("utf-8", "surrogateescape").rstrip("\n"), ring.id)
    return len(data)


def terminal_ioctl(trap: "Trap", _file: fds.File, request: int, _argument: Value) -> Result | int:
    """What any terminal answers: its size and settings; TIOCSTI types for whoever sits there."""
    if request == TIOCSTI:
        trap.need(Privilege.TTY_INJECT)
        trap.authority("device", "/dev/console", "write")
    elif request not in (TIOCGWINSZ, TCGETS):
        trap.fail(Errno.ENOTTY, N_("A terminal has no such request."), "ioctl_tty(2)")
    return 0


def _char(major: int, minor: int, driver: Driver) -> None:
    register(S_IFCHR, major, minor, driver)


_char(
    1,
    1,
    Driver(
        name="/dev/mem", read=_zeros, write=_swallow, open=_raw_io, positioned=True, domain=HOST
    ),
)
_char(1, 3, Driver(name="/dev/null", read=_nothing, write=_swallow, splices="w"))
_char(
    1,
    4,
    Driver(
        name="/dev/port", read=_zeros, write=_swallow, open=_raw_io, positioned=True, domain=HOST
    ),
)
_char(1, 5, Driver(name="/dev/zero", read=_zeros, write=_swallow, maps=True))
_char(1, 7, Driver(name="/dev/full", read=_zeros, write=_always_full, splices="r"))
_char(1, 8, Driver(name="/dev/random", read=_noise, write=_swallow, ioctl=_entropy))
_char(1, 9, Driver(name="/dev/urandom", read=_noise, write=_swallow, ioctl=_entropy))
_char(
    1,
    11,
    Driver(
        name="/dev/kmsg",
        read=_read_log,
        write=_write_log,
        open=_open_log,
        positioned=True,
    ),
)
_char(5, 0, Driver(name="/dev/tty", read=_nothing, write=_swallow, open=_no_terminal))
_char(
    5,
    1,
    Driver(name="/dev/console", read=_keyboard, write=_swallow, ioctl=terminal_ioctl, domain=HOST),
)
for _minor, _name in ((229, "fuse"), (237, "loop-control")):
    _char(
        10,
        _minor,
        Driver(name=f"/dev/{_name}", read=_unmodelled_read, write=_unmodelled_write),
    )
