"""The capabilities that root of a security context may use: ``vattribute --secure``.

The bounding set (bcaps) masks every capability check of the context; context capabilities (ccaps)
stand in for a system capability in one place each.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.security_context import xid
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.cred import mask

SECURE = mask(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID NET_BIND_SERVICE"
    " SYS_CHROOT SYS_PTRACE SYS_TTY_CONFIG LEASE SETFCAP SYS_BOOT AUDIT_WRITE"
)
"""vc_get_insecurebcaps(): what ``--secure`` leaves, where the kernel has vshelper and migration."""
SECURE_CCAPS = ("set_utsname", "raw_icmp", "audit_control")
"""vc_get_insecureccaps()."""
OLD_SECURE = SECURE & ~mask("SYS_BOOT SETFCAP AUDIT_WRITE")
"""``chcontext --secure`` on 2.4: reboot(2) was not for guests then."""

ABOUT = About(
    id="bounding-set",
    title=N_("capabilities of the context"),
    needs=frozenset({"security-context"}),
    hides=frozenset(
        {
            "clock",
            "device",
            "interface",
            "kernel",
            "kernel-log",
            "memory",
            "module",
            "mount",
            "process",
            "cpu",
            "reboot",
            "sysctl",
        }
    ),
    walls=frozenset({"bounding-set", "capability"}),
    real="no --secure",
    cite="util-vserver lib/getinsecurebcaps.c",
)

_ALL = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class BoundingSet:
    """``bcaps`` is a mask of the system's capabilities, ``ccaps`` are the context's own by name."""

    bcaps: int = SECURE
    ccaps: tuple[str, ...] = SECURE_CCAPS
    number: int = 0

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """``vattribute --set``, while the context still sets itself up."""
        mine = xid(plan, self.number)
        child = plan.caller(Phase.CHILD_BOUNDING, "guest", self.about.id)
        child(
            "vserver",
            "VCMD_set_bcaps",
            mine,
            {"bcaps": self.bcaps, "bmask": _ALL},
            why=N_("Whatever root in here becomes, it has no other capabilities than these."),
        )
        if self.ccaps:
            child(
                "vserver",
                "VCMD_set_ccaps",
                mine,
                {"ccaps": list(self.ccaps), "cmask": list(self.ccaps)},
                why=N_("One thing each that would take a capability of the whole system."),
            )


@dataclass(frozen=True, slots=True)
class OldBoundingSet:
    """The ceiling of 2.4: ``new_s_context`` takes capabilities away for good."""

    bcaps: int = OLD_SECURE

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """``chcontext --secure``."""
        plan.call(
            Phase.CHILD_BOUNDING,
            "guest",
            self.about.id,
            "new_s_context",
            -2,
            ~self.bcaps & 0xFFFFFFFF,
            (),
            why=N_("Whatever root in here becomes, it has no other capabilities than these."),
        )
