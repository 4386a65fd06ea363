"""Rules for the resources of a whole prison: rctl(8), /etc/rctl.conf."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="rctl",
    title=N_("resource rules"),
    family="freebsd",
    hides=frozenset({"memory", "pids", "files", "cpu", "ipc"}),
    walls=frozenset({"rctl"}),
    real="rctl -r",
    cite="rctl(8)",
)

JAIL = "jail"


@dataclass(frozen=True, slots=True)
class Rctl:
    """``rules`` are (resource, action=amount/per) of the prison, as rctl(8) has expanded them.

    Where there is no prison of that name they hold nobody. Without rules the machine only accounts
    for what is held: kern.racct.enable.
    """

    rules: tuple[tuple[str, str], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """/boot/loader.conf, and what rc.d/rctl does with /etc/rctl.conf before jails start."""
        runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        runtime(
            "@loader",
            "kern.racct.enable",
            "1",
            why=N_("GENERIC accounts for nothing by itself: /boot/loader.conf asked for it."),
        )
        for resource, limit in self.rules:
            text = f"{JAIL}:{plan.name}:{resource}:{limit}"
            runtime(
                "rctl_add_rule",
                text,
                len(text) + 1,
                None,
                0,
                why=N_("The rule waits for a prison of this name."),
            )
