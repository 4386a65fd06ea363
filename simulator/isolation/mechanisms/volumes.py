"""What an operator hands in on purpose: bind mounts, tmpfs, devices. Using them is no leak."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    S_IFREG,
)
from simulator.machine.abi.i18n import N_


@dataclass(frozen=True, slots=True)
class Volume:
    """``source`` on the host becomes ``target`` inside."""

    source: str
    target: str
    read_only: bool = False


ABOUT = About(id="volumes", title=N_("volumes"), real="-v", cite="mount(2)")


@dataclass(frozen=True, slots=True)
class Volumes:
    """``binds`` in order, and ``tmpfs`` as (path, options)."""

    binds: tuple[Volume, ...] = ()
    tmpfs: tuple[tuple[str, str], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A bind mount each; docker makes a directory for a source that isn't there."""
        for volume in self.binds:
            outside = plan.caller(Phase.PREPARE, "runtime", self.about.id)
            for path in _parents(volume.source):
                outside("mkdir", path, 0o755, tolerates=("EEXIST",))
            self._bind(plan, volume)
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        for path, options in self.tmpfs:
            for place in _parents(path):
                child("mkdir", plan.root + place, 0o755, tolerates=("EEXIST",))
            flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
            child("mount", "tmpfs", plan.root + path, "tmpfs", flags, options or None)

    def _bind(self, plan: LaunchPlan, volume: Volume) -> None:
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        for place in _parents(volume.target):
            child("mkdir", plan.root + place, 0o755, tolerates=("EEXIST",))
        target = plan.root + volume.target
        bind = ("mount", (volume.source, target, "bind", MS_BIND | MS_REC, None))
        on_a_file = (
            ("rmdir", (target,)),
            ("mknod", (target, S_IFREG | 0o755, 0)),
            bind,
        )
        child(bind[0], *bind[1], instead={"ENOTDIR": on_a_file})
        child("@grant", target, why=N_("The operator handed this in on purpose."))
        if volume.read_only:
            flags = MS_BIND | MS_REC | MS_REMOUNT | MS_RDONLY
            child("mount", volume.source, target, "bind", flags, None)


def _parents(path: str) -> tuple[str, ...]:
    """``/a/b`` gives ``/a`` and ``/a/b``."""
    names = [name for name in path.split("/") if name]
    return tuple("/" + "/".join(names[:count]) for count in range(1, len(names) + 1))
