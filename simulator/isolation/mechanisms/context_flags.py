"""Flags of a security context that make its view of the machine its own: ``vattribute --flag``."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.security_context import xid
from simulator.machine.abi.i18n import N_

DEFAULT = ("virt_uptime", "sc_helper")
"""What ``--flag default`` stands for (lib/cflags-v13.c)."""

ABOUT = About(
    id="context-flags",
    title=N_("flags of the context"),
    needs=frozenset({"security-context"}),
    hides=frozenset({"clock", "memory", "cpu"}),
    real="flags",
    cite="util-vserver lib/cflags-v13.c",
)


@dataclass(frozen=True, slots=True)
class ContextFlags:
    """``flags`` are util-vserver's words."""

    flags: tuple[str, ...] = (*DEFAULT, "fakeinit")
    number: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """``vattribute --set --flag``."""
        plan.call(
            Phase.CHILD_CAPABILITIES,
            "guest",
            self.about.id,
            "vserver",
            "VCMD_set_cflags",
            xid(plan, self.number),
            {"flagword": list(self.flags), "mask": list(self.flags)},
            why=N_("Among others, its uptime is counted from the context's start."),
        )
