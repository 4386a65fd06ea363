"""A zone's list of devices: which nodes its /dev has at all. lib/brand/native/zone/platform.xml."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.isolation.mechanisms.zone import mount_dev
from simulator.machine.abi.i18n import N_

_PLATFORM = """
arp bpf conslog cpu/self/cpuid crypto cryptoadm dsk dtrace dtrace/* fd ipnet kstat lo0 log logindmux
nsmb net/* null poll pool ptmx pts/* random rdsk rmt sad/user swap sysevent tcp tcp6 term ticlts
ticots ticotsord tty udp udp6 urandom zero zfs stdin console
"""
_EXCLUSIVE = "dld icmp icmp6 ip ip6 ipauth ipf ipl ipnat ipstate keysock rawip rawip6 rts sctp"
PLATFORM = tuple(_PLATFORM.split())
"""Every zone's devices. ``dsk`` and ``rdsk`` are directories, and empty."""
EXCLUSIVE = tuple(_EXCLUSIVE.split())
"""Those of a zone with an IP stack of its own besides."""

ABOUT = About(
    id="zone-devices",
    title=N_("zone: device list"),
    family="sunos",
    needs=frozenset({"zone"}),
    hides=frozenset({"device"}),
    walls=frozenset({"zone-devices"}),
    real="add device; set match=*; end",
    cite="zonecfg(1M)",
)


@dataclass(frozen=True, slots=True)
class ZoneDevices:
    """The brand's list, and ``more`` that ``add device`` named (match patterns)."""

    more: tuple[str, ...] = ()
    exclusive: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """zoneadmd mounts it and commits the zone's profile to it."""
        listed = PLATFORM + (EXCLUSIVE if self.exclusive else ()) + self.more
        mount_dev(plan, self.about.id, listed)
