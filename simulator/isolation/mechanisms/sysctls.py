"""Kernel settings of the sandbox's own namespaces, written before /proc/sys turns read-only."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

DOCKER_DEFAULT: tuple[tuple[str, str], ...] = (
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    ("net.ipv4.ping_group_range", "0 2147483647"),
)
"""moby ``daemon/oci_linux.go`` since 20.10: only with a network namespace of its own."""


ABOUT = About(
    id="sysctls",
    title=N_("sysctls of its own namespaces"),
    real="--sysctl",
    cite="proc_sys_net(5)",
)


@dataclass(frozen=True, slots=True)
class Sysctls:
    """``settings`` by dotted name, ``net.*`` left out when the network is the host's."""

    settings: tuple[tuple[str, str], ...] = DOCKER_DEFAULT

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One write to /proc/sys for each."""
        for name, value in self.settings:
            if name.startswith("net.") and not plan.has("net-ns"):
                continue
            path = "/proc/sys/" + name.replace(".", "/")
            plan.write(Phase.CHILD_LSM, "guest", self.about.id, path, value, tolerates=("ENOENT",))
