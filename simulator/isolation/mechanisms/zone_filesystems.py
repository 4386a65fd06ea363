"""``add fs``: filesystems that zoneadmd mounts into the zone before it boots. zonecfg(1M)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="zone-filesystems",
    title=N_("zone: filesystems handed in"),
    family="sunos",
    needs=frozenset({"zone"}),
    real="add fs",
    cite="zonecfg(1M)",
)


@dataclass(frozen=True, slots=True)
class Filesystem:
    """``dir``, ``special``, ``type`` and ``options`` of one resource."""

    dir: str
    special: str
    type: str = "lofs"
    options: str = ""


@dataclass(frozen=True, slots=True)
class ZoneFilesystems:
    """Each mount is made from outside, so the zone can't take it off, and is granted."""

    filesystems: tuple[Filesystem, ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """mount_filesystems(): the directory is made when it is missing."""
        runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        for one in self.filesystems:
            target = plan.root + one.dir
            names = [name for name in one.dir.split("/") if name]
            for count in range(1, len(names) + 1):
                path = f"{plan.root}/{'/'.join(names[:count])}"
                runtime("mkdir", path, 0o755, tolerates=("EEXIST",))
            size = len(one.options)
            runtime("mount", one.special, target, 0, one.type, None, 0, one.options or None, size)
            runtime("@grant", target, why=N_("The operator handed this in on purpose."))
