"""Building, copying and cutting trees of mounts: fs/namespace.c below its permission checks."""

from collections.abc import Collection, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.machine.abi.constants import (
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_RELATIME,
    S_IFDIR,
    S_IFMT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId, MountId, NsId, Pid
from simulator.machine.kernel.namespace import MountNs
from simulator.machine.kernel.sysctl import Sysctl
from simulator.machine.kernel.task import At, Task, TaskState
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.fd import File
from simulator.machine.kernel.vfs.inode import NAMES_OF
from simulator.machine.kernel.vfs.mount import CHILDREN, IN_NAMESPACE, MOUNTED_ON, Mount
from simulator.machine.state.store import Index, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

ATIME_MASK = MS_NOATIME | MS_NODIRATIME | MS_RELATIME
LOCKABLE = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC
_MAX_MOUNTS = 100_000
"""fs.mount-max unless it was changed: more mounts in one namespace fail with ENOSPC."""

SLAVE = 1
MAKE_SHARED = 2
PRIVATE = 4
COPY_UNBINDABLE = 8
COPY_NS_FILES = 16


def _places(task: Task) -> frozenset[MountId]:
    places = (task.root, task.cwd) if task.exe is None else (task.root, task.cwd, task.exe)
    return frozenset([place.mount for place in places])


_ORDER = attrgetter("order")
STANDING = Index(Task, _places, "root", "cwd", "exe")
"""Tasks by the mounts of their root and working directories and of their programs."""


def descend(world: World, mount: MountId) -> Iterator[Mount]:
    """``mount`` and everything mounted below it, parents before children, oldest first."""
    yield world.row(Mount, mount)
    if mount in world.filed(CHILDREN):
        for child in children(world, mount):
            yield from descend(world, child.id)


def children(world: World, mount: MountId) -> list[Mount]:
    """What is mounted on ``mount``, in the order it was attached."""
    found = world.rows_by(CHILDREN, mount)
    return sorted(found, key=_ORDER) if len(found) > 1 else [*found]


def directory_of(trap: "Trap", inode: InodeId, name: tuple[InodeId, str] | None) -> InodeId | None:
    """The directory that holds a file, by the name it was reached by or any it has."""
    if name is not None and inodes.lookup(trap, name[0], name[1]) == inode:
        return name[0]
    names = trap.store.by(NAMES_OF, inode)
    return names[0][0] if names else None  # pyright: ignore[reportIndexIssue, reportUnknownVariableType]


def is_below(
    trap: "Trap", inode: InodeId, directory: InodeId, name: tuple[InodeId, str] | None = None
) -> bool:
    """Whether ``inode`` is ``directory`` or lies below it in its filesystem (is_subdir())."""
    if inode == directory:
        return True
    if inodes.load(trap, inode).mode & S_IFMT != S_IFDIR:
        above = directory_of(trap, inode, name)
        if above is None:
            return False
        inode = above
    while inode != directory:
        above = inodes.parent(trap, inode)
        if above == inode:
            return False
        inode = above
    return True


def is_reachable(trap: "Trap", at: At, root: At, name: tuple[InodeId, str] | None = None) -> bool:
    """Whether ``at`` lies at or below ``root`` as mounts are stacked (is_path_reachable())."""
    mount = trap.store.row(Mount, at.mount)
    inode = at.inode
    while mount.id != root.mount and mount.parent is not None and mount.mountpoint is not None:
        inode, name = mount.mountpoint, mount.mountpoint_name
        mount = trap.store.row(Mount, mount.parent)
    return mount.id == root.mount and is_below(trap, inode, root.inode, name)


def clone_one(store: Store, old: Mount, root: InodeId, how: int, ns: NsId, **other: Any) -> Mount:
    """A copy of one mount, attached nowhere, in the peer group that ``how`` asks for.

    ``other`` are fields that the copy does not take from the original.
    """
    group = None if how & (SLAVE | PRIVATE) else old.peer_group
    if how & MAKE_SHARED and group is None:
        group = store.new_id("peer group")
    master = old.master
    if how & PRIVATE:
        master = None
    elif how & SLAVE and old.peer_group is not None:
        master = old.peer_group
    changes: dict[str, Any] = {
        "id": MountId(store.new_id(Mount)),
        "ns": ns,
        "parent": None,
        "mountpoint": None,
        "mountpoint_name": None,
        "root": root,
        "root_name": old.root_name if root == old.root else None,
        "peer_group": group,
        "unbindable": False,
        "master": master,
        "locked": False,
        "expire_mark": False,
    }
    copy = msgspec.structs.replace(old, **(changes | other))
    store.put(copy)
    return copy


def copy_tree(
    trap: "Trap", old: Mount, root: InodeId, how: int, ns: NsId, **other: Any
) -> tuple[Mount, dict[MountId, MountId]]:
    """Copy ``old`` from directory ``root`` down; returns the new root and old id -> new id.

    ``other`` are fields that the new root does not take from the original.

    Errors: EINVAL when ``old`` is unbindable or a mount namespace's file; EPERM for an unbindable
    mount that is also locked. Unbindable mounts below are left out.
    """
    store = trap.store
    if not how & COPY_UNBINDABLE and old.unbindable:
        trap.deny(
            Errno.EINVAL, "unbindable-mount", N_("The mount is unbindable."), "mount_namespaces(7)"
        )
    copies: dict[MountId, MountId] = {}
    top = clone_one(store, old, root, how, ns, **other)
    copies[old.id] = top.id
    # Nothing lies below a file, and everything below the root of its filesystem
    directory = inodes.is_dir(inodes.load(trap, root))
    whole = directory and inodes.parent(trap, root) == root
    for child in children(store, old.id):
        place = child.mountpoint
        assert place is not None
        below = directory and (whole or is_below(trap, place, root, child.mountpoint_name))
        if below or place == root:
            _copy_below(trap, child, how, ns, copies)
    return top, copies


def _copy_below(
    trap: "Trap", old: Mount, how: int, ns: NsId, copies: dict[MountId, MountId]
) -> None:
    if not how & COPY_UNBINDABLE and old.unbindable:
        if old.locked:
            trap.deny(
                Errno.EPERM,
                "locked-mount",
                N_("The tree holds a mount that is both unbindable and locked."),
                "mount_namespaces(7)",
            )
        return
    if not how & COPY_NS_FILES and is_mount_ns_file(old.root):
        return
    assert old.parent is not None
    assert old.mountpoint is not None
    copy = clone_one(
        trap.store,
        old,
        old.root,
        how,
        ns,
        parent=copies[old.parent],
        mountpoint=old.mountpoint,
        order=trap.store.new_id("mount order"),
        mountpoint_name=old.mountpoint_name,
        locked=old.locked,
    )
    copies[old.id] = copy.id
    for child in children(trap.store, old.id):
        _copy_below(trap, child, how, ns, copies)


def is_mount_ns_file(inode: InodeId) -> bool:
    """Whether an inode stands for a mount namespace (/proc/PID/ns/mnt)."""
    return isinstance(inode, tuple) and inode[:2] == ("ns", "mnt")


def lock_tree(store: Store, top: MountId) -> None:
    """A tree came into a less privileged mount namespace: its flags and its mounts stay put.

    mount_namespaces(7), "Restrictions on mount namespaces"; lock_mnt_tree().
    """
    for mount in tuple(descend(store, top)):
        store.put(
            msgspec.structs.replace(
                mount,
                locked=mount.locked or mount.id != top,
                locked_flags=mount.locked_flags | mount.flags & LOCKABLE | ATIME_MASK,
            )
        )


def put_in(store: Store, mount: MountId, at: At, name: tuple[InodeId, str] | None) -> None:
    """Hang ``mount`` on ``at`` (attach_mnt()); the caller keeps one mount a place."""
    store.put(
        msgspec.structs.replace(
            store.row(Mount, mount),
            parent=at.mount,
            mountpoint=at.inode,
            mountpoint_name=name,
            order=store.new_id("mount order"),
        )
    )


def move_to_namespace(store: Store, tree: Iterable[Mount], ns: NsId) -> None:
    """Say that the mounts of a tree now belong to ``ns``."""
    for mount in tree:
        if mount.ns != ns:
            store.put(msgspec.structs.replace(store.row(Mount, mount.id), ns=ns))


def topmost(world: World, mount: Mount) -> Mount:
    """What covers ``mount``'s root, or ``mount`` itself (topmost_overmount())."""
    above = world.first(MOUNTED_ON, (mount.id, mount.root))
    while above is not None:
        mount = above
        above = world.first(MOUNTED_ON, (mount.id, mount.root))
    return mount


def in_use(world: World, mounts: Collection[MountId], leaver: Pid | None = None) -> set[MountId]:
    """Those of ``mounts`` in which a root or working directory, a program or an open file is.

    A ``leaver`` is on its way out and does not count.
    """
    found = {file.at.mount for file in world.all(File) if file.at is not None}
    found.update(
        mount
        for mount in mounts
        if any(
            task.id != leaver and task.state is not TaskState.ZOMBIE
            for task in world.rows_by(STANDING, mount)
        )
    )
    return found.intersection(mounts)


def need_room(trap: "Trap", ns: NsId, more: int) -> None:
    """ENOSPC when ``ns`` may not take ``more`` mounts (count_mounts())."""
    written = trap.store.get(Sysctl, "fs.mount-max")
    most = _MAX_MOUNTS if written is None else int(written.value)
    if trap.store.many(IN_NAMESPACE, ns) + more > most:
        trap.deny(
            Errno.ENOSPC,
            "mount-max",
            N_("The mount namespace holds as many mounts as fs.mount-max allows."),
            "proc_sys_fs(5)",
        )


def root_of(world: World, ns: NsId) -> At:
    """Where ``/`` of a mount namespace is: the top of what covers its first mount."""
    first = world.row(Mount, world.row(MountNs, ns).root)
    top = topmost(world, first)
    return At(top.id, top.root)
