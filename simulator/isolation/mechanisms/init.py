"""A small init of the runtime's as pid 1: it reaps orphans, and the program is its child."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import PR_SET_NAME, SIG_DFL, SIG_IGN, SIGCHLD
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="init",
    title=N_("an init as pid 1"),
    real="--init",
    cite="https://github.com/krallin/tini",
)


@dataclass(frozen=True, slots=True)
class Init:
    """``name`` is what ps(1) shows as pid 1."""

    name: str = "docker-init"

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The first process stays behind as init; the sandbox's program is born from it."""
        child = plan.caller(Phase.CHILD_INIT, "guest", self.about.id)
        child("prctl", PR_SET_NAME, self.name)
        child("rt_sigaction", SIGCHLD, SIG_IGN, why=N_("Children that end leave no zombie."))
        child("fork", why=N_("The program will be the child of an init, not pid 1 itself."))
        child("rt_sigaction", SIGCHLD, SIG_DFL)
