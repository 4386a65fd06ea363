"""A share of the processors: the fair scheduler's group, weighed by cpuunits. vzctl(8)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_context import number
from simulator.machine.abi.i18n import N_

UNITS = 500_000

ABOUT = About(
    id="cpuunits",
    title=N_("share of the processors"),
    needs=frozenset({"ve-context"}),
    hides=frozenset({"cpu"}),
    real="--cpuunits 1000 --cpulimit 0",
    cite="vzctl(8)",
)


@dataclass(frozen=True, slots=True)
class CpuUnits:
    """``units`` weigh against other containers'; ``limit`` is a percentage of one processor and
    ``cpus`` a count, 0 for none.
    """

    units: int = 1000
    limit: int = 0
    cpus: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A group, its weight, its limit, and the child in it."""
        host = plan.caller(Phase.AFTER_CLONE, "runtime", self.about.id)
        veid = number(plan)
        host("fairsched_mknod", 0, 1, veid)
        host("fairsched_chwt", veid, max(1, UNITS // self.units))
        host("fairsched_mvpr", Fill("{pid}"), veid)
        if self.limit:
            host("fairsched_rate", veid, 0, self.limit * 1024 // 100)
        if self.cpus:
            host("fairsched_vcpus", veid, self.cpus)
