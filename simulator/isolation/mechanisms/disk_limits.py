"""What a security context may store: ``/etc/vservers/NAME/dlimits``, vdlimit(8).

The kernel counts the blocks and files with the context's tag; in the model a guest's tag is on
everything in its directory.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.security_context import xid
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="disk-limits",
    title=N_("disk limits of the context"),
    needs=frozenset({"security-context"}),
    hides=frozenset({"disk"}),
    walls=frozenset({"disk-limits"}),
    real="dlimits/",
    cite="vdlimit(8)",
)


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """``space`` in bytes and ``inodes``; 0 is no limit."""

    space: int = 0
    inodes: int = 0
    number: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """vdlimit(8), on the host, before the guest starts."""
        plan.call(
            Phase.PREPARE,
            "runtime",
            self.about.id,
            "vserver",
            "VCMD_set_dlimit",
            xid(plan, self.number),
            {"name": plan.root, "space_total": self.space, "inodes_total": self.inodes},
            why=N_("The guest's files together stay below this."),
        )
