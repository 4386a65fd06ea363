"""A /proc that shows the sandbox's own pid namespace, mounted over the old one."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import MS_NODEV, MS_NOEXEC, MS_NOSUID
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="own-proc",
    title=N_("/proc of its own"),
    hides=frozenset({"process"}),
    walls=frozenset({"pid-ns"}),
    cite="proc(5)",
)


@dataclass(frozen=True, slots=True)
class OwnProc:
    """What ``--mount-proc`` asks for."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One mount(2), once the root is in place."""
        flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
        plan.call(
            Phase.CHILD_HOSTNAME,
            "guest",
            self.about.id,
            "mount",
            "proc",
            "/proc",
            "proc",
            flags,
            None,
        )
