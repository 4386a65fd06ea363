"""The seven namespaces of Linux, one row type per kind, and the id maps of user namespaces.

Each namespace is owned by the user namespace of the task that made it (namespaces(7)): that is
where a privilege over it is looked for. Kernels without namespaces run everything in the initial
ones that boot makes.
"""

from collections.abc import Mapping

import msgspec

from simulator.machine.abi.ids import HOST, CgroupId, Domain, InodeId, KUid, MountId, NsId
from simulator.machine.state.store import Row, World

OVERFLOW_ID = 65534
"""What an id without a mapping reads as (/proc/sys/kernel/overflowuid)."""


class Extent(msgspec.Struct, frozen=True):
    """One line of an id map: ``count`` ids from ``inside`` are the parent's from ``outside``."""

    inside: int
    outside: int
    count: int


IDENTITY = (Extent(0, 0, 4294967295),)


class UserNs(Row, frozen=True, kw_only=True):
    """user_namespaces(7). ``uid_map`` translates to ids of the *initial* namespace.

    ``parent_could_setfcap``: its maker held CAP_SETFCAP, so a map may hold the parent's uid 0.
    """

    parent: NsId | None = None
    level: int = 0
    owner_uid: KUid = KUid(0)
    uid_map: tuple[Extent, ...] = ()
    gid_map: tuple[Extent, ...] = ()
    setgroups: bool = True
    parent_could_setfcap: bool = True
    domain: Domain = HOST


class MountNs(Row, frozen=True, kw_only=True):
    """mount_namespaces(7): a tree of mounts, from ``root`` down.

    ``anonymous`` ones hold what open_tree(2) or fsmount(2) made until move_mount(2) attaches it.
    """

    owner: NsId
    root: MountId
    anonymous: bool = False
    domain: Domain = HOST


class UtsNs(Row, frozen=True, kw_only=True):
    """uts_namespaces(7): the two names that sethostname(2) and setdomainname(2) set."""

    owner: NsId
    hostname: str
    domainname: str = "(none)"
    domain: Domain = HOST
    domainname_of: Domain = HOST
    """Who gave the domain name: a new namespace begins with a copy of the old one's names."""


class IpcNs(Row, frozen=True, kw_only=True):
    """ipc_namespaces(7): System V objects and POSIX message queues are keyed by it.

    ``sysctls`` holds what was written of its limits (``ipc/params.py`` has the defaults).
    """

    owner: NsId
    sysctls: Mapping[str, str] | None = None
    domain: Domain = HOST


class PidNs(Row, frozen=True, kw_only=True):
    """pid_namespaces(7): its tasks are numbered from 1; ``dead`` once its init is gone."""

    owner: NsId
    parent: NsId | None = None
    level: int = 0
    init: int | None = None
    dead: bool = False
    domain: Domain = HOST


class NetNs(Row, frozen=True, kw_only=True):
    """network_namespaces(7): interfaces, ports and abstract sockets are keyed by it.

    ``sysctls`` holds what was written below /proc/sys/net (``net/params.py`` has the defaults).
    """

    owner: NsId
    sysctls: Mapping[str, str] | None = None
    domain: Domain = HOST


class CgroupNs(Row, frozen=True, kw_only=True):
    """cgroup_namespaces(7): ``roots`` are the groups that read as ``/``, one a hierarchy."""

    owner: NsId
    roots: tuple[CgroupId, ...] = ()
    domain: Domain = HOST


class TimeNs(Row, frozen=True, kw_only=True):
    """time_namespaces(7): offsets in nanoseconds of the two clocks that count from boot."""

    owner: NsId
    monotonic_offset: int = 0
    boottime_offset: int = 0
    domain: Domain = HOST


class NsProxy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The namespaces of a task (its user namespace is in its credentials)."""

    mnt: NsId
    uts: NsId
    ipc: NsId
    pid: NsId
    pid_for_children: NsId
    net: NsId
    cgroup: NsId
    time: NsId
    time_for_children: NsId


KINDS: dict[str, type[Row]] = {
    "mnt": MountNs,
    "uts": UtsNs,
    "ipc": IpcNs,
    "pid": PidNs,
    "net": NetNs,
    "user": UserNs,
    "cgroup": CgroupNs,
    "time": TimeNs,
}
"""The names under /proc/PID/ns and the row type of each."""


Owned = MountNs | UtsNs | IpcNs | PidNs | NetNs | CgroupNs | TimeNs
"""Namespaces of the kinds that a user namespace owns."""


def owner_of(world: World, kind: str, ns: NsId) -> NsId | None:
    """The user namespace that owns ``ns``; a user namespace's is its parent, the first has none."""
    row = world.row(KINDS[kind], ns)
    if isinstance(row, UserNs):
        return row.parent
    assert isinstance(row, Owned)
    return row.owner


def domain_of(world: World, kind: str, ns: NsId) -> Domain:
    """Whose namespace it is."""
    row = world.row(KINDS[kind], ns)
    assert isinstance(row, UserNs | Owned)
    return row.domain


def nsfs_inode(kind: str, ns: NsId) -> InodeId:
    """The virtual inode that stands for a namespace (what /proc/PID/ns/KIND leads to)."""
    return ("ns", kind, ns)


def to_kernel(extents: tuple[Extent, ...], inside: int) -> int | None:
    """The kernel's id for ``inside``, or None when the namespace does not map it."""
    for extent in extents:
        if 0 <= inside - extent.inside < extent.count:
            return extent.outside + inside - extent.inside
    return None


def from_kernel(extents: tuple[Extent, ...], kernel_id: int) -> int:
    """``kernel_id`` as the namespace shows it: the overflow id when unmapped."""
    for extent in extents:
        if 0 <= kernel_id - extent.outside < extent.count:
            return extent.inside + kernel_id - extent.outside
    return OVERFLOW_ID


def has_mapping(extents: tuple[Extent, ...], kernel_id: int) -> bool:
    """Whether the namespace maps ``kernel_id`` (kuid_has_mapping())."""
    return any(0 <= kernel_id - extent.outside < extent.count for extent in extents)


def is_ancestor(world: World, ancestor: NsId, ns: NsId | None) -> bool:
    """Whether user namespace ``ancestor`` is ``ns`` or one of its ancestors."""
    while ns is not None:
        if ns == ancestor:
            return True
        ns = world.row(UserNs, ns).parent
    return False
