"""A mount namespace whose mounts are all private: unshare(1)'s way, root and all kept."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.mount_ns import ABOUT
from simulator.machine.abi.constants import CLONE_NEWNS, MS_PRIVATE, MS_REC
from simulator.machine.abi.i18n import N_


@dataclass(frozen=True, slots=True)
class PrivateMounts:
    """CLONE_NEWNS, then MS_PRIVATE on every mount."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The namespace, and an end to propagation."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWNS)
        plan.call(
            Phase.CHILD_ROOT,
            "guest",
            self.about.id,
            "mount",
            "none",
            "/",
            None,
            MS_REC | MS_PRIVATE,
            None,
            why=N_("Mounts made in here do not propagate to the host."),
        )
