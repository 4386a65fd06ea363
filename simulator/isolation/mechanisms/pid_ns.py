"""A pid namespace: processes outside have no number in here, so no call can name them."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWPID
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="pid-ns",
    title=N_("pid namespace"),
    hides=frozenset({"process"}),
    walls=frozenset({"pid-ns"}),
    real="--pid=host",
    cite="pid_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class PidNs:
    """CLONE_NEWPID at the birth of the sandbox's first process, which becomes its pid 1.

    Not ``at_birth``: by unshare(2), which leaves the process where it is and moves its children.
    """

    at_birth: bool = True

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One flag of the clone(2) that makes the first process."""
        if not self.at_birth:
            plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWPID)
            return
        plan.clone_flags |= CLONE_NEWPID
        plan.cloners.append(self.about.id)
