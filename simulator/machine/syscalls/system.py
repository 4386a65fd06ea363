"""Doors to the machine itself: reboot(2), swapon(2), modules, kexec, the kernel's log.

Each keeps the kernel's order of checks. Once the right is proven the crossing is noted, also when
the call then fails over a name that does not exist: that is how a probe asks harmlessly.
"""

from typing import Any

from simulator.machine.abi.call import Exited, Result, Returned
from simulator.machine.abi.constants import (
    LINUX_REBOOT_CMD_CAD_OFF,
    LINUX_REBOOT_CMD_CAD_ON,
    LINUX_REBOOT_CMD_RESTART,
    LINUX_REBOOT_MAGIC1,
    LINUX_REBOOT_MAGIC2,
    RB_HALT_SYSTEM,
    RB_POWER_OFF,
    S_IFBLK,
    S_IFDIR,
    S_IFMT,
    S_IFREG,
    SIGHUP,
    SIGINT,
    SIGKILL,
    SYSLOG_ACTION_CLEAR,
    SYSLOG_ACTION_READ,
    SYSLOG_ACTION_READ_ALL,
    SYSLOG_ACTION_READ_CLEAR,
    SYSLOG_ACTION_SIZE_BUFFER,
    SYSLOG_ACTION_SIZE_UNREAD,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import features, log, sysctl
from simulator.machine.kernel.modules import Accounting, SwapArea
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs import permission
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.syscalls.registry import linux, posix

MAGIC2 = (LINUX_REBOOT_MAGIC2, 85072278, 369367448, 537993216)
RESTART2 = 0xA1B2C3D4
SWAP_FLAGS = 0x7FFF | 0x8000 | 0x10000 | 0x20000 | 0x40000
SWAP_MAGIC = b"SWAPSPACE2"
SWAP_MAGIC_AT = 4086
"""Where mkswap(8) writes its mark, in bytes from the start."""
SYSLOG_LEVELS = range(1, 9)
Q_SYNC = 0x800001
Q_QUOTAON = 0x800002


@linux("syslog")
def syslog(trap: Trap, action: int, size: int = 0) -> Result:
    """syslog(2): EINVAL EPERM. The data is what was read."""
    restricted = sysctl.number(trap.store, trap.family, "kernel.dmesg_restrict")
    if restricted or action not in (SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_SIZE_BUFFER):
        trap.need(Privilege.KERNEL_LOG)
        trap.touch("kernel-log", log.of(trap).domain, "privilege", "dmesg")
    content = log.text(log.of(trap))
    if action in (SYSLOG_ACTION_READ, SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_READ_CLEAR):
        return _read_log(trap, action, size, content)
    if action == SYSLOG_ACTION_CLEAR:
        trap.touch("kernel-log", log.of(trap).domain, "write", "dmesg")
        log.clear(trap.store, log.of(trap))
        return Returned(0)
    if action == SYSLOG_ACTION_SIZE_UNREAD:
        return Returned(len(content))
    if action == SYSLOG_ACTION_SIZE_BUFFER:
        return Returned(log.BUFFER_SIZE)
    if action in (0, 1, 6, 7) or (action == 8 and size in SYSLOG_LEVELS):
        return Returned(0)
    return trap.fail(Errno.EINVAL, N_("syslog has no such action."), "syslog(2)")


def _read_log(trap: Trap, action: int, size: int, content: bytes) -> Result:
    if size < 0:
        trap.fail(Errno.EINVAL, "", "syslog(2)")
    if size == 0:
        return Returned(0)
    trap.touch("kernel-log", log.of(trap).domain, "read", "dmesg")
    if action == SYSLOG_ACTION_READ_CLEAR:
        log.clear(trap.store, log.of(trap))
    tail = content[-size:]
    return Returned(len(tail), tail)


@linux("reboot")
def reboot(
    trap: Trap, magic1: int, magic2: int, command: int, _argument: Any = None
) -> Result | int:
    """reboot(2): EINVAL EPERM. In a pid namespace of its own it ends that namespace's init."""
    space = trap.store.row(PidNs, trap.task.ns.pid)
    trap.need(Privilege.REBOOT, space.owner)
    inside = trap.family.inside
    own = inside.reboot(trap) if inside is not None and inside.reboot is not None else None
    if space.parent is None and own is None:
        trap.authority("reboot", "machine")
    if magic1 & 0xFFFFFFFF != LINUX_REBOOT_MAGIC1 or magic2 & 0xFFFFFFFF not in MAGIC2:
        trap.fail(Errno.EINVAL, N_("The magic numbers are wrong."), "reboot(2)")
    command &= 0xFFFFFFFF
    if own is not None:
        return own(command)
    if space.parent is not None:
        return _reboot_namespace(trap, space, command)
    if command in (LINUX_REBOOT_CMD_CAD_ON, LINUX_REBOOT_CMD_CAD_OFF):
        value = "1" if command == LINUX_REBOOT_CMD_CAD_ON else "0"
        sysctl.write(trap.store, "kernel.ctrl-alt-del", value)
        return 0
    if command in (LINUX_REBOOT_CMD_RESTART, RB_HALT_SYSTEM, RB_POWER_OFF):
        for task in trap.store.all(Task):
            exits.end(trap.store, Pid(task.id), SIGKILL)
        return 0
    if command == RESTART2:
        raise NotModelled("a restart with a command string")
    return trap.fail(Errno.EINVAL, N_("reboot has no such command."), "reboot(2)")


def _reboot_namespace(trap: Trap, space: PidNs, command: int) -> Result | int:
    """reboot_pid_ns(): init ends by SIGHUP for a restart, by SIGINT for a halt; the caller exits
    by itself before that kills the others."""
    if command in (LINUX_REBOOT_CMD_RESTART, RESTART2):
        signo = SIGHUP
    elif command in (RB_HALT_SYSTEM, RB_POWER_OFF):
        signo = SIGINT
    else:
        trap.fail(Errno.EINVAL, N_("reboot has no such command."), "reboot(2)")
    first = space.init == trap.task.id
    if not first:
        exits.end(trap.store, trap.task.id, 0)
    if space.init is not None:
        exits.end(trap.store, Pid(space.init), signo)
    return 0 if first else Exited(0)


@linux("swapon")
def swapon(trap: Trap, path: str, flags: int = 0) -> int:
    """swapon(2): EBUSY EINVAL EISDIR ENOENT EPERM."""
    features.need(trap, "swap")
    if flags & ~SWAP_FLAGS:
        trap.fail(Errno.EINVAL, N_("swapon has no such flag."), "swapon(2)")
    trap.need(Privilege.SWAP)
    trap.authority("memory", "swap")
    inode = _opened(trap, path)
    if inode.mode & S_IFMT == S_IFDIR:
        # It is opened for writing (mm/swapfile.c: O_RDWR | O_LARGEFILE | O_EXCL).
        trap.fail(Errno.EISDIR, N_("A directory is not written to."), "swapon(2)")
    if trap.store.get(SwapArea, inode.id) is not None:
        trap.fail(Errno.EBUSY, N_("It is in use as swap already."), "swapon(2)")
    mark = inode.content[SWAP_MAGIC_AT : SWAP_MAGIC_AT + len(SWAP_MAGIC)]
    if inode.mode & S_IFMT not in (S_IFREG, S_IFBLK) or mark != SWAP_MAGIC:
        trap.fail(Errno.EINVAL, N_("mkswap(8) has not been here."), "swapon(2)")
    trap.store.put(SwapArea(id=inode.id, path=path, size=inode.size, domain=trap.task.domain))
    return 0


@linux("swapoff")
def swapoff(trap: Trap, path: str) -> int:
    """swapoff(2): EINVAL EISDIR ENOENT EPERM."""
    features.need(trap, "swap")
    trap.need(Privilege.SWAP)
    trap.authority("memory", "swap")
    inode = _opened(trap, path)
    if inode.mode & S_IFMT == S_IFDIR:
        trap.fail(Errno.EISDIR, N_("A directory is not written to."), "swapon(2)")
    area = trap.store.get(SwapArea, inode.id)
    if area is None:
        trap.fail(Errno.EINVAL, N_("It is not in use as swap."), "swapon(2)")
    trap.touch("memory", area.domain, "write", path)
    trap.store.drop(SwapArea, area.id)
    return 0


@posix("acct")
def acct(trap: Trap, path: Any = None) -> int:
    """acct(2): EACCES EISDIR ENOENT EPERM."""
    features.need(trap, "acct")
    trap.need(Privilege.ACCOUNTING)
    trap.authority("process", "accounting")
    space = trap.task.ns.pid
    if path is None:
        if trap.store.get(Accounting, space) is not None:
            trap.store.drop(Accounting, space)
        return 0
    inode = _opened(trap, str(path))
    if inode.mode & S_IFMT == S_IFDIR:
        trap.fail(Errno.EISDIR, "", "acct(2)")
    if inode.mode & S_IFMT != S_IFREG:
        trap.fail(Errno.EACCES, N_("Only a regular file records processes."), "acct(2)")
    trap.store.put(Accounting(id=space, path=str(path), domain=trap.task.domain))
    return 0


@linux("quotactl")
def quotactl(trap: Trap, command: int, special: Any, _number: int = 0, _out: Any = None) -> int:
    """quotactl(2): EINVAL ENODEV ENOENT ENOTBLK ENOSYS EPERM."""
    features.need(trap, "quota")
    code, kind = command >> 8 & 0xFFFFFF, command & 0xFF
    if kind >= 3:
        trap.fail(Errno.EINVAL, N_("Quotas are for users, groups and projects."), "quotactl(2)")
    if special is None:
        if code == Q_SYNC:
            return 0
        trap.fail(Errno.ENODEV, N_("No device is named."), "quotactl(2)")
    inode = inodes.load(trap, paths.walk(trap, str(special)).inode)
    if inode.mode & S_IFMT != S_IFBLK:
        trap.fail(Errno.ENOTBLK, N_("Quotas are kept for a block device."), "quotactl(2)")
    mounted = [sb for sb in trap.store.all(Superblock) if sb.device == inode.rdev]
    if not mounted:
        trap.fail(Errno.ENODEV, N_("The device is not mounted."), "quotactl(2)")
    if code == Q_QUOTAON or code > Q_QUOTAON:
        trap.need(Privilege.QUOTA)
        trap.authority("disk", "quota")
    return trap.fail(Errno.ESRCH, N_("No quota is kept on this filesystem."), "quotactl(2)")


@linux("quotactl_fd", since=(5, 14))
def quotactl_fd(trap: Trap, fd: int, command: int, _number: int = 0, _out: Any = None) -> int:
    """quotactl_fd(2): EBADF EINVAL ENOSYS."""
    features.need(trap, "quota")
    fds.get_any(trap, fd)
    if command & 0xFF >= 3:
        trap.fail(Errno.EINVAL, N_("Quotas are for users, groups and projects."), "quotactl(2)")
    raise NotModelled("quotas by descriptor")


@linux("vhangup")
def vhangup(trap: Trap) -> int:
    """vhangup(2): EPERM."""
    trap.need(Privilege.TTY_CONFIG)
    trap.authority("device", "terminal")
    return 0


def _opened(trap: Trap, path: str) -> Inode:
    """The file at ``path``, which the caller must be able to write."""
    at: At = paths.walk(trap, path)
    inode = inodes.load(trap, at.inode)
    permission.need(trap, inode, permission.READ | permission.WRITE)
    permission.need_writable(trap, at.mount)
    return inode
