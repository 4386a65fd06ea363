"""Another machine: nothing is shared, so there is nothing to hide."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="separate-machine",
    title=N_("another machine"),
    family="posix",
    hides=frozenset(
        {
            "file",
            "process",
            "mount",
            "hostname",
            "shm",
            "sem",
            "msg",
            "socket",
            "port",
            "interface",
            "device",
            "clock",
            "kernel-log",
            "module",
            "reboot",
            "sysctl",
            "cgroup",
            "memory",
            "pids",
            "disk",
            "cpu",
            "keyring",
            "machine",
            "uptime",
            "swap",
            "privilege",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class SeparateMachine:
    """The guest runs on a kernel of its own, booted from its own tree. The engine boots it."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """No launch step at all: the machine was there before."""
        del plan
