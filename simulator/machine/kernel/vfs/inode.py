"""Inodes, directory entries and superblocks: the rows that filesystems keep.

Files that a filesystem *stores* are ``Inode`` rows with ``Dentry`` rows naming them. Files that are
*computed* when looked at (procfs, sysfs, cgroupfs, overlay) have a tuple for an id and are made by
``fs/`` on the spot: ``load`` is the one way to an inode of either sort.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import S_IFDIR, S_IFLNK, S_IFMT
from simulator.machine.abi.ids import (
    HOST,
    Domain,
    InodeId,
    KGid,
    KUid,
    NsId,
    SuperblockId,
    VirtualId,
)
from simulator.machine.kernel.fs.registry import virtual
from simulator.machine.state.store import Index, Row

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


DISK_SIZE = 8 << 30
"""Bytes of the machine's disk, when the filesystem on it says nothing about its own size."""
DISK_MAJOR = 8 << 8
"""Device numbers of the machine's disk begin here."""


class Superblock(Row, frozen=True, kw_only=True):
    """One mounted filesystem instance. ``pid_ns`` is the namespace that a procfs shows.

    ``capacity`` is in bytes, None for no limit of its own; ``used`` counts file contents.
    ``max_inodes`` is tmpfs's ``nr_inodes``. ``ipc_ns`` is the namespace whose queues it shows.
    """

    fstype: str
    source: str = "none"
    root: InodeId
    options: str = ""
    read_only: bool = False
    owner: NsId
    pid_ns: NsId | None = None
    net_ns: NsId | None = None
    ipc_ns: NsId | None = None
    max_inodes: int | None = None
    capacity: int | None = None
    used: int = 0
    device: int = 0
    data: Mapping[str, object] | None = None
    """What only this filesystem type understands (an overlay's layers)."""
    domain: Domain = HOST

    @property
    def room(self) -> int | None:
        """Bytes that it holds in all: its own size, or the disk's that it is on; None: no limit."""
        on_disk = self.device & ~0xFF == DISK_MAJOR
        return self.capacity or (DISK_SIZE if on_disk else None)


class Extent(msgspec.Struct, frozen=True):
    """Allocated bytes ``start`` to ``start + length`` of a file: ``data``, then zeros."""

    start: int
    length: int
    data: bytes = b""


class Inode(Row, frozen=True, kw_only=True):
    """A file. ``mode`` holds the type bits and the permission bits, as ``st_mode``.

    ``content`` are a regular file's first bytes; ``extents`` (sorted, apart from each other) what
    was written far behind them; anything else below ``size`` is a hole. ``content.py`` reads and
    writes both.
    ``parent`` is a directory's ``..``. ``label`` is what a leak names it by, a path as a rule.
    """

    sb: SuperblockId
    mode: int
    uid: KUid = KUid(0)
    gid: KGid = KGid(0)
    nlink: int = 1
    size: int = 0
    content: bytes = b""
    extents: tuple[Extent, ...] = ()
    target: str = ""
    rdev: int = 0
    parent: InodeId | None = None
    atime: int = 0
    mtime: int = 0
    ctime: int = 0
    xattrs: Mapping[str, bytes] | None = None
    flags: int = 0
    """FS_IMMUTABLE_FL, FS_APPEND_FL (ioctl_iflags(2)) and the VServer barrier."""
    tag: int = 0
    """Of a pseudoterminal: the number of its security context, plus 1 (Linux-VServer i_tag)."""
    seals: int = 0
    quota: int = 0
    """The tree whose limits it counts against (``resource/quota.py``), 0 for none."""
    linkable: bool = False
    """Made by O_TMPFILE: linkat(2) may give it its first name."""
    domain: Domain = HOST


class Dentry(Row, frozen=True, kw_only=True):
    """A name in a stored directory; ``id`` is ``(directory, name)``."""

    inode: InodeId


IN_DIRECTORY = Index(Dentry, lambda dentry: (dentry.id[0],), "id")
NAMES_OF = Index(Dentry, lambda dentry: (dentry.inode,), "inode")
SHOWING = Index(Superblock, lambda sb: (sb.fstype, (sb.fstype, sb.ipc_ns)), "fstype", "ipc_ns")
"""Superblocks by type, and by type and the IPC namespace that they show."""
BY_SUPERBLOCK = Index(Inode, lambda inode: (inode.sb,), "sb")


def load(trap: "Trap", inode: InodeId) -> Inode:
    """The inode, stored or computed. A call computes it once, as long as nothing is written."""
    if isinstance(inode, int):
        return trap.store.row(Inode, inode)
    return trap.once(inode, _computed, inode)


def _computed(trap: "Trap", inode: VirtualId) -> Inode:
    return virtual(inode).load(trap, inode)


def lookup(trap: "Trap", directory: InodeId, name: str) -> InodeId | None:
    """What ``name`` is in ``directory`` (neither ``.`` nor ``..``), or None."""
    if isinstance(directory, int):
        dentry = trap.store.get(Dentry, (directory, name))
        return dentry.inode if dentry is not None else None
    return virtual(directory).lookup(trap, directory, name)


def names(trap: "Trap", directory: InodeId) -> tuple[str, ...]:
    """The names in ``directory``, sorted, without ``.`` and ``..``."""
    if isinstance(directory, int):
        keys = trap.store.by(IN_DIRECTORY, directory)
        return tuple(sorted(key[1] for key in keys))  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType, reportUnknownVariableType]
    return tuple(sorted(virtual(directory).names(trap, directory)))


def parent(trap: "Trap", directory: InodeId) -> InodeId:
    """A directory's ``..`` within its own filesystem (the root's is itself)."""
    return load(trap, directory).parent or directory


def is_dir(inode: Inode) -> bool:
    """S_ISDIR()."""
    return inode.mode & S_IFMT == S_IFDIR


def is_symlink(inode: Inode) -> bool:
    """S_ISLNK()."""
    return inode.mode & S_IFMT == S_IFLNK
