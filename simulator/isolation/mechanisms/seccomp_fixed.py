"""seccomp(2) with a filter that depends on nothing else: a product's profile as it stands."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.isolation.mechanisms.seccomp import ABOUT, load
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.task import SeccompFilter


@dataclass(frozen=True, slots=True)
class FixedFilter:
    """``profile`` is loaded by the sandbox's own process, before its capabilities go."""

    profile: SeccompFilter

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """It is the same for whatever else the sandbox has."""
        load(plan, self.profile, N_("From here on the filter is asked before every call."))
