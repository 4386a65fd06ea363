"""What a zone is asked and told: zone_list, zone_lookup, zone_getattr, zone_setattr, and its
resource controls. Source: uts/common/os/zone.c, getrctl(2).
"""

from typing import Any, cast

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.constants import (
    ZCF_NET_EXCL,
    ZONE_ATTR_BOOTARGS,
    ZONE_ATTR_BRAND,
    ZONE_ATTR_FLAGS,
    ZONE_ATTR_INITPID,
    ZONE_ATTR_NAME,
    ZONE_ATTR_PHYS_MCAP,
    ZONE_ATTR_PRIVSET,
    ZONE_ATTR_ROOT,
    ZONE_ATTR_STATUS,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import privset, zone
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import dpath
from simulator.machine.syscalls.registry import sunos


@sunos("zone_list")
def zone_list(trap: Trap) -> Result:
    """zone_list(): the data is a list of ids. A zone is told of itself alone."""
    if zone.has(trap, zone.VISIBILITY):
        return Returned(1, [zone.of(trap).number])
    rows = zone.active(trap.store)
    for row in rows:
        trap.touch("process", row.domain, "name", f"zone {row.name}")
    return Returned(len(rows) + 1, [0, *(row.number for row in rows)])


@sunos("zone_lookup")
def zone_lookup(trap: Trap, name: Any = None) -> int:
    """zone_lookup(): EINVAL. Without a name the caller's own zone; a zone finds only itself."""
    if name is None:
        return zone.of(trap).number
    if name == zone.GLOBAL:
        return 0
    row = zone.named(trap.store, str(name))
    if row is None:
        zone.invalid(trap, N_("No zone has this name."))
    return zone.seen(trap, row).number


@sunos("zone_getattr")
def zone_getattr(trap: Trap, number: int, attribute: int) -> Result:
    """zone_getattr(): EINVAL ESRCH. The data is the attribute's value."""
    row = zone.seen(trap, zone.find(trap, number))
    shown: Data
    match attribute:
        case c if c == ZONE_ATTR_NAME:
            shown = zone.name_of(row)
        case c if c == ZONE_ATTR_ROOT:
            inside = trap.task.context == row.id or row.root is None
            shown = "/" if inside else dpath.path_of(trap, cast("At", row.root))
        case c if c == ZONE_ATTR_STATUS:
            shown = zone.state(row)
        case c if c == ZONE_ATTR_BRAND:
            shown = str(row.params.get("brand", "native"))
        case c if c == ZONE_ATTR_PRIVSET:
            shown = list(privset.names(zone.limit_set(row)))
        case c if c == ZONE_ATTR_FLAGS:
            shown = ZCF_NET_EXCL if row.params.get("ip-type") == "exclusive" else 0
        case c if c == ZONE_ATTR_BOOTARGS:
            shown = str(row.params.get("bootargs", ""))
        case c if c == ZONE_ATTR_PHYS_MCAP:
            shown = zone.limit(row, "physical") or 0
        case c if c == ZONE_ATTR_INITPID:
            shown = _init_pid(trap, row)
        case _:
            zone.invalid(trap, N_("A zone has no such attribute."))
    return Returned(0, shown)


@sunos("zone_setattr")
def zone_setattr(trap: Trap, number: int, attribute: int, value: Any = None) -> int:
    """zone_setattr(): EPERM EINVAL. Most can be set only before the zone boots."""
    trap.need(Privilege.ZONE_CONFIG)
    row = zone.find(trap, number)
    if attribute == ZONE_ATTR_PHYS_MCAP:
        zone.write(trap, row, physical=int(value or 0))
        return 0
    if row.id == ROOT_CONTEXT or zone.state(row) != "ready":
        zone.invalid(trap, N_("The attribute is set before the zone boots."))
    words = {ZONE_ATTR_BOOTARGS: "bootargs", ZONE_ATTR_BRAND: "brand"}
    if attribute not in words:
        zone.invalid(trap, N_("The attribute can't be set."))
    zone.write(trap, row, **{words[attribute]: str(value)})
    return 0


@sunos("getrctl", partial="only zone.* controls, by zone")
def getrctl(trap: Trap, control: str, number: int) -> int:
    """getrctl(2): EINVAL. The privileged value, -1 when none is set."""
    row = zone.seen(trap, zone.find(trap, number))
    if control not in zone.CONTROLS:
        zone.invalid(trap, N_("There is no such resource control."))
    value = zone.limit(row, control)
    return -1 if value is None else value


@sunos("setrctl", partial="only zone.* controls, by zone")
def setrctl(trap: Trap, control: str, number: int, value: int) -> int:
    """setrctl(2): EINVAL EPERM. Only the global zone sets what a zone may have."""
    row = zone.seen(trap, zone.find(trap, number))
    if control not in zone.CONTROLS or row.id == ROOT_CONTEXT or value < 0:
        zone.invalid(trap, N_("There is no such resource control."))
    if not zone.is_global(trap.task):
        trap.deny(
            Errno.EPERM,
            zone.PRIVILEGES,
            N_("The zone's resource controls are set from the global zone alone."),
            "uts/common/os/policy.c secpolicy_rctlsys()",
        )
    trap.need(Privilege.RESOURCE_RAISE)
    zone.write(trap, row, **{control: value})
    return 0


def _init_pid(trap: Trap, row: Context) -> int:
    pid = INIT if row.id == ROOT_CONTEXT else row.params.get("init", 0)
    if not pid or trap.store.get(Task, pid) is None:
        trap.fail(Errno.ESRCH, N_("The zone has no init."), zone.CITE)
    return int(cast("int", pid))
