"""What an opened file is to the machine: a setting, a device, a disk, a channel of ours.

Whoever asks about a descriptor gets an answer about the object itself, whatever name it was opened
by: a file of procfs that is bound on another name is still that file.
"""

import contextlib
import ctypes
import os
import re
import socket
import stat
import struct
from collections.abc import Generator
from pathlib import Path

import msgspec

from simulator.experiment.real import disk
from simulator.experiment.real.finding import PROC, find, magic
from simulator.experiment.real.link import CHANNELS
from simulator.experiment.real.standing import capable, shares
from simulator.machine.abi.call import Value
from simulator.machine.abi.i18n import N_

MACHINE_FILES = {
    PROC,
    0x62656572,
    0x64626720,
    0x74726163,
    0x73636673,
    0x6165676C,
    0xDE5E81E4,
    0x42494E4D,
    0x62656570,
    0x6C6F6F70,
}
"""proc, sysfs, debugfs, tracefs, securityfs, pstore, efivarfs, binfmt_misc, configfs, binderfs
(linux/magic.h)."""

CGROUP_FILES = {0x27E0EB, 0x63677270}
"""cgroup v1 and v2; a scratch machine sees only its own group of each."""

PRIVATE_SYSCTLS = (
    "net/",
    "kernel/hostname",
    "kernel/domainname",
    "kernel/shm",
    "kernel/msg",
    "kernel/sem",
    "kernel/ns_last_pid",
    "fs/mqueue/",
)

_MEMORY_DEVICES = (1, 2, 4, 11)
"""mem, kmem, port, kmsg."""

_CONSOLE = os.makedev(5, 1)
_TIOCSTI = 0x5412
_PLAIN_ENTROPY = (0x40045201, 0x40085203, 0x5204, 0x5206, 0x5207)
"""What changes the pool of random numbers, and asks for CAP_SYS_ADMIN first: random(4)."""
_QUESTIONS = {0x1260, 0x1268, 0x80041270, 0x80081272, 0x301, 0x5401, 0x5413}
"""ioctl(2) requests that only ask: sizes of a disk, its geometry, how a terminal is set."""
_HARMLESS = {(1, 3), (1, 5), (1, 7), (5, 0), (5, 2), (10, 200), (10, 229)}
"""null, zero, full, tty, ptmx, tun, fuse; each opening of the last four is the opener's own."""
_WHOLE_FILE_SYSTEM = {0xC0045877, 0xC0045878, 0xC0185879, 0x8004587D}
"""ioctl(2) on any file that stops, thaws, trims or shuts down all of its file system."""
_NEXT_MOUNT_NAMESPACES = {(0xB7, 11), (0xB7, 12)}
"""NS_MNT_GET_NEXT and NS_MNT_GET_PREV: every mount namespace of the machine, one by one."""

_CAP_SYS_ADMIN = 21
_ROOT_INODE = 1
"""PROC_ROOT_INO is 1 in every instance."""
_PIDFD_GETFD = 438
_ENGINES = ("dockerd", "containerd", "docker-init", "docker-proxy", "lxc", "systemd")


class Opened(msgspec.Struct, frozen=True):
    """A descriptor of a process, held open by us: it stays this object while we look."""

    pid: int
    held: int
    path: str
    mode: int
    device: int
    """The number of the device that it is."""

    place: int
    """The number of the file system on which it lies."""

    inode: int
    flags: int
    number: int = -1
    """As its process numbers it."""

    @property
    def magic(self) -> int:
        """Its file system's kind: statfs(2)."""
        return magic(self.held)

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing: otherwise write(2) answers EBADF."""
        return self.flags & os.O_ACCMODE != os.O_RDONLY and not self.flags & os.O_PATH


@contextlib.contextmanager
def named(
    pid: int, path: Value, directory: int | None = None, *, follow: bool = True
) -> Generator[Opened | None]:
    """Hold what a path of a process leads to, as ``find``; ``None``: nothing."""
    with _held(find(pid, path, directory, follow=follow), pid) as found:
        yield found


@contextlib.contextmanager
def _held(descriptor: int | None, pid: int) -> Generator[Opened | None]:
    if descriptor is None:
        yield None
        return
    try:
        found = os.fstat(descriptor)
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        kinds = (found.st_mode, found.st_rdev, found.st_dev, found.st_ino)
        yield Opened(pid, descriptor, path, *kinds, os.O_RDWR)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def opened(pid: int, number: int) -> Generator[Opened | None]:
    """A descriptor of a process by its number; ``None`` where it has no such one."""
    try:
        told = Path(f"/proc/{pid}/fdinfo/{number}").read_text().splitlines()
        flags = next(int(line.split()[1], 8) for line in told if line.startswith("flags:"))
    except (OSError, StopIteration):
        yield None
        return
    try:
        descriptor = os.open(f"/proc/{pid}/fd/{number}", os.O_PATH | os.O_CLOEXEC)
    except OSError:
        descriptor = None
    with _held(descriptor, pid) as found:
        yield None if found is None else msgspec.structs.replace(found, flags=flags, number=number)


def written(pid: int, number: int) -> str | None:
    """Why nothing may be written to a process's descriptor, or ``None``."""
    with opened(pid, number) as found:
        return None if found is None or not found.writable else _written(found)


def _written(found: Opened) -> str | None:
    if stat.S_ISFIFO(found.mode) and (found.place, found.inode) in CHANNELS:
        return N_("nobody but the coordinator tells an agent what to do")
    if stat.S_ISSOCK(found.mode) and _of_an_engine(found):
        return N_("nobody but the coordinator tells an engine what to do")
    if stat.S_ISCHR(found.mode) and _memory(found.device):
        return N_("memory and log devices of a real machine are not written to")
    if stat.S_ISCHR(found.mode) and (os.major(found.device) == 4 or found.device == _CONSOLE):
        return N_("nothing is written on the console of a real machine")
    if stat.S_ISBLK(found.mode) and not disk.ours(found.device, found.pid):
        return N_("a block device of a real machine is not written to")
    if not stat.S_ISREG(found.mode):
        return None
    kind = found.magic
    if kind in CGROUP_FILES and not _group_apart(found.pid):
        return N_("control groups of a real machine are not changed")
    if kind in CGROUP_FILES and found.path.endswith("/release_agent"):
        if capable(found.pid, _CAP_SYS_ADMIN):
            return N_("no program is named that the kernel of a real machine would start")
        return None
    if kind in MACHINE_FILES and not private(found):
        return N_("kernel settings of a real machine are not changed")
    return None


def _of_an_engine(found: Opened) -> bool:
    """Whether a socket leads to a daemon that starts programs, which nobody would watch."""
    with contextlib.suppress(OSError), _copied(found) as own:
        credentials = own.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        program = os.readlink(f"/proc/{struct.unpack('iii', credentials)[0]}/exe")
        return os.path.basename(program).startswith(_ENGINES)
    return False


def _copied(found: Opened) -> socket.socket:
    """The same open socket as one of ours: pidfd_getfd(2)."""
    holder = os.pidfd_open(found.pid)
    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
        call.restype = ctypes.c_long
        copy = int(call(ctypes.c_long(_PIDFD_GETFD), holder, found.number, 0))
    finally:
        os.close(holder)
    if copy < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return socket.socket(fileno=copy)


def _memory(device: int) -> bool:
    return os.major(device) == 1 and os.minor(device) in _MEMORY_DEVICES


def _group_apart(pid: int) -> bool:
    return not os.path.exists("/proc/self/ns/cgroup") or not shares(pid, os.getpid(), "cgroup")


def private(found: Opened) -> bool:
    """Whether a file of procfs only touches its writer's own namespaces or processes."""
    inner = _inside(found)
    if inner is None:
        return False
    first, _slash, rest = inner.partition("/")
    if first == "sys":
        own = rest.startswith("user/") and not shares(found.pid, os.getpid(), "user")
        return (own or rest.startswith(PRIVATE_SYSCTLS)) and _known(inner)
    return bool(_OF_A_PROCESS.fullmatch(inner))


def keeps_attributes(found: Opened) -> bool:
    """Whether an owner or mode given to a file of procfs stays in its instance, if anywhere.

    The directory of an instance is its own, processes forget, and settings refuse; any other file
    has one entry in all instances: proc_notify_change().
    """
    if found.place == os.stat("/proc").st_dev:
        return False
    inner = "" if found.inode == _ROOT_INODE else _inside(found)
    if inner is None:
        return False
    first = inner.partition("/")[0]
    return first.isdigit() or first in ("", "self", "thread-self", "sys")


_OF_A_PROCESS = re.compile(r"\d+(/task/\d+)?(/attr)?/(?!mem$)[a-z_]+")
_INTERFACE = re.compile(r"/(conf|neigh)/[^/]+/")


def _inside(found: Opened) -> str | None:
    """Its path from the root of its procfs, whatever it was bound on; ``None``: nobody can tell.

    A mount never shows another part of its file system than when it was made: mountinfo's root.
    Where it is mounted may change while we look, so whoever believes the answer asks ``_known``.
    """
    if found.magic != PROC:
        return None
    try:
        told = Path(f"/proc/self/fdinfo/{found.held}").read_text().splitlines()
        mount = next(line.split()[1] for line in told if line.startswith("mnt_id:"))
        above = os.readlink(f"/proc/{found.pid}/root").rstrip("/")
        for line in Path(f"/proc/{found.pid}/mountinfo").read_text().splitlines():
            words = line.split()
            place = above + words[4].rstrip("/")
            if words[0] == mount and f"{found.path}/".startswith(f"{place}/"):
                return (words[3].rstrip("/") + found.path[len(place) :]).strip("/")
    except (OSError, StopIteration):
        pass
    return None


def _known(inner: str) -> bool:
    """Whether a sysctl is called so: what was put together of two moments is no such name.

    Every namespace has an interface called ``default``.
    """
    name = _INTERFACE.sub(r"/\1/default/", inner)
    return os.path.isfile(f"/proc/{name}")


def controlled(pid: int, number: int, request: int) -> str | None:
    """ioctl(2): a device that is everybody's is asked, and otherwise left alone.

    Without CAP_SYS_ADMIN tty_ioctl.c refuses TIOCSTI on a foreign terminal, and random.c to
    change the pool.
    """
    with opened(pid, number) as found:
        return None if found is None else _controlled(found, request)


def _controlled(found: Opened, request: int) -> str | None:
    device, mode = found.device, found.mode
    admin = capable(found.pid, _CAP_SYS_ADMIN)
    if not stat.S_ISCHR(mode) and not stat.S_ISBLK(mode):
        if request in _WHOLE_FILE_SYSTEM and os.major(found.place) and admin:
            return N_("a disk of a real machine is not stopped")
        if (request >> 8 & 0xFF, request & 0xFF) in _NEXT_MOUNT_NAMESPACES and admin:
            return N_("namespaces of a real machine are not entered")
        return None
    if stat.S_ISBLK(mode) and disk.ours(device, found.pid):
        return None
    if stat.S_ISCHR(mode) and _of_nobody_else(device):
        return None
    if request in _QUESTIONS or (not admin and request in (_TIOCSTI, *_PLAIN_ENTROPY)):
        return None
    return N_("devices of a real machine are not changed")


def _of_nobody_else(device: int) -> bool:
    """Whether what is done to an opened character device only touches its opener's own."""
    return 136 <= os.major(device) <= 143 or (os.major(device), os.minor(device)) in _HARMLESS


def awake(mode: int, device: int, pid: int) -> bool:
    """Whether opening a device could do something to this machine: it has a driver, and is its own.

    Memory, terminals and random numbers do nothing when they are opened; a watchdog starts.
    """
    block = stat.S_ISBLK(mode)
    major, minor = os.major(device), os.minor(device)
    if not os.path.exists(f"/sys/dev/{'block' if block else 'char'}/{major}:{minor}"):
        return False
    if block:
        return not disk.ours(device, pid)
    return major not in (1, 4, 5) and not _of_nobody_else(device)


def gives_rights(found: Opened, user: int, group: int) -> bool:
    """Whether execve(2) of a file changes ids or capabilities: by its mode or attribute."""
    status = os.fstat(found.held)
    if os.fstatvfs(found.held).f_flag & os.ST_NOSUID:
        return False
    to_user = status.st_mode & stat.S_ISUID and status.st_uid != user
    to_group = (
        status.st_mode & (stat.S_ISGID | stat.S_IXGRP) == stat.S_ISGID | stat.S_IXGRP
        and status.st_gid != group
    )
    try:
        listed = "security.capability" in os.listxattr(f"/proc/self/fd/{found.held}")
    except OSError:
        listed = False
    return bool(to_user or to_group or listed)
