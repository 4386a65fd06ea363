"""Limits of a whole security context: ``/etc/vservers/NAME/rlimits``, vlimit(8)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.security_context import xid
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="context-limits",
    title=N_("limits of the context"),
    needs=frozenset({"security-context"}),
    hides=frozenset({"memory", "pids", "files", "process"}),
    walls=frozenset({"context-limits"}),
    real="rlimits/",
    cite="vlimit(8)",
)


@dataclass(frozen=True, slots=True)
class ContextLimits:
    """``limits`` are (name, hard limit) in each one's own unit, memory in bytes."""

    limits: tuple[tuple[str, int], ...] = ()
    number: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """``vlimit --dir``."""
        for name, hard in self.limits:
            plan.call(
                Phase.CHILD_LSM,
                "guest",
                self.about.id,
                "vserver",
                "VCMD_set_rlimit",
                xid(plan, self.number),
                {"id": name, "maximum": hard, "softlimit": hard},
                why=N_("All processes of the context together stay below this."),
            )
