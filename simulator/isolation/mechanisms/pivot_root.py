"""pivot_root(2): the old root is not hidden but gone, so there is nothing to walk up to."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import ROOT_SWITCH, About, Fill, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    MNT_DETACH,
    MS_REC,
    MS_SHARED,
    MS_SLAVE,
    O_DIRECTORY,
    O_RDONLY,
)
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="pivot-root",
    title=N_("pivot_root"),
    needs=frozenset({"mount-ns"}),
    hides=frozenset({"file", "mount", "socket"}),
    role=ROOT_SWITCH,
    cite="pivot_root(2)",
)


@dataclass(frozen=True, slots=True)
class PivotRoot:
    """runc's way: stack the old root on the new one, then detach it (rootfs_linux.go).

    ``shared``: in the end every mount begins a peer group, for programs inside that make mount
    namespaces of their own (LXC, conf.c lxc_pivot_root()).
    """

    shared: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Eight calls, as runc makes them."""
        child = plan.caller(Phase.CHILD_PIVOT, "guest", self.about.id)
        child("open", "/", O_DIRECTORY | O_RDONLY, binds="oldroot")
        child("open", plan.root, O_DIRECTORY | O_RDONLY, binds="newroot")
        child("fchdir", Fill("{newroot}"))
        child("pivot_root", ".", ".", why=N_("The mount tree itself is turned over."))
        child("fchdir", Fill("{oldroot}"))
        child("mount", "", ".", "", MS_SLAVE | MS_REC, None)
        child("umount2", ".", MNT_DETACH, why=N_("The old root leaves this mount namespace."))
        child("close", Fill("{oldroot}"))
        child("close", Fill("{newroot}"))
        child("chdir", "/")
        if self.shared:
            child("mount", "", ".", "", MS_SHARED | MS_REC, None)
