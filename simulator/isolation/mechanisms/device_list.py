"""A device list: which device nodes work, whoever made them. The cgroup's, so root has no say."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.cgroup_limits import group_path, place_of
from simulator.machine.abi.i18n import N_

RUNC_ALLOWED: tuple[str, ...] = (
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
    "c 10:200 rwm",
)
"""runc 1.1 ``AllowedDevices``: any node may be made, few may be opened (10:200, tun, until 1.2)."""


ABOUT = About(
    id="device-list",
    title=N_("device list"),
    needs=frozenset({"cgroup-limits"}),
    hides=frozenset({"device"}),
    walls=frozenset({"cgroup-devices"}),
    real="--device-cgroup-rule 'a *:* rwm'",
    cite="cgroups(7)",
)


@dataclass(frozen=True, slots=True)
class DeviceList:
    """Deny everything, then allow each rule, in the words of the version 1 controller."""

    rules: tuple[str, ...] = RUNC_ALLOWED

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Version 1 has a file for it; version 2 takes an eBPF program (BPF_CGROUP_DEVICE)."""
        if "cgroup2" in plan.facts:
            plan.call(
                Phase.AFTER_CLONE,
                "runtime",
                self.about.id,
                "@devices",
                group_path(plan),
                self.rules,
                why=N_("The runtime attaches a program to the group that judges every open."),
            )
            return
        place = place_of(plan, "devices")
        plan.write(Phase.AFTER_CLONE, "runtime", self.about.id, f"{place}/devices.deny", "a")
        for rule in self.rules:
            plan.write(Phase.AFTER_CLONE, "runtime", self.about.id, f"{place}/devices.allow", rule)
