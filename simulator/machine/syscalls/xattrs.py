"""Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2); xattr(7)."""

from typing import Any

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import (
    S_IFDIR,
    S_IFMT,
    S_IFREG,
    S_ISVTX,
    XATTR_CREATE,
    XATTR_REPLACE,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.exec_cred import XATTR as CAPABILITIES
from simulator.machine.kernel.exec_cred import parse
from simulator.machine.kernel.fs.unnamed import SOCKET_NAME, is_private
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import attributes, namei, ops, permission
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.syscalls.attributes import place_of
from simulator.machine.syscalls.registry import linux

NAME_MAX = 255
SIZE_MAX = 65536
OVERLAYS_OWN = "trusted.overlay."
PREFIXES = ("user.", "trusted.", "security.", "system.")
_WITHOUT = frozenset(("mqueue", "secretmem", "ramfs", "devpts"))
"""Filesystems with files of their own and no ``s_xattr``."""
_ACLS = ("system.posix_acl_access", "system.posix_acl_default")


@linux("setxattr")
def setxattr(
    trap: Trap, path: str, name: str, value: Any, size: int | None = None, flags: int = 0
) -> int:
    """setxattr(2)."""
    _set(trap, lambda: paths.walk(trap, path), name, _value(trap, value, size, flags), flags)
    return 0


@linux("lsetxattr")
def lsetxattr(
    trap: Trap, path: str, name: str, value: Any, size: int | None = None, flags: int = 0
) -> int:
    """lsetxattr(2)."""
    given = _value(trap, value, size, flags)
    _set(trap, lambda: paths.walk(trap, path, follow=False), name, given, flags)
    return 0


@linux("fsetxattr")
def fsetxattr(
    trap: Trap, fd: int, name: str, value: Any, size: int | None = None, flags: int = 0
) -> int:
    """fsetxattr(2)."""
    file = fds.get(trap, fd)
    _set(trap, lambda: place_of(trap, file), name, _value(trap, value, size, flags), flags)
    return 0


@linux("getxattr")
def getxattr(trap: Trap, path: str, name: str, size: int) -> Returned:
    """getxattr(2): with size 0 only the length."""
    return _get(trap, paths.walk(trap, path), name, size)


@linux("lgetxattr")
def lgetxattr(trap: Trap, path: str, name: str, size: int) -> Returned:
    """lgetxattr(2)."""
    return _get(trap, paths.walk(trap, path, follow=False), name, size)


@linux("fgetxattr")
def fgetxattr(trap: Trap, fd: int, name: str, size: int) -> Returned:
    """fgetxattr(2)."""
    return _get(trap, place_of(trap, fds.get(trap, fd)), name, size)


@linux("listxattr")
def listxattr(trap: Trap, path: str, size: int) -> Returned:
    """listxattr(2): names, each ended by a NUL."""
    return _list(trap, paths.walk(trap, path), size)


@linux("llistxattr")
def llistxattr(trap: Trap, path: str, size: int) -> Returned:
    """llistxattr(2)."""
    return _list(trap, paths.walk(trap, path, follow=False), size)


@linux("flistxattr")
def flistxattr(trap: Trap, fd: int, size: int) -> Returned:
    """flistxattr(2)."""
    return _list(trap, place_of(trap, fds.get(trap, fd)), size)


@linux("removexattr")
def removexattr(trap: Trap, path: str, name: str) -> int:
    """removexattr(2)."""
    _remove(trap, paths.walk(trap, path), name)
    return 0


@linux("lremovexattr")
def lremovexattr(trap: Trap, path: str, name: str) -> int:
    """lremovexattr(2)."""
    _remove(trap, paths.walk(trap, path, follow=False), name)
    return 0


@linux("fremovexattr")
def fremovexattr(trap: Trap, fd: int, name: str) -> int:
    """fremovexattr(2)."""
    _remove(trap, place_of(trap, fds.get(trap, fd)), name)
    return 0


def _value(trap: Trap, value: Any, size: int | None, flags: int) -> bytes:
    """setxattr_copy(): the flags, then the size, then the bytes."""
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "setxattr(2)")
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if not isinstance(raw, bytes):
        if size:
            trap.fail(Errno.EFAULT, N_("The value is no memory of the process."), "setxattr(2)")
        raw = b""
    length = len(raw) if size is None else size
    if not 0 <= length <= SIZE_MAX:
        trap.fail(Errno.E2BIG, N_("A value has at most 64 KiB."), "setxattr(2)")
    return raw[:length].ljust(length, b"\0")


def _check_name(trap: Trap, name: str) -> None:
    if not 0 < len(name) <= NAME_MAX:
        trap.fail(Errno.ERANGE, N_("A name has 1 to 255 bytes."), "xattr(7)")


def _set(trap: Trap, find: Any, name: str, value: bytes, flags: int) -> None:
    _check_name(trap, name)
    at: At = find()
    permission.need_writable(trap, at.mount)
    if name == CAPABILITIES and value and parse(value) is None:
        trap.fail(Errno.EINVAL, N_("These are no file capabilities."), "capabilities(7)")
    inode = inodes.load(trap, at.inode)
    _need_permission(trap, inode, name, permission.WRITE)
    if name.startswith("security.") and not is_private(at.inode):
        _need_security(trap, at, inode, name)
    _need_handler(trap, at, name)
    _need_not_private(trap, at, name)
    if _is_of_pidfs(trap, at.inode):
        raise NotModelled("attributes of a process, which last as long as it does")
    held = dict(inode.xattrs or {})
    if name in held and flags & XATTR_CREATE:
        trap.fail(Errno.EEXIST, N_("The attribute is there already."), "setxattr(2)")
    if name not in held and flags & XATTR_REPLACE:
        trap.fail(Errno.ENODATA, N_("The attribute is not there."), "setxattr(2)")
    namei.touch(trap, at, inode, "write")
    ops.set_attributes(trap, at.inode, xattrs=held | {name: value})


def _get(trap: Trap, at: At, name: str, size: int) -> Returned:
    _check_name(trap, name)
    inode = inodes.load(trap, at.inode)
    _need_permission(trap, inode, name, permission.READ)
    if name.startswith(OVERLAYS_OWN) and _is_stacked(trap, at):
        trap.fail(Errno.ENODATA, N_("The attribute is not there."), "getxattr(2)")
    value = (inode.xattrs or {}).get(name) if name == SOCKET_NAME else None
    if value is None:
        _need_handler(trap, at, name)
        value = (inode.xattrs or {}).get(name)
    if value is None:
        trap.fail(Errno.ENODATA, N_("The attribute is not there."), "getxattr(2)")
    namei.touch(trap, at, inode, "read")
    return _sized(trap, value, size)


def _list(trap: Trap, at: At, size: int) -> Returned:
    inode = inodes.load(trap, at.inode)
    names = sorted(inode.xattrs or {})
    if _is_stacked(trap, at):
        # ovl_listxattr(): the buffer must have room for what is then left out
        whole = _listed(names)
        if len(whole) > size > 0 or size == 0:
            return _sized(trap, whole, size)
        names = [name for name in names if not name.startswith(OVERLAYS_OWN)]
    if not trap.has(Privilege.TRUSTED_XATTR):
        names = [name for name in names if not name.startswith("trusted.")]
    namei.touch(trap, at, inode, "name")
    return _sized(trap, _listed(names), size)


def _listed(names: list[str]) -> bytes:
    return b"".join(name.encode() + b"\0" for name in names)


def _is_stacked(trap: Trap, at: At) -> bool:
    return isinstance(at.inode, tuple) and ops.stored(trap, at.inode) is not None


def _need_not_private(trap: Trap, at: At, name: str) -> None:
    if name.startswith(OVERLAYS_OWN) and _is_stacked(trap, at):
        raise NotModelled("an overlay's own attributes, escaped for the overlay above")


def _remove(trap: Trap, at: At, name: str) -> None:
    _check_name(trap, name)
    permission.need_writable(trap, at.mount)
    inode = inodes.load(trap, at.inode)
    _need_permission(trap, inode, name, permission.WRITE)
    if name.startswith("security.") and not is_private(at.inode):
        _need_security(trap, at, inode, name)
        if SOCKET_NAME in (inode.xattrs or {}):  # sockfs_security_xattr_set() leaves it to others
            trap.fail(Errno.EAGAIN, N_("No security module labels this socket."), "removexattr(2)")
    _need_handler(trap, at, name)
    _need_not_private(trap, at, name)
    held = dict(inode.xattrs or {})
    if name not in held:
        trap.fail(Errno.ENODATA, N_("The attribute is not there."), "removexattr(2)")
    del held[name]
    namei.touch(trap, at, inode, "write")
    ops.set_attributes(trap, at.inode, xattrs=held)


def _sized(trap: Trap, value: bytes, size: int) -> Returned:
    if size == 0:
        return Returned(len(value), None)
    if size < len(value):
        trap.fail(Errno.ERANGE, N_("The buffer is too small."), "getxattr(2)")
    return Returned(len(value), value)


def _is_of_pidfs(trap: Trap, inode: InodeId) -> bool:
    """A regular file whatever fstat(2) shows, with trusted attributes: since Linux 6.16."""
    return isinstance(inode, tuple) and inode[0] == "pidfd" and trap.family.release >= (6, 16)


def _need_permission(trap: Trap, inode: Inode, name: str, want: int) -> None:
    """xattr_permission(): who may touch which family of names; then the file's mode."""
    if want & permission.WRITE:
        permission.need_mutable(trap, inode)
    if name.startswith(("security.", "system.")):
        return
    absent = Errno.ENODATA if want == permission.READ else Errno.EPERM
    if name.startswith("trusted."):
        if not trap.has(Privilege.TRUSTED_XATTR):
            trap.deny(
                absent,
                "capability",
                N_("Attributes called trusted.* are for CAP_SYS_ADMIN over the machine."),
                "xattr(7)",
            )
        return
    if name.startswith("user."):
        kind = S_IFREG if _is_of_pidfs(trap, inode.id) else inode.mode & S_IFMT
        if kind not in (S_IFREG, S_IFDIR):
            trap.fail(absent, N_("Only files and directories have user attributes."), "xattr(7)")
        if (
            kind == S_IFDIR
            and inode.mode & S_ISVTX
            and want & permission.WRITE
            and not permission.owner_or_capable(trap, inode)
        ):
            trap.deny(
                Errno.EPERM,
                "sticky-bit",
                N_("In a sticky directory only the owner sets user attributes."),
                "xattr(7)",
            )
    permission.need(trap, inode, want)


def _need_handler(trap: Trap, at: At, name: str) -> None:
    """xattr_resolve_name(): EOPNOTSUPP where the filesystem keeps no such attribute."""
    if name in _ACLS:
        raise NotModelled("access control lists")
    if not name.startswith(PREFIXES) or name.startswith("system."):
        trap.fail(Errno.EOPNOTSUPP, N_("No such family of attributes is known."), "xattr(7)")
    if name.startswith("trusted.") and _is_of_pidfs(trap, at.inode):
        return
    stored = ops.stored(trap, at.inode)
    if stored is None or trap.store.row(Superblock, stored.sb).fstype in _WITHOUT:
        trap.fail(Errno.EOPNOTSUPP, N_("The filesystem keeps no attributes."), "xattr(7)")
    if name in PREFIXES:
        trap.fail(Errno.EINVAL, N_("The name ends at its prefix."), "xattr(7)")


def _need_security(trap: Trap, at: At, inode: Inode, name: str) -> None:
    """cap_inode_setxattr(): file capabilities need CAP_SETFCAP, other labels CAP_SYS_ADMIN.

    That is over the user namespace which the filesystem belongs to; asked before anybody looks
    whether it keeps attributes at all.
    """
    if name == attributes.FILE_CAPABILITIES:
        if not permission.has_over(trap, Privilege.SET_FILE_CAPABILITIES, inode):
            trap.deny(
                Errno.EPERM,
                "capability",
                N_("Setting file capabilities needs CAP_SETFCAP."),
                "capabilities(7)",
            )
    else:
        filesystem = trap.store.row(Superblock, trap.store.row(Mount, at.mount).sb)
        trap.need(Privilege.TRUSTED_XATTR, filesystem.owner)
