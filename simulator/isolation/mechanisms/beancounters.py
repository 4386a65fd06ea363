"""User beancounters: what a container may hold of the kernel's objects. setluid, setublimit."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_context import number
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.i18n import N_

UNLIMITED = 9223372036854775807
Limits = tuple[tuple[str, tuple[int, int]], ...]

ABOUT = About(
    id="beancounters",
    title=N_("beancounters"),
    needs=frozenset({"ve-context"}),
    hides=frozenset({"memory", "pids"}),
    walls=frozenset({"beancounters"}),
    real="--ram unlimited --numproc unlimited",
    cite="vzctl(8), wiki.openvz.org UBC parameters",
)


@dataclass(frozen=True, slots=True)
class Beancounters:
    """``limits`` are (name, (barrier, limit)), in each resource's own unit (pages, bytes, pieces).

    What is not named has no limit.
    """

    limits: Limits = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """vz_setluid() and set_ublimit(), before the environment exists."""
        child = plan.caller(Phase.CHILD_LSM, "guest", self.about.id)
        veid = number(plan)
        child(
            "setluid",
            veid,
            why=N_("From here on what it and its children hold is counted under one number."),
        )
        for name, limits in self.limits:
            child("setublimit", veid, BY_NAME[f"UB_{name.upper()}"], limits)
