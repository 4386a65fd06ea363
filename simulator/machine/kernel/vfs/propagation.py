"""Mounts and unmounts that spread: shared, slave, private and unbindable mounts.

A peer group is a number; a slave knows the group that it receives from. All peers of a group have
the same master, so the graph that the kernel keeps in pointers is here two columns of a table.

Source: mount_namespaces(7), Documentation/filesystems/sharedsubtree.rst and propagate_umount.txt,
fs/pnode.c.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import MS_SHARED, MS_SLAVE, MS_UNBINDABLE
from simulator.machine.abi.ids import InodeId, MountId, Pid
from simulator.machine.kernel.fs.registry import mutations
from simulator.machine.kernel.namespace import MountNs
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import dpath, mount_tree
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import (
    BY_MOUNTPOINT,
    BY_SUPERBLOCK,
    CHILDREN,
    MOUNTED_ON,
    PEERS,
    Mount,
)
from simulator.machine.state.store import Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def change_type(store: Store, mount: Mount, kind: int) -> None:
    """Make ``mount`` shared, slave, private or unbindable (change_mnt_propagation())."""
    if kind == MS_SHARED:
        group = mount.peer_group or store.new_id("peer group")
        store.put(msgspec.structs.replace(mount, peer_group=group, unbindable=False))
        return
    alone = _leave(store, mount)
    if kind == MS_SLAVE:
        master = mount.master if alone else mount.peer_group
        store.put(msgspec.structs.replace(mount, peer_group=None, master=master))
        return
    store.put(
        msgspec.structs.replace(
            mount, peer_group=None, master=None, unbindable=kind == MS_UNBINDABLE
        )
    )


def _leave(store: Store, mount: Mount) -> bool:
    """Hand on the slaves of a group whose last peer goes; whether ``mount`` was alone in it."""
    if mount.peer_group is None:
        return True
    if store.many(PEERS, ("peer", mount.peer_group)) > 1:
        return False
    for slave in store.rows_by(PEERS, ("master", mount.peer_group)):
        store.put(msgspec.structs.replace(slave, master=mount.master))
    return True


def receivers(world: World, parent: Mount) -> Iterator[Mount]:
    """Every mount that gets what is mounted on ``parent``, nearest group first."""
    if parent.peer_group is not None:
        for mount in _group(world, parent.peer_group, set()):
            if mount.id != parent.id:
                yield mount


def _group(world: World, group: int, seen: set[int]) -> Iterator[Mount]:
    seen.add(group)
    yield from _by_id(world, ("peer", group))
    for slave in _by_id(world, ("master", group)):
        if slave.peer_group is None:
            yield slave
        elif slave.peer_group not in seen:
            yield from _group(world, slave.peer_group, seen)


def _by_id(world: World, key: tuple[str, int]) -> list[Mount]:
    return sorted(world.rows_by(PEERS, key), key=lambda mount: mount.id)


def dominating_group(world: World, mount: Mount, visible: set[int]) -> int | None:
    """The nearest group up ``mount``'s masters that is among ``visible`` (propagate_from)."""
    group = mount.master
    while group is not None:
        if group in visible:
            return group
        peer = world.first(PEERS, ("peer", group))
        group = peer.master if peer is not None else None
    return None


def attach(
    trap: "Trap",
    top: MountId,
    at: At,
    name: tuple[InodeId, str] | None,
    *,
    new: bool = True,
    alone: bool = False,
) -> tuple[MountId, ...]:
    """Mount the tree ``top`` on ``at`` and on every place that ``at`` propagates to.

    ``new``: the tree was attached nowhere before; ``alone``: nothing is mounted on it. Returns the
    copies that were made elsewhere. ENOSPC past fs.mount-max. Source: attach_recursive_mnt(),
    propagate_mnt().
    """
    store = trap.store
    parent = store.row(Mount, at.mount)
    tree = (store.row(Mount, top),) if alone else tuple(mount_tree.descend(store, top))
    assert parent.ns is not None
    shared = parent.peer_group is not None
    if not shared:  # before the mounts are counted: until then no index has seen the new row
        mount_tree.put_in(store, top, at, name)
    mount_tree.need_room(trap, parent.ns, len(tree) if new else 0)
    secondaries: tuple[MountId, ...] = ()
    if shared:
        for mount in tree:
            change_type(store, mount, MS_SHARED)
        own = {mount.id for mount in tree} if new else set[MountId]()
        secondaries = _copy_to_receivers(trap, top, parent, at.inode, name, own)
        mount_tree.put_in(store, top, at, name)
    mount_tree.move_to_namespace(store, tree, parent.ns)
    return secondaries


def _copy_to_receivers(
    trap: "Trap",
    top: MountId,
    parent: Mount,
    mountpoint: InodeId,
    name: tuple[InodeId, str] | None,
    own: set[MountId],
) -> tuple[MountId, ...]:
    store = trap.store
    assert parent.peer_group is not None
    nearest: dict[int, MountId] = {parent.peer_group: top}
    made: dict[MountId, At] = {}
    for receiver in tuple(receivers(store, parent)):
        if receiver.id in own or not _takes(trap, receiver, mountpoint, name):
            continue
        source, how = _source_for(store, receiver, nearest)
        assert receiver.ns is not None
        original = store.row(Mount, source)
        copy, copies = mount_tree.copy_tree(trap, original, original.root, how, receiver.ns)
        mount_tree.need_room(trap, receiver.ns, len(copies))
        if receiver.peer_group is not None:
            nearest[receiver.peer_group] = copy.id
        made[copy.id] = At(receiver.id, mountpoint)
    for copied, at in made.items():
        _hang(trap, copied, at, name)
    return tuple(made)


def _takes(
    trap: "Trap", receiver: Mount, mountpoint: InodeId, name: tuple[InodeId, str] | None
) -> bool:
    """need_secondary(): the mountpoint can be seen in ``receiver``, which is in a namespace."""
    if receiver.ns is None or trap.store.row(MountNs, receiver.ns).anonymous:
        return False
    return mount_tree.is_below(trap, mountpoint, receiver.root, name)


def _source_for(world: World, receiver: Mount, nearest: dict[int, MountId]) -> tuple[MountId, int]:
    """What to copy for ``receiver`` and how: a peer of its group's copy, or a slave of one above.

    A group that could not see the mountpoint got no copy: its slaves take from further up.
    """
    if receiver.peer_group is not None and receiver.peer_group in nearest:
        return nearest[receiver.peer_group], mount_tree.MAKE_SHARED
    how = mount_tree.SLAVE | (mount_tree.MAKE_SHARED if receiver.peer_group is not None else 0)
    group = receiver.master
    while group is not None and group not in nearest:
        peer = world.first(PEERS, ("peer", group))
        group = peer.master if peer is not None else None
    assert group is not None
    return nearest[group], how


def _hang(trap: "Trap", top: MountId, at: At, name: tuple[InodeId, str] | None) -> None:
    """Put a propagated copy in its place, beneath whatever is mounted there already."""
    store = trap.store
    ns = store.row(Mount, at.mount).ns
    assert ns is not None
    here = store.row(MountNs, trap.task.ns.mnt)
    there = store.row(MountNs, ns)
    if there.owner != here.owner:
        mount_tree.lock_tree(store, top)
    _report(trap, at, there)
    above = store.first(MOUNTED_ON, at)
    mount_tree.put_in(store, top, at, name)
    if above is not None:
        cover = mount_tree.topmost(store, store.row(Mount, top))
        mount_tree.put_in(store, above.id, At(cover.id, cover.root), cover.root_name)


def _report(trap: "Trap", at: At, ns: MountNs) -> None:
    """A mount appeared or went in a namespace that may be another domain's."""
    if ns.domain != trap.task.domain:
        trap.touch("mount", ns.domain, "write", dpath.label(trap, at))


def is_busy(world: World, mount: Mount) -> bool:
    """Whether ``mount``, or a copy elsewhere that would go with it, is in use.

    Source: propagate_mount_busy(): copies with mounts of their own are left out.
    """
    if world.by(CHILDREN, mount.id) or mount_tree.in_use(world, (mount.id,)):
        return True
    for copy in _counterparts(world, mount):
        children = world.rows_by(CHILDREN, copy.id)
        if any(child.mountpoint != copy.root for child in children):
            continue
        if mount_tree.in_use(world, (copy.id,)):
            return True
    return False


def _counterparts(world: World, mount: Mount) -> Iterator[Mount]:
    """What is mounted at the same place of every mount that the parent propagates to."""
    if mount.parent is None:
        return
    for receiver in tuple(receivers(world, world.row(Mount, mount.parent))):
        found = world.first(MOUNTED_ON, (receiver.id, mount.mountpoint))
        if found is not None:
            yield found


def cut(trap: "Trap", top: MountId, *, lazy: bool) -> None:
    """Unmount the tree ``top`` here and wherever that propagates to.

    ``lazy`` is MNT_DETACH: what is still in use stays, attached nowhere. Source: umount_tree().
    """
    store = trap.store
    for copy in tuple(_counterparts(store, store.row(Mount, top))):
        store.put(msgspec.structs.replace(copy, locked=False))
    chosen = {mount.id: None for mount in mount_tree.descend(store, top)}
    spread = _spread(store, tuple(chosen))
    for mount in spread:
        _slide_down(store, mount, spread)
        row = store.row(Mount, mount)
        _report(trap, At(mount, row.root), store.row(MountNs, row.ns))
    _remove(store, (*chosen, *spread), lazy=lazy)


def detach_from(store: Store, mountpoint: InodeId) -> None:
    """A name was removed in another namespace: whatever is mounted on it falls off.

    Source: __detach_mounts(); rename(2) and unlink(2) since Linux 3.18.
    """
    for mount in store.rows_by(BY_MOUNTPOINT, mountpoint):
        if store.get(Mount, mount.id) is not None and mount.parent is not None:
            _remove(store, tuple(m.id for m in mount_tree.descend(store, mount.id)), lazy=True)


def discard(store: Store, mounts: tuple[MountId, ...], leaver: Pid) -> None:
    """Take apart what is left of a mount namespace whose last task, ``leaver``, goes."""
    _remove(store, mounts, lazy=True, leaver=leaver)


def _spread(world: World, chosen: tuple[MountId, ...]) -> dict[MountId, None]:
    """The mounts elsewhere that go too: the largest set that neither shifts nor reveals anything.

    A candidate stays when a mount on it stays (unless that covers it whole), or when it is locked
    and its parent stays. Source: propagate_umount.txt.
    """
    candidates: dict[MountId, None] = {}
    for mount in chosen:
        for copy in _counterparts(world, world.row(Mount, mount)):
            if copy.id not in chosen:
                candidates[copy.id] = None
    gone = {*chosen, *candidates}
    while True:
        kept = [mount for mount in candidates if mount in gone and not _may_go(world, mount, gone)]
        if not kept:
            return {mount: None for mount in candidates if mount in gone}
        gone.difference_update(kept)


def _may_go(world: World, mount: MountId, gone: set[MountId]) -> bool:
    row = world.row(Mount, mount)
    if row.locked and row.parent not in gone:
        return False
    return all(
        child.id in gone or child.mountpoint == row.root for child in world.rows_by(CHILDREN, mount)
    )


def _slide_down(store: Store, mount: MountId, gone: dict[MountId, None]) -> None:
    """What covers a mount that goes, and stays, takes its place (reparent())."""
    row = store.row(Mount, mount)
    cover = store.first(MOUNTED_ON, (row.id, row.root))
    if cover is None or cover.id in gone:
        return
    while row.parent in gone:
        row = store.row(Mount, row.parent)
    assert row.parent is not None
    assert row.mountpoint is not None
    mount_tree.put_in(store, cover.id, At(row.parent, row.mountpoint), row.mountpoint_name)


def _remove(
    store: Store, mounts: tuple[MountId, ...], *, lazy: bool, leaver: Pid | None = None
) -> None:
    """Take the rows away; what somebody still uses stays as a mount of no namespace."""
    leaving = set(mounts)
    stuck = {
        mount
        for mount in mounts
        if lazy and (row := store.row(Mount, mount)).locked and row.parent in leaving
    }
    used = mount_tree.in_use(store, mounts, leaver)
    for mount in tuple(used):  # locked mounts stay with what they are mounted on
        while mount in stuck:
            above = store.row(Mount, mount).parent
            assert above is not None
            mount = above
            used.add(mount)
    for mount in mounts:
        row = store.row(Mount, mount)
        _leave(store, row)
        stays = mount in used or (mount in stuck and row.parent in used)
        if not stays:
            store.drop(Mount, mount)
            _let_go(store, row)
            continue
        used.add(mount)
        attached = mount in stuck
        store.put(
            msgspec.structs.replace(
                row,
                ns=None,
                parent=row.parent if attached else None,
                mountpoint=row.mountpoint if attached else None,
                peer_group=None,
                master=None,
            )
        )


def _let_go(store: Store, gone: Mount) -> None:
    """deactivate_super(): a filesystem may want to know of its last mount's end."""
    sb = store.row(Superblock, gone.sb)
    hear = mutations(sb.root).unmounted if isinstance(sb.root, tuple) else None
    if hear is not None and not store.by(BY_SUPERBLOCK, sb.id):
        hear(store, sb)
