"""A mount namespace ends with its last process, and every mount in it with it.

Whoever received mounts from it is a slave no longer, and what it kept busy is free. Other kinds of
namespaces leave nothing behind that could be noticed. Source: fs/namespace.c put_mnt_ns().
"""

from simulator.machine.abi.ids import NsId, Pid
from simulator.machine.kernel import exit as ends
from simulator.machine.kernel.namespace import MountNs, nsfs_inode
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import propagation
from simulator.machine.kernel.vfs.fd import OPEN_FILES
from simulator.machine.kernel.vfs.mount import BY_ROOT, IN_NAMESPACE
from simulator.machine.state.store import Store


def leave(store: Store, ns: NsId, leaver: Pid) -> None:
    """``leaver`` goes from mount namespace ``ns``: without anybody else it is taken apart."""
    for task in store.rows(Task).values():
        if task.ns.mnt == ns and task.id != leaver and task.state is not TaskState.ZOMBIE:
            return
    file = nsfs_inode("mnt", ns)
    if store.by(OPEN_FILES, file) or store.by(BY_ROOT, file) or store.get(MountNs, ns) is None:
        return
    mounts = tuple(mount.id for mount in store.rows_by(IN_NAMESPACE, ns))
    propagation.discard(store, mounts, leaver)


def _at_exit(store: Store, task: Task) -> None:
    leave(store, task.ns.mnt, task.id)


ends.at_exit(_at_exit)
