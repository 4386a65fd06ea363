"""A network namespace: interfaces, addresses, ports and abstract sockets of the sandbox's own."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWNET
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="net-ns",
    title=N_("network namespace"),
    hides=frozenset({"socket", "port", "interface"}),
    walls=frozenset({"net-ns"}),
    real="--network=host",
    cite="network_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class NetNs:
    """CLONE_NEWNET; with ``bridge``, a virtual cable to it and an address in ``subnet``, or the
    ``address`` (with its prefix) and the ``gateway`` that an operator chose.
    libnetwork turns IPv6 off in a network that has none (``ipv6``).

    Making an interface is a netlink conversation that a plain call can't carry: the runtime-only
    call ``@netlink`` stands for each message of it (rtnetlink(7)).
    """

    bridge: str = "docker0"
    loopback_up: bool = True
    ipv6: bool = False
    subnet: str = "172.17.0"
    address: str = ""
    gateway: str = ""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The namespace, then a veth pair: one end on the bridge, the other one inside."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWNET)
        inside = plan.caller(Phase.CHILD_NET, "guest", self.about.id)
        if not self.ipv6:
            switch = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
            plan.write(Phase.CHILD_NET, "guest", self.about.id, switch, "1", tolerates=("ENOENT",))
        if self.loopback_up:
            inside("@netlink", {"do": "set", "name": "lo", "up": 1})
        if not self.bridge:
            return
        outside = plan.caller(Phase.AFTER_CLONE, "runtime", self.about.id)
        near = f"veth{plan.ordinal}"
        gateway = f"{self.subnet}.1"
        outside(
            "@netlink",
            {"do": "bridge", "name": self.bridge, "address": gateway, "prefix": 16},
            tolerates=("EEXIST",),
        )
        outside(
            "@netlink",
            {
                "do": "veth",
                "name": near,
                "peer": "eth0",
                "master": self.bridge,
                "pid": Fill("{pid}"),
            },
            why=N_("A virtual cable: one end on the bridge, the other in the sandbox."),
        )
        chosen, _, prefix = self.address.partition("/")
        address = chosen or f"{self.subnet}.{plan.ordinal + 1}"
        size = int(prefix or 16)
        inside("@netlink", {"do": "address", "name": "eth0", "address": address, "prefix": size})
        inside("@netlink", {"do": "set", "name": "eth0", "up": 1})
        if chosen and not self.gateway:
            return
        inside("@netlink", {"do": "route", "to": "0.0.0.0/0", "via": self.gateway or gateway})
