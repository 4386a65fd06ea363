"""A Solaris zone: one tag on the process, a limit set of privileges, a root. zones(5)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import (
    ROOT_SWITCH,
    About,
    Fill,
    LaunchPlan,
    Phase,
)
from simulator.isolation.mechanisms.zone_limitpriv import limit_set
from simulator.machine.abi.constants import (
    O_APPEND,
    O_CREAT,
    O_TRUNC,
    O_WRONLY,
    ZCF_NET_EXCL,
    ZONE_ATTR_PHYS_MCAP,
)
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import privset

_KINDS = """
file process mount hostname shm sem msg socket port clock module reboot device interface
"""

ABOUT = About(
    id="zone",
    title=N_("zone"),
    family="sunos",
    hides=frozenset(_KINDS.split()),
    walls=frozenset({"zone"}),
    role=ROOT_SWITCH,
    cite="zones(5)",
)

LOCAL_MOUNTS = (
    ("/proc", "/proc", "proc"),
    ("ctfs", "/system/contract", "ctfs"),
    ("mnttab", "/etc/mnttab", "mntfs"),
    ("objfs", "/system/object", "objfs"),
)
"""What a zone mounts for itself when it boots (lib/brand/native/zone/platform.xml)."""

FINER_WALLS = (
    "zone-visibility",
    "zone-root",
    "zone-privileges",
    "zone-network",
    "zone-ipc",
    "zone-nodename",
)
"""What a zone is made of inside the kernel; each can be lifted on its own in the model."""


@dataclass(frozen=True, slots=True)
class Net:
    """``add net``: an address on an interface of the machine (empty: its first card)."""

    address: str
    physical: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone in zonecfg(1M)'s own properties. ``rctls`` are zone.* resource controls.

    ``physical`` is capped-memory's, in bytes: no limit of the kernel's but one that rcapd(1M), a
    daemon of the global zone, looks after. ``ncpus`` is dedicated-cpu's: a processor set.
    """

    limitpriv: str = "default"
    ip_type: str = "shared"
    brand: str = "native"
    nets: tuple[Net, ...] = ()
    rctls: tuple[tuple[str, int], ...] = ()
    physical: int = 0
    ncpus: int = 0
    fs_allowed: str = ""
    configuration: str = ""
    """What zonecfg has written to /etc/zones/NAME.xml; {name} and {ordinal} are filled in."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """As zoneadmd: make the zone, furnish it, boot it; then enter it, as zlogin does."""
        runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        if self.configuration:
            self._configured(plan)
        definition: dict[str, object] = {
            "name": plan.name,
            "root": plan.root,
            "privs": list(privset.names(limit_set(self.limitpriv, self.ip_type))),
            "brand": self.brand,
            "@domain": plan.name,
        }
        if self.ip_type == "exclusive":
            definition["flags"] = ZCF_NET_EXCL
        if self.rctls:
            definition["rctls"] = dict(self.rctls)
        if self.ncpus:
            definition["pset"] = self.ncpus
        if self.fs_allowed:
            definition["fs-allowed"] = self.fs_allowed
        definition |= {f"@without.{wall}": 1 for wall in FINER_WALLS if not plan.has(wall)}
        runtime(
            "zone_create",
            definition,
            binds="zid",
            why=N_("The zone exists, with its limit set, before anybody is in it."),
        )
        if self.physical:
            runtime("zone_setattr", Fill("{zid}"), ZONE_ATTR_PHYS_MCAP, self.physical)
        if plan.has("zone-network") and self.ip_type == "shared":
            self._interfaces(plan)
        for place in ("/system", "/system/contract", "/system/object"):
            runtime("mkdir", f"{plan.root}{place}", 0o755, tolerates=("EEXIST",))
        if not plan.has("zone-devices"):
            mount_dev(plan, self.about.id, None)
        plan.call(
            Phase.CLONE,
            "runtime",
            self.about.id,
            "zone_boot",
            Fill("{zid}"),
            why=N_("The kernel starts the zone's own init."),
        )
        plan.call(
            Phase.CHILD_PIVOT,
            "guest",
            self.about.id,
            "zone_enter",
            Fill("{zid}"),
            why=N_("The process gets the zone's tag, root and limit set; there is no way back."),
        )
        inside = plan.caller(Phase.CHILD_HOSTNAME, "guest", self.about.id)
        for special, place, fstype in LOCAL_MOUNTS:
            inside("mount", special, place, 0, fstype, tolerates=("ENOENT", "EPERM"))

    def _configured(self, plan: LaunchPlan) -> None:
        """As zonecfg and zoneadm install have left it: the XML file and a line in the index."""
        text = self.configuration.replace("{name}", plan.name)
        text = text.replace("{ordinal}", str(plan.ordinal))
        flags = O_WRONLY | O_CREAT
        line = f"{plan.name}:installed:{plan.root}:\n"
        written = ((f"{plan.name}.xml", text, O_TRUNC), ("index", line, O_APPEND))
        for number, (name, content, more) in enumerate(written):
            runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
            fd = f"zonefile{number}"
            runtime("open", f"/etc/zones/{name}", flags | more, 0o644, binds=fd)
            runtime("write", Fill("{" + fd + "}"), content, len(content))
            runtime("close", Fill("{" + fd + "}"))

    def _interfaces(self, plan: LaunchPlan) -> None:
        """configure_shared_network_interfaces(): loopback first, then each address."""
        runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        runtime("@logical", Fill("{zid}"), "", "", 8)
        for net in self.nets:
            address, _slash, prefix = net.address.format(ordinal=plan.ordinal).partition("/")
            runtime(
                "@logical",
                Fill("{zid}"),
                net.physical,
                address,
                int(prefix or 24),
                why=N_("The zone's address is a logical interface on the machine's card."),
            )


def mount_dev(plan: LaunchPlan, mechanism: str, match: tuple[str, ...] | None) -> None:
    """The ``dev`` filesystem on the zone's /dev, with the names that it shows (None: all)."""
    place = f"{plan.root}/dev"
    runtime = plan.caller(Phase.PREPARE, "runtime", mechanism)
    runtime("mkdir", place, 0o755, tolerates=("EEXIST",))
    options = "" if match is None else "match=" + ":".join(match)
    runtime("mount", "/dev", place, 0, "dev", None, 0, options, len(options))
