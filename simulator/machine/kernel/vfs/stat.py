"""What stat(2) tells about a file: in the caller's own ids, with stable made-up numbers.

Times are left out: a comparison drops them (``probe-language.md``); statx(2) shows them.
"""

import zlib
from typing import TYPE_CHECKING

from simulator.machine.abi.call import Data
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.abi.ids import INITIAL_USER_NS, InodeId, KGid, KUid
from simulator.machine.kernel import namespace
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import IN_DIRECTORY, Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

FIRST_INODE = 10
"""ext4 keeps the first ten inode numbers to itself."""
ROOT_INODE = {"ext4": 2, "ext3": 2, "ext2": 2, "xfs": 128, "btrfs": 256}
NSFS_BASE = 4026531835
"""Near PROC_DYNAMIC_FIRST: the numbers in ``mnt:[4026531841]``."""
DIRENT_SIZE = 20
"""What tmpfs counts for each name in a directory's size."""


def number(trap: "Trap", inode: InodeId) -> int:
    """``st_ino``: a stored inode's own number, the usual one for a root, else one made up."""
    if isinstance(inode, int):
        sb = trap.store.get(Superblock, trap.store.row(Inode, inode).sb)
        if sb is not None and sb.root == inode:
            return ROOT_INODE.get(sb.fstype, 1)
        return inode + FIRST_INODE
    if inode[0] == "ns" and isinstance(inode[-1], int):
        return NSFS_BASE + inode[-1]
    return zlib.crc32(repr(inode).encode()) + (1 << 32)


def show_ids(trap: "Trap", uid: int, gid: int) -> tuple[int, int]:
    """Ids as the caller's user namespace reads them; the overflow id when unmapped."""
    if trap.task.cred.user_ns == INITIAL_USER_NS:
        return uid, gid
    user_ns = trap.store.row(namespace.UserNs, trap.task.cred.user_ns)
    return (
        namespace.from_kernel(user_ns.uid_map, uid),
        namespace.from_kernel(user_ns.gid_map, gid),
    )


def of_inode(trap: "Trap", inode: Inode) -> dict[str, Data]:
    """``struct stat`` of an inode."""
    uid, gid = inode.uid, inode.gid
    if trap.task.cred.user_ns != INITIAL_USER_NS:
        uid, gid = show_ids(trap, uid, gid)
    sb = trap.store.get(Superblock, inode.sb)
    ordinary = isinstance(inode.id, int) and (sb is None or sb.root != inode.id)
    is_directory = inode.mode & S_IFMT == S_IFDIR
    return {
        "mode": inode.mode,
        "nlink": inode.nlink,
        "uid": uid,
        "gid": gid,
        "size": _directory_size(trap, inode, sb) if is_directory else inode.size,
        "dev": 0 if sb is None else sb.device,
        "ino": inode.id + FIRST_INODE if ordinary else number(trap, inode.id),
        "rdev": inode.rdev,
        "mtime": inode.mtime,
    }


def of_file(trap: "Trap", file: fds.File) -> dict[str, Data]:
    """``struct stat`` of a description without an inode: a pipe, a socket, an anonymous inode."""
    mode = fds.operations_of(file.kind).mode
    # A pipe or a socket is its maker's; anonymous inodes, pidfs and queues are root's
    ids = (KUid(0), KGid(0))
    node = fds.unnamed(file)
    if node is not None:
        inode = inodes.load(trap, node)
        mode, ids = inode.mode, (inode.uid, inode.gid)
    uid, gid = show_ids(trap, *ids)
    key = file.object if file.object is not None else file.id
    return {
        "mode": mode,
        "nlink": 1,
        "uid": uid,
        "gid": gid,
        "size": 0,
        "dev": 15 if file.kind == "pipe" else 16,
        "ino": zlib.crc32(repr((file.kind, key)).encode()),
        "rdev": 0,
    }


def _directory_size(trap: "Trap", inode: Inode, sb: Superblock | None) -> int:
    if not isinstance(inode.id, int):
        return 4096 if sb is not None and sb.fstype == "overlay" else inode.size
    if sb is not None and sb.fstype == "tmpfs":
        return DIRENT_SIZE * (2 + trap.store.many(IN_DIRECTORY, inode.id))
    return 4096
