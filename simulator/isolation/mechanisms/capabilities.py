"""A capability set: root keeps the rights in it and loses the others, for good."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    CAPABILITY_NAMES,
    PR_CAPBSET_DROP,
)
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.cred import ALL_CAPABILITIES, mask, names

ABOUT = About(
    id="capabilities",
    title=N_("capability set"),
    hides=frozenset(
        {
            "clock",
            "device",
            "hostname",
            "interface",
            "kernel-log",
            "module",
            "mount",
            "reboot",
            "sysctl",
        }
    ),
    walls=frozenset({"capability"}),
    real="--cap-add ALL",
    cite="capabilities(7)",
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """``keep`` is a bit mask: the bounding, permitted and effective sets of the program."""

    keep: int

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Drop from the bounding set first, then set the rest (libcontainer ApplyCaps)."""
        bounding = plan.caller(Phase.CHILD_BOUNDING, "guest", self.about.id)
        for number, _name in enumerate(CAPABILITY_NAMES):
            if not self.keep >> number & 1 and plan.capabilities >> number & 1:
                bounding("prctl", PR_CAPBSET_DROP, number, 0, 0, 0)
        # What a machine withholds from its own root, nobody can hand on.
        withheld = (fact.removeprefix("lacks ") for fact in plan.facts if fact[:6] == "lacks ")
        kept = self.keep & plan.capabilities & ~mask(" ".join(withheld))
        held = [n for n in range(len(CAPABILITY_NAMES)) if kept >> n & 1]
        # A user other than root starts without any, however many the container may hold.
        mine: list[int] = held if plan.guest.uid == 0 else []
        plan.call(Phase.CHILD_CAPABILITIES, "guest", self.about.id, "capset", 0, mine, mine, [])

    def kept(self) -> tuple[str, ...]:
        """The capabilities that the program starts with, by name."""
        return names(self.keep & ALL_CAPABILITIES)
