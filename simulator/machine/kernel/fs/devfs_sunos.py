"""/dev of SunOS: the machine's nodes, and for a zone those that platform.xml lists for its brand.

Every mount of type ``dev`` shows the same devices through its own list of names; a node that is
not on it can't be named there, and without sys_devices no mknod(2) brings it back. Source:
uts/common/fs/dev/sdev_profile.c, devfs(7FS), dev(7FS), lib/brand/native/zone/platform.xml.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from simulator.machine.abi.constants import O_ACCMODE, O_RDONLY, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, KGid, SuperblockId, VirtualId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import devices, disk_image, options, stored
from simulator.machine.kernel.fs.registry import FilesystemType, register_virtual
from simulator.machine.kernel.vfs.inode import Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.task import At
    from simulator.machine.kernel.trap import Trap

TAG = "dev"
MEMORY = ("mem", "kmem", "allkmem")
SYS = 3
"""The group that may read disks and memory."""


class Device(NamedTuple):
    """A node: its mode, the driver's number, its group; a link leads to ``target``."""

    mode: int
    rdev: int = 0
    gid: int = 0
    target: str = ""


def _char(major: int, minor: int, mode: int, gid: int = 0) -> Device:
    return Device(S_IFCHR | mode, devices.device_number(major, minor), gid)


_DIRECTORY = Device(S_IFDIR | 0o755)
NODES: dict[str, Device] = {
    "null": _char(1, 3, 0o666),
    "zero": _char(1, 5, 0o666),
    "random": _char(1, 8, 0o644),
    "urandom": _char(1, 9, 0o644),
    "crypto": _char(1, 20, 0o666),
    "tty": _char(5, 0, 0o666),
    "console": _char(5, 1, 0o620),
    "ptmx": _char(5, 2, 0o666),
    "log": _char(1, 21, 0o640),
    "conslog": _char(1, 22, 0o666),
    "kstat": _char(1, 23, 0o644),
    "pool": _char(1, 24, 0o666),
    "swap": _char(1, 25, 0o666),
    "sysevent": _char(1, 26, 0o644),
    "zfs": _char(10, 230, 0o666),
    "tcp": _char(1, 27, 0o666),
    "udp": _char(1, 28, 0o666),
    "arp": _char(1, 29, 0o666),
    "ip": _char(1, 30, 0o666),
    "icmp": _char(1, 31, 0o666),
    "rawip": _char(1, 32, 0o666),
    "ipf": _char(1, 33, 0o640, SYS),
    "mem": _char(1, 1, 0o640, SYS),
    "kmem": _char(1, 1, 0o640, SYS),
    "allkmem": _char(1, 1, 0o600, SYS),
    "dtrace": _DIRECTORY,
    "dtrace/dtrace": _char(1, 34, 0o666),
    "dsk": _DIRECTORY,
    "dsk/c0t0d0s0": Device(S_IFBLK | 0o640, devices.device_number(disk_image.SD_MAJOR, 0), SYS),
    "rdsk": _DIRECTORY,
    "rdsk/c0t0d0s0": Device(S_IFCHR | 0o640, devices.device_number(disk_image.SD_MAJOR, 0), SYS),
    "stdin": Device(S_IFLNK | 0o777, target="./fd/0"),
}
"""The nodes of a small machine. Numbers are the drivers' own here: SunOS deals them at boot."""


def _register_raw_disk() -> None:
    """A disk has a block device and a raw one, which is a character device."""
    rdev = devices.device_number(disk_image.SD_MAJOR, 0)
    disk = devices.driver_of(S_IFBLK, rdev)
    if disk is not None and devices.driver_of(S_IFCHR, rdev) is None:
        raw = devices.Driver(
            name="/dev/rdsk/c0t0d0s0",
            read=disk.read,
            write=disk.write,
            open=disk.open,
            ioctl=disk.ioctl,
        )
        devices.register(S_IFCHR, disk_image.SD_MAJOR, 0, raw)


_register_raw_disk()


def _sb(trap: "Trap", inode: VirtualId) -> Superblock:
    return trap.store.row(Superblock, inode[1])


def shows(sb: Superblock, name: str) -> bool:
    """Whether this mount's list has the node: all of them without one; a directory with its name
    does not show what is in it.
    """
    listed = (sb.data or {}).get("match")
    return listed is None or any(fnmatchcase(name, one) for one in str(listed).split())


class _Dev:
    """Inodes are ("dev", superblock, name); the root's name is empty."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        sb = SuperblockId(_sb(trap, inode).id)
        name = str(inode[2])
        if not name:
            mode = S_IFDIR | 0o755
            return Inode(id=inode, sb=sb, mode=mode, nlink=2, parent=inode, domain=KERNEL)
        node = NODES[name]
        return Inode(
            id=inode,
            sb=sb,
            mode=node.mode,
            gid=KGid(node.gid),
            rdev=node.rdev,
            nlink=2 if node.mode & S_IFDIR == S_IFDIR and not node.rdev else 1,
            target=node.target,
            size=len(node.target),
            parent=(TAG, inode[1], name.rpartition("/")[0]),
            domain=KERNEL,
        )

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> VirtualId | None:
        """A node that the list leaves out is ENOENT, and the wall says that it exists."""
        full = f"{directory[2]}/{name}" if directory[2] else name
        if full not in NODES:
            return None
        if not shows(_sb(trap, directory), full):
            trap.deny(
                Errno.ENOENT,
                "zone-devices",
                N_("The device exists, but the zone's list of devices does not have it."),
                "lib/brand/native/zone/platform.xml",
            )
        return (TAG, directory[1], full)

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        above, sb = str(directory[2]), _sb(trap, directory)
        inside = (name for name in NODES if name.rpartition("/")[0] == above and shows(sb, name))
        return [name.rpartition("/")[2] for name in inside]

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
        """secpolicy_spec_open(): etc/security/device_policy has write_priv_set=all for memory."""
        if flags & O_ACCMODE != O_RDONLY and str(inode[2]) in MEMORY:
            trap.need(Privilege.RAW_IO)


register_virtual(TAG, _Dev())


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    """devpro: the list of names comes with the mount, as zoneadmd gives it (di_prof_commit())."""
    match: str | None = None
    for key, value in options.split(text):
        if key != "match":
            options.refuse(trap)
        match = " ".join(str(value or "").split(":"))
    return stored.computed_superblock(trap, TAG, source, TAG, "", data={"match": match})


DEV = FilesystemType(TAG, _make)
