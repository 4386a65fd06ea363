"""Calls that SunOS has in a form of its own, under its own names.

A probe says a call once, in one order of arguments, for every kernel. So some names of Linux are
taken here for what SunOS calls otherwise: ``reboot`` is uadmin(2), ``delete_module`` modctl(2)
MODUNLOAD by name, ``swapon`` swapctl(2) SC_ADD, ``adjtimex`` ntp_adjtime(2). The right that is
asked for, and the moment when, are SunOS's.
"""

from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import (
    A_REBOOT,
    A_SHUTDOWN,
    AD_BOOT,
    AD_HALT,
    AD_POWEROFF,
    LINUX_REBOOT_MAGIC1,
    S_IFIFO,
    S_IFMT,
    SIGKILL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import features, pids, zone
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.modules import Module
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.resource import reclaim
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.syscalls import clock, descriptors, freebsd, system, trace
from simulator.machine.syscalls import links as naming
from simulator.machine.syscalls import zone as zones
from simulator.machine.syscalls.registry import sunos

HALTING = frozenset((AD_HALT, AD_POWEROFF))

sunos("getpriority")(freebsd.getpriority)
sunos("setpriority", partial="stands for priocntl(2), as setpriority(3C) calls it")(
    freebsd.setpriority
)
sunos("ntp_adjtime")(clock.adjtimex)
sunos("memfd_create", partial="stands for shm_open(3C), whose files are on tmpfs")(
    descriptors.memfd_create
)
sunos("ptrace", partial="stands for /proc/PID/ctl; requests are named as on Linux")(trace.ptrace)


@sunos("clock_settime")
def clock_settime(trap: Trap, which: int, when: Any = None) -> int:
    """clock_settime(3C): EINVAL for no clock, EPERM, then EFAULT and EINVAL for the time.

    Source: illumos uts/common/os/timer.c.
    """
    if not clock.exists(trap, which):
        trap.fail(Errno.EINVAL, N_("There is no such clock."), "clock_settime(3C)")
    trap.need(Privilege.CLOCK_SET)
    return clock.clock_settime(trap, which, when)


@sunos("mknod")
def mknod(trap: Trap, path: str, mode: int, dev: int = 0) -> int:
    """mknod(2): sys_devices for everything but a pipe. EPERM EEXIST ..."""
    if mode & S_IFMT != S_IFIFO:
        trap.need(Privilege.MKNOD_DEVICE)
    return naming.mknod(trap, path, mode, dev)


@sunos("uadmin")
def uadmin(trap: Trap, command: int, function: int, _argument: Any = None) -> int:
    """uadmin(2): EINVAL EPERM. In a zone zone_kadmin(): it halts or reboots the zone alone."""
    if zone.is_global(trap.task):
        return _kadmin(trap, command)
    if command not in (A_SHUTDOWN, A_REBOOT):
        raise NotModelled("uadmin(2) with this command in a zone (ENOTSUP)")
    if command == A_SHUTDOWN and function not in (*HALTING, AD_BOOT):
        raise NotModelled("uadmin(2) with this function in a zone (ENOTSUP)")
    trap.need(Privilege.ZONE_ADMIN)
    _down(trap, again=command == A_REBOOT or function == AD_BOOT)
    return 0


@sunos("reboot")
def reboot(trap: Trap, magic1: int, _magic2: int = 0, _command: int = 0, _arg: Any = None) -> int:
    """reboot(3C) with Linux's arguments: EPERM, and EINVAL for a wrong magic number."""
    inside = not zone.is_global(trap.task)
    trap.need(Privilege.ZONE_ADMIN if inside else Privilege.REBOOT)
    if not inside:
        trap.authority("reboot", "machine")
    if magic1 & 0xFFFFFFFF != LINUX_REBOOT_MAGIC1:
        trap.fail(Errno.EINVAL, N_("The magic numbers are wrong."), "uadmin(2)")
    return uadmin(trap, A_SHUTDOWN, AD_BOOT)


def _kadmin(trap: Trap, command: int) -> int:
    if command not in (A_SHUTDOWN, A_REBOOT):
        trap.fail(Errno.EINVAL, N_("uadmin has no such command."), "uadmin(2)")
    trap.need(Privilege.REBOOT)
    trap.authority("reboot", "machine")
    for task in trap.store.all(Task):
        exits.end(trap.store, Pid(task.id), SIGKILL)
    return 0


def _down(trap: Trap, *, again: bool) -> None:
    """zone_kadmin(): everybody in the zone is killed; zoneadmd then halts it, or boots it again."""
    row = zone.of(trap)
    host = Trap(trap.store, trap.family, trap.store.row(Task, zones.INIT))
    zones.kill_all(trap, row)
    if again:
        zones.start_init(host, trap.store.row(Context, row.id))
    else:
        zones.take_away(host, trap.store.row(Context, row.id))


@sunos("delete_module", partial="stands for modctl(2) MODUNLOAD, which takes a number")
def delete_module(trap: Trap, name: str, _flags: int = 0) -> int:
    """modctl(MODUNLOAD): sys_config, before the name is looked at. EPERM ENOENT EBUSY."""
    features.need(trap, "modules")
    trap.need(Privilege.MODULE)
    trap.authority("module", "kernel")
    module = trap.store.get(Module, name)
    if module is None:
        trap.fail(Errno.ENOENT, N_("No module of this name is loaded."), "modctl(2)")
    trap.store.drop(Module, name)
    return 0


@sunos("modload")
def modload(trap: Trap, _path: str) -> int:
    """modctl(MODLOAD): every privilege there is. EPERM."""
    trap.need(Privilege.ZONE_CONFIG)
    trap.authority("module", "kernel")
    raise NotModelled("a module that is really loaded")


@sunos("swapon", partial="stands for swapctl(2) SC_ADD")
def swapon(trap: Trap, path: str, _flags: int = 0) -> int:
    """swapctl(SC_ADD): sys_config, before the name is looked at. EPERM ENOENT."""
    trap.need(Privilege.SWAP)
    trap.authority("memory", "swap")
    inodes.load(trap, paths.walk(trap, path).inode)
    raise NotModelled("a swap device that is really used")


@sunos("swapoff", partial="stands for swapctl(2) SC_REMOVE")
def swapoff(trap: Trap, path: str) -> int:
    """swapctl(SC_REMOVE): EPERM EINVAL ENOENT."""
    trap.need(Privilege.SWAP)
    trap.authority("memory", "swap")
    inodes.load(trap, paths.walk(trap, path).inode)
    trap.fail(Errno.EINVAL, N_("It is not in use as swap."), "swapctl(2)")


@sunos("@pageout", partial="stands for memcntl(2) MC_SYNC by the agent of a process")
def pageout(trap: Trap, number: int, size: int) -> int:
    """Move up to ``size`` bytes of a process to swap; gives how many went. EPERM ESRCH.

    Source: illumos cmd/rcap/rcapd/rcapd_scanner.c pageout_mapping(). What is touched comes back.
    """
    trap.need(Privilege.ZONE_CONFIG)
    task = pids.need(trap, number)
    part = min(task.memory, size) // reclaim.PAGE * reclaim.PAGE
    if part <= 0:
        return 0
    before = trap.store.get(reclaim.Swapped, task.id)
    held = before.size if before is not None else 0
    trap.store.put(reclaim.Swapped(id=task.id, size=part + held))
    trap.store.put(msgspec.structs.replace(task, memory=task.memory - part))
    return part


@sunos("acct")
def acct(trap: Trap, path: Any = None) -> int:
    """acct(2): sys_acct. Each zone keeps accounts of its own processes (struct acct_globals)."""
    if not zone.has(trap, zone.VISIBILITY):
        return system.acct(trap, path)
    trap.need(Privilege.ACCOUNTING)
    if path is not None:
        inodes.load(trap, paths.walk(trap, str(path)).inode)
    return 0


@sunos("@logical")
def logical(trap: Trap, number: int, physical: str, address: str, prefix: int) -> Result:
    """SIOCLIFADDIF and SIOCSLIFZONE: one more logical interface, for zone ``number``'s use.

    Without an address a loopback interface. EPERM EINVAL ENXIO. The value is its number.
    """
    trap.need(Privilege.NET_CONFIG)
    store, ns = trap.store, trap.task.ns.net
    row = zone.numbered(store, number)
    if row is None or (address and ip.parse(address) is None):
        trap.fail(Errno.EINVAL, N_("There is no such zone, or this is no address."), "if_tcp(7P)")
    kind = "ether" if address else "loopback"
    below = [one for one in links.listed(store, ns) if one.kind == kind and ":" not in one.name]
    below = [one for one in below if physical in ("", one.name)]
    if not below:
        trap.fail(Errno.ENXIO, N_("The machine has no such interface."), "if_tcp(7P)")
    under = below[0]
    taken = {one.name for one in links.listed(store, ns)}
    unit = next(n for n in range(1, 8192) if f"{under.name}:{n}" not in taken)
    link = links.Link(f"{under.name}:{unit}", kind, flags=under.flags & ~1, mtu=under.mtu)
    made = links.add(store, ns, link, domain=row.domain)
    made = msgspec.structs.replace(made, mac=under.mac, context=row.id)
    store.put(made)
    if address:
        made = links.add_address(store, made, address, prefix)
        store.put(msgspec.structs.replace(row, addresses=(*row.addresses, address)))
    links.set_up(store, made, True)
    return Returned(unit)
