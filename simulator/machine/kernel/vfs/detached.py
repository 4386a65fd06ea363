"""Mount trees and filesystems in the making that a descriptor holds: open_tree(2), fsopen(2).

A detached tree lives in an anonymous mount namespace of its own until move_mount(2) takes it from
there; closing the last descriptor unmounts what nobody took. Source: fs/namespace.c, fs/fsopen.c.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import O_PATH, O_RDWR
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import MountId, NsId, SuperblockId
from simulator.machine.kernel.namespace import MountNs
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import mount_tree
from simulator.machine.kernel.vfs.fd import File, FileOps
from simulator.machine.kernel.vfs.mount import IN_NAMESPACE, Mount
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

TREE = "mount"
CONTEXT = "fscontext"


class FsContext(Row, frozen=True, kw_only=True):
    """A filesystem being configured. ``phase`` is ``parameters``, ``mount`` or ``reconfigure``."""

    fstype: str
    source: str | None = None
    options: str = ""
    read_only: bool | None = None
    phase: str = "parameters"
    sb: SuperblockId | None = None


def new_anonymous(trap: "Trap") -> NsId:
    """A mount namespace for one detached tree; its root is set with ``hold``."""
    ns = NsId(trap.store.new_id("namespace"))
    trap.store.put(
        MountNs(
            id=ns,
            owner=trap.task.cred.user_ns,
            root=MountId(0),
            anonymous=True,
            domain=trap.task.domain,
        )
    )
    return ns


def hold(trap: "Trap", ns: NsId, top: MountId, *, cloexec: bool) -> int:
    """A descriptor for the tree ``top`` in anonymous namespace ``ns``. EMFILE."""
    row = trap.store.row(MountNs, ns)
    trap.store.put(msgspec.structs.replace(row, root=top))
    file = File(
        id=fds.new_file_id(trap),
        kind=TREE,
        at=At(top, trap.store.row(Mount, top).root),
        flags=O_PATH,
        object=ns,
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=cloexec)


def taken(store: Store, ns: NsId) -> None:
    """The tree was attached somewhere: its anonymous namespace is empty and goes."""
    if not store.by(IN_NAMESPACE, ns):
        store.drop(MountNs, ns)


def _dissolve(store: Store, file: File) -> None:
    ns = file.object
    if not isinstance(ns, int) or store.get(MountNs, ns) is None:
        return
    root = store.row(MountNs, ns).root
    for mount in reversed(tuple(mount_tree.descend(store, root))):
        if mount_tree.in_use(store, (mount.id,)):
            store.put(msgspec.structs.replace(mount, ns=None, parent=None, mountpoint=None))
        else:
            store.drop(Mount, mount.id)
    store.drop(MountNs, ns)


def open_context(trap: "Trap", context: FsContext, *, cloexec: bool) -> int:
    """A descriptor for a filesystem being configured. EMFILE."""
    trap.store.put(context)
    file = File(
        id=fds.new_file_id(trap),
        kind=CONTEXT,
        flags=O_RDWR,
        object=context.id,
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=cloexec)


def context_of(trap: "Trap", fd: int) -> FsContext:
    """The configuration behind descriptor ``fd``. EBADF, EINVAL."""
    file = fds.get(trap, fd)
    if file.kind != CONTEXT:
        trap.fail(Errno.EINVAL, N_("The descriptor is not from fsopen(2)."), "fsconfig(2)")
    return trap.store.row(FsContext, file.object)


def _forget(store: Store, file: File) -> None:
    store.drop(FsContext, file.object)


def _read_context(trap: "Trap", _file: File, _count: int) -> bytes:
    trap.fail(Errno.ENODATA, N_("The filesystem has left no message."), "fsopen(2)")


def _write(trap: "Trap", _file: File, _data: bytes) -> int:
    trap.fail(Errno.EINVAL, N_("The descriptor can't be written."), "fsopen(2)")


def _read_tree(trap: "Trap", _file: File, _count: int) -> bytes:
    trap.fail(Errno.EBADF, N_("The descriptor only names a place."), "open_tree(2)")


fds.register(TREE, FileOps(_read_tree, _write, _dissolve))
fds.register(CONTEXT, FileOps(_read_context, _write, _forget))
