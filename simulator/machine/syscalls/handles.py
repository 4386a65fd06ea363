"""Files by handle instead of by path: name_to_handle_at(2), open_by_handle_at(2).

A handle names an inode of a whole filesystem, whatever part of it a sandbox was shown: that is why
using one needs a right over the machine.
"""

from typing import Any, cast

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
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

FILEID_INO32_GEN = 1
_MAX_HANDLE = 128


@linux("name_to_handle_at", since=(2, 6, 39))
def name_to_handle_at(trap: Trap, dirfd: int, path: str, flags: int = 0) -> Returned:
    """name_to_handle_at(2): (type, bytes), inode number and generation as ext4 writes them."""
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "open_by_handle_at(2)")
    follow = 0 if flags & AT_SYMLINK_FOLLOW else AT_SYMLINK_NOFOLLOW
    at = place(trap, dirfd, path, follow | flags & AT_EMPTY_PATH)
    if not isinstance(at.inode, int):
        trap.fail(Errno.EOPNOTSUPP, N_("The filesystem gives no handles."), "open_by_handle_at(2)")
    raw = stat.number(trap, at.inode).to_bytes(4, "little") + bytes(4)
    return Returned(0, (FILEID_INO32_GEN, raw))


@linux("open_by_handle_at", since=(2, 6, 39))
def open_by_handle_at(trap: Trap, mount_fd: int, handle: Any, flags: int) -> int:
    """open_by_handle_at(2): ``handle`` is its bytes, or (type, bytes). EPERM, ESTALE."""
    kind, raw = _handle(trap, handle)
    at = trap.task.cwd if mount_fd == AT_FDCWD else fds.get_any(trap, mount_fd).at
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
    kind, raw = given[0], given[1]
    raw = raw.encode() if isinstance(raw, str) else raw
    if not isinstance(raw, bytes):
        raise NotModelled("a handle is written as (type, bytes)")
    if not 0 < len(raw) <= _MAX_HANDLE:
        trap.fail(Errno.EINVAL, N_("A handle has 1 to 128 bytes."), "open_by_handle_at(2)")
    return int(kind), raw


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
