"""nsfs: the files that stand for namespaces. Opened, they keep one alive and let it be joined.

Their inodes are computed from the namespace's row: ``("ns", kind, id)``. Source: fs/nsfs.c.
"""

from typing import TYPE_CHECKING, NoReturn

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    FS_IMMUTABLE_FL,
    NS_GET_NSTYPE,
    NS_GET_OWNER_UID,
    NS_GET_PARENT,
    NS_GET_USERNS,
    O_RDONLY,
    S_IFREG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import (
    INITIAL_USER_NS,
    KERNEL,
    InodeId,
    MountId,
    NsId,
    SuperblockId,
    VirtualId,
)
from simulator.machine.kernel import namespace
from simulator.machine.kernel.fs.flat import Flat
from simulator.machine.kernel.fs.registry import FileOperations, register_virtual
from simulator.machine.kernel.namespace import KINDS, PidNs, UserNs, nsfs_inode
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import fd
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

SUPERBLOCK = SuperblockId(-1)
MOUNT = MountId(-1)
"""The kernel's own mount of nsfs, in no mount namespace (``boot`` makes it)."""

FLAG_OF: dict[str, int] = {
    "mnt": CLONE_NEWNS,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "pid": CLONE_NEWPID,
    "net": CLONE_NEWNET,
    "user": CLONE_NEWUSER,
    "cgroup": CLONE_NEWCGROUP,
    "time": CLONE_NEWTIME,
}

_INITIAL_NUMBERS = {
    "ipc": 0xEFFFFFFF,
    "uts": 0xEFFFFFFE,
    "user": 0xEFFFFFFD,
    "pid": 0xEFFFFFFC,
    "cgroup": 0xEFFFFFFB,
    "time": 0xEFFFFFFA,
    "net": 0xEFFFFFF9,
    "mnt": 0xEFFFFFF8,
}
"""linux/nsfs.h: the inode numbers of the namespaces that a machine boots with."""

_FIRST_DYNAMIC = 0xF0000000 + 400
_INITIAL_COUNT = len(_INITIAL_NUMBERS)


def install(store: Store) -> None:
    """Mount nsfs where no path leads, at boot."""
    user = INITIAL_USER_NS
    root = nsfs_inode("user", user)
    store.put(
        Superblock(
            id=SUPERBLOCK,
            fstype="nsfs",
            source="nsfs",
            root=root,
            owner=user,
            device=4,
            domain=KERNEL,
        )
    )
    store.put(
        Mount(
            id=MOUNT,
            ns=None,
            parent=None,
            mountpoint=None,
            root=root,
            sb=SUPERBLOCK,
            source="nsfs",
            domain=KERNEL,
        )
    )


def place(kind: str, ns: NsId) -> At:
    """Where /proc/PID/ns/KIND leads."""
    return At(MOUNT, nsfs_inode(kind, ns))


def number(kind: str, ns: NsId) -> int:
    """The inode number that stat(2) shows and ``net:[4026531833]`` prints."""
    return _INITIAL_NUMBERS[kind] if ns <= _INITIAL_COUNT else _FIRST_DYNAMIC + ns


def name(inode: InodeId) -> str:
    """``net:[4026531833]``: what readlink(2) and mountinfo print for a namespace's file."""
    kind, ns = identify(inode)
    return f"{kind}:[{number(kind, ns)}]"


def is_namespace(inode: InodeId | None) -> bool:
    """Whether an inode stands for a namespace (proc_ns_file())."""
    return isinstance(inode, tuple) and inode[0] == "ns"


def identify(inode: InodeId) -> tuple[str, NsId]:
    """The kind and the id of the namespace that an nsfs inode stands for."""
    assert isinstance(inode, tuple)
    kind, ns = inode[1], inode[2]
    assert isinstance(kind, str)
    assert isinstance(ns, int)
    return kind, NsId(ns)


class _Nsfs(Flat):
    """A flat filesystem of read-only files without content."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        kind, ns = identify(inode)
        row = trap.store.row(KINDS[kind], ns)
        return Inode(
            id=inode,
            sb=SUPERBLOCK,
            mode=S_IFREG | 0o444,
            flags=FS_IMMUTABLE_FL,
            domain=getattr(row, "domain", KERNEL),
        )

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        del inode
        _unreadable(trap)

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del inode, data
        _unreadable(trap)


def _unreadable(trap: "Trap") -> NoReturn:
    trap.fail(
        Errno.EINVAL, N_("A namespace's file can be held and joined, not read."), "namespaces(7)"
    )


def _ioctl(trap: "Trap", file: fd.File, request: int, _argument: Value) -> Result | int:
    """ioctl_nsfs(2) on a namespace's file. ENOTTY, EINVAL, EPERM."""
    assert file.at is not None
    kind, ns = identify(file.at.inode)
    if request == NS_GET_USERNS:
        return open_namespace(trap, "user", _owner(trap, kind, ns))
    if request == NS_GET_PARENT:
        return open_namespace(trap, kind, _parent(trap, kind, ns))
    if request == NS_GET_NSTYPE:
        return FLAG_OF[kind]
    if request != NS_GET_OWNER_UID:
        trap.fail(Errno.ENOTTY, N_("A namespace has no such request."), "ioctl_nsfs(2)")
    return _owner_uid(trap, kind, ns)


def open_namespace(trap: "Trap", kind: str, ns: NsId) -> int:
    """A descriptor, closed on exec, for a namespace. EMFILE."""
    file = fd.File(
        id=fd.new_file_id(trap),
        at=place(kind, ns),
        flags=O_RDONLY,
        domain=trap.task.domain,
    )
    return fd.install(trap, file, cloexec=True)


def _owner(trap: "Trap", kind: str, ns: NsId) -> NsId:
    """ns_get_owner(): the owning (for a user namespace, the parent) namespace, if below ours."""
    owner = namespace.owner_of(trap.store, kind, ns)
    if owner is None or not namespace.is_ancestor(trap.store, trap.task.cred.user_ns, owner):
        _outside(trap)
    return owner


def _parent(trap: "Trap", kind: str, ns: NsId) -> NsId:
    above = _above(trap, kind, ns)
    if kind == "user":
        if above is None or not namespace.is_ancestor(trap.store, trap.task.cred.user_ns, above):
            _outside(trap)
        return above
    current = above
    while current is not None and current != trap.task.ns.pid:
        current = trap.store.row(PidNs, current).parent
    if above is None or current is None:
        _outside(trap)
    return above


def _owner_uid(trap: "Trap", kind: str, ns: NsId) -> Result:
    if kind != "user":
        trap.fail(Errno.EINVAL, N_("Only a user namespace has an owner's uid."), "ioctl_nsfs(2)")
    mine = trap.store.row(UserNs, trap.task.cred.user_ns)
    owner = trap.store.row(UserNs, ns).owner_uid
    return Returned(0, namespace.from_kernel(mine.uid_map, owner))


def _outside(trap: "Trap") -> NoReturn:
    trap.deny(
        Errno.EPERM,
        "user-ns",
        N_("The namespace asked for lies outside the caller's own."),
        "ioctl_nsfs(2)",
    )


def _above(trap: "Trap", kind: str, ns: NsId) -> NsId | None:
    """The namespace above ``ns``; EINVAL for kinds without a hierarchy (NS_GET_PARENT)."""
    if kind == "user":
        return trap.store.row(UserNs, ns).parent
    if kind != "pid":
        trap.fail(Errno.EINVAL, N_("Namespaces of this kind have no parent."), "ioctl_nsfs(2)")
    return trap.store.row(PidNs, ns).parent


register_virtual(
    "ns",
    _Nsfs(),
    operations=FileOperations(ioctl=_ioctl, seeks=False, synced=frozenset()),
)
