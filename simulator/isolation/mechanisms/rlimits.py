"""Per-process limits, set before the program starts: getrlimit(2)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="rlimits",
    title=N_("resource limits of the process"),
    hides=frozenset({"memory", "pids"}),
    walls=frozenset({"rlimit"}),
    real="--ulimit",
    cite="getrlimit(2)",
)


@dataclass(frozen=True, slots=True)
class Rlimits:
    """``limits`` are (resource, soft, hard) in each resource's own unit."""

    limits: tuple[tuple[int, int, int], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One setrlimit(2) for each, by the child itself while it may still raise them."""
        for resource, soft, hard in self.limits:
            plan.call(
                Phase.AFTER_CLONE, "guest", self.about.id, "setrlimit", resource, (soft, hard)
            )
