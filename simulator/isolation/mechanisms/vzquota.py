"""A disk quota for a directory tree: how much a container may store, and how many files."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_context import FD, number, open_device
from simulator.machine.abi.constants import VZCTL_QUOTA_NEW_CTL
from simulator.machine.abi.i18n import N_

BLOCK = 1024

ABOUT = About(
    id="vzquota",
    title=N_("disk quota"),
    hides=frozenset({"disk"}),
    walls=frozenset({"vzquota"}),
    real="DISK_QUOTA=no",
    cite="vzquota(8)",
)


@dataclass(frozen=True, slots=True)
class Vzquota:
    """(soft, hard) of ``space`` in blocks of 1 KiB and of ``inodes``."""

    space: tuple[int, int] = (2_097_152, 2_306_867)
    inodes: tuple[int, int] = (131_072, 144_179)

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """vzquota on, before the private area is mounted."""
        open_device(plan, self.about.id)
        plan.call(
            Phase.PREPARE,
            "runtime",
            self.about.id,
            "ioctl",
            FD,
            VZCTL_QUOTA_NEW_CTL,
            {
                "cmd": "on",
                "quota_id": number(plan),
                "root": plan.image.root.format(name=plan.name),
                "soft_space": self.space[0] * BLOCK,
                "hard_space": self.space[1] * BLOCK,
                "soft_inodes": self.inodes[0],
                "hard_inodes": self.inodes[1],
            },
            why=N_("Every file below this directory counts against one number from now on."),
        )
