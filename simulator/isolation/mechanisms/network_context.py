"""A network context (nid) of Linux-VServer: chbind(8) chooses the addresses that a guest may use.

There is one stack with one set of ports; the context narrows what any address means in here.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.security_context import xid
from simulator.machine.abi.i18n import N_

ADDRESS = "192.0.2.2{ordinal}"
DEVICE = "dummy0"

ABOUT = About(
    id="network-context",
    title=N_("network context"),
    hides=frozenset({"socket", "port", "interface"}),
    walls=frozenset({"network-context"}),
    cite="util-vserver scripts/chbind",
)
NETIF = About(
    id="hide-netif",
    title=N_("hidden network interfaces"),
    needs=frozenset({"network-context"}),
    hides=frozenset({"interface"}),
    walls=frozenset({"hide-netif"}),
    real="nflags ~hide_netif",
    cite="include/linux/vs_inet.h nx_dev_visible()",
)


def put_on_card(plan: LaunchPlan, mechanism: str, device: str, address: str) -> None:
    """``ip addr add``: the machine answers to the guest's address, on the card that is named."""
    prepare = plan.caller(Phase.PREPARE, "runtime", mechanism)
    if device.startswith("dummy"):
        prepare("@netlink", {"do": "dummy", "name": device}, tolerates=("EEXIST",))
    prepare(
        "@netlink",
        {"do": "address", "name": device, "address": address, "prefix": 32},
        why=N_("The machine answers to the guest's address from now on."),
    )


@dataclass(frozen=True, slots=True)
class NetworkContext:
    """``addresses`` may hold ``{ordinal}``; ``device`` is the card that they are put on, ``""``
    one that has them already (``nodev``); ``flags`` and ``ncaps`` are util-vserver's words."""

    addresses: tuple[str, ...] = (ADDRESS,)
    device: str = DEVICE
    flags: tuple[str, ...] = ()
    ncaps: tuple[str, ...] = ("raw_icmp",)
    number: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """As chbind(8): make the context, give it addresses, and close it."""
        mine = xid(plan, self.number)
        own = [text.format(ordinal=plan.ordinal) for text in self.addresses]
        if self.device:
            for address in own:
                put_on_card(plan, self.about.id, self.device, address)
        child = plan.caller(Phase.CHILD_NET, "guest", self.about.id)
        child(
            "vserver",
            "VCMD_net_create",
            mine,
            {},
            why=N_("The process's network is a list of addresses from now on."),
        )
        if self.ncaps:
            words = list(self.ncaps)
            child("vserver", "VCMD_set_ncaps", mine, {"ncaps": words, "cmask": words})
        if self.flags:
            words = list(self.flags)
            child("vserver", "VCMD_set_nflags", mine, {"flagword": words, "mask": words})
        for address in own:
            child("vserver", "VCMD_net_add", mine, {"type": "IPV4", "ip": address})


@dataclass(frozen=True, slots=True)
class HideNetif:
    """NXF_HIDE_NETIF, which ``chbind --secure`` sets."""

    number: int = 0

    about: About = NETIF

    def plan(self, plan: LaunchPlan) -> None:
        """One flag of the network context."""
        plan.call(
            Phase.CHILD_NET,
            "guest",
            self.about.id,
            "vserver",
            "VCMD_set_nflags",
            xid(plan, self.number),
            {"flagword": ["hide_netif"], "mask": ["hide_netif"]},
            why=N_("Interfaces with none of its addresses do not exist in here."),
        )


@dataclass(frozen=True, slots=True)
class OldNetworkContext:
    """``set_ipv4root``: one address, for good."""

    address: str = ADDRESS
    device: str = DEVICE

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """chbind(8) on 2.4."""
        own = self.address.format(ordinal=plan.ordinal)
        if self.device:
            put_on_card(plan, self.about.id, self.device, own)
        plan.call(
            Phase.CHILD_NET,
            "guest",
            self.about.id,
            "set_ipv4root",
            own,
            None,
            why=N_("The process has this address and no other one, for good."),
        )
