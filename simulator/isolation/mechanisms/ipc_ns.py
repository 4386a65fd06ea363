"""An IPC namespace: System V objects and message queues have keys of their own in here."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWIPC
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="ipc-ns",
    title=N_("IPC namespace"),
    hides=frozenset({"shm", "sem", "msg"}),
    real="--ipc=host",
    cite="ipc_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class IpcNs:
    """unshare(2) with CLONE_NEWIPC."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One call of the child."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWIPC)
