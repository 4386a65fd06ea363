"""Files by handle instead of by path: name_to_handle_at(2), open_by_handle_at(2).

A handle names an inode of a whole filesystem, whatever part of it a sandbox was shown: that is why
using one needs a right over the machine.
"""

from typing import Any, NamedTuple, cast

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_HANDLE_CONNECTABLE,
    AT_HANDLE_FID,
    AT_HANDLE_MNT_ID_UNIQUE,
    AT_SYMLINK_FOLLOW,
    AT_SYMLINK_NOFOLLOW,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import stat
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.kernel.vfs.open import open_at
from simulator.machine.syscalls.attributes import place
from simulator.machine.syscalls.registry import linux

FILEID_INO32_GEN, FILEID_INO64_GEN, FILEID_IS_CONNECTABLE = 1, 0x81, 0x10000
_MAX_HANDLE = 128


class Encoding(NamedTuple):
    """How a filesystem writes handles: linux/exportfs.h ``enum fid_type`` and the size in bytes."""

    type: int
    size: int
    since: tuple[int, ...] = (2, 6, 39)
    parents: bool = False
    """It finds a file's directory by handle too (``fh_to_parent``)."""


_ON_DISK = Encoding(FILEID_INO32_GEN, 8, parents=True)
_IN_MEMORY = Encoding(FILEID_INO32_GEN, 12)
_OF_GROUPS = Encoding(0xFE, 8, parents=True)
_HANDLES = {
    **dict.fromkeys(("ext2", "ext3", "ext4", "simfs"), _ON_DISK),
    **dict.fromkeys(("tmpfs", "devtmpfs"), _IN_MEMORY),
    **dict.fromkeys(("cgroup", "cgroup2"), _OF_GROUPS),
    "xfs": Encoding(0x81, 12, parents=True),
    "btrfs": Encoding(0x4D, 20, parents=True),
    "pidfs": Encoding(0xFE, 8, (6, 14)),
    "nsfs": Encoding(0xF1, 16, (6, 18)),
}
"""Filesystems whose files can be opened by handle."""
_ANY = Encoding(FILEID_INO64_GEN, 12)
"""What names a file of any other filesystem to who will not open it (AT_HANDLE_FID)."""
_FLAGS = {
    AT_SYMLINK_FOLLOW: (2, 6, 39),
    AT_EMPTY_PATH: (2, 6, 39),
    AT_HANDLE_FID: (6, 5),
    AT_HANDLE_MNT_ID_UNIQUE: (6, 12),
    AT_HANDLE_CONNECTABLE: (6, 13),
}


@linux("name_to_handle_at", since=(2, 6, 39))
def name_to_handle_at(trap: Trap, dirfd: int, path: str, flags: int = 0) -> Returned:
    """name_to_handle_at(2): (type, bytes), inode number and generation as ext4 writes them."""
    known = sum(bit for bit, since in _FLAGS.items() if trap.family.release >= since)
    opposed = flags & AT_HANDLE_CONNECTABLE and flags & (AT_HANDLE_FID | AT_EMPTY_PATH)
    if flags & ~known or opposed:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "open_by_handle_at(2)")
    follow = 0 if flags & AT_SYMLINK_FOLLOW else AT_SYMLINK_NOFOLLOW
    at = place(trap, dirfd, path, follow | flags & AT_EMPTY_PATH)
    written = _encoding(trap, at, flags)
    kind = written.type | (FILEID_IS_CONNECTABLE if flags & AT_HANDLE_CONNECTABLE else 0)
    number = stat.number(trap, at.inode) & 0xFFFFFFFF
    return Returned(0, (kind, number.to_bytes(4, "little").ljust(written.size, b"\0")))


def _encoding(trap: Trap, at: At, flags: int) -> Encoding:
    """exportfs_can_encode_fh(). EOPNOTSUPP."""
    found = _HANDLES.get(_filesystem(trap, at))
    if found is None or trap.family.release < found.since:
        if flags & AT_HANDLE_FID:
            return _ANY
    elif found.parents or not flags & AT_HANDLE_CONNECTABLE:
        return found
    return trap.fail(
        Errno.EOPNOTSUPP, N_("The filesystem gives no handles."), "open_by_handle_at(2)"
    )


def _filesystem(trap: Trap, at: At) -> str:
    tag = at.inode[0] if isinstance(at.inode, tuple) else ""
    if tag == "pidfd":
        return "pidfs"
    if tag in ("pipe", "socket", fds.ANONYMOUS):
        return ""
    return trap.store.row(Superblock, trap.store.row(Mount, at.mount).sb).fstype


@linux("open_by_handle_at", since=(2, 6, 39))
def open_by_handle_at(trap: Trap, mount_fd: int, handle: Any, flags: int) -> int:
    """open_by_handle_at(2): ``handle`` is its bytes, or (type, bytes). EPERM, ESTALE."""
    kind, raw = _handle(trap, handle)
    at = trap.task.cwd if mount_fd == AT_FDCWD else fds.get(trap, mount_fd).at
    trap.need(Privilege.OPEN_BY_HANDLE)
    if at is None:
        trap.fail(Errno.ESTALE, N_("The descriptor names no mount."), "open_by_handle_at(2)")
    sb = trap.store.row(Superblock, trap.store.row(Mount, at.mount).sb)
    inode = _decode(trap, sb, kind, raw)
    if inode is None:
        trap.fail(Errno.ESTALE, N_("The handle names no file."), "open_by_handle_at(2)")
    return open_at(trap, At(at.mount, inode), flags)


def _handle(trap: Trap, handle: Any) -> tuple[int, bytes]:
    if handle is None or handle == 0:
        trap.fail(
            Errno.EFAULT, N_("The handle is no memory of the process."), "open_by_handle_at(2)"
        )
    given = cast("tuple[Any, ...]", handle) if isinstance(handle, tuple) else (1, handle)
    kind, raw = given if len(given) == 2 else (None, None)
    raw = raw.encode() if isinstance(raw, str) else raw
    if not isinstance(raw, bytes) or not isinstance(kind, int):
        raise NotModelled("a handle is written as (type, bytes)")
    if not 0 < len(raw) <= _MAX_HANDLE:
        trap.fail(Errno.EINVAL, N_("A handle has 1 to 128 bytes."), "open_by_handle_at(2)")
    return kind, raw


def _decode(trap: Trap, sb: Superblock, kind: int, raw: bytes) -> int | None:
    """The inode that a handle names, if the filesystem still has it.

    A filesystem that only shows another one's tree (simfs) asks that one (CVE-2014-3519).
    """
    beneath = (sb.data or {}).get("beneath")
    if beneath is not None:
        sb = trap.store.row(Superblock, beneath)
    if kind != FILEID_INO32_GEN or len(raw) < 8:
        return None
    number = int.from_bytes(raw[:4], "little")
    if isinstance(sb.root, int) and number == stat.number(trap, sb.root):
        return sb.root
    row = trap.store.get(Inode, number - stat.FIRST_INODE)
    return row.id if row is not None and row.sb == sb.id and row.nlink else None
