"""``lxc.mount.auto = sys:mixed``: /sys read-only but for the sandbox's own interfaces."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REMOUNT,
)
from simulator.machine.abi.i18n import N_

_CLOSED = MS_NOSUID | MS_NODEV | MS_NOEXEC

ABOUT = About(
    id="sys-mixed",
    title=N_("/sys read-only"),
    needs=frozenset({"mount-ns", "default-mounts"}),
    hides=frozenset({"disk", "cpu", "memory", "kernel", "reboot"}),
    walls=frozenset({"read-only-mount"}),
    real="lxc.mount.auto=sys:rw",
    cite="lxc.container.conf(5)",
)


@dataclass(frozen=True, slots=True)
class SysMixed:
    """The interfaces are bound onto themselves and stay as they are when /sys becomes read-only.

    LXC mounts sysfs twice instead and binds the interfaces of the writable one into the read-only
    one (``conf.c``, ``default_mounts``): the same tree in another order.
    """

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One bind mount, one remount."""
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        top = f"{plan.root}/sys"
        net = f"{top}/devices/virtual/net"
        child("mount", net, net, None, MS_BIND, None, tolerates=("ENOENT",))
        child("mount", None, top, None, MS_REMOUNT | MS_BIND | MS_RDONLY | _CLOSED, None)
