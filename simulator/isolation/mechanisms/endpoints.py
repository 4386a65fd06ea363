"""Endpoints on networks: each a virtual cable from a bridge of the host into the sandbox."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="endpoints",
    title=N_("endpoints on bridges"),
    needs=frozenset({"net-ns"}),
    cite="https://github.com/moby/moby/blob/master/daemon/libnetwork/docs/design.md",
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``outside`` is plugged into ``bridge``, ``inside`` has ``address``; ``gateway`` is the way
    out, empty for none.
    """

    outside: str
    inside: str
    bridge: str
    address: str
    prefix: int
    gateway: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """``cables`` in order; the first with a gateway has the default route."""

    cables: tuple[Endpoint, ...]

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A veth pair each, then its address and the route from inside."""
        outside = plan.caller(Phase.AFTER_CLONE, "runtime", self.about.id)
        inside = plan.caller(Phase.CHILD_NET, "guest", self.about.id)
        for one in self.cables:
            message = {
                "do": "veth",
                "name": one.outside,
                "peer": one.inside,
                "master": one.bridge,
                "pid": Fill("{pid}"),
                "mac": one.mac,
            }
            outside(
                "@netlink",
                message,
                why=N_("A virtual cable: one end on the bridge, the other in the sandbox."),
            )
            inside(
                "@netlink",
                {
                    "do": "address",
                    "name": one.inside,
                    "address": one.address,
                    "prefix": one.prefix,
                },
            )
            inside("@netlink", {"do": "set", "name": one.inside, "up": 1})
        way_out = next((one.gateway for one in self.cables if one.gateway), "")
        if way_out:
            inside("@netlink", {"do": "route", "to": "0.0.0.0/0", "via": way_out})
