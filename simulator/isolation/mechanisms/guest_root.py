"""A guest's root on Linux-VServer: its directory, entered before the context is made.

The barrier above it stops whoever is in the context already, so the process stands in the directory
first and makes it its root afterwards: ``vcontext --chroot``.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.chroot import ABOUT
from simulator.isolation.mechanisms.mount_ns import ABOUT as MOUNT_NS
from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    MS_BIND,
    MS_REC,
    S_IFCHR,
)
from simulator.machine.abi.i18n import N_


@dataclass(frozen=True, slots=True)
class GuestChroot:
    """chdir(2), and chroot(2) to where one stands."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Two calls, with the making of the context between them."""
        plan.call(Phase.CHILD_ROOT, "guest", self.about.id, "chdir", plan.root)
        child = plan.caller(Phase.CHILD_PIVOT, "guest", self.about.id)
        child("chroot", ".", why=N_("From now on this directory is where paths begin."))
        child("chdir", "/")


@dataclass(frozen=True, slots=True)
class GuestSpace:
    """``vnamespace --new``, and the guest's directory as a mount of its own (secure-mount --rbind).

    Mounts of that time are private: nothing propagates.
    """

    about: About = MOUNT_NS

    def plan(self, plan: LaunchPlan) -> None:
        """The namespace, then one bind mount."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWNS)
        plan.call(
            Phase.CHILD_ROOT,
            "guest",
            self.about.id,
            "mount",
            plan.root,
            plan.root,
            "bind",
            MS_BIND | MS_REC,
            None,
            why=N_("The new root becomes a mount point."),
        )


MOUNTS_ABOUT = About(
    id="guest-mounts",
    title=N_("the guest's fstab: /proc, /tmp, /dev/pts"),
    hides=frozenset({"device", "disk"}),
    real="fstab",
    cite="util-vserver distrib/misc/fstab",
)

FSTAB = (
    ("none", "/proc", "proc", ""),
    ("none", "/tmp", "tmpfs", "size=16m,mode=1777"),
    ("none", "/dev/pts", "devpts", "gid=5,mode=620"),
)
"""The default /etc/vservers/NAME/fstab: (source, place, type, options)."""
_PTMX = 5 << 8 | 2


@dataclass(frozen=True, slots=True)
class GuestMounts:
    """``fstab`` in order, by the host before the guest is one; and the node for terminals."""

    fstab: tuple[tuple[str, str, str, str], ...] = FSTAB

    about: About = MOUNTS_ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """secure-mount(8) for each line; the nodes of /dev are the image's, but for ptmx."""
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        prepare("mknod", f"{plan.root}/dev/ptmx", S_IFCHR | 0o666, _PTMX, tolerates=("EEXIST",))
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        for source, place, fstype, options in self.fstab:
            child("mkdir", plan.root + place, 0o755, tolerates=("EEXIST",))
            child("mount", source, plan.root + place, fstype, 0, options or None)
