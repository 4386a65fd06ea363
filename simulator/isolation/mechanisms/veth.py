"""veth: a cable of frames between the host and a container, as ``vzctl --netif_add`` lays it."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_context import FD, number
from simulator.machine.abi.constants import VETHCTL_VE_HWADDR
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="veth",
    title=N_("virtual cable"),
    needs=frozenset({"ve-context", "ve-net"}),
    real="--netif_del all",
    cite="vzctl(8)",
)


@dataclass(frozen=True, slots=True)
class Veth:
    """``names`` are the interfaces inside; outside they are called vethVEID.N."""

    names: tuple[str, ...] = ("eth0",)

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One ioctl for each cable; addresses are the container's own affair."""
        veid = number(plan)
        for index, name in enumerate(self.names):
            plan.call(
                Phase.CHILD_SECCOMP_LATE,
                "runtime",
                self.about.id,
                "ioctl",
                FD,
                VETHCTL_VE_HWADDR,
                {
                    "veid": veid,
                    "op": 1,
                    "dev_name": f"veth{veid}.{index}",
                    "dev_name_ve": name,
                },
            )
            plan.call(
                Phase.CHILD_SECCOMP_LATE,
                "guest",
                self.about.id,
                "@netlink",
                {"do": "set", "name": name, "up": 1},
            )
