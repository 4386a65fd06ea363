"""A devfs ruleset: which device nodes exist at all in a jail's /dev. devfs(8)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

DEVFSRULES_JAIL = 4
"""``devfsrules_jail`` in /etc/defaults/devfs.rules: null, zero, random, ttys and little else."""


ABOUT = About(
    id="devfs-rules",
    title=N_("devfs rules"),
    family="freebsd",
    hides=frozenset({"device"}),
    walls=frozenset({"devfs-rules"}),
    real="devfs_ruleset=0",
    cite="devfs(8)",
)


@dataclass(frozen=True, slots=True)
class DevfsRules:
    """``mount.devfs`` with ``ruleset``; without it the prison gets every node of the machine.

    ``mounted`` False is ``mount.devfs=0``: no /dev at all.
    """

    ruleset: int = DEVFSRULES_JAIL
    mounted: bool = True

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """jail(8) mounts it before it makes the prison."""
        if self.mounted:
            mount_devfs(plan, self.about.id, self.ruleset)


def mount_devfs(plan: LaunchPlan, mechanism: str, ruleset: int) -> None:
    """devfs on the prison's /dev, showing what ``ruleset`` leaves (0: everything)."""
    place = f"{plan.root}/dev"
    prepare = plan.caller(Phase.PREPARE, "runtime", mechanism)
    prepare("mkdir", place, 0o755, tolerates=("EEXIST",))
    prepare("mount", "devfs", place, 0, {"ruleset": ruleset})
