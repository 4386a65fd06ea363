"""What an OCI runtime mounts into a new root: /proc, /dev, /sys and their friends, with flags."""

from dataclasses import dataclass
from typing import NamedTuple

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.cgroup_limits import group_path
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_STRICTATIME,
    S_IFCHR,
)
from simulator.machine.abi.i18n import N_


class Mounted(NamedTuple):
    """One mount(2) below the new root; ``optional``: it may fail (fstab(5) as LXC extends it)."""

    path: str
    fstype: str
    source: str
    flags: int
    options: str = ""
    optional: bool = False


_CLOSED = MS_NOSUID | MS_NOEXEC | MS_NODEV
_MISSED = ("EPERM", "EACCES", "ENODEV", "ENOENT")

OCI_DEFAULT: tuple[Mounted, ...] = (
    Mounted("/proc", "proc", "proc", _CLOSED),
    Mounted("/dev", "tmpfs", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"),
    Mounted(
        "/dev/pts",
        "devpts",
        "devpts",
        MS_NOSUID | MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=0620,gid=5",
    ),
    Mounted("/sys", "sysfs", "sysfs", _CLOSED | MS_RDONLY),
    Mounted("/sys/fs/cgroup", "cgroup2", "cgroup", _CLOSED | MS_RDONLY),
    Mounted("/dev/mqueue", "mqueue", "mqueue", _CLOSED),
    Mounted("/dev/shm", "tmpfs", "shm", _CLOSED, "mode=1777,size=65536k"),
)
"""moby ``oci/defaults.go``; the size of /dev/shm is ``--shm-size``'s default."""

NODES: tuple[tuple[str, int, int], ...] = (
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
)
"""runtime-spec "Default Devices", with the numbers of Documentation/admin-guide/devices.txt."""

LINKS: tuple[tuple[str, str], ...] = (
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
)


ABOUT = About(
    id="default-mounts",
    title=N_("mounts of its own: /proc, /dev, /sys"),
    hides=frozenset({"device", "mount", "process", "shm", "interface", "cgroup"}),
    walls=frozenset({"read-only-mount", "nodev-mount", "noexec-mount"}),
    cite="https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md",
)


@dataclass(frozen=True, slots=True)
class DefaultMounts:
    """``mounts`` in order, then the device ``nodes`` and ``links`` of the new /dev.

    ``groups_v1``: whether groups of version 1 are mounted too, where the machine has those;
    ``groups_mode``: what becomes of the directory they are in (runc gives it the mode that sysfs
    gave the place); ``groups_closed``: whether that directory becomes read-only at last;
    ``groups_alone``: whether, without a cgroup namespace, each hierarchy shows the sandbox's own
    group and nothing around it. ``with_paths``: mounts that are read-only only while the mechanism
    of read-only paths is there, where a product has one switch for both.
    """

    mounts: tuple[Mounted, ...] = OCI_DEFAULT
    nodes: tuple[tuple[str, int, int], ...] = NODES
    links: tuple[tuple[str, str], ...] = LINKS
    groups_v1: bool = True
    groups_mode: int = 0o555
    groups_closed: bool = False
    groups_alone: bool = False
    with_paths: frozenset[str] = frozenset()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Mount in order, making the mount points that the image lacks."""
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        for one in self.mounts:
            if one.fstype == "cgroup2" and "cgroup2" not in plan.facts:
                if self.groups_v1:
                    self._version_1(plan, one)
                elif self.groups_alone and not plan.has("cgroup-ns"):
                    self._alone(plan, one)
                continue
            for path in (*self._between(one.path), one.path):
                child("mkdir", plan.root + path, 0o755, tolerates=("EEXIST",))
            child(
                "mount",
                one.source,
                plan.root + one.path,
                one.fstype,
                self._flags(plan, one),
                one.options or None,
                tolerates=_MISSED if one.optional else (),
            )
        self._nodes(plan)

    def _flags(self, plan: LaunchPlan, one: Mounted) -> int:
        open_ = one.path in self.with_paths and not plan.has("readonly-paths")
        return one.flags & ~MS_RDONLY if open_ else one.flags

    def _between(self, path: str) -> tuple[str, ...]:
        """Directories that a new /dev lacks on the way to ``path``; sysfs and proc have theirs."""
        if not path.startswith("/dev/"):
            return ()
        names = path.split("/")[2:-1]
        return tuple("/dev/" + "/".join(names[:count]) for count in range(1, len(names) + 1))

    def _version_1(self, plan: LaunchPlan, one: Mounted) -> None:
        """A tmpfs with a bind mount of the sandbox's own group in each hierarchy (runc
        rootfs_linux.go, mountCgroupV1): without a cgroup namespace only that hides the others.
        """
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        top = plan.root + one.path
        child("mkdir", top, 0o755, tolerates=("EEXIST",))
        child("mount", "tmpfs", top, "tmpfs", _CLOSED, "mode=755")
        below = group_path(plan) if plan.has("cgroup-limits") else ""
        for name in plan.hierarchies:
            path = f"{top}/{name}"
            child("mkdir", path, 0o755)
            child("mount", f"/sys/fs/cgroup/{name}{below}", path, "bind", MS_BIND | MS_REC, None)
            child("mount", "none", path, None, MS_REMOUNT | MS_BIND | one.flags, None)
        child("chmod", top, self.groups_mode)
        if self.groups_closed:
            child("mount", "none", top, None, MS_REMOUNT | MS_BIND | _CLOSED | MS_RDONLY, None)

    def _alone(self, plan: LaunchPlan, one: Mounted) -> None:
        """A directory for each hierarchy, read-only, with the sandbox's own group mounted where it
        is in the hierarchy (lxc cgfsng.c, cgfsng_mount(), cg_legacy_mount_controllers()).
        """
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        top, below = plan.root + one.path, group_path(plan)
        child("mount", "none", top, "tmpfs", _CLOSED, "mode=755,size=10240k")
        for name in plan.hierarchies if plan.has("cgroup-limits") else ():
            path = f"{top}/{name}"
            child("mkdir", path, 0o000)
            child("mkdir", path + below, 0o755)
            child("mount", path, path, "cgroup", MS_BIND, None)
            child("mount", path, path, "cgroup", MS_REMOUNT | MS_BIND | MS_RDONLY | _CLOSED, None)
            child("mount", f"/sys/fs/cgroup/{name}{below}", path + below, "cgroup", MS_BIND, None)

    def _nodes(self, plan: LaunchPlan) -> None:
        device = plan.caller(Phase.CHILD_DEVICES, "guest", self.about.id)
        for name, major, minor in self.nodes:
            path = f"{plan.root}/dev/{name}"
            if plan.has("user-ns"):
                # Without CAP_MKNOD in the initial namespace runc binds the host's node instead.
                device("mknod", path, 0o100666, 0)
                device("mount", f"/dev/{name}", path, "bind", MS_BIND, None)
                continue
            # An image may have the node already, where /dev is not a new one.
            device("mknod", path, S_IFCHR | 0o666, major << 8 | minor, tolerates=("EEXIST",))
            device("chmod", path, 0o666)
        for target, path in self.links:
            device("symlink", target, plan.root + path, tolerates=("EEXIST",))
