"""bubblewrap's root: an empty tmpfs, what the command line asks for in it, and two pivots.

bubblewrap 0.8 ``bubblewrap.c``, ``bind-mount.c``. Every bind mount is nosuid, and nodev unless it
is there for its devices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from simulator.isolation.mechanisms.base import ROOT_SWITCH, About, Fill, LaunchPlan, Phase
from simulator.isolation.mechanisms.mount_ns import ABOUT as MOUNT_NS
from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    MNT_DETACH,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SLAVE,
    O_DIRECTORY,
    O_RDONLY,
    S_IFREG,
)
from simulator.machine.abi.i18n import N_

Kind = Literal["bind", "ro-bind", "dev-bind", "proc", "dev", "tmpfs"]
_BASE = "/tmp"
_NODES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = (
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("/proc/self/fd", "fd"),
    ("/proc/kcore", "core"),
    ("pts/ptmx", "ptmx"),
)
_COVERED = ("sysrq-trigger", "irq", "bus")
"""``cover_proc_dirs`` less ``sys``: it is passed over when access(2) says that it can't be written,
and of a directory of settings the kernel says that even to root (``proc_sys_permission``)."""
_CLOSED = MS_NOSUID | MS_NODEV
_PROC = _CLOSED | MS_NOEXEC
"""As procfs is mounted; a remount keeps the flags that a mount has (bind-mount.c)."""


class Operation(NamedTuple):
    """One option: ``source`` on the host (binds alone), ``target`` inside."""

    kind: Kind
    source: str
    target: str


ABOUT = About(
    id="bubble-root",
    title=N_("a root put together from nothing"),
    needs=frozenset({"mount-ns"}),
    hides=frozenset({"file", "mount", "socket", "device", "process"}),
    walls=frozenset({"read-only-mount", "nodev-mount", "noexec-mount"}),
    role=ROOT_SWITCH,
    cite="bwrap(1)",
)


@dataclass(frozen=True, slots=True)
class BubbleRoot:
    """``operations`` in the order of the command line; ``{root}`` is the sandbox's tree."""

    operations: tuple[Operation, ...]

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """The tmpfs, the first pivot, each operation, the second pivot."""
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        child("mount", "tmpfs", _BASE, "tmpfs", _CLOSED, None)
        child("chdir", _BASE)
        child("mkdir", "newroot", 0o755)
        child("mount", "newroot", "newroot", None, MS_BIND | MS_REC, None)
        child("mkdir", "oldroot", 0o755)
        child("pivot_root", _BASE, "oldroot", why=N_("The empty root takes the place of the old."))
        child("chdir", "/")
        for operation in self.operations:
            self._add(child, plan, operation)
        child("mount", "oldroot", "oldroot", None, MS_REC | MS_PRIVATE, None)
        child("umount2", "oldroot", MNT_DETACH, why=N_("The old root leaves this mount namespace."))
        pivot = plan.caller(Phase.CHILD_PIVOT, "guest", self.about.id)
        pivot("open", "/", O_DIRECTORY | O_RDONLY, binds="oldroot")
        pivot("chdir", "/newroot")
        pivot("pivot_root", ".", ".")
        pivot("fchdir", Fill("{oldroot}"))
        pivot("umount2", ".", MNT_DETACH)
        pivot("close", Fill("{oldroot}"))
        pivot("chdir", "/")

    def _add(self, child: Callable[..., Any], plan: LaunchPlan, one: Operation) -> None:
        target = f"/newroot{one.target}".rstrip("/")
        if one.target != "/":
            child("mkdir", target, 0o755, tolerates=("EEXIST", "EROFS"))
        match one.kind:
            case "proc":
                if plan.has("pid-ns"):
                    child("mount", "proc", target, "proc", _PROC, None)
                else:
                    # The pids are the host's, so its procfs will do (bubblewrap.c).
                    _bind(child, "/oldroot/proc", target, _PROC)
                for name in _COVERED:
                    _bind(child, f"{target}/{name}", f"{target}/{name}", _PROC | MS_RDONLY)
            case "tmpfs":
                child("mount", "tmpfs", target, "tmpfs", _CLOSED, "mode=0755")
            case "dev":
                _dev(child, target)
            case _:
                source = one.source.replace("{root}", plan.root)
                flags = MS_NOSUID | (0 if one.kind == "dev-bind" else MS_NODEV)
                flags |= MS_RDONLY if one.kind == "ro-bind" else 0
                _bind(child, f"/oldroot{source}".rstrip("/"), target, flags)
                if one.source != "{root}":
                    child("@grant", target, why=N_("The operator handed this in on purpose."))


def _bind(child: Callable[..., Any], source: str, target: str, flags: int) -> None:
    child("mount", source, target, None, MS_BIND | MS_REC, None, tolerates=("ENOENT",))
    again = MS_BIND | MS_REMOUNT | flags
    child("mount", "none", target, None, again, None, tolerates=("ENOENT", "EINVAL"))


def _dev(child: Callable[..., Any], target: str) -> None:
    child("mount", "tmpfs", target, "tmpfs", _CLOSED, "mode=0755")
    for name in _NODES:
        child("mknod", f"{target}/{name}", S_IFREG | 0o444, 0)
        _bind(child, f"/oldroot/dev/{name}", f"{target}/{name}", MS_NOSUID)
    for to, name in _LINKS:
        child("symlink", to, f"{target}/{name}")
    for name in ("shm", "pts"):
        child("mkdir", f"{target}/{name}", 0o755)
    options = "newinstance,ptmxmode=0666,mode=620"
    child("mount", "devpts", f"{target}/pts", "devpts", MS_NOSUID | MS_NOEXEC, options)


@dataclass(frozen=True, slots=True)
class SlaveMounts:
    """The mount namespace that the root is built in: nothing flows back to the host."""

    about: About = MOUNT_NS

    def plan(self, plan: LaunchPlan) -> None:
        """CLONE_NEWNS with the clone(2) itself, then MS_SLAVE on everything."""
        plan.call(Phase.NAMESPACES, "guest", self.about.id, "unshare", CLONE_NEWNS)
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        child("mount", None, "/", None, MS_SLAVE | MS_REC, None)
