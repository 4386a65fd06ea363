"""The four rules that a prison consists of: who is seen, what root may do, which addresses, which
root. FreeBSD has no switch for them; the model lifts them one by one to show what each is for.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.machine.abi.i18n import N_


@dataclass(frozen=True, slots=True)
class PrisonWall:
    """One of the rules; its absence is what ``Prison`` tells the kernel."""

    about: About

    def plan(self, plan: LaunchPlan) -> None:
        """Nothing to do: the prison has it by itself."""
        del plan


_NEEDS = frozenset({"prison"})

VISIBILITY = PrisonWall(
    About(
        id="prison-visibility",
        title=N_("prison: who sees whom"),
        family="freebsd",
        needs=_NEEDS,
        hides=frozenset({"process"}),
        walls=frozenset({"prison-visibility"}),
        cite="sys/kern/kern_jail.c prison_check()",
    )
)
PRIVILEGES = PrisonWall(
    About(
        id="prison-privileges",
        title=N_("prison: what root may do"),
        family="freebsd",
        needs=_NEEDS,
        hides=frozenset(
            {"clock", "device", "kernel-log", "module", "mount", "reboot", "sysctl", "interface"}
        ),
        walls=frozenset({"prison-privileges"}),
        real="allow.*",
        cite="sys/kern/kern_jail.c prison_priv_check()",
    )
)
ADDRESSES = PrisonWall(
    About(
        id="prison-addresses",
        title=N_("prison: which addresses"),
        family="freebsd",
        needs=_NEEDS,
        hides=frozenset({"socket", "port"}),
        walls=frozenset({"prison-addresses"}),
        real="ip4=inherit",
        cite="sys/netinet/in_jail.c prison_check_ip4()",
    )
)
ROOT = PrisonWall(
    About(
        id="prison-root",
        title=N_("prison: where .. ends"),
        family="freebsd",
        needs=_NEEDS,
        hides=frozenset({"file"}),
        walls=frozenset({"prison-root"}),
        cite="sys/kern/vfs_lookup.c",
    )
)
