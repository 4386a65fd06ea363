"""A cgroup namespace: the group joined just before reads as the root of the hierarchy."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWCGROUP
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="cgroup-ns",
    title=N_("cgroup namespace"),
    hides=frozenset({"cgroup"}),
    walls=frozenset({"cgroup-ns"}),
    real="--cgroupns=host",
    cite="cgroup_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class CgroupNs:
    """unshare(2) with CLONE_NEWCGROUP; ``only_on_2``: not where groups are of version 1.

    Docker's default is ``private`` on version 2 and ``host`` on version 1.
    """

    only_on_2: bool = False

    unified_only: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One call of the child."""
        if self.only_on_2 and "cgroup2" not in plan.facts:
            return
        if self.unified_only and "cgroup2" not in plan.facts:
            return
        plan.call(Phase.CHILD_CGROUP, "guest", self.about.id, "unshare", CLONE_NEWCGROUP)
