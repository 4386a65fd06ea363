"""AppArmor: what a profile denies by the path a file is known by. apparmor.d(5).

A profile is data. Its file rules are the ones that deny; what it says of mounts, signals and
tracing follows the same plain scheme: peers with the same label are let through.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_MOVE,
    MS_RDONLY,
    MS_REMOUNT,
    O_ACCMODE,
    O_RDONLY,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import Trap

UNCONFINED = "unconfined"


@dataclass(frozen=True, slots=True)
class FileRule:
    """``deny PATTERN ACCESS``; ``pattern`` is a regular expression for the whole path."""

    pattern: re.Pattern[str]
    access: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A loaded profile. ``mounts`` are the types it lets mount; None is every type and bind."""

    name: str
    files: tuple[FileRule, ...]
    mounts: frozenset[str] | None = None
    binds: bool = False


def _deny(access: str, *patterns: str) -> Iterable[FileRule]:
    return (FileRule(re.compile(pattern), access) for pattern in patterns)


DOCKER_DEFAULT = Profile(
    name="docker-default",
    files=(
        *_deny("w", r"/proc/[^/]*"),
        *_deny(
            "w",
            r"/proc/([^1-9]|[^1-9][^0-9]|[^1-9s][^0-9y][^0-9s]|[^1-9][^0-9][^0-9][^0-9/][^/]*)/.+",
            r"/proc/sys/[^k].*",
            r"/proc/sys/kernel/(.|..|[^s][^h][^m].*)",
        ),
        *_deny("rw", r"/proc/sysrq-trigger", r"/proc/kcore"),
        *_deny(
            "w",
            r"/sys/[^f][^/]*/.+",
            r"/sys/f[^s][^/]*/.+",
            r"/sys/fs/[^c][^/]*/.+",
            r"/sys/fs/c[^g][^/]*/.+",
            r"/sys/fs/cg[^r][^/]*/.+",
        ),
        *_deny(
            "rw",
            r"/sys/firmware/.+",
            r"/sys/devices/virtual/powercap/.+",
            r"/sys/kernel/security/.+",
        ),
    ),
    mounts=frozenset(),
)
"""moby profiles/apparmor/template.go."""

_LXC_FILES = (
    *_deny("rw", r"/proc/sysrq-trigger", r"/proc/kcore", r"/proc/acpi/.*", r"/proc/mem"),
    *_deny("w", r"/proc/bus/.+", r"/proc/sys/fs/.+"),
    *_deny(
        "w",
        r"/proc/sys/kernel/([^smhd].*|s[^hey].*|d[^o].*|h[^o].*|m[^s].*)",
        r"/sys/kernel/(?!debug).+",
        r"/sys/[^fdc][^/]*/.+",
    ),
    *_deny(
        "rw", r"/sys/firmware/efi/efivars/.*", r"/sys/kernel/security/.*", r"/sys/kernel/debug.*"
    ),
)
_TYPES = "tmpfs hugetlbfs mqueue fuse fusectl binfmt_misc efivarfs securityfs debugfs proc sysfs"
_LXC_MOUNTS = frozenset(_TYPES.split())
_LXC_GROUPS = _LXC_MOUNTS | {"cgroup", "cgroup2"}
_LXC_DISKS = _LXC_MOUNTS | {"ext2", "ext3", "ext4", "xfs", "btrfs"}
LXC_DEFAULT = Profile("lxc-container-default", _LXC_FILES, _LXC_MOUNTS, binds=True)
"""lxc config/apparmor/abstractions/container-base and profiles/lxc-default. Where a type may be
mounted, and that /proc, /sys and /dev are no source of a bind mount, is left out."""
LXC_DEFAULT_CGNS = Profile(
    "lxc-container-default-cgns", _LXC_FILES, _LXC_GROUPS | {"overlay"}, binds=True
)
LXC_WITH_NESTING = Profile(
    "lxc-container-default-with-nesting", _LXC_FILES, _LXC_GROUPS, binds=True
)
LXC_WITH_MOUNTING = Profile(
    "lxc-container-default-with-mounting", _LXC_FILES, _LXC_DISKS, binds=True
)

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        DOCKER_DEFAULT,
        LXC_DEFAULT,
        LXC_DEFAULT_CGNS,
        LXC_WITH_NESTING,
        LXC_WITH_MOUNTING,
    )
}
"""The profiles a machine has loaded, by the label that a task wears."""

_DENIED = Denial(
    Errno.EACCES,
    "apparmor",
    N_("The AppArmor profile denies this, whoever the caller is."),
    "apparmor.d(5)",
)


def _profile(trap: Trap) -> Profile | None:
    label = trap.task.lsm_label
    if label == UNCONFINED or "apparmor" not in trap.family.features:
        return None
    return PROFILES.get(label)


def may_open(trap: Trap, _at: At, path: str, flags: int) -> Answer:
    """The first rule that denies one of the wanted kinds of access decides."""
    profile = _profile(trap)
    if profile is None:
        return None
    mode = flags & O_ACCMODE
    wanted = {O_RDONLY: "r", 1: "w"}.get(mode, "rw")
    for rule in profile.files:
        if set(wanted) & set(rule.access) and rule.pattern.fullmatch(path):
            return _DENIED
    return None


def may_mount(trap: Trap, fstype: str, _path: str, flags: int) -> Answer:
    """``deny mount``, or only the types and binds that the profile names."""
    profile = _profile(trap)
    if profile is None or profile.mounts is None:
        return None
    if flags & (MS_BIND | MS_MOVE | MS_REMOUNT):
        closing = flags & MS_BIND and flags & MS_RDONLY
        return None if profile.binds and (closing or not flags & MS_REMOUNT) else _DENIED
    return None if fstype in profile.mounts else _DENIED


def may_signal(trap: Trap, task: Task, _signo: int) -> Answer:
    """``signal (send) peer=`` the same profile."""
    return _peers(trap, task)


def may_trace(trap: Trap, task: Task) -> Answer:
    """``ptrace (trace, read) peer=`` the same profile."""
    return _peers(trap, task)


def _peers(trap: Trap, task: Task) -> Answer:
    profile = _profile(trap)
    if profile is None or task.lsm_label == profile.name:
        return None
    return _DENIED


APPARMOR = Policy(
    name="apparmor",
    may_open=may_open,
    may_mount=may_mount,
    may_signal=may_signal,
    may_trace=may_trace,
)
