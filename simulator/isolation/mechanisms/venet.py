"""venet: addresses that the host routes to a container, over a device without frames. vzctl(8)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_context import FD, number
from simulator.machine.abi.constants import VE_IP_ADD, VENETCTL_VE_IP_MAP
from simulator.machine.abi.i18n import N_

NAME = "venet0"

ABOUT = About(
    id="venet",
    title=N_("routed addresses"),
    needs=frozenset({"ve-context", "ve-net"}),
    hides=frozenset({"interface"}),
    real="--ipdel all",
    cite="vzctl(8)",
)


@dataclass(frozen=True, slots=True)
class Venet:
    """``addresses`` may hold ``{ordinal}``."""

    addresses: tuple[str, ...] = ("192.0.2.10{ordinal}",)

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The host maps the address; the distribution's script brings the device up inside."""
        inside = plan.caller(Phase.CHILD_SECCOMP_LATE, "guest", self.about.id)
        inside("@netlink", {"do": "set", "name": "lo", "up": 1})
        inside("@netlink", {"do": "set", "name": NAME, "up": 1})
        for text in self.addresses:
            address = text.format(ordinal=plan.ordinal)
            plan.call(
                Phase.CHILD_SECCOMP_LATE,
                "runtime",
                self.about.id,
                "ioctl",
                FD,
                VENETCTL_VE_IP_MAP,
                {"veid": number(plan), "op": VE_IP_ADD, "addr": address},
                why=N_("The host sends packets to this address into the environment."),
            )
            inside("@netlink", {"do": "address", "name": NAME, "address": address, "prefix": 32})
        if self.addresses:
            inside("@netlink", {"do": "route", "to": "0.0.0.0/0", "via": ""})
