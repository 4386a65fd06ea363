"""The calls of an OpenVZ kernel: its own (setluid, setublimit, fairsched_*), and Linux's where an
environment gets another answer.

Source: kernel/bc/sys.c, kernel/fairsched.c, kernel/sys.c, kernel/events/core.c.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from simulator.machine.abi.call import Result
from simulator.machine.abi.constants import (
    LINUX_REBOOT_CMD_CAD_OFF,
    LINUX_REBOOT_CMD_CAD_ON,
    LINUX_REBOOT_CMD_RESTART,
    LINUX_REBOOT_MAGIC1,
    RB_HALT_SYSTEM,
    RB_POWER_OFF,
    SIGKILL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import pids
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.ve import beancounter, fairsched
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.ve.held import RESOURCES
from simulator.machine.syscalls import decode, kernel_doors, system
from simulator.machine.syscalls.registry import openvz

_UB_DUMMIES = (4, 20, 21, 22)
CITE = "kernel/bc/sys.c"
_NUMBERS: Mapping[int, str] = dict(
    zip((number for number in range(25) if number not in _UB_DUMMIES), RESOURCES, strict=True)
)
"""UB_KMEMSIZE 0 to UB_SWAPPAGES 24."""


def _need_host(trap: Trap) -> None:
    if ves.of(trap) is not None:
        trap.deny(
            Errno.EPERM,
            "ve-context",
            N_("Limits are set from the host, never from inside an environment."),
            CITE,
        )


@openvz("setluid")
def setluid(trap: Trap, uid: int) -> int:
    """setluid(2): EINVAL EPERM. What the caller holds is counted for ``uid`` from now on."""
    if uid & 0xFFFFFFFF == 0xFFFFFFFF:
        trap.fail(Errno.EINVAL, "", CITE)
    trap.need(Privilege.SETUID)
    _need_host(trap)
    beancounter.create(trap.store, uid)
    return 0


@openvz("getluid")
def getluid(trap: Trap) -> int:
    """getluid(2): whose beancounter counts the caller."""
    row = ves.of(trap)
    return row.number if row is not None else 0


@openvz("setublimit")
def setublimit(trap: Trap, uid: int, resource: int, limits: Any) -> int:
    """setublimit(2): EINVAL ENOENT EPERM. ``limits`` are (barrier, limit)."""
    trap.need(Privilege.RESOURCE_RAISE)
    _need_host(trap)
    pair = decode.numbers(limits, "setublimit(2)'s pair")
    if len(pair) != 2:
        raise NotModelled("limits are a barrier and a limit")
    barrier, limit = pair
    if resource not in range(25) or max(barrier, limit) > beancounter.UNLIMITED:
        trap.fail(Errno.EINVAL, N_("No such resource, or no such limit."), CITE)
    row = trap.store.get(beancounter.Beancounter, uid)
    if row is None:
        trap.fail(Errno.ENOENT, N_("Nobody is counted under this number."), CITE)
    if resource in _NUMBERS:
        beancounter.set_limit(trap.store, row, _NUMBERS[resource], barrier, limit)
    return 0


@openvz("fairsched_mknod")
def fairsched_mknod(trap: Trap, parent: int, weight: int, number: int) -> int:
    """A group of the fair scheduler: EEXIST EINVAL EPERM. The value is its number."""
    fairsched.need_host(trap)
    if not 1 <= weight <= fairsched.MAX_WEIGHT or number < 0 or parent < 0:
        trap.fail(Errno.EINVAL, "", fairsched.CITE)
    if trap.store.get(fairsched.Node, number) is not None:
        trap.fail(Errno.EEXIST, N_("A group has this number already."), fairsched.CITE)
    fairsched.put(trap.store, fairsched.Node(id=number))
    return number


@openvz("fairsched_rmnod")
def fairsched_rmnod(trap: Trap, number: int) -> int:
    """Remove a group: ENOENT EPERM."""
    fairsched.need_host(trap)
    trap.store.drop(fairsched.Node, fairsched.need(trap, number).id)
    return 0


@openvz("fairsched_chwt")
def fairsched_chwt(trap: Trap, number: int, weight: int) -> int:
    """Change a group's weight (500000 / cpuunits): EINVAL ENOENT EPERM."""
    fairsched.need_host(trap)
    if number == 0 or not 1 <= weight <= fairsched.MAX_WEIGHT:
        trap.fail(Errno.EINVAL, "", fairsched.CITE)
    row = fairsched.need(trap, number)
    fairsched.put(trap.store, msgspec.structs.replace(row, weight=weight))
    return 0


@openvz("fairsched_rate")
def fairsched_rate(trap: Trap, number: int, operation: int, rate: int) -> int:
    """Limit a group to ``rate`` / 1024 of a processor (0 sets, 1 drops, 2 tells). ENODATA."""
    fairsched.need_host(trap)
    row = fairsched.need(trap, number)
    if operation == 2:
        if not row.rate:
            trap.fail(Errno.ENODATA, N_("The group has no limit."), fairsched.CITE)
        return row.rate
    fairsched.put(trap.store, msgspec.structs.replace(row, rate=0 if operation else rate))
    return rate


@openvz("fairsched_vcpus")
def fairsched_vcpus(trap: Trap, number: int, count: int) -> int:
    """How many processors a group may use at once."""
    fairsched.need_host(trap)
    row = fairsched.need(trap, number)
    fairsched.put(trap.store, msgspec.structs.replace(row, vcpus=count))
    return 0


@openvz("fairsched_mvpr")
def fairsched_mvpr(trap: Trap, pid: int, number: int) -> int:
    """Move a process into a group: ENOENT EPERM ESRCH."""
    fairsched.need_host(trap)
    task = pids.need(trap, pid)
    row = fairsched.need(trap, number)
    trap.store.put(msgspec.structs.replace(row, members=(*row.members, int(task.id))))
    return 0


@openvz("reboot")
def reboot(
    trap: Trap, magic1: int, magic2: int, command: int, argument: Any = None
) -> Result | int:
    """reboot(2): inside an environment only that one goes down, and VE_REBOOT tells vzctl to start
    it again. EINVAL EPERM.
    """
    row = ves.of(trap)
    if row is None:
        return system.reboot(trap, magic1, magic2, command, argument)
    trap.need(Privilege.REBOOT)
    if magic1 & 0xFFFFFFFF != LINUX_REBOOT_MAGIC1 or magic2 & 0xFFFFFFFF not in system.MAGIC2:
        trap.fail(Errno.EINVAL, N_("The magic numbers are wrong."), "reboot(2)")
    command &= 0xFFFFFFFF
    if command in (LINUX_REBOOT_CMD_CAD_ON, LINUX_REBOOT_CMD_CAD_OFF):
        return 0
    restart = command in (LINUX_REBOOT_CMD_RESTART, system.RESTART2)
    if not restart and command not in (RB_HALT_SYSTEM, RB_POWER_OFF):
        trap.fail(Errno.EINVAL, N_("reboot has no such command."), "reboot(2)")
    params = {**row.params, "reboot": int(restart)}
    trap.store.put(msgspec.structs.replace(row, params=params))
    init = ves.init_of(trap.store, row)
    if init is not None:
        exits.end(trap.store, Pid(init.id), SIGKILL)
    return 0


@openvz("perf_event_open", since=(2, 6, 31))
def perf_event_open(trap: Trap, attributes: Any, pid: int, cpu: int, group: int, flags: int) -> int:
    """perf_event_open(2): EACCES inside an environment (include/linux/perf_event.h)."""
    if ves.keeps(trap, "ve-perf") is not None:
        trap.deny(
            Errno.EACCES,
            "ve-perf",
            N_("No environment may count the processor's events: they are everybody's."),
            "kernel/events/core.c sys_perf_event_open()",
        )
    return kernel_doors.perf_event_open(trap, attributes, pid, cpu, group, flags)
