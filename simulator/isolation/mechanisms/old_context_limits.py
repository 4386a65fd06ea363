"""``ULIMIT="-H -u 1000"`` and the flag ``nproc``: on 2.4 the limit of processes is a context's."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.context_limits import ABOUT
from simulator.machine.abi.constants import RLIMIT_NPROC
from simulator.machine.abi.i18n import N_


@dataclass(frozen=True, slots=True)
class OldContextLimits:
    """``processes`` of the whole context; 1000 is the default of the tools of 2003."""

    processes: int = 1000

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """``ulimit -H -u``, and chcontext's ``--flag nproc``."""
        plan.call(
            Phase.CHILD_LSM,
            "guest",
            self.about.id,
            "setrlimit",
            RLIMIT_NPROC,
            (self.processes, self.processes),
        )
        plan.call(
            Phase.CHILD_LSM,
            "guest",
            self.about.id,
            "new_s_context",
            -2,
            0,
            ("nproc",),
            why=N_("All processes of the context together stay below this."),
        )
