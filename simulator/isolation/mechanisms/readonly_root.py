"""A read-only root: the last thing done to the tree, when everything else is in place."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import MS_BIND, MS_RDONLY, MS_REC, MS_REMOUNT
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="readonly-root",
    title=N_("read-only root"),
    needs=frozenset({"mount-ns"}),
    hides=frozenset({"disk"}),
    walls=frozenset({"read-only-mount"}),
    cite="mount(2)",
)


@dataclass(frozen=True, slots=True)
class ReadonlyRoot:
    """``/`` remounted read-only (libcontainer finalizeRootfs)."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One remount."""
        flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_REC
        plan.call(Phase.CHILD_LSM, "guest", self.about.id, "mount", "", "/", "", flags, None)
