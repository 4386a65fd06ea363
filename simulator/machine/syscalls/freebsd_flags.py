"""chflags(2): file flags, of the owner (UF_*) and of the system (SF_*).

The system's need PRIV_VFS_SYSFLAGS, which a prison has with allow.chflags only, and from
securelevel 1 on nobody takes them off. Source: sys/ufs/ufs/ufs_vnops.c (ufs_setattr).
"""

from simulator.machine.abi.constants import FS_APPEND_FL, FS_IMMUTABLE_FL
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import prison
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import ops, permission
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.syscalls.registry import freebsd

UF_IMMUTABLE, UF_APPEND = 0x2, 0x4
SF_IMMUTABLE, SF_APPEND = 0x20000, 0x40000
_KEPT = {
    UF_IMMUTABLE: FS_IMMUTABLE_FL,
    SF_IMMUTABLE: FS_IMMUTABLE_FL,
    UF_APPEND: FS_APPEND_FL,
    SF_APPEND: FS_APPEND_FL,
}
_KNOWN = 0x9F9F | 0x370000
"""What ufs_setattr() takes of the owner's flags and of the system's."""
_SYSTEM = 0x100000
"""Beside an inode's flag: the system set it, not the owner."""


@freebsd("chflags")
def chflags(trap: Trap, path: str, flags: int) -> int:
    """chflags(2): EPERM EROFS and those of path_resolution(7)."""
    return _change(trap, paths.walk(trap, path), flags)


@freebsd("lchflags")
def lchflags(trap: Trap, path: str, flags: int) -> int:
    """chflags(2) of a symbolic link itself."""
    return _change(trap, paths.walk(trap, path, follow=False), flags)


@freebsd("fchflags")
def fchflags(trap: Trap, fd: int, flags: int) -> int:
    """chflags(2) of an open file. EBADF EINVAL."""
    at = fds.get(trap, fd).at
    if at is None:
        trap.fail(Errno.EINVAL, N_("The descriptor is no file."), "chflags(2)")
    return _change(trap, at, flags)


def _change(trap: Trap, at: At, flags: int) -> int:
    if flags & ~_KNOWN:
        trap.fail(Errno.EOPNOTSUPP, N_("There is no such file flag."), "chflags(2)")
    if flags & ~sum(_KEPT):
        raise NotModelled("this file flag")
    inode = inodes.load(trap, at.inode)
    permission.need_writable(trap, at.mount)
    if not permission.owner_or_capable(trap, inode):
        trap.deny(Errno.EPERM, "file-owner", N_("Flags are for the file's owner."), "chflags(2)")
    of_system = inode.flags & _SYSTEM
    if flags & (SF_IMMUTABLE | SF_APPEND) or of_system:
        trap.need(Privilege.SET_IMMUTABLE)
        if of_system and prison.securelevel(trap) > 0:
            trap.deny(
                Errno.EPERM,
                "securelevel",
                N_("Above securelevel 0 nobody takes the system's flags off a file."),
                "security(7)",
            )
    kept = _SYSTEM if flags & (SF_IMMUTABLE | SF_APPEND) else 0
    for asked, flag in _KEPT.items():
        kept |= flag if flags & asked else 0
    cleared = inode.flags & ~(FS_IMMUTABLE_FL | FS_APPEND_FL | _SYSTEM)
    ops.set_attributes(trap, at.inode, flags=cleared | kept)
    return 0
