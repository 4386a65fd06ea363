"""From a place back to a path: getcwd(2), /proc/PID/fd, mountinfo, and names for what leaks.

Source: fs/d_path.c (prepend_path: stop at the reader's root, else at the global root).
"""

from typing import TYPE_CHECKING, TypeAlias

from simulator.machine.abi.ids import InodeId, MountId, NsId, SuperblockId
from simulator.machine.kernel.fs.registry import virtual
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.fd import OPEN_FILES
from simulator.machine.kernel.vfs.inode import NAMES_OF, Dentry, Superblock
from simulator.machine.kernel.vfs.mount import BY_SUPERBLOCK, Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

INITIAL_MOUNT_NS = NsId(2)
"""``boot`` numbers the initial namespaces: user 1, mnt 2."""

Opened: TypeAlias = tuple[InodeId, str]
"""The directory and the name by which a file was reached, as ``File.name`` keeps it."""

_NOWHERE = At(MountId(0), 0)


class _Way:
    """The names from a place up to where the climb ended, lowest first."""

    __slots__ = ("deleted", "met_root", "names")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.met_root = False
        self.deleted = False


def path_of(trap: "Trap", at: At, root: At | None = None, opened: Opened | None = None) -> str:
    """``at`` as a reader whose root is ``root`` (default: the caller's) sees it.

    ``(unreachable)/...`` when it lies outside (getcwd(2)); `` (deleted)`` behind a name that is
    gone (proc_pid_fd(5)). ``opened`` picks the name of a file that has several, or has lost it.
    """
    if opened is None and isinstance(at.inode, int) and not trap.store.by(NAMES_OF, at.inode):
        for file in trap.store.rows_by(OPEN_FILES, at.inode):
            if file.label:
                return file.label
            opened = opened or file.name
    way = _climb(trap, at, root or trap.task.root, opened)
    text = "/" + "/".join(reversed(way.names))
    if way.deleted:
        return f"{text} (deleted)"
    return text if way.met_root else f"(unreachable){text}"


def is_reachable(trap: "Trap", at: At, root: At) -> bool:
    """Whether a climb from ``at`` meets ``root`` (is_path_reachable())."""
    return _climb(trap, at, root, None).met_root


def is_deleted(trap: "Trap", at: At) -> bool:
    """Whether a directory on the way up from ``at`` has lost its name (d_unlinked())."""
    return _climb(trap, at, trap.task.root, None).deleted


def label(trap: "Trap", at: At, opened: Opened | None = None) -> str:
    """``at`` as the host sees it: what a leak is called.

    A filesystem that the host itself has nowhere mounted is named by its type.
    """
    world = trap.store
    sb = world.row(Superblock, world.row(Mount, at.mount).sb)
    names = _names_within(trap, at.inode, sb, opened)
    # Not by(), which copies: a host with many containers has very many mounts of its root.
    for key in world.filed(BY_SUPERBLOCK).get(sb.id, ()):
        seen = world.row(Mount, key)
        if seen.ns != INITIAL_MOUNT_NS:
            continue
        inner = _names_within(trap, seen.root, sb, seen.root_name)
        above = len(names) - len(inner)
        if above >= 0 and names[above:] == inner:
            return "/".join(["", *_to_global_root(trap, seen), *reversed(names[:above])]) or "/"
    return f"{sb.fstype}:/" + "/".join(reversed(names))


def path_within(trap: "Trap", inode: InodeId, sb: SuperblockId, opened: Opened | None) -> str:
    """The path of ``inode`` from the root of its filesystem (mountinfo's fourth field)."""
    row = trap.store.row(Superblock, sb)
    return "/" + "/".join(reversed(_names_within(trap, inode, row, opened)))


def _to_global_root(trap: "Trap", mount: Mount) -> list[str]:
    return list(reversed(_climb(trap, At(mount.id, mount.root), _NOWHERE, None).names))


def _climb(trap: "Trap", at: At, root: At, opened: Opened | None) -> _Way:
    way = _Way()
    while at != root:
        mount = trap.store.row(Mount, at.mount)
        if at.inode == mount.root:
            if mount.parent is None or mount.mountpoint is None:
                return way
            at, opened = At(mount.parent, mount.mountpoint), mount.mountpoint_name
            continue
        step = _step_up(trap, at.inode, opened)
        if step is None:
            way.deleted = True
            if opened is not None:
                way.names.append(opened[1])
                step = opened
            if step is None:
                return way
        else:
            way.names.append(step[1])
        opened = None
        at = At(at.mount, step[0])
    way.met_root = True
    return way


def _step_up(trap: "Trap", inode: InodeId, opened: Opened | None) -> Opened | None:
    """The directory above and the name in it; None when no name is left."""
    if opened is not None and inodes.lookup(trap, *opened) == inode:
        return opened
    if isinstance(inode, int):
        keys = trap.store.by(NAMES_OF, inode)
        return trap.store.row(Dentry, keys[0]).id if keys else None
    above = virtual(inode).load(trap, inode).parent
    if above is None or above == inode:
        return None
    # d_path() looks nothing up, and nobody is noted to have read the directory: many ids end so
    name = inode[-1]
    if isinstance(name, str) and inodes.lookup(trap, above, name) == inode:
        return above, name
    for name in inodes.names(trap, above):
        if inodes.lookup(trap, above, name) == inode:
            return above, name
    return None


def _names_within(trap: "Trap", inode: InodeId, sb: Superblock, opened: Opened | None) -> list[str]:
    """The names from ``inode`` up to the root of its filesystem, lowest first."""
    names: list[str] = []
    while inode != sb.root:
        step = _step_up(trap, inode, opened)
        if step is None:
            if opened is None:
                break
            step = opened
        names.append(step[1])
        inode, opened = step[0], None
    return names
