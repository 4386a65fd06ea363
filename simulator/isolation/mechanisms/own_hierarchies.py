"""Hierarchies of control groups mounted where the product wants them."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="own-hierarchies",
    title=N_("hierarchies mounted for the product"),
    real="-",
    cite="cgroups(7)",
)


@dataclass(frozen=True, slots=True)
class OwnHierarchies:
    """``top`` becomes a tmpfs with a mount for each controller; the first launch does it."""

    top: str
    controllers: tuple[str, ...]

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Warden root/linux/setup.sh, which looks into /proc/mounts first."""
        if plan.ordinal > 1:
            return
        runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        names = self.top.strip("/").split("/")
        for count in range(1, len(names) + 1):
            path = "/" + "/".join(names[:count])
            runtime("mkdir", path, 0o755, tolerates=("EEXIST",))
        runtime("mount", "none", self.top, "tmpfs", 0, None)
        for name in self.controllers:
            runtime("mkdir", f"{self.top}/{name}", 0o755)
            runtime("mount", "none", f"{self.top}/{name}", "cgroup", 0, name)
