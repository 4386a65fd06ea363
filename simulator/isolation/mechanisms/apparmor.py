"""AppArmor's ``docker-default`` profile: used where the machine has AppArmor, as Docker does."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="apparmor",
    title=N_("AppArmor profile"),
    hides=frozenset({"mount", "sysctl", "reboot", "memory"}),
    walls=frozenset({"apparmor"}),
    real="--security-opt apparmor=unconfined",
    cite="apparmor(7)",
)


@dataclass(frozen=True, slots=True)
class Apparmor:
    """The profile that the next execve(2) enters."""

    profile: str = "docker-default"

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A write to /proc/self/attr/exec; nothing on a machine without AppArmor."""
        if "apparmor" in plan.facts:
            path = "/proc/self/attr/apparmor/exec"
            text = f"exec {self.profile}"
            plan.write(Phase.CHILD_LSM, "guest", self.about.id, path, text)
