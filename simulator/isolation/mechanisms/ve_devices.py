"""An environment's device rules: any node may be made, few may be opened. vzctl(8) --devices."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_context import FD, number
from simulator.machine.abi.constants import S_IFBLK, S_IFCHR, VZCTL_SETDEVPERMS
from simulator.machine.abi.i18n import N_

NODES: tuple[tuple[str, int, int, int], ...] = (
    ("ptmx", 5, 2, 0o666),
    ("kmsg", 1, 11, 0o644),
)
"""What an OS template has in /dev besides the plain nodes: (name, major, minor, mode)."""

ABOUT = About(
    id="ve-devices",
    title=N_("environment: device rules"),
    needs=frozenset({"ve-context"}),
    hides=frozenset({"device", "memory"}),
    walls=frozenset({"ve-devices"}),
    real="--devices all:rw",
    cite="vzctl(8)",
)


@dataclass(frozen=True, slots=True)
class VeDevices:
    """``rules`` on top of the kernel's own, as ``c 10:200 rwm``; ``nodes`` to make inside, as
    (name, ``c`` or ``b``, major, minor).
    """

    rules: tuple[str, ...] = ()
    nodes: tuple[tuple[str, str, int, int], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The kernel has its list by itself; vzctl adds rules, and makes the nodes for them."""
        for rule in self.rules:
            plan.call(
                Phase.CHILD_SECCOMP_LATE,
                "runtime",
                self.about.id,
                "ioctl",
                FD,
                VZCTL_SETDEVPERMS,
                {"veid": number(plan), "rule": rule},
            )
        inside = plan.caller(Phase.CHILD_SECCOMP_LATE, "guest", self.about.id)
        for name, kind, major, minor in self.nodes:
            bits = (S_IFBLK if kind == "b" else S_IFCHR) | 0o600
            inside("mknod", f"/dev/{name}", bits, major << 8 | minor, tolerates=("EEXIST",))
