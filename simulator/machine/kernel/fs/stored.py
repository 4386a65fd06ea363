"""New filesystems: those whose files are rows (tmpfs, devpts), those whose files are computed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import S_IFDIR
from simulator.machine.abi.ids import HOST, Domain, KGid, KUid, NsId, SuperblockId
from simulator.machine.kernel import clock
from simulator.machine.kernel.vfs.inode import SHOWING, Inode, Superblock
from simulator.machine.state.store import Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

FIRST_ANONYMOUS_DEVICE = 20
"""Device numbers 0:1 to 0:20 are taken by filesystems that the kernel mounts for itself."""


def anonymous_device(store: Store) -> int:
    """A device number with major 0 for a filesystem without a device (get_anon_bdev())."""
    return FIRST_ANONYMOUS_DEVICE + store.new_id("anonymous device")


def new_superblock(
    trap: "Trap",
    fstype: str,
    source: str,
    *,
    options: str = "",
    mode: int = 0o755,
    uid: KUid | None = None,
    gid: KGid | None = None,
    owner: NsId | None = None,
    capacity: int | None = None,
    domain: Domain | None = None,
) -> Superblock:
    """An empty filesystem with a root directory; ``uid`` and ``gid`` default to the caller's."""
    store, cred = trap.store, trap.task.cred
    whose = trap.task.domain if domain is None else domain
    number = SuperblockId(store.new_id(Superblock))
    root = store.new_id(Inode)
    now = clock.realtime(store)
    store.put(
        Inode(
            id=root,
            sb=number,
            mode=S_IFDIR | mode,
            uid=cred.fsuid if uid is None else uid,
            gid=cred.fsgid if gid is None else gid,
            nlink=2,
            parent=root,
            atime=now,
            mtime=now,
            ctime=now,
            domain=whose,
        )
    )
    return put_superblock(
        store,
        Superblock(
            id=number,
            fstype=fstype,
            source=source,
            root=root,
            options=options,
            owner=cred.user_ns if owner is None else owner,
            capacity=capacity,
            domain=whose,
        ),
    )


def computed_superblock(
    trap: "Trap",
    fstype: str,
    source: str,
    tag: str,
    *rest: str,
    data: Mapping[str, object] | None = None,
) -> Superblock:
    """A machine's own filesystem of computed files; its root is ``(tag, superblock, *rest)``."""
    number = SuperblockId(trap.store.new_id(Superblock))
    return put_superblock(
        trap.store,
        Superblock(
            id=number,
            fstype=fstype,
            source=source,
            root=(tag, number, *rest),
            owner=trap.task.cred.user_ns,
            data=data,
            domain=HOST,
        ),
    )


def put_superblock(store: Store, sb: Superblock) -> Superblock:
    """Write a new superblock; without a device it gets an anonymous number."""
    if not sb.device:
        sb = msgspec.structs.replace(sb, device=anonymous_device(store))
    store.put(sb)
    return sb


def find(world: World, fstype: str, ipc_ns: NsId | None = None) -> Superblock | None:
    """The superblock of ``fstype``, or that of an IPC namespace, for types that keep one each."""
    return world.first(SHOWING, fstype if ipc_ns is None else (fstype, ipc_ns))
