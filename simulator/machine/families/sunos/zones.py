"""The rules of a zone, as questions of the security chain: who is seen, which addresses, which
filesystems, how much. Source: uts/common/os/zone.c, uts/common/inet/ip, zones(5).
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import zone
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net.interface import Interface
from simulator.machine.kernel.resource import mapping, memory
from simulator.machine.kernel.resource.charge import at_grant
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import World

ZONE_SAFE = frozenset(("proc", "tmpfs", "lofs", "ctfs", "objfs", "mntfs", "autofs", "nfs", "hsfs"))
"""Types that a zone may mount by itself: those with VSW_ZMOUNT in their vfsdef_t."""

_UNSEEN = Denial(
    Errno.ESRCH,
    zone.VISIBILITY,
    N_("The process is in another zone: for the caller it does not exist."),
    "zones(5), sys/zone.h HASZONEACCESS()",
)
_NOT_ITS_ADDRESS = Denial(
    Errno.EADDRNOTAVAIL,
    zone.NETWORK,
    N_("The address is on a logical interface of another zone."),
    "uts/common/inet/ip/ip_if.c ipif_lookup_addr()",
)
_NOT_ITS_INTERFACE = Denial(
    Errno.ENXIO,
    zone.NETWORK,
    N_("The interface has not been assigned to the zone."),
    "uts/common/inet/ip/ip_if.c ipif_lookup_on_name()",
)
_NOT_THIS_TYPE = Denial(
    Errno.EPERM,
    zone.PRIVILEGES,
    N_("A zone mounts only filesystems that are known to be safe there (fs-allowed)."),
    "uts/common/os/policy.c secpolicy_fs_allowed_mount()",
)
_SWAP = N_("The zone has reserved all of its zone.max-swap.")
_SHM = N_("The zone has all of its zone.max-shm-memory.")
_FULL: dict[str, tuple[str, Errno, str]] = {
    "task": (
        "zone.max-lwps",
        Errno.EAGAIN,
        N_("The zone has as many processes and threads as zone.max-lwps and max-processes allow."),
    ),
    "private-memory": ("zone.max-swap", Errno.ENOMEM, _SWAP),
    "memory-file": ("zone.max-swap", Errno.ENOSPC, _SWAP),
    "shared-memory": ("zone.max-shm-memory", Errno.EINVAL, _SHM),
    "locked-memory": (
        "zone.max-locked-memory",
        Errno.EAGAIN,
        N_("The zone has locked all of its zone.max-locked-memory."),
    ),
}
"""The resource controls that the kernel enforces: resource_controls(5)."""


def may_see(trap: Trap, task: Task) -> Answer:
    """prfind_zone(): as if there were no such process."""
    return None if zone.sees(trap.store, trap.task, task) else _UNSEEN


def may_mount(trap: Trap, fstype: str, target: str, flags: int) -> Answer:
    """secpolicy_fs_allowed_mount()."""
    del target, flags
    if not zone.has(trap, zone.PRIVILEGES) or fstype in ZONE_SAFE:
        return None
    allowed = str(zone.of(trap).params.get("fs-allowed", "")).split(",")
    return None if fstype in allowed else _NOT_THIS_TYPE


def may_bind(trap: Trap, family: int, text: str, port: int) -> Answer:
    """An address belongs to the zone that its logical interface is assigned to."""
    del family, port
    if ip.is_any(text) or ip.is_loopback(text):
        return None
    owner = next((row for row in zone.active(trap.store) if text in row.addresses), None)
    if not zone.is_global(trap.task) and not zone.has(trap, zone.NETWORK):
        return None
    mine = trap.task.context
    if owner is None:
        # An exclusive-IP zone's addresses are those of its own stack, which bind(2) looks into.
        shared = mine != ROOT_CONTEXT and zone.of(trap).params.get("ip-type") != "exclusive"
        return _NOT_ITS_ADDRESS if shared else None
    return None if owner.id == mine else _NOT_ITS_ADDRESS


def may_see_interface(trap: Trap, interface: Interface) -> Answer:
    """A zone is told of the logical interfaces that were assigned to it, the global zone of all."""
    if interface.context == trap.task.context or not zone.has(trap, zone.NETWORK):
        return None
    exclusive = zone.of(trap).params.get("ip-type") == "exclusive"
    return None if exclusive else _NOT_ITS_INTERFACE


def may_charge(trap: Trap, resource: str, amount: int) -> Answer:
    """rctl_test(): a zone's resource controls, set from the global zone alone."""
    entry = _FULL.get(resource)
    if entry is None or zone.is_global(trap.task):
        return None
    row = zone.of(trap)
    control, errno, why = entry
    for name in (control, "zone.max-processes") if resource == "task" else (control,):
        most = zone.limit(row, name)
        if most is not None and _used(trap, row, resource) + amount > most:
            return Denial(errno, name, why, "resource_controls(5)")
    return None


def _used(trap: Trap, row: Context, resource: str) -> int:
    if resource == "task":
        return len(zone.living(trap.store, trap.task.context))
    if resource in ("private-memory", "memory-file"):
        return memory.held(zone.living(trap.store, trap.task.context))
    del row
    if resource == "locked-memory":
        living = zone.living(trap.store, trap.task.context)
        return mapping.locked(trap.store, (task.id for task in living))
    return 0


def _granted(world: World, task: Task) -> dict[str, int]:
    """What a zone's resource controls grant its processes."""
    row = world.row(Context, task.context)
    if row.kind != "zone":
        return {}
    found: dict[str, int] = {}
    swap = zone.limit(row, "zone.max-swap")
    if swap is not None:
        found["memory"] = swap
    most = [zone.limit(row, name) for name in ("zone.max-lwps", "zone.max-processes")]
    numbers = [number for number in most if number is not None]
    if numbers:
        found["pids"] = min(numbers)
    return found


at_grant(_granted)
ZONES = Policy(
    name="zones",
    may_see=may_see,
    may_mount=may_mount,
    may_bind=may_bind,
    may_see_interface=may_see_interface,
    may_charge=may_charge,
)
