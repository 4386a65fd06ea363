"""Calls that FreeBSD has in a form of its own, under its own names.

A probe says a call once, in one order of arguments, for every kernel. So some names of Linux are
taken here for what FreeBSD calls otherwise: ``adjtimex`` is ntp_adjtime(2), ``delete_module`` is
kldunload(2) by name, ``syslog`` reads kern.msgbuf. The right that is asked for, and the moment
when, are FreeBSD's.
"""

from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import (
    LINUX_REBOOT_MAGIC1,
    MCL_CURRENT,
    PRIO_PGRP,
    PRIO_PROCESS,
    PRIO_USER,
    S_IFBLK,
    S_IFCHR,
    S_IFIFO,
    S_IFMT,
    SIGKILL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KUid, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import pids, sysctl
from simulator.machine.kernel.fork import BY_USER
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.modules import SwapArea
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import interface as interfaces
from simulator.machine.kernel.resource import mapping
from simulator.machine.kernel.task import GROUP, Task
from simulator.machine.kernel.trap import Denied, NotModelled, Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.syscalls import (
    clock,
    decode,
    descriptors,
    directories,
    handles,
    links,
    locked_memory,
    memory,
    trace,
)
from simulator.machine.syscalls.registry import freebsd

HALTING = 0x08 | 0x4000
"""RB_HALT, RB_POWEROFF; without them reboot(2) starts the machine again."""

freebsd("ptrace", partial="requests are named as on Linux")(trace.ptrace)
freebsd("ntp_adjtime")(clock.adjtimex)
freebsd("memfd_create", "shm_open2", since=(13, 0))(descriptors.memfd_create)
freebsd("getfh", "name_to_handle_at", partial="handles are written as on Linux")(
    handles.name_to_handle_at
)
freebsd("fhopen", "open_by_handle_at", partial="handles are written as on Linux")(
    handles.open_by_handle_at
)


@freebsd("chroot")
def chroot(trap: Trap, path: str) -> int:
    """chroot(2): the right is asked for before the path is looked at."""
    trap.need(Privilege.CHROOT)
    return directories.chroot(trap, path)


@freebsd("mknod")
def mknod(trap: Trap, path: str, mode: int, dev: int = 0) -> int:
    """mknod(2): for devices a right of the superuser outside every prison. EINVAL EPERM."""
    kind = mode & S_IFMT
    if kind in (S_IFCHR, S_IFBLK):
        trap.need(Privilege.MKNOD_DEVICE)
    elif kind != S_IFIFO or dev:
        trap.fail(Errno.EINVAL, N_("mknod() makes device nodes and pipes only."), "mknod(2)")
    return links.mknod(trap, path, mode, dev)


@freebsd("reboot")
def reboot(
    trap: Trap, howto: int, magic2: int | None = None, _command: int = 0, _argument: Any = None
) -> int:
    """reboot(2): EPERM. In Linux's four arguments the first is a magic number: EINVAL."""
    trap.need(Privilege.REBOOT)
    trap.authority("reboot", "machine")
    if magic2 is not None and howto & 0xFFFFFFFF != LINUX_REBOOT_MAGIC1:
        trap.fail(Errno.EINVAL, N_("The magic numbers are wrong."), "reboot(2)")
    for task in trap.store.all(Task):
        exits.end(trap.store, Pid(task.id), SIGKILL)
    return 0


@freebsd("swapon")
def swapon(trap: Trap, path: str, _flags: int = 0) -> int:
    """swapon(2): EPERM before the name is looked at; ENOENT ENOTBLK."""
    trap.need(Privilege.SWAP)
    trap.authority("memory", "swap")
    inode = inodes.load(trap, paths.walk(trap, path).inode)
    if inode.mode & S_IFMT != S_IFCHR or devices.driver_of(S_IFBLK, inode.rdev) is None:
        trap.fail(Errno.ENOTBLK, N_("Only a disk is swapped to."), "swapon(2)")
    raise NotModelled("a swap device that is really used")


@freebsd("swapoff")
def swapoff(trap: Trap, path: str) -> int:
    """swapoff(2): EINVAL ENOENT EPERM."""
    trap.need(Privilege.SWAP)
    trap.authority("memory", "swap")
    inode = inodes.load(trap, paths.walk(trap, path).inode)
    if trap.store.get(SwapArea, inode.id) is None:
        trap.fail(Errno.EINVAL, N_("It is not in use as swap."), "swapon(2)")
    trap.store.drop(SwapArea, inode.id)
    return 0


@freebsd("mlock")
def mlock(trap: Trap, address: int, length: int) -> int:
    """mlock(2): ENOMEM, and EPERM in a prison without allow.mlock. RLIMIT_MEMLOCK is not asked."""
    trap.need(Privilege.LOCK_MEMORY)
    start, end = locked_memory.pages_of(address, length)
    locked_memory.lock(trap, memory.continuous(trap, start, end))
    return 0


@freebsd("mlockall")
def mlockall(trap: Trap, flags: int) -> int:
    """mlockall(2): EINVAL ENOMEM EPERM, the right before the flags."""
    trap.need(Privilege.LOCK_MEMORY)
    if not flags or flags & ~3:
        trap.fail(Errno.EINVAL, "", "mlockall(2)")
    if flags & MCL_CURRENT:
        locked_memory.lock(trap, mapping.of(trap.store, trap.task.id))
    return 0


@freebsd("clock_settime")
def clock_settime(trap: Trap, which: int, when: Any = None) -> int:
    """clock_settime(2): kern_clock_settime() asks for the right before it looks at the clock."""
    if when is None:
        trap.fail(Errno.EFAULT, "", "clock_settime(2)")
    trap.need(Privilege.CLOCK_SET)
    return clock.clock_settime(trap, which, when)


@freebsd("settimeofday")
def settimeofday(trap: Trap, when: Any = None, zone: Any = None) -> int:
    """settimeofday(2): kern_settimeofday() asks for the right before it looks at the time."""
    trap.need(Privilege.CLOCK_SET)
    return clock.settimeofday(trap, when, zone)


@freebsd("getpriority")
def getpriority(trap: Trap, which: int, who: int) -> int:
    """getpriority(2): EINVAL ESRCH. The value is the nice value itself."""
    return min(task.nice for task in _tasks(trap, which, who))


@freebsd("setpriority")
def setpriority(trap: Trap, which: int, who: int, nice: int) -> int:
    """setpriority(2): EACCES EINVAL EPERM ESRCH; p_cansched(), donice() of kern_resource.c."""
    value = max(-20, min(20, decode.signed(nice)))
    for task in _tasks(trap, which, who):
        _need_schedulable(trap, task)
        if value < task.nice:
            _need_raise(trap)
            trap.authority("cpu", f"nice {value}")
        trap.touch("process", task.domain, "write", pids.label(task))
        trap.store.put(msgspec.structs.replace(trap.store.row(Task, task.id), nice=value))
    return 0


def _need_schedulable(trap: Trap, task: Task) -> None:
    """p_cansched(): its real user, or PRIV_SCHED_DIFFCRED, which prisons grant."""
    if task.id != trap.task.id and task.cred.ruid not in (trap.cred.ruid, trap.cred.euid):
        trap.need(Privilege.KILL)


def _need_raise(trap: Trap) -> None:
    """PRIV_SCHED_SETPRIORITY, whose lack donice() reports as EACCES."""
    denial = trap.family.chain.ask(trap, "holds", Privilege.SCHED_RAISE, None)
    if denial is not None:
        raise Denied(msgspec.structs.replace(denial, errno=Errno.EACCES))


def _tasks(trap: Trap, which: int, who: int) -> tuple[Task, ...]:
    if which == PRIO_PROCESS:
        return (trap.task if who == 0 else pids.need(trap, who),)
    if which == PRIO_PGRP:
        found = trap.store.rows_by(GROUP, who or trap.task.pgid)
    elif which == PRIO_USER:
        found = trap.store.rows_by(BY_USER, ("uid", KUid(who) if who else trap.cred.euid))
    else:
        trap.fail(Errno.EINVAL, "", "setpriority(2)")
    seen = tuple(task for task in found if trap.allowed("may_see", task))
    if not seen:
        trap.fail(Errno.ESRCH, N_("No process is meant."), "setpriority(2)")
    return seen


@freebsd("@loader")
def loader(trap: Trap, name: str, value: str) -> int:
    """What a line of loader.conf(5) has set before the kernel ran: the machine of a person who
    wants it so was booted like this. EPERM.
    """
    trap.need(Privilege.REBOOT)
    sysctl.write(trap.store, name, value)
    return 0


@freebsd("@alias")
def alias(trap: Trap, address: str) -> Result:
    """What ``ifconfig IF alias`` does for jail(8)'s ``interface``: SIOCAIFADDR. EPERM ENXIO."""
    trap.need(Privilege.NET_CONFIG)
    if ip.parse(address) is None:
        trap.fail(Errno.EINVAL, N_("This is no internet address."), "netintro(4)")
    ns = trap.task.ns.net
    cards = [one for one in interfaces.listed(trap.store, ns) if one.kind == "ether"]
    if not cards:
        trap.fail(Errno.ENXIO, N_("The machine has no network card."), "netintro(4)")
    prefix = 128 if ":" in address else 32
    interfaces.add_address(trap.store, cards[0], address, prefix)
    return Returned(0)
