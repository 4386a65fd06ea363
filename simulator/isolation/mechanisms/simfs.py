"""simfs and chroot(2): the container's directory, mounted as a filesystem of its own, becomes /."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import ROOT_SWITCH, About, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_context import number
from simulator.machine.abi.i18n import N_

VE_ROOT = "/var/lib/vz/root"

ABOUT = About(
    id="simfs",
    title=N_("private area"),
    hides=frozenset({"file"}),
    role=ROOT_SWITCH,
    cite="vzctl(8) mount",
)


@dataclass(frozen=True, slots=True)
class Simfs:
    """``root`` overrides VE_ROOT, which is ``/var/lib/vz/root/VEID``."""

    root: str = ""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """vzctl mount, then chdir(2) and chroot(2) in the child (vz_chroot())."""
        host = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        private, root = plan.root, self.root or f"{VE_ROOT}/{number(plan)}"
        host("mkdir", root, 0o755, tolerates=("EEXIST",))
        host(
            "mount",
            private,
            root,
            "simfs",
            0,
            private,
            why=N_("The same files, seen through a filesystem that can have limits of its own."),
        )
        plan.root = root
        child = plan.caller(Phase.CHILD_PIVOT, "guest", self.about.id)
        child("chdir", root)
        child("chroot", root, why=N_("From now on this directory is where paths begin."))
        child("chdir", "/")
