"""Device nodes of the host that an operator hands in: ``--device``."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(id="devices", title=N_("devices handed in"), real="--device", cite="mknod(2)")


@dataclass(frozen=True, slots=True)
class HandedDevices:
    """``nodes`` are (path inside, S_IFBLK or S_IFCHR, major, minor)."""

    nodes: tuple[tuple[str, int, int, int], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A node in the new /dev for each."""
        child = plan.caller(Phase.CHILD_DEVICES, "guest", self.about.id)
        for path, kind, major, minor in self.nodes:
            child("mknod", plan.root + path, kind | 0o660, major << 8 | minor)
