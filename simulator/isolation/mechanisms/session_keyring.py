"""A session keyring of the sandbox's own: keys that the operator's session holds stay behind."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import KEYCTL_JOIN_SESSION_KEYRING
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="session-keyring",
    title=N_("session keyring"),
    hides=frozenset({"keyring"}),
    cite="session-keyring(7)",
)


@dataclass(frozen=True, slots=True)
class SessionKeyring:
    """runc ``standard_init_linux.go`` and LXC ``lxc_setup_keyring`` join a new one at the start."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One call; a kernel without keys has nothing to hide."""
        plan.call(
            Phase.CHILD_CGROUP,
            "guest",
            self.about.id,
            "keyctl",
            KEYCTL_JOIN_SESSION_KEYRING,
            None,
            tolerates=("ENOSYS",),
            why=N_("What the operator's own session may read by possession is not handed on."),
        )
