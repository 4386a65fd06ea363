"""seccomp(2) with a filter that depends on nothing else: a product's profile as it stands."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.seccomp import ABOUT, as_argument
from simulator.machine.abi.constants import SECCOMP_SET_MODE_FILTER
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.task import SeccompFilter


@dataclass(frozen=True, slots=True)
class FixedFilter:
    """``profile`` is loaded by the sandbox's own process, before its capabilities go."""

    profile: SeccompFilter

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """After no_new_privs, which makes the call free."""
        late = plan.has("no-new-privs")
        plan.call(
            Phase.CHILD_SECCOMP_LATE if late else Phase.CHILD_SECCOMP_EARLY,
            "guest",
            self.about.id,
            "seccomp",
            SECCOMP_SET_MODE_FILTER,
            0,
            as_argument(self.profile),
            why=N_("From here on the filter is asked before every call."),
        )
