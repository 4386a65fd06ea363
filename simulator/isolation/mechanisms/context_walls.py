"""Two of the rules that a security context consists of: who is seen, and what /proc shows.

Linux-VServer has no switch for them; the model lifts them one by one to show what each is for.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.machine.abi.i18n import N_

_NEEDS = frozenset({"security-context"})


@dataclass(frozen=True, slots=True)
class ContextWall:
    """One of the rules; its absence is what ``SecurityContext`` tells the kernel."""

    about: About

    def plan(self, plan: LaunchPlan) -> None:
        """Nothing to do: the context has it by itself."""
        del plan


VISIBILITY = ContextWall(
    About(
        id="context-visibility",
        title=N_("security context: who sees whom"),
        needs=_NEEDS,
        hides=frozenset({"process", "device"}),
        walls=frozenset({"context-visibility", "tagged-terminals"}),
        cite="include/linux/vserver/check.h vx_check()",
    )
)
PROC_HIDE = ContextWall(
    About(
        id="proc-hide",
        title=N_("security context: hidden files of /proc"),
        needs=_NEEDS,
        hides=frozenset(
            {"sysctl", "reboot", "machine", "keyring", "key", "kernel", "memory", "cpu", "disk"}
        ),
        walls=frozenset({"proc-hide"}),
        real="vprocunhide",
        cite="util-vserver distrib/misc/vprocunhide-files",
    )
)
