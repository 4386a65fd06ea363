"""A virtual environment of OpenVZ: the tag on a task, and one ioctl(2) that makes it. vzctl(8)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Length, Phase
from simulator.isolation.mechanisms.ve_walls import FINER
from simulator.machine.abi.constants import (
    O_RDWR,
    VE_CREATE,
    VE_EXCLUSIVE,
    VZCTL_ENV_CREATE_DATA,
    VZCTL_VE_MEMINFO,
)
from simulator.machine.abi.i18n import N_

FIRST_VEID = 100
"""Numbers up to 100 are OpenVZ's own (vzctl(8))."""

DEVICE = "/dev/vzctl"
FD = Fill("{vzctl}")

ABOUT = About(
    id="ve-context",
    title=N_("virtual environment"),
    hides=frozenset({"process", "socket", "port", "interface", "shm", "sem", "msg", "hostname"}),
    walls=frozenset({"ve-context"}),
    cite="vzctl(8)",
)


@dataclass(frozen=True, slots=True)
class VeContext:
    """``veid`` 0 numbers environments from 101; ``features`` are those of ``vzctl --features``,
    ``meminfo`` the pages that /proc/meminfo shows where no physpages limit says it.
    """

    veid: int = 0
    features: tuple[str, ...] = ("sysfs",)
    meminfo: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """As vzctl(8): inside the new root already, the child asks to become an environment."""
        open_device(plan, self.about.id)
        data: dict[str, object] = {"features": self.features, "iptables": "stateless"}
        data |= {f"@without.{wall}": 1 for wall in FINER if not plan.has(wall)}
        child = plan.caller(Phase.CHILD_CAPABILITIES, "guest", self.about.id)
        child(
            "ioctl",
            FD,
            VZCTL_ENV_CREATE_DATA,
            {"veid": number(plan), "flags": VE_CREATE | VE_EXCLUSIVE, "class_id": 0, "data": data},
            why=N_("The process itself becomes the environment's init; there is no way back."),
        )
        child("close", FD)
        if plan.has("ve-uts"):
            name = plan.guest.hostname or f"ct{number(plan)}"
            plan.call(
                Phase.CHILD_SECCOMP_LATE, "guest", "ve-uts", "sethostname", name, Length(name)
            )
        if self.meminfo:
            plan.call(
                Phase.CHILD_SECCOMP_LATE,
                "runtime",
                self.about.id,
                "ioctl",
                FD,
                VZCTL_VE_MEMINFO,
                {"veid": number(plan), "val": self.meminfo},
            )


def number(plan: LaunchPlan) -> int:
    """The environment's number in this launch."""
    context = plan.mechanisms.get(ABOUT.id)
    own = context.veid if isinstance(context, VeContext) else 0
    return own or FIRST_VEID + plan.ordinal


def open_device(plan: LaunchPlan, mechanism: str) -> None:
    """vzctl(8) opens /dev/vzctl once, before anything else."""
    if any(step.binds == "vzctl" for step in plan.steps):
        return
    plan.call(
        Phase.PREPARE,
        "runtime",
        mechanism,
        "open",
        DEVICE,
        O_RDWR,
        binds="vzctl",
        why=N_("The one door through which the tool speaks to the kernel."),
    )
