"""A user namespace: root inside is an ordinary user outside, and its rights end at its own."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.constants import CLONE_NEWUSER
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="user-ns",
    title=N_("user namespace"),
    hides=frozenset(
        {"clock", "device", "file", "kernel-log", "keyring", "mount", "reboot", "sysctl"}
    ),
    walls=frozenset({"capability", "id-map", "user-ns-setgroups", "locked-mount"}),
    real="--userns=host",
    cite="user_namespaces(7)",
)


@dataclass(frozen=True, slots=True)
class UserNs:
    """CLONE_NEWUSER with one extent of ``count`` ids that begins at ``outside``; 0: no map at all.

    ``deny_setgroups`` is what an unprivileged map of groups needs (user_namespaces(7)).
    """

    outside: int = 100_000
    count: int = 65_536
    deny_setgroups: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The flag, then both maps from outside, then becoming root inside."""
        plan.clone_flags |= CLONE_NEWUSER
        plan.cloners.append(self.about.id)
        if not self.count:
            return
        if self.deny_setgroups:
            path = Fill("/proc/{pid}/setgroups")
            plan.write(Phase.ID_MAPS, "runtime", self.about.id, path, "deny")
        line = f"0 {self.outside} {self.count}\n"
        for kind in ("uid", "gid"):
            path = Fill("/proc/{pid}/" + f"{kind}_map")
            plan.write(Phase.ID_MAPS, "runtime", self.about.id, path, line)
        child = plan.caller(Phase.ID_MAPS, "guest", self.about.id)
        child("setresgid", 0, 0, 0)
        child("setresuid", 0, 0, 0, why=N_("Root of the new namespace, nobody special outside."))
