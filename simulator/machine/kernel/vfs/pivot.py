"""Changing the root mount: pivot_root(2).

Source: fs/namespace.c; the order of refusals is the kernel's.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.task import At, TaskState
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import mount_tree, mounting
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def pivot(trap: "Trap", new: mounting.Place, put_old: mounting.Place) -> None:
    """pivot_root(2) after its paths are resolved, with its refusals in the kernel's order.

    Every task of the mount namespace whose root or working directory was the old root moves.
    """
    store = trap.store
    root = trap.task.root
    old = mounting.locked_place(trap, put_old)
    new_mount, root_mount = store.row(Mount, new.at.mount), store.row(Mount, root.mount)
    old_mount = store.row(Mount, old.at.mount)
    _check_pivot_propagation(trap, new_mount, root_mount, old_mount)
    if not mounting.is_ours(trap, root_mount) or not mounting.is_ours(trap, new_mount):
        mounting.foreign(trap)
    if new_mount.locked:
        mounting.refuse_locked(trap)
    if inodes.load(trap, new.at.inode).nlink == 0:
        trap.fail(Errno.ENOENT, N_("The directory has been removed."), "pivot_root(2)")
    if root_mount.id in (new_mount.id, old_mount.id):
        trap.fail(
            Errno.EBUSY,
            N_("The new root and the place for the old one must not be on the current root mount."),
            "pivot_root(2)",
        )
    _check_pivot_shape(trap, new, old, root)
    _swap(trap, new_mount, root_mount, old)
    _follow_root(trap, root, new.at)
    mounting.touched(trap, new)


def _check_pivot_propagation(trap: "Trap", new: Mount, root: Mount, old: Mount) -> None:
    parents = [mount.parent for mount in (new, root) if mount.parent is not None]
    if old.peer_group is not None or any(
        trap.store.row(Mount, parent).peer_group is not None for parent in parents
    ):
        trap.deny(
            Errno.EINVAL,
            "mount-propagation",
            N_("The place for the old root, or a parent mount of either root, is shared."),
            "pivot_root(2)",
        )


def _check_pivot_shape(trap: "Trap", new: mounting.Place, old: mounting.Place, root: At) -> None:
    store = trap.store
    if not mounting.is_root(trap, root):
        trap.fail(
            Errno.EINVAL, N_("The current root is not a mountpoint (chroot)."), "pivot_root(2)"
        )
    if store.row(Mount, root.mount).parent is None:
        trap.fail(
            Errno.EINVAL,
            N_("The current root is the initial ramfs, which can't be moved."),
            "pivot_root(2)",
        )
    if not mounting.is_root(trap, new.at) or store.row(Mount, new.at.mount).parent is None:
        trap.fail(Errno.EINVAL, N_("The new root is not a mountpoint."), "pivot_root(2)")
    if not mount_tree.is_reachable(trap, old.at, new.at):
        trap.fail(
            Errno.EINVAL,
            N_("The place for the old root is not at or below the new root."),
            "pivot_root(2)",
        )
    if not mount_tree.is_reachable(trap, new.at, root):
        trap.fail(Errno.EINVAL, N_("The new root is not below the current root."), "pivot_root(2)")


def _swap(trap: "Trap", new: Mount, root: Mount, old: mounting.Place) -> None:
    store = trap.store
    assert root.parent is not None
    assert root.mountpoint is not None
    store.put(msgspec.structs.replace(new, locked=root.locked))
    store.put(msgspec.structs.replace(root, locked=False))
    mount_tree.put_in(store, new.id, At(root.parent, root.mountpoint), root.mountpoint_name)
    mount_tree.put_in(store, root.id, old.at, old.name)


def _follow_root(trap: "Trap", root: At, new: At) -> None:
    """chroot_fs_refs(): every task, in any mount namespace, that stood on the old root."""
    for task in trap.store.rows_by(mount_tree.STANDING, root.mount):
        if task.state is TaskState.ZOMBIE or root not in (task.root, task.cwd):
            continue
        moved = msgspec.structs.replace(
            task,
            root=new if task.root == root else task.root,
            cwd=new if task.cwd == root else task.cwd,
        )
        trap.store.put(moved)
        if task.id == trap.task.id:
            trap.task = moved
