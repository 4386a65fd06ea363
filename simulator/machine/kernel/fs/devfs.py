"""devfs: the machine's device nodes, and the rulesets that say which of them exist for whom.

Every mount shows the same devices through its own ruleset; a node that the rules hide can't be
named there, and no mknod(2) brings it back. Source: devfs(5), devfs(8), devfs.rules(5),
/etc/defaults/devfs.rules, sys/fs/devfs/devfs_vfsops.c.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from simulator.machine.abi.constants import (
    O_ACCMODE,
    O_RDONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFLNK,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, KGid, SuperblockId, VirtualId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import prison
from simulator.machine.kernel.fs import devices, disk_image, options, stored
from simulator.machine.kernel.fs.registry import FilesystemType, register_virtual
from simulator.machine.kernel.vfs.inode import Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.task import At
    from simulator.machine.kernel.trap import Trap

TAG = "devfs"
MEMORY = ("mem", "kmem")
DISKS = ("ada0", "ada0p2")
NO_RULES = 0
JAIL_RULES = 4
LAST_RULESET = 65535
OPERATOR, KMEM = 5, 2
"""Groups that may read disks and memory."""


class Device(NamedTuple):
    """A node: its mode, the driver's number, its group; a link leads to ``target``."""

    mode: int
    rdev: int = 0
    gid: int = 0
    target: str = ""


def _char(major: int, minor: int, mode: int, gid: int = 0) -> Device:
    return Device(S_IFCHR | mode, devices.device_number(major, minor), gid)


def _link(target: str) -> Device:
    return Device(S_IFLNK | 0o755, target=target)


NODES: dict[str, Device] = {
    "null": _char(1, 3, 0o666),
    "zero": _char(1, 5, 0o666),
    "full": _char(1, 7, 0o666),
    "random": _char(1, 8, 0o644),
    "urandom": _link("random"),
    "crypto": _char(1, 20, 0o666),
    "tty": _char(5, 0, 0o666),
    "console": _char(5, 1, 0o600),
    "fuse": _char(10, 229, 0o666),
    "zfs": _char(10, 230, 0o666),
    "mem": _char(1, 1, 0o640, KMEM),
    "kmem": _char(1, 1, 0o640, KMEM),
    "io": _char(1, 4, 0o600),
    "bpf": _char(10, 231, 0o600),
    "ada0": _char(8, 0, 0o640, OPERATOR),
    "ada0p2": _char(8, 1, 0o640, OPERATOR),
}
"""The nodes of a small machine. Numbers are the drivers' own here: FreeBSD deals them at boot."""

_BASIC = ("null", "zero", "full", "crypto", "random", "urandom")
_LOGIN = ("tty",)
RULESETS: dict[int, frozenset[str]] = {
    NO_RULES: frozenset(NODES),
    1: frozenset(),
    2: frozenset(_BASIC),
    3: frozenset(_LOGIN),
    JAIL_RULES: frozenset((*_BASIC, *_LOGIN, "fuse", "zfs")),
    5: frozenset((*_BASIC, *_LOGIN, "fuse", "zfs")),
}
"""What remains visible: devfsrules_hide_all, _unhide_basic, _unhide_login, _jail, _jail_vnet."""


def _register_disks() -> None:
    """A disk is a character device: FreeBSD has had no block devices since 4.0."""
    for minor, name in ((0, "/dev/ada0"), (1, "/dev/ada0p2")):
        rdev = devices.device_number(disk_image.SD_MAJOR, minor)
        disk = devices.driver_of(S_IFBLK, rdev)
        assert disk is not None
        if devices.driver_of(S_IFCHR, rdev) is not None:
            continue  # SunOS has made the raw disk already: kernels may come in any order.
        devices.register(
            S_IFCHR,
            disk_image.SD_MAJOR,
            minor,
            devices.Driver(
                name=name, read=disk.read, write=disk.write, open=disk.open, ioctl=disk.ioctl
            ),
        )


_register_disks()


def _sb(trap: "Trap", inode: VirtualId) -> Superblock:
    return trap.store.row(Superblock, inode[1])


def _visible(sb: Superblock) -> frozenset[str]:
    """The names that this mount's ruleset leaves; a set that nobody filled hides nothing."""
    ruleset = (sb.data or {}).get("ruleset", NO_RULES)
    return RULESETS.get(ruleset, RULESETS[NO_RULES]) if isinstance(ruleset, int) else frozenset()


class _Devfs:
    """Inodes are ("devfs", superblock, name); the root's name is empty."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        sb = SuperblockId(_sb(trap, inode).id)
        name = str(inode[2])
        if not name:
            return Inode(id=inode, sb=sb, mode=S_IFDIR | 0o555, nlink=2, parent=inode)
        node = NODES[name]
        return Inode(
            id=inode,
            sb=sb,
            mode=node.mode,
            gid=KGid(node.gid),
            rdev=node.rdev,
            target=node.target,
            size=len(node.target),
            parent=(TAG, inode[1], ""),
            domain=KERNEL,
        )

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> VirtualId | None:
        """A node that the ruleset hides is ENOENT, and the wall says that it exists."""
        if name not in NODES:
            return None
        if name not in _visible(_sb(trap, directory)):
            trap.deny(
                Errno.ENOENT,
                "devfs-rules",
                N_("The device exists, but this mount's devfs ruleset hides its node."),
                "devfs(8)",
            )
        return (TAG, directory[1], name)

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        return _visible(_sb(trap, directory))

    def follow(self, trap: "Trap", inode: VirtualId) -> "At | str":
        del trap
        return NODES[str(inode[2])].target

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        del trap, inode
        return b""

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del trap, inode
        return len(data)

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """memopen(), g_dev_open(): to write to memory is a privilege of its own, and above a
        securelevel nobody writes to memory (0) or to a disk (1).
        """
        name = str(inode[2])
        if flags & O_ACCMODE == O_RDONLY or name not in (*MEMORY, *DISKS):
            return
        if name in MEMORY:
            trap.need(Privilege.RAW_IO)
        if prison.securelevel(trap) > (0 if name in MEMORY else 1):
            trap.deny(
                Errno.EPERM,
                "securelevel",
                N_("At this securelevel nobody writes to the device."),
                "security(7)",
            )


register_virtual(TAG, _Devfs())


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    """devfs_mount(): in a prison the prison's own ruleset, and no other. EPERM."""
    ruleset = NO_RULES
    for key, value in options.split(text):
        if key != "ruleset":
            options.refuse(trap)
        ruleset = options.number(trap, value)
    if ruleset > LAST_RULESET:
        options.refuse(trap)
    jailed = prison.is_jailed(trap.task)
    own = prison.number(prison.of(trap), "devfs_ruleset", NO_RULES)
    if jailed and ruleset not in (NO_RULES, own):
        trap.deny(
            Errno.EPERM,
            "devfs-rules",
            N_("In a prison devfs is mounted with the prison's own ruleset."),
            "jail(8)",
        )
    data = {"ruleset": own if jailed else ruleset}
    return stored.computed_superblock(trap, TAG, source, TAG, "", data=data)


DEVFS = FilesystemType(TAG, _make)
