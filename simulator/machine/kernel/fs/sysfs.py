"""sysfs: devices, drivers and the kernel's knobs as files. sysfs(5), fs/sysfs/, fs/kernfs/.

One tree for the machine; only /sys/class/net is tagged: an instance shows the network namespace of
whoever mounted it. What is below /sys/kernel, /sys/module or /sys/devices is the host's for all.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import O_ACCMODE, O_RDONLY, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import (
    HOST,
    KERNEL,
    InodeId,
    KGid,
    KUid,
    NsId,
    SuperblockId,
    VirtualId,
)
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.registry import (
    FileOperations,
    FilesystemType,
    Mutations,
    Steady,
    register_virtual,
)
from simulator.machine.kernel.fs.sysfs_tree import Entry, File, Link, Tree, fixed
from simulator.machine.kernel.modules import Module
from simulator.machine.kernel.namespace import NetNs, UserNs, to_kernel
from simulator.machine.kernel.net import interface, traffic
from simulator.machine.kernel.net.interface import Interface
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.state.store import Index

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


_MOUNT_POINTS = frozenset(
    {
        ("fs", "bpf"),
        ("fs", "cgroup"),
        ("fs", "fuse", "connections"),
        ("fs", "pstore"),
        ("kernel", "debug"),
        ("kernel", "security"),
        ("kernel", "tracing"),
    }
)
"""sysfs_create_mount_point(): there to be mounted on, and empty for good."""

_NET_FILES = {
    "address": 0o444,
    "carrier": 0o644,
    "flags": 0o644,
    "ifindex": 0o444,
    "iflink": 0o444,
    "mtu": 0o644,
    "operstate": 0o444,
    "type": 0o444,
    "tx_queue_len": 0o644,
}
_NET_DEVICES = ("devices", "virtual", "net")
_BY_NET_NS = Index(
    Superblock, lambda sb: ((sb.fstype, sb.net_ns),) if sb.net_ns else (), "fstype", "net_ns"
)


class Sysfs:
    """The ``Virtual`` of inodes ("sys", superblock, ...)."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        """The inode as it is now."""
        sb = trap.store.row(Superblock, inode[1])
        entry = _entry(trap, inode)
        uid, gid = _owner(trap, sb, inode)
        mode = _mode(entry) if len(inode) > 2 else S_IFDIR | 0o555
        directories = [*map(type, entry.values())].count(dict) if isinstance(entry, dict) else -1
        return Inode(
            id=inode,
            sb=sb.id,
            mode=mode,
            uid=uid,
            gid=gid,
            nlink=2 + directories if directories >= 0 else 1,
            size=4096 if mode & S_IFMT == S_IFREG else 0,
            target=entry.target if isinstance(entry, Link) else "",
            parent=_parent(inode) if mode & S_IFMT == S_IFDIR else None,
            domain=KERNEL,
        )

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        """What ``name`` is in ``directory``."""
        entry = _entry(trap, directory)
        return (*directory, name) if isinstance(entry, dict) and name in entry else None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        """The names in ``directory``."""
        entry = _entry(trap, directory)
        if directory[2:] == ("class", "net"):
            for row in _interfaces(trap, directory):
                trap.touch("interface", row.domain, "name", row.name)
        if directory[2:3] == ("firmware",):
            trap.touch("firmware", HOST, "name", _path(directory))
        return list(entry) if isinstance(entry, dict) else ()

    def follow(self, trap: "Trap", inode: VirtualId) -> At | str:
        """Where a link leads."""
        entry = _entry(trap, inode)
        assert isinstance(entry, Link)
        return entry.target

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        """The whole content."""
        entry = _entry(trap, inode)
        if isinstance(entry, File) and entry.kind:
            trap.touch(entry.kind, HOST, "read", _path(inode))
        if inode[2:5] == _NET_DEVICES:
            for row in _interfaces(trap, inode):
                if row.name == inode[5]:
                    trap.touch("interface", row.domain, "name", row.name)
        return entry.content.encode() if isinstance(entry, File) else b""

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        """Take what write(2) brings; EIO for an attribute that has no store()."""
        entry = _entry(trap, inode)
        if "net" in inode[2:-1]:
            return _write_net(trap, inode, data)
        if not isinstance(entry, File) or not entry.mode & 0o200:
            trap.fail(Errno.EIO, N_("The attribute can't be set."), "sysfs(5)")
        trap.authority(entry.kind or "kernel", _path(inode), "write")
        return len(data)

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """kernfs_fop_open(): the bits of the file count even for who may override them."""
        entry = _entry(trap, inode)
        mode = _mode(entry)
        if mode & S_IFMT != S_IFREG:
            return
        writes, reads = flags & O_ACCMODE != O_RDONLY, flags & O_ACCMODE != 1
        if (writes and not mode & 0o222) or (reads and not mode & 0o444):
            trap.deny(
                Errno.EACCES,
                "file-mode",
                N_("The attribute has no way to be read, or to be set."),
                "sysfs(5)",
            )
        if writes and isinstance(entry, File) and entry.kind and trap.task.domain != HOST:
            trap.touch(entry.kind, HOST, "privilege", _path(inode))


def _path(inode: VirtualId) -> str:
    return "/sys/" + "/".join(str(name) for name in inode[2:])


def _parent(inode: VirtualId) -> InodeId:
    return inode if len(inode) == 2 else inode[:-1]


def _mode(entry: Entry) -> int:
    if isinstance(entry, dict):
        return S_IFDIR | 0o755
    return S_IFLNK | 0o777 if isinstance(entry, Link) else S_IFREG | entry.mode


def _entry(trap: "Trap", inode: VirtualId) -> Entry:
    """The entry behind an id; an empty file when it has gone."""
    sb = trap.store.row(Superblock, inode[1])
    small = trap.family.traits.sysfs_of_network and sb.domain != HOST
    if not _is_live(inode):
        return _fixed_entry(small, trap.family.features, inode[2:])
    entry: Entry = fixed(small, trap.family.features)
    for depth in range(2, len(inode) + 1):
        if not isinstance(entry, dict):
            return entry if depth == len(inode) else File()
        entry = _completed(trap, inode[:depth], entry)
        if depth < len(inode):
            entry = entry.get(str(inode[depth]), File())
    return entry


def _is_live(inode: VirtualId) -> bool:
    """Whether the kernel's state has a say in it (``_completed``)."""
    return inode[2:3] == ("module",) or inode[2:4] == ("class", "net") or inode[2:5] == _NET_DEVICES


@lru_cache(maxsize=1024)
def _fixed_entry(small: bool, features: frozenset[str], where: tuple[object, ...]) -> Entry:
    """What is at ``where``, whatever the kernel's state; an empty file where nothing is."""
    entry: Entry = fixed(small, features)
    for name in where:
        if not isinstance(entry, dict):
            return File()
        entry = entry.get(str(name), File())
    return entry


def _completed(trap: "Trap", inode: VirtualId, tree: Tree) -> Tree:
    """What the kernel's state adds to a directory."""
    where = inode[2:]
    if where == ("class", "net"):
        rows = _interfaces(trap, inode)
        return {row.name: Link(f"../../devices/virtual/net/{row.name}") for row in rows}
    if where == _NET_DEVICES:
        return {row.name: _device(trap, row) for row in _interfaces(trap, inode)}
    if where == ("module",) and tree:
        added: Tree = {str(row.id): {"refcnt": File("0\n")} for row in trap.store.all(Module)}
        return {**tree, **added}
    return tree


def _interfaces(trap: "Trap", inode: VirtualId) -> tuple[Interface, ...]:
    ns = trap.store.row(Superblock, inode[1]).net_ns
    return interface.listed(trap.store, ns) if ns is not None else ()


def _device(trap: "Trap", row: Interface) -> Tree:
    flags = interface.flags_of(trap.store, row)
    running = interface.has_carrier(trap.store, row)
    peer = trap.store.get(Interface, row.peer) if row.peer is not None else None
    state = "unknown" if row.kind == "loopback" else "up" if running else "down"
    values = {
        "address": row.mac,
        "carrier": str(int(running)),
        "flags": f"0x{flags:x}",
        "ifindex": str(row.index),
        "iflink": str(row.index if peer is None else peer.index),
        "mtu": str(row.mtu),
        "operstate": state,
        "type": "772" if row.kind == "loopback" else "1",
        "tx_queue_len": "1000",
    }
    files: Tree = {name: File(f"{values[name]}\n", mode) for name, mode in _NET_FILES.items()}
    went = traffic.of(trap.store, row.id)
    counters = {
        "rx_bytes": went.received,
        "rx_packets": went.packets_in,
        "tx_bytes": went.sent,
        "tx_packets": went.packets_out,
    }
    statistics: Tree = {name: File(f"{count}\n") for name, count in counters.items()}
    return {**files, "statistics": statistics}


def _write_net(trap: "Trap", inode: VirtualId, data: bytes) -> int:
    """netdev_store(): CAP_NET_ADMIN over the network namespace. Only the MTU changes."""
    ns = trap.store.row(Superblock, inode[1]).net_ns
    assert ns is not None
    trap.need(Privilege.NET_CONFIG, trap.store.row(NetNs, ns).owner)
    row = interface.named(trap.store, ns, str(inode[-2]))
    text = data.strip()
    if row is None or inode[-1] != "mtu" or not text.isdigit():
        trap.fail(Errno.EINVAL, N_("The attribute does not take this value."), "sysfs(5)")
    trap.store.put(msgspec.structs.replace(row, mtu=int(text)))
    trap.touch("interface", row.domain, "write", row.name)
    return len(data)


def _owner(trap: "Trap", sb: Superblock, inode: VirtualId) -> tuple[KUid, KGid]:
    """net_ns_get_ownership(): what describes an interface is its namespace's root's."""
    if sb.net_ns is None or inode[2:5] != _NET_DEVICES or len(inode) < 6:
        return KUid(0), KGid(0)
    user_ns = trap.store.row(UserNs, trap.store.row(NetNs, sb.net_ns).owner)
    uid, gid = to_kernel(user_ns.uid_map, 0), to_kernel(user_ns.gid_map, 0)
    return KUid(uid or 0), KGid(gid or 0)


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    """One instance for each network namespace, however often it is mounted."""
    options.none_known(trap, text)
    store, net = trap.store, trap.task.ns.net
    found = store.first(_BY_NET_NS, ("sysfs", net))
    if found is not None:
        return found
    number = SuperblockId(store.new_id(Superblock))
    return stored.put_superblock(
        store,
        Superblock(
            id=number,
            fstype="sysfs",
            source=source,
            root=("sys", number),
            owner=store.row(NetNs, net).owner,
            net_ns=net,
            domain=trap.task.domain,
        ),
    )


def _needs(trap: "Trap") -> NsId:
    return trap.store.row(NetNs, trap.task.ns.net).owner


SYSFS = FilesystemType(
    name="sysfs",
    make=_make,
    userns_mount=True,
    owner=_needs,
    check=options.none_known,
    may_reveal=True,
    at_once=True,
)


def _steady(_trap: "Trap", directory: VirtualId) -> tuple[()] | None:
    """Everything but what the kernel's state has a say in."""
    return None if _is_live(directory) else ()


register_virtual(
    "sys",
    Sysfs(),
    Mutations(missing_fails=lambda directory: directory[2:] in _MOUNT_POINTS),
    Steady(layers=_steady),
    FileOperations(synced=frozenset((S_IFREG,))),
)
