"""What a process can read about mounts: /proc/PID/mountinfo, mounts and mountstats.

Only mounts that lie below the reader's root are shown, and their paths as seen from it: chroot(2)
hides the host's mounts from these files, and from nothing else. Source: fs/proc_namespace.c.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
)
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.vfs import dpath, mount_tree, propagation
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import IN_NAMESPACE, Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_OPTIONS = (
    (MS_NOSUID, "nosuid"),
    (MS_NODEV, "nodev"),
    (MS_NOEXEC, "noexec"),
    (MS_NOATIME, "noatime"),
    (MS_NODIRATIME, "nodiratime"),
    (MS_RELATIME, "relatime"),
    (MS_NOSYMFOLLOW, "nosymfollow"),
)


class Seen(msgspec.Struct, frozen=True):
    """One mount as a reader with some root sees it (proc_pid_mountinfo(5))."""

    mount: Mount
    sb: Superblock
    root: str
    """The directory of the filesystem that is mounted."""
    path: str
    """Where, from the reader's root."""
    tags: tuple[str, ...]
    """``shared:1``, ``master:1``, ``propagate_from:1``, ``unbindable``."""


def visible(trap: "Trap", task: Task) -> tuple[Seen, ...]:
    """The mounts of ``task``'s mount namespace at or below its root, oldest first."""
    store = trap.store
    reachable = [
        mount
        for mount in sorted(store.rows_by(IN_NAMESPACE, task.ns.mnt), key=lambda m: m.id)
        if mount_tree.is_reachable(trap, At(mount.id, mount.root), task.root, mount.root_name)
    ]
    groups = {mount.peer_group for mount in reachable if mount.peer_group is not None}
    return tuple(
        Seen(
            mount=mount,
            sb=store.row(Superblock, mount.sb),
            root=_root(trap, mount),
            path=dpath.path_of(trap, At(mount.id, mount.root), task.root, mount.root_name),
            tags=_tags(trap, mount, groups),
        )
        for mount in reachable
    )


def lines(trap: "Trap", task: Task) -> tuple[str, ...]:
    """The lines of /proc/PID/mountinfo."""
    return tuple(_spell(seen) for seen in visible(trap, task))


def mounts(trap: "Trap", task: Task) -> tuple[str, ...]:
    """The lines of /proc/PID/mounts (fstab(5) format)."""
    result: list[str] = []
    for seen in visible(trap, task):
        read_only = bool(seen.mount.flags & MS_RDONLY) or seen.sb.read_only
        words = [_ro(read_only), *_flags(seen.mount.flags), *_own_options(seen.sb)]
        result.append(
            f"{escape(seen.mount.source)} {escape(seen.path)} {seen.sb.fstype} "
            f"{','.join(words)} 0 0"
        )
    return tuple(result)


def mountstats(trap: "Trap", task: Task) -> tuple[str, ...]:
    """The lines of /proc/PID/mountstats."""
    return tuple(
        f"device {escape(seen.mount.source)} mounted on {escape(seen.path)} "
        f"with fstype {seen.sb.fstype}"
        for seen in visible(trap, task)
    )


def escape(text: str) -> str:
    """Blanks, newlines and backslashes in octal, as mangle() prints them."""
    for character in "\\ \t\n#":
        text = text.replace(character, f"\\{ord(character):03o}")
    return text


def options(mount: Mount) -> str:
    """The per-mount options, comma-separated, ``rw`` or ``ro`` first."""
    return ",".join([_ro(bool(mount.flags & MS_RDONLY)), *_flags(mount.flags)])


def _spell(seen: Seen) -> str:
    mount, sb = seen.mount, seen.sb
    parent = mount.id if mount.parent is None else mount.parent
    words = [
        f"{mount.id} {parent} {sb.device >> 8}:{sb.device & 0xFF}",
        escape(seen.root),
        escape(seen.path),
        options(mount),
        *seen.tags,
        "-",
        sb.fstype,
        escape(mount.source),
        ",".join([_ro(sb.read_only), *_own_options(sb)]),
    ]
    return " ".join(words)


def _ro(read_only: bool) -> str:
    return "ro" if read_only else "rw"


def _flags(flags: int) -> list[str]:
    return [word for bit, word in _OPTIONS if flags & bit]


def _own_options(sb: Superblock) -> list[str]:
    return [sb.options] if sb.options else []


def _root(trap: "Trap", mount: Mount) -> str:
    if nsfs.is_namespace(mount.root):
        return nsfs.name(mount.root)
    return dpath.path_within(trap, mount.root, mount.sb, mount.root_name)


def _tags(trap: "Trap", mount: Mount, groups: set[int]) -> tuple[str, ...]:
    tags: list[str] = []
    if mount.peer_group is not None:
        tags.append(f"shared:{mount.peer_group}")
    if mount.master is not None:
        tags.append(f"master:{mount.master}")
        source = propagation.dominating_group(trap.store, mount, groups)
        if source is not None and source != mount.master:
            tags.append(f"propagate_from:{source}")
    if mount.unbindable:
        tags.append("unbindable")
    return tuple(tags)
