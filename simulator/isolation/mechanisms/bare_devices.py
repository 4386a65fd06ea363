"""A bare /dev, made on the host before the device list forbids making nodes."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import S_IFCHR
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="bare-devices",
    title=N_("device nodes of its own"),
    hides=frozenset({"device"}),
    cite="mknod(2)",
)

NODES: tuple[tuple[str, int, int], ...] = (
    ("tty", 5, 0),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("null", 1, 3),
    ("zero", 1, 5),
    ("fuse", 10, 229),
)
"""Warden root/linux/skeleton/setup.sh."""

LINKS = (("/proc/self/fd", "fd"), ("fd/0", "stdin"), ("fd/1", "stdout"), ("fd/2", "stderr"))


@dataclass(frozen=True, slots=True)
class BareDevices:
    """``nodes`` as (name, major, minor), in the layer that is the container's own."""

    nodes: tuple[tuple[str, int, int], ...] = NODES

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """mknod(2) by the runtime, which no device list holds."""
        place = f"{plan.upper}/dev"
        runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        runtime("mkdir", place, 0o755, tolerates=("EEXIST",))
        for name, major, minor in self.nodes:
            path = f"{place}/{name}"
            runtime("mknod", path, S_IFCHR | 0o666, major << 8 | minor, tolerates=("EEXIST",))
            runtime("chmod", path, 0o666)
        for target, name in LINKS:
            runtime("symlink", target, f"{place}/{name}", tolerates=("EEXIST",))
