"""chroot(2): one pointer that ``/`` and ``..`` are compared with, and nothing else."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import ROOT_SWITCH, About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="chroot",
    title=N_("chroot"),
    family="posix",
    hides=frozenset({"file"}),
    role=ROOT_SWITCH,
    cite="chroot(2)",
)


@dataclass(frozen=True, slots=True)
class Chroot:
    """chroot(2) and chdir(2), as chroot(8) does."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Without the chdir(2) the process would start outside already."""
        child = plan.caller(Phase.CHILD_PIVOT, "guest", self.about.id)
        child("chroot", plan.root, why=N_("From now on this directory is where paths begin."))
        child("chdir", "/")
