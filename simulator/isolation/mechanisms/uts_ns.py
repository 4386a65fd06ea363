"""A UTS namespace: a host name and a domain name of the sandbox's own."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWUTS
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="uts-ns",
    title=N_("UTS namespace"),
    hides=frozenset({"hostname"}),
    real="--uts=host",
    cite="uts_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class UtsNs:
    """CLONE_NEWUTS, then sethostname(2) while the child still may."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The namespace, and the name that the operator asked for in it."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWUTS)
        name = plan.guest.hostname
        if name:
            plan.call(
                Phase.CHILD_HOSTNAME,
                "guest",
                self.about.id,
                "sethostname",
                name,
                len(name),
                why=N_("The name is new only in here."),
            )
