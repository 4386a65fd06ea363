"""lxcfs: /proc/meminfo, uptime and others answered for the container instead of the machine."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.constants import MS_BIND
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.lxcfs import FILES

PLACE = "/var/lib/lxcfs"

ABOUT = About(
    id="lxcfs",
    title=N_("lxcfs: files of /proc by control group"),
    needs=frozenset({"mount-ns", "default-mounts"}),
    hides=frozenset({"memory", "clock", "disk"}),
    real="lxc.hook.mount=/usr/share/lxcfs/lxc.mount.hook",
    cite="lxcfs(1)",
)


@dataclass(frozen=True, slots=True)
class Lxcfs:
    """The host's daemon is started with the first container; ``lxc.mount.hook`` binds its files."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A directory that is there already says that the daemon runs."""
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        prepare("mkdir", PLACE, 0o755, binds="lxcfs-made", tolerates=("EEXIST",))
        flags = Fill("{lxcfs-made}")
        prepare("mount", "lxcfs", PLACE, "fuse.lxcfs", flags, None)
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        for name in FILES:
            target = f"{plan.root}/proc/{name}"
            child("mount", f"{PLACE}/proc/{name}", target, None, MS_BIND, None)
