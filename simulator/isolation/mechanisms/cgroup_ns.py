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
    """unshare(2) with CLONE_NEWCGROUP.

    ``unified_only``: only where control groups are of version 2 alone, as Docker's default is
    (moby daemon/config/config_linux.go, default-cgroupns-mode).
    """

    unified_only: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One call of the child."""
        if self.unified_only and "cgroup2" not in plan.facts:
            return
        plan.call(Phase.CHILD_CGROUP, "guest", self.about.id, "unshare", CLONE_NEWCGROUP)
