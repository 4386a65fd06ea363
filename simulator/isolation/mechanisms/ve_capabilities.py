"""vzctl's list of capabilities, where one bit, CAP_VE_ADMIN, stands for what of CAP_SYS_ADMIN and
CAP_NET_ADMIN an environment may have. ``capget`` swaps the names back inside.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import PR_CAPBSET_DROP
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.cred import mask

DEFAULT = mask(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID LINUX_IMMUTABLE"
    " NET_BIND_SERVICE NET_BROADCAST NET_RAW IPC_LOCK IPC_OWNER SYS_CHROOT SYS_PTRACE SYS_BOOT"
    " SYS_NICE SYS_RESOURCE SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETPCAP SETFCAP"
)
"""CAPDEFAULTMASK of vzctl src/lib/cap.c; AUDIT_CONTROL is the bit of VE_ADMIN."""

OLD = DEFAULT & ~mask("SETPCAP SETFCAP")
"""CAPDEFAULTMASK_OLD: for kernels whose bounding set is not each process's own."""

_LAST = 33
"""CAP_LAST_CAP of 2.6.32."""

ABOUT = About(
    id="ve-capabilities",
    title=N_("environment: vzctl's capabilities"),
    needs=frozenset({"ve-context"}),
    hides=frozenset({"clock", "module", "device", "reboot", "kernel", "disk", "process", "memory"}),
    walls=frozenset({"ve-capabilities", "capability"}),
    real="--capability NAME:on",
    cite="vzctl(8)",
)


@dataclass(frozen=True, slots=True)
class VeCapabilities:
    """``keep`` is a bit mask; ``bounding``: this kernel keeps a bounding set for each process."""

    keep: int = DEFAULT
    bounding: bool = True

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Before the environment is created: its bounding set is what its creator has."""
        child = plan.caller(Phase.CHILD_BOUNDING, "guest", self.about.id)
        for number in range(_LAST + 1) if self.bounding else ():
            if not self.keep >> number & 1:
                child("prctl", PR_CAPBSET_DROP, number, 0, 0, 0)
        held = [number for number in range(_LAST + 1) if self.keep >> number & 1]
        child("capset", 0, held, held, held)
