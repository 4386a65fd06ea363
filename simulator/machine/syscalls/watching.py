"""Descriptors that wait for others, and an alarm: epoll(7), inotify(7), alarm(2)."""

from simulator.machine.abi.constants import O_CLOEXEC, O_NONBLOCK
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import alarm as alarms
from simulator.machine.kernel.fs.cgroupfs import notify
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import anonymous, permission
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.syscalls.registry import linux

IN_ALL_EVENTS = 0xFFF
IN_DONT_FOLLOW, IN_ONLYDIR, IN_MASK_CREATE, IN_MASK_ADD = 1 << 25, 1 << 24, 1 << 28, 1 << 29
_INOTIFY_BITS = IN_ALL_EVENTS | 0x2000 | 0x4000 | 0x8000 | 0xF7000000


@linux("epoll_create1", since=(2, 6, 27))
def epoll_create1(trap: Trap, flags: int = 0) -> int:
    """epoll_create1(2): EINVAL."""
    if flags & ~O_CLOEXEC:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "epoll_create(2)")
    return anonymous.descriptor(trap, "epoll", cloexec=bool(flags & O_CLOEXEC))


@linux("inotify_init1", since=(2, 6, 27))
def inotify_init1(trap: Trap, flags: int = 0) -> int:
    """inotify_init1(2): EINVAL."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "inotify_init(2)")
    file = notify.inotify(trap, flags & O_NONBLOCK)
    return fds.install(trap, file, cloexec=bool(flags & O_CLOEXEC))


@linux("inotify_add_watch", since=(2, 6, 13))
def inotify_add_watch(trap: Trap, fd: int, path: str, mask: int) -> int:
    """inotify_add_watch(2): EBADF EINVAL ENOENT ENOTDIR EACCES EEXIST."""
    if not mask & _INOTIFY_BITS:
        trap.fail(Errno.EINVAL, N_("There is no such event."), "inotify_add_watch(2)")
    file = fds.get(trap, fd)
    if (mask & IN_MASK_ADD and mask & IN_MASK_CREATE) or file.kind != "inotify":
        trap.fail(Errno.EINVAL, N_("The descriptor is no inotify's."), "inotify_add_watch(2)")
    at = paths.walk(trap, path, follow=not mask & IN_DONT_FOLLOW)
    inode = inodes.load(trap, at.inode)
    if mask & IN_ONLYDIR and not inodes.is_dir(inode):
        trap.fail(Errno.ENOTDIR, N_("This is no directory."), "inotify_add_watch(2)")
    permission.need(trap, inode, permission.READ)
    return notify.add_watch(trap, file, at.inode, mask)


@linux("alarm")
def alarm(trap: Trap, seconds: int) -> int:
    """alarm(2): the seconds that an earlier one had left."""
    return alarms.set_after(trap.store, trap.task.id, seconds & 0xFFFFFFFF)


@linux("memfd_secret", since=(5, 14))
def memfd_secret(trap: Trap, flags: int = 0) -> int:
    """memfd_secret(2): EINVAL. ENOSYS where nobody enabled it, which is the default until 6.5."""
    if trap.family.release < (6, 5):
        trap.fail(Errno.ENOSYS, N_("secretmem.enable is not set."), "memfd_secret(2)")
    if flags & ~O_CLOEXEC:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "memfd_secret(2)")
    return anonymous.secret(trap, flags)
