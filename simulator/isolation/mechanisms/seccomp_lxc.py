"""LXC's ``common.seccomp``: a deny list, so what it does not name goes through."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.seccomp import ABOUT as FILTER
from simulator.isolation.mechanisms.seccomp import as_argument
from simulator.machine.abi.constants import MNT_FORCE, SECCOMP_SET_MODE_FILTER
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.task import SeccompFilter, SeccompRule

NAME = "/usr/share/lxc/config/common.seccomp"

COMMON = SeccompFilter(
    NAME,
    frozenset(),
    (
        SeccompRule(
            frozenset(
                {
                    "kexec_load",
                    "open_by_handle_at",
                    "init_module",
                    "finit_module",
                    "delete_module",
                }
            ),
            "EPERM",
        ),
        SeccompRule(frozenset({"umount2"}), "EACCES", 1, "masked_eq", MNT_FORCE, MNT_FORCE),
    ),
    default="ALLOW",
)
"""``errno 1`` for five calls; ``reject_force_umount`` is EACCES (lxc ``seccomp.c``)."""

ABOUT = About(
    id=FILTER.id,
    title=FILTER.title,
    hides=frozenset({"module", "file"}),
    walls=FILTER.walls,
    real="lxc.seccomp.profile=",
    cite="lxc.container.conf(5)",
)


@dataclass(frozen=True, slots=True)
class DenyList:
    """The profile that most distributions' containers include."""

    profile: SeccompFilter = COMMON

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """After no_new_privs and before the program; the bounding set has been cut already."""
        late = plan.has("no-new-privs")
        plan.call(
            Phase.CHILD_SECCOMP_LATE if late else Phase.CHILD_SECCOMP_EARLY,
            "guest",
            self.about.id,
            "seccomp",
            SECCOMP_SET_MODE_FILTER,
            0,
            as_argument(self.profile),
            why=N_("The calls that the profile names will fail; all others go through."),
        )
