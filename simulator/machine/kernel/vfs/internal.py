"""The kernel's own mounts: filesystems that nobody has mounted and no path leads to.

Source: fs/namespace.c kern_mount(), mm/shmem.c, mm/secretmem.c, ipc/mqueue.c mq_init_ns().
"""

from simulator.machine.abi.constants import S_IFDIR
from simulator.machine.abi.ids import INITIAL_USER_NS, KERNEL, MountId, SuperblockId
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Counter, Store


def mount(store: Store, sb: Superblock) -> MountId:
    """kern_mount(): the kernel's mount of ``sb``, in no namespace; made when first needed."""
    key = ("internal-mount", sb.id)
    known = store.get(Counter, key)
    if known is not None:
        return MountId(known.last)
    made = MountId(store.new_id(Mount))
    store.put(
        Mount(id=made, ns=None, parent=None, mountpoint=None, root=sb.root, sb=sb.id, domain=KERNEL)
    )
    store.put(Counter(id=key, last=made))
    return made


def own_mount(store: Store, fstype: str) -> MountId:
    """The kernel's only mount of a filesystem of that type, made with it when first needed."""
    key = ("internal-filesystem", fstype)
    known = store.get(Counter, key)
    if known is not None:
        return mount(store, store.row(Superblock, SuperblockId(known.last)))
    number, root = SuperblockId(store.new_id(Superblock)), store.new_id(Inode)
    sb = Superblock(
        id=number,
        fstype=fstype,
        source=fstype,
        root=root,
        owner=INITIAL_USER_NS,
        device=1,
        domain=KERNEL,
    )
    store.put(sb)
    store.put(Inode(id=root, sb=number, mode=S_IFDIR | 0o1777, nlink=2, parent=root, domain=KERNEL))
    store.put(Counter(id=key, last=number))
    return mount(store, sb)
