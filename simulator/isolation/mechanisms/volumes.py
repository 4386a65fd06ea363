"""What an operator hands in on purpose: bind mounts, tmpfs, devices. Using them is no leak."""

from dataclasses import dataclass

from simulator.isolation.mechanisms import mount_words
from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    S_IFREG,
)
from simulator.machine.abi.i18n import N_

PROPAGATION = {
    "private": MS_PRIVATE,
    "rprivate": MS_PRIVATE | MS_REC,
    "shared": MS_SHARED,
    "rshared": MS_SHARED | MS_REC,
    "slave": MS_SLAVE,
    "rslave": MS_SLAVE | MS_REC,
}
"""By Docker's names (moby ``oci_linux.go``, mountPropagationMap)."""


@dataclass(frozen=True, slots=True)
class Volume:
    """``source`` on the host becomes ``target`` inside; ``propagation`` is a word of
    ``PROPAGATION``, empty for what the bind mount has from its source.
    """

    source: str
    target: str
    read_only: bool = False
    propagation: str = ""


ABOUT = About(id="volumes", title=N_("volumes"), real="-v", cite="mount(2)")


@dataclass(frozen=True, slots=True)
class Volumes:
    """``binds`` in order, and ``tmpfs`` as (path, options). ``by_depth``: all of them together, a
    place before what is below it.
    """

    binds: tuple[Volume, ...] = ()
    tmpfs: tuple[tuple[str, str], ...] = ()
    by_depth: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A bind mount each; docker makes a directory for a source that isn't there."""
        every: list[Volume | tuple[str, str]] = [*self.binds, *self.tmpfs]
        if self.by_depth:
            every.sort(key=_depth)
        for one in every:
            if isinstance(one, Volume):
                outside = plan.caller(Phase.PREPARE, "runtime", self.about.id)
                for path in _parents(one.source):
                    outside("mkdir", path, 0o755, tolerates=("EEXIST",))
                self._bind(plan, one)
            else:
                self._tmpfs(plan, *one)

    def _tmpfs(self, plan: LaunchPlan, path: str, options: str) -> None:
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        for place in _parents(path):
            child("mkdir", plan.root + place, 0o755, tolerates=("EEXIST",))
        flags, data = mount_words.split(options, MS_NOSUID | MS_NODEV | MS_NOEXEC)
        child("mount", "tmpfs", plan.root + path, "tmpfs", flags, data or None)

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
        if volume.propagation:
            child(
                "mount",
                "",
                target,
                "",
                PROPAGATION[volume.propagation],
                None,
                why=N_("Whether mounts made later on one side appear on the other."),
            )
        if volume.read_only:
            flags = MS_BIND | MS_REC | MS_REMOUNT | MS_RDONLY
            child("mount", volume.source, target, "bind", flags, None)


def of_root(plan: LaunchPlan) -> int:
    """What the old root is made before anything is mounted, as its volumes want it: flags.

    runc begins with a slave; for a shared volume the root itself, and nothing below it, is made
    shared (moby ``oci_linux.go`` withMounts(), runc ``rootfs_linux.go`` prepareRoot()).
    """
    held = plan.mechanisms.get(ABOUT.id)
    binds = held.binds if isinstance(held, Volumes) else ()
    if any(PROPAGATION.get(one.propagation, 0) & MS_SHARED for one in binds):
        return MS_SHARED
    return MS_SLAVE | MS_REC


def _depth(one: Volume | tuple[str, str]) -> int:
    return len(_parents(one.target if isinstance(one, Volume) else one[0]))


def _parents(path: str) -> tuple[str, ...]:
    """``/a/b`` gives ``/a`` and ``/a/b``."""
    names = [name for name in path.split("/") if name]
    return tuple("/" + "/".join(names[:count]) for count in range(1, len(names) + 1))
