"""A time namespace: clocks that count from boot get an offset; the wall clock does not."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWTIME, O_RDONLY
from simulator.machine.abi.i18n import N_

_SECOND = 1_000_000_000

ABOUT = About(
    id="time-ns",
    title=N_("time namespace"),
    hides=frozenset({"uptime"}),
    walls=frozenset({"time-ns"}),
    real="",
    cite="time_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class TimeNs:
    """unshare(2) with CLONE_NEWTIME; ``boot`` and ``monotonic`` are offsets in nanoseconds.

    unshare(2) moves children only: with offsets the process itself follows by setns(2), as LXC's
    ``do_start()`` does (lxc ``start.c``).
    """

    boot: int = 0
    monotonic: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One call of the child; with offsets, what they are, and the child's own move."""
        child = plan.caller(Phase.NAMESPACES, "guest", self.about.id)
        child("unshare", CLONE_NEWTIME)
        if not (self.boot or self.monotonic):
            return
        for clock, offset in (("boottime", self.boot), ("monotonic", self.monotonic)):
            seconds, rest = divmod(offset, _SECOND)
            text = f"{clock} {seconds} {rest}\n"
            plan.write(Phase.NAMESPACES, "guest", self.about.id, "/proc/self/timens_offsets", text)
        child("open", "/proc/self/ns/time_for_children", O_RDONLY, binds="timens")
        child("setns", Fill("{timens}"), CLONE_NEWTIME)
        child("close", Fill("{timens}"))
