"""A security context (xid) of Linux-VServer: one number on the process that its kernel asks about.

The child makes the context for itself and, while it is still being set up, fills in what it may do;
when that state is cleared there is no way back.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

FIRST_XID = 100
"""The first sandbox's context is this number and its ordinal (``/etc/vservers/NAME/context``)."""

FINER_WALLS = ("context-visibility", "proc-hide")
"""What a context is made of inside the kernel; each can be lifted on its own in the model."""

ABOUT = About(
    id="security-context",
    title=N_("security context"),
    hides=frozenset({"process", "kernel-log", "reboot", "device"}),
    walls=frozenset({"context-visibility", "tagged-terminals"}),
    cite="https://linux-vserver.org",
)


def xid(plan: LaunchPlan, given: int = 0) -> int:
    """The number of a sandbox's context."""
    return given or FIRST_XID + plan.ordinal


@dataclass(frozen=True, slots=True)
class SecurityContext:
    """``number`` 0 is one for each sandbox; ``init`` makes the first process its pid 1
    (``apps/init/style`` ``plain``)."""

    number: int = 0
    init: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """As ``vcontext --create``, ``vspace --set`` and ``vcontext --endsetup`` do it."""
        mine = xid(plan, self.number)
        child = plan.caller(Phase.CHILD_DEVICES, "guest", self.about.id)
        lifted = [wall for wall in FINER_WALLS if not plan.has(wall)]
        child(
            "vserver",
            "VCMD_ctx_create",
            mine,
            {"@without": lifted} if lifted else {},
            why=N_("From now on the kernel knows this process by the number of its context."),
        )
        child(
            "vserver",
            "VCMD_set_space",
            mine,
            {"mask": ["fs", "mount", "uts", "ipc"]},
            why=N_("Whoever joins the context later gets these namespaces."),
        )
        done = ["state_setup", "state_init"] if self.init else ["state_setup"]
        plan.call(
            Phase.CHILD_INIT,
            "guest",
            self.about.id,
            "vserver",
            "VCMD_set_cflags",
            mine,
            {"flagword": [], "mask": done},
            why=N_("The setting up is over: from here on the context's own rules hold."),
        )


@dataclass(frozen=True, slots=True)
class OldSecurityContext:
    """The 2.4 patch: one call that nobody needs a right for."""

    number: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """chcontext(8): the context first, the host name while that is still allowed."""
        child = plan.caller(Phase.CHILD_DEVICES, "guest", self.about.id)
        lifted = tuple(f"@without.{wall}" for wall in FINER_WALLS if not plan.has(wall))
        child(
            "new_s_context",
            xid(plan, self.number),
            0,
            lifted,
            why=N_("From now on the kernel knows this process by the number of its context."),
        )
        name = plan.guest.hostname
        if name:
            plan.call(Phase.CHILD_HOSTNAME, "guest", self.about.id, "sethostname", name, len(name))
