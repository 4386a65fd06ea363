"""``lxc.mount.auto = proc:mixed``: the settings below /proc/sys and sysrq-trigger read-only."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_MOVE,
    MS_RDONLY,
    MS_REMOUNT,
)
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="proc-mixed",
    title=N_("/proc/sys and sysrq-trigger read-only"),
    needs=frozenset({"mount-ns", "default-mounts"}),
    hides=frozenset({"sysctl", "reboot"}),
    walls=frozenset({"read-only-mount"}),
    real="lxc.mount.auto=proc:rw",
    cite="lxc.container.conf(5)",
)


@dataclass(frozen=True, slots=True)
class ProcMixed:
    """Bind mounts over themselves, then read-only; /proc/sys/net is carried past and stays
    writable, because it belongs to the network namespace (lxc ``conf.c``, ``default_mounts``).
    """

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """/proc/tty keeps /proc/sys/net while /proc/sys is bound."""
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        proc = f"{plan.root}/proc"
        child("mount", f"{proc}/sys/net", f"{proc}/tty", None, MS_BIND, None, tolerates=("ENOENT",))
        self._read_only(plan, f"{proc}/sys")
        child("mount", f"{proc}/tty", f"{proc}/sys/net", None, MS_MOVE, None, tolerates=("ENOENT",))
        self._read_only(plan, f"{proc}/sysrq-trigger")

    def _read_only(self, plan: LaunchPlan, path: str) -> None:
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        child("mount", path, path, None, MS_BIND, None, tolerates=("ENOENT",))
        flags = MS_REMOUNT | MS_BIND | MS_RDONLY
        child("mount", None, path, None, flags, None, tolerates=("ENOENT",))
