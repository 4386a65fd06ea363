"""pivot_root(2): the old root is not hidden but gone, so there is nothing to walk up to."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import ROOT_SWITCH, About, Fill, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    MNT_DETACH,
    MS_REC,
    MS_SHARED,
    MS_SLAVE,
    O_CLOEXEC,
    O_CREAT,
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
    namespaces of their own (LXC, conf.c lxc_pivot_root()). ``pinned``: a deleted file of the root
    is held open, so that nobody inside makes the filesystem under it read-only for all; a user
    namespace of one's own keeps one from that anyway (LXC, conf.c lxc_rootfs_init()).
    """

    shared: bool = False
    pinned: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Eight calls, as runc makes them."""
        if self.pinned and not plan.has("user-ns"):
            runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
            runtime("open", f"{plan.root}/.lxc_keep", O_CREAT | O_CLOEXEC, 0o600)
            runtime("unlink", f"{plan.root}/.lxc_keep")
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
