"""no_new_privs: from here on execve(2) gives nothing that the caller didn't have."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import PR_SET_NO_NEW_PRIVS
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="no-new-privs",
    title=N_("no_new_privs"),
    hides=frozenset({"privilege"}),
    walls=frozenset({"no-new-privs"}),
    cite="PR_SET_NO_NEW_PRIVS(2const)",
)


@dataclass(frozen=True, slots=True)
class NoNewPrivs:
    """prctl(2) PR_SET_NO_NEW_PRIVS: set-user-ID programs and file capabilities stop working."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One call, before the filter is loaded."""
        plan.call(Phase.CHILD_NNP, "guest", self.about.id, "prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
