"""Mounts: which filesystem is seen where, in each mount namespace.

A mount sits on an inode of its parent mount. At most one mount sits on a place: what is mounted
there next sits on the root of the one before. The rows here are what /proc/PID/mountinfo prints
(``mountinfo.py``); building and cutting trees is in ``mount_tree.py``, propagation between peers in
``propagation.py``.
"""

from typing import TYPE_CHECKING

from simulator.machine.abi.ids import HOST, ContextId, Domain, InodeId, MountId, NsId, SuperblockId
from simulator.machine.kernel.context import ROOT_CONTEXT
from simulator.machine.kernel.task import At
from simulator.machine.state.store import Index, Row

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


class Mount(Row, frozen=True, kw_only=True):
    """One mount. ``ns`` is None once it is unmounted but still in use (umount2(2), MNT_DETACH).

    ``flags`` are the per-mount MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOSYMFOLLOW and atime
    bits; ``locked_flags`` those that may not be changed any more. ``peer_group`` makes it shared,
    ``master`` a slave of that group. ``locked`` mounts came from a more privileged mount namespace
    and can't be taken off by themselves. ``granted`` marks what an operator handed in on purpose
    (a bind mount, a volume), so that using it is no leak.

    ``mountpoint_name`` and ``root_name`` are the ``(directory, name)`` by which the mountpoint and
    the root were reached: a file knows no parent, so its path is told by them.
    """

    ns: NsId | None
    parent: MountId | None
    mountpoint: InodeId | None
    root: InodeId
    sb: SuperblockId
    flags: int = 0
    peer_group: int | None = None
    master: int | None = None
    unbindable: bool = False
    locked: bool = False
    locked_flags: int = 0
    expire_mark: bool = False
    """MNT_EXPIRE was asked for once and nobody used the mount since."""
    order: int = 0
    """When it was attached, counted: mounts of one parent are gone through in this order."""
    mountpoint_name: tuple[InodeId, str] | None = None
    root_name: tuple[InodeId, str] | None = None
    granted: bool = False
    public: bool = False
    """What is read through it is everybody's, like an image's files; writing is another matter."""
    context: ContextId = ROOT_CONTEXT
    """The prison or zone whose process made the mount (vfs_zone)."""
    source: str = "none"
    domain: Domain = HOST


MOUNTED_ON = Index(Mount, lambda mount: ((mount.parent, mount.mountpoint),), "parent", "mountpoint")
IN_NAMESPACE = Index(Mount, lambda mount: (mount.ns,), "ns")
CHILDREN = Index(Mount, lambda mount: (mount.parent,), "parent")
PEERS = Index(
    Mount,
    lambda mount: tuple(
        key for key in (("peer", mount.peer_group), ("master", mount.master)) if key[1] is not None
    ),
    "peer_group",
    "master",
)
"""Mounts by ``("peer", group)`` and, for slaves, by ``("master", group)``."""
BY_SUPERBLOCK = Index(Mount, lambda mount: (mount.sb,), "sb")
BY_MOUNTPOINT = Index(Mount, lambda mount: (mount.mountpoint,), "mountpoint")
BY_ROOT = Index(Mount, lambda mount: (mount.root,), "root")


def cross(trap: "Trap", at: At, covered: list[InodeId] | None = None) -> At:
    """The top of whatever is mounted at ``at``; ``at`` itself when nothing is.

    Adds to ``covered`` everything that something is mounted on, on the way.
    """
    mounted = trap.store.filed(MOUNTED_ON)
    while (found := mounted.get(at)) is not None:
        if covered is not None:
            covered.append(at.inode)
        mount = trap.store.row(Mount, next(iter(found)))
        at = At(mount.id, mount.root)
    return at
