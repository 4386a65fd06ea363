"""The rules that a zone consists of. Solaris has a switch for few of them; the model lifts them one
by one to show what each is for.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.machine.abi.i18n import N_


@dataclass(frozen=True, slots=True)
class ZoneWall:
    """One of the rules; its absence is what ``Zone`` tells the kernel."""

    about: About

    def plan(self, plan: LaunchPlan) -> None:
        """Nothing to do: the zone has it by itself."""
        del plan


def _wall(name: str, title: str, hides: str, cite: str, real: str = "") -> ZoneWall:
    about = About(
        id=name,
        title=title,
        family="sunos",
        needs=frozenset({"zone"}),
        hides=frozenset(hides.split()),
        walls=frozenset({name}),
        real=real,
        cite=cite,
    )
    return ZoneWall(about)


VISIBILITY = _wall(
    "zone-visibility", N_("zone: who sees whom"), "process", "sys/zone.h HASZONEACCESS()"
)
ROOT = _wall("zone-root", N_("zone: where .. ends"), "file", "uts/common/fs/lookup.c lookuppnvp()")
PRIVILEGES = _wall(
    "zone-privileges",
    N_("zone: what root may do"),
    "clock device module mount reboot interface",
    "uts/common/os/zone.c zone_enter(), zone_privset",
    "limitpriv",
)
NETWORK = _wall(
    "zone-network",
    N_("zone: its own ports, loopback and addresses"),
    "socket port interface",
    "zones(5)",
)
IPC = _wall(
    "zone-ipc",
    N_("zone: its own System V objects"),
    "shm sem msg",
    "uts/common/os/ipc.c ipc_zoneid",
)
NODENAME = _wall(
    "zone-nodename", N_("zone: its own node name"), "hostname", "uts/common/os/zone.c zone_nodename"
)
ALL = (ROOT, VISIBILITY, PRIVILEGES, NETWORK, IPC, NODENAME)
