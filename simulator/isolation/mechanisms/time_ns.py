"""A time namespace: clocks that count from boot get an offset; the wall clock does not."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWTIME
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="time-ns",
    title=N_("time namespace"),
    hides=frozenset({"uptime"}),
    walls=frozenset({"time-ns"}),
    real="",
    cite="time_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class TimeNs:
    """unshare(2) with CLONE_NEWTIME."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One call of the child."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWTIME)
