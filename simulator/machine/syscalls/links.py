"""Names of files: link(2), symlink(2), readlink(2), unlink(2), rename(2), mknod(2)."""

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
    FS_APPEND_FL,
    FS_IMMUTABLE_FL,
    FS_IXUNLINK_FL,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    RENAME_WHITEOUT,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    S_ISGID,
    S_ISUID,
    S_IXGRP,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import INITIAL_USER_NS
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.fs.registry import virtual
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import dpath, namei, ops, permission
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.syscalls.attributes import place
from simulator.machine.syscalls.directories import remove_directory
from simulator.machine.syscalls.registry import linux, posix


@posix("link")
def link(trap: Trap, old: str, new: str) -> int:
    """link(2)."""
    return linkat(trap, AT_FDCWD, old, AT_FDCWD, new, 0)


@posix("linkat")
def linkat(trap: Trap, olddirfd: int, old: str, newdirfd: int, new: str, flags: int = 0) -> int:
    """linkat(2): one more name; the source is found first, then the new name is."""
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "link(2)")
    source = _link_source(trap, olddirfd, old, flags)
    last = namei.new_name(trap, newdirfd, new)
    if last.parent.mount != source.mount:
        trap.fail(Errno.EXDEV, N_("The two names are on different mounts."), "link(2)")
    inode = inodes.load(trap, source.inode)
    _may_link(trap, inode)
    directory = namei.may_create(trap, last.parent)
    unified = inode.flags & FS_IXUNLINK_FL and inode.flags & FS_IMMUTABLE_FL
    if inode.flags & (FS_APPEND_FL | FS_IMMUTABLE_FL) and not unified:
        permission.need_mutable(trap, inode)
    if inode.mode & S_IFMT == S_IFDIR:
        trap.fail(Errno.EPERM, N_("A directory has one name."), "link(2)")
    if inode.nlink == 0 and not inode.linkable:
        trap.fail(Errno.ENOENT, N_("The file has been removed."), "link(2)")
    namei.touch(trap, last.parent, directory, "write", last.name)
    namei.touch(trap, source, inode, "write")
    ops.link(trap, last.parent.inode, last.name, source.inode)
    return 0


def _link_source(trap: Trap, dirfd: int, old: str, flags: int) -> At:
    if flags & AT_EMPTY_PATH:
        _may_link_descriptor(trap, dirfd, old)
        if not old:
            return place(trap, dirfd, old, AT_EMPTY_PATH)
    start = paths.start_at(trap, dirfd, old)
    return paths.walk(trap, old, start, follow=bool(flags & AT_SYMLINK_FOLLOW))


def _may_link_descriptor(trap: Trap, dirfd: int, old: str) -> None:
    """path_init(): who opened the descriptor may give it a name, or who reads anything.

    That is since Linux 6.10; before, the right was needed whatever the descriptor.
    """
    over = INITIAL_USER_NS
    if trap.family.release >= (6, 10):
        if dirfd == AT_FDCWD or old.startswith("/"):
            return
        file = fds.get_any(trap, dirfd)
        # The very credentials, as f_cred is compared: committing equal ones makes others of them
        if file.opener == trap.task.id and file.cred is trap.task.cred:
            return
        over = INITIAL_USER_NS if file.cred is None else file.cred.user_ns
    if not trap.has(Privilege.DAC_READ_SEARCH, over):
        trap.fail(Errno.ENOENT, N_("AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH."), "link(2)")


def _may_link(trap: Trap, inode: Inode) -> None:
    """may_linkat(): proc_sys_fs(5) protected_hardlinks."""
    if not permission.protects(trap, "fs.protected_hardlinks"):
        return
    mode = inode.mode
    safe = (
        mode & S_IFMT == S_IFREG
        and not mode & S_ISUID
        and mode & (S_ISGID | S_IXGRP) != S_ISGID | S_IXGRP
        and permission.may(trap, inode, permission.READ | permission.WRITE)
    )
    if not safe and not permission.owner_or_capable(trap, inode):
        trap.deny(
            Errno.EPERM,
            "protected-hardlinks",
            N_("Only the owner, or who may read and write it, may link to this file."),
            "proc_sys_fs(5)",
        )


@posix("symlink")
def symlink(trap: Trap, target: str, path: str) -> int:
    """symlink(2)."""
    return symlinkat(trap, target, AT_FDCWD, path)


@posix("symlinkat")
def symlinkat(trap: Trap, target: str, dirfd: int, path: str) -> int:
    """symlinkat(2): nothing is asked of ``target``, except that it isn't empty."""
    if not target:
        trap.fail(Errno.ENOENT, N_("The empty path names nothing."), "symlink(2)")
    if len(target) >= paths.PATH_MAX:
        trap.fail(Errno.ENAMETOOLONG, N_("A path has at most 4095 bytes."), "symlink(2)")
    last = namei.new_name(trap, dirfd, path)
    directory = namei.may_create(trap, last.parent)
    namei.make(trap, last.parent, directory, last.name, S_IFLNK | 0o777, target=target)
    return 0


@posix("readlink")
def readlink(trap: Trap, path: str, size: int) -> Returned:
    """readlink(2)."""
    return readlinkat(trap, AT_FDCWD, path, size)


@posix("readlinkat")
def readlinkat(trap: Trap, dirfd: int, path: str, size: int) -> Returned:
    """readlinkat(2): the text is the data; an empty path reads the descriptor's own link."""
    if size <= 0:
        trap.fail(Errno.EINVAL, N_("That is no size."), "readlink(2)")
    if path or dirfd == AT_FDCWD:
        at = paths.walk(trap, path, paths.start_at(trap, dirfd, path), follow=False)
        refusal = Errno.EINVAL
    else:
        at = fds.get_any(trap, dirfd).at
        refusal = Errno.ENOENT
    inode = None if at is None else inodes.load(trap, at.inode)
    if at is None or inode is None or inode.mode & S_IFMT != S_IFLNK:
        trap.fail(refusal, N_("It is no symbolic link."), "readlink(2)")
    namei.touch(trap, at, inode, "name")
    raw = _link_text(trap, at, inode).encode("utf-8", "surrogateescape")[:size]
    return Returned(len(raw), raw.decode("utf-8", "surrogateescape"))


def _link_text(trap: Trap, at: At, inode: Inode) -> str:
    if inode.target or not isinstance(at.inode, tuple):
        return inode.target
    target = virtual(at.inode).follow(trap, at.inode)
    if not isinstance(target, At):
        return target
    if nsfs.is_namespace(target.inode):
        return nsfs.name(target.inode)
    return dpath.path_of(trap, target).removeprefix("(unreachable)")


@posix("unlink")
def unlink(trap: Trap, path: str) -> int:
    """unlink(2)."""
    return unlinkat(trap, AT_FDCWD, path, 0)


@posix("unlinkat")
def unlinkat(trap: Trap, dirfd: int, path: str, flags: int = 0) -> int:
    """unlinkat(2): the inode goes with its last name, once nobody has it open."""
    if flags & ~AT_REMOVEDIR:
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "unlink(2)")
    if flags & AT_REMOVEDIR:
        remove_directory(trap, dirfd, path)
        return 0
    last = paths.last(trap, path, paths.start_at(trap, dirfd, path))
    directory_errno = trap.family.traits.unlink_directory_errno
    if last.name in ("", ".", ".."):
        trap.fail(directory_errno, N_("It is a directory."), "unlink(2)")
    permission.need_writable(trap, last.parent.mount)
    at = namei.existing(trap, last)
    if last.slash:
        is_directory = inodes.is_dir(inodes.load(trap, at.inode))
        errno = directory_errno if is_directory else Errno.ENOTDIR
        trap.fail(errno, N_("A path that ends with a slash names a directory."), "unlink(2)")
    if directory_errno is not Errno.EISDIR and inodes.is_dir(inodes.load(trap, at.inode)):
        trap.fail(directory_errno, N_("It is a directory."), "unlink(2)")
    inode = namei.may_delete(trap, last.parent, at, False)
    namei.need_no_mount(trap, at.inode)
    namei.touch(trap, at, inode, "write")
    ops.unlink(trap, last.parent.inode, last.name, is_directory=False)
    return 0


@posix("rename")
def rename(trap: Trap, old: str, new: str) -> int:
    """rename(2)."""
    return renameat2(trap, AT_FDCWD, old, AT_FDCWD, new, 0)


@posix("renameat")
def renameat(trap: Trap, olddirfd: int, old: str, newdirfd: int, new: str) -> int:
    """renameat(2)."""
    return renameat2(trap, olddirfd, old, newdirfd, new, 0)


@linux("renameat2", since=(3, 15))
def renameat2(trap: Trap, olddirfd: int, old: str, newdirfd: int, new: str, flags: int = 0) -> int:
    """renameat2(2): RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT."""
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) or (
        flags & RENAME_EXCHANGE and flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)
    ):
        trap.fail(Errno.EINVAL, N_("These flags don't go together."), "rename(2)")
    source = paths.last(trap, old, paths.start_at(trap, olddirfd, old))
    target = paths.last(trap, new, paths.start_at(trap, newdirfd, new))
    namei.rename(trap, source, target, flags)
    return 0


@posix("mknod")
def mknod(trap: Trap, path: str, mode: int, dev: int = 0) -> int:
    """mknod(2)."""
    return mknodat(trap, AT_FDCWD, path, mode, dev)


@posix("mknodat")
def mknodat(trap: Trap, dirfd: int, path: str, mode: int, dev: int = 0) -> int:
    """mknodat(2): a device file is a right over the machine, not over a user namespace."""
    kind = mode & S_IFMT or S_IFREG
    if kind == S_IFDIR:
        trap.fail(Errno.EPERM, N_("mknod() makes no directories."), "mknod(2)")
    if kind not in (S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK):
        trap.fail(Errno.EINVAL, N_("There is no such type of file."), "mknod(2)")
    last = namei.new_name(trap, dirfd, path)
    directory = namei.may_create(trap, last.parent)
    is_device = kind in (S_IFCHR, S_IFBLK)
    whiteout = kind == S_IFCHR and dev == 0 and trap.family.traits.mknod_whiteout_unprivileged
    if is_device and not whiteout:
        trap.need(Privilege.MKNOD_DEVICE)
        trap.ask("may_open_device", kind, dev, "m")
    bits = kind | (mode & 0o7777 & ~trap.task.umask)
    namei.make(trap, last.parent, directory, last.name, bits, rdev=dev if is_device else 0)
    return 0
