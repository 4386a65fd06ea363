"""A cable between the host and one container, with a network of four addresses for the two."""

from dataclasses import dataclass
from typing import Any

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="point-to-point",
    title=N_("a cable to the host alone"),
    needs=frozenset({"net-ns"}),
    hides=frozenset({"interface"}),
    walls=frozenset({"net-ns"}),
    cite="veth(4)",
)

_NETMASK = 30


@dataclass(frozen=True, slots=True)
class PointToPoint:
    """``prefix`` begins the names of both ends; ``pool`` the first two bytes of the addresses."""

    prefix: str = "w-"
    pool: str = "10.254"

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """As Warden's hook-parent-after-clone.sh and hook-child-after-pivot.sh do it."""
        near, far = f"{self.prefix}{plan.name}-0", f"{self.prefix}{plan.name}-1"
        host, container = addresses(self.pool, plan.ordinal)
        outside = plan.caller(Phase.AFTER_CLONE, "runtime", self.about.id)
        made: Any = {"do": "veth", "name": near, "peer": far, "pid": Fill("{pid}")}
        outside("@netlink", made, why=N_("No bridge: this cable has two ends and no third."))
        inside = plan.caller(Phase.CHILD_NET, "guest", self.about.id)
        for say, name, address in ((outside, near, host), (inside, far, container)):
            say("@netlink", {"do": "address", "name": name, "address": address, "prefix": _NETMASK})
            say("@netlink", {"do": "set", "name": name, "up": 1})
        inside("@netlink", {"do": "route", "to": "0.0.0.0/0", "via": host})


def addresses(pool: str, ordinal: int) -> tuple[str, str]:
    """The host's and the container's address in network ``ordinal`` (from 1) of the pool."""
    first = (ordinal - 1) * 4
    third, fourth = divmod(first, 256)
    return f"{pool}.{third}.{fourth + 1}", f"{pool}.{third}.{fourth + 2}"
