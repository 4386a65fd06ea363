"""Namespaces of another sandbox, joined instead of made: ``--network container:other``."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.constants import O_CLOEXEC, O_RDONLY
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="joined-namespaces",
    title=N_("namespaces of another sandbox"),
    cite="setns(2)",
)


@dataclass(frozen=True, slots=True)
class Joined:
    """``spaces`` are (kind in /proc/PID/ns, pid on the host, CLONE_NEW* flag)."""

    spaces: tuple[tuple[str, int, int], ...]

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Opened by the runtime while it sees the host's /proc, joined by the child."""
        for kind, pid, flag in self.spaces:
            handle = f"ns-{kind}"
            plan.call(
                Phase.PREPARE,
                "runtime",
                self.about.id,
                "open",
                f"/proc/{pid}/ns/{kind}",
                O_RDONLY | O_CLOEXEC,
                binds=handle,
            )
            plan.call(
                Phase.NAMESPACES,
                "guest",
                self.about.id,
                "setns",
                Fill("{" + handle + "}"),
                flag,
                why=N_("The operator wants it to share these with another sandbox."),
            )
