"""A mount namespace: what is mounted in here is mounted nowhere else."""

from dataclasses import dataclass

from simulator.isolation.mechanisms import volumes
from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWNS, MS_BIND, MS_PRIVATE, MS_REC, MS_SLAVE
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="mount-ns",
    title=N_("mount namespace"),
    hides=frozenset({"mount"}),
    walls=frozenset({"mount-ns", "bind-mount"}),
    cite="mount_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class MountNs:
    """CLONE_NEWNS, then the whole tree made a slave so that nothing flows back to the host."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The namespace, and the new root as a mount of its own (pivot_root(2) wants one)."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWNS)
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        flags = volumes.of_root(plan)
        child(
            "mount",
            "",
            "/",
            "",
            flags,
            None,
            why=N_("Mounts made in here do not propagate to the host.") if flags & MS_SLAVE else "",
        )
        if not flags & MS_SLAVE:
            child(
                "mount",
                "",
                "/",
                "",
                MS_PRIVATE,
                None,
                why=N_("A volume is shared with the host; the mount above the new root is not."),
            )
        child(
            "mount",
            plan.root,
            plan.root,
            "bind",
            MS_BIND | MS_REC,
            None,
            why=N_("The new root becomes a mount point."),
        )
