"""What an environment mounts while it boots: /proc and /sys by vzctl, the rest by its own init."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.ve_devices import NODES
from simulator.machine.abi.constants import S_IFCHR
from simulator.machine.abi.i18n import N_

MOUNTS: tuple[tuple[str, str, str | None], ...] = (
    ("/proc", "proc", None),
    ("/sys", "sysfs", None),
    ("/dev/pts", "devpts", "gid=5,mode=620"),
    ("/dev/shm", "tmpfs", "mode=1777"),
)
"""(path, type, options); vzctl src/lib/env.c real_env_create(), rc.sysinit."""

ABOUT = About(
    id="ve-mounts",
    title=N_("mounts of its own: /proc, /dev, /sys"),
    needs=frozenset({"ve-context"}),
    hides=frozenset({"process", "shm"}),
    cite="vzctl src/lib/env.c",
)


@dataclass(frozen=True, slots=True)
class VeMounts:
    """The environment may do this itself: these types are made for it."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Inside, after the environment exists."""
        child = plan.caller(Phase.CHILD_SECCOMP_LATE, "guest", self.about.id)
        for name, major, minor, mode in NODES:
            bits, number = S_IFCHR | mode, major << 8 | minor
            child("mknod", f"/dev/{name}", bits, number, tolerates=("EEXIST",))
        for path, fstype, options in MOUNTS:
            child("mkdir", path, 0o755, tolerates=("EEXIST",))
            child("mount", fstype, path, fstype, 0, options, tolerates=("ENODEV",))
