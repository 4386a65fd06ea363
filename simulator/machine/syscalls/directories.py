"""Directories and where a task stands: mkdir(2), getdents(2), chdir(2), chroot(2), umask(2)."""

import msgspec

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import AT_FDCWD, S_IFDIR
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import sysctl
from simulator.machine.kernel.fs import pty
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import dpath, namei, ops, permission
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.syscalls.registry import posix

_DIRENT_HEADER = 19
_END_OF_DIRECTORY = (1 << 63) - 1
"""Where a description that has seen every name stays until it is rewound (ext4, tmpfs)."""
_INIT = Pid(1)


@posix("mkdir")
def mkdir(trap: Trap, path: str, mode: int = 0o777) -> int:
    """mkdir(2)."""
    return mkdirat(trap, AT_FDCWD, path, mode)


@posix("mkdirat")
def mkdirat(trap: Trap, dirfd: int, path: str, mode: int = 0o777) -> int:
    """mkdirat(2): set-user-ID and set-group-ID bits of ``mode`` are ignored."""
    last = namei.new_name(trap, dirfd, path, directory=True)
    directory = namei.may_create(trap, last.parent)
    bits = S_IFDIR | (mode & 0o1777 & ~trap.task.umask)
    namei.make(trap, last.parent, directory, last.name, bits)
    return 0


@posix("rmdir")
def rmdir(trap: Trap, path: str) -> int:
    """rmdir(2)."""
    remove_directory(trap, AT_FDCWD, path)
    return 0


def remove_directory(trap: Trap, dirfd: int, path: str) -> None:
    """do_rmdir(), for rmdir(2) and unlinkat(2) with AT_REMOVEDIR."""
    last = paths.last(trap, path, paths.start_at(trap, dirfd, path))
    refusal = {"": Errno.EBUSY, ".": Errno.EINVAL, "..": Errno.ENOTEMPTY}.get(last.name)
    if refusal is not None:
        trap.fail(refusal, N_("``.``, ``..`` and the root can't be removed."), "rmdir(2)")
    permission.need_writable(trap, last.parent.mount)
    at = namei.existing(trap, last)
    namei.may_delete(trap, last.parent, at, True)
    namei.need_no_mount(trap, at.inode)
    if not ops.is_empty(trap, at.inode):
        trap.fail(Errno.ENOTEMPTY, N_("The directory is not empty."), "rmdir(2)")
    above = inodes.load(trap, last.parent.inode)
    namei.touch(trap, last.parent, above, "write", last.name)
    ops.unlink(trap, last.parent.inode, last.name, is_directory=True)


@posix("getdents64")
def getdents64(trap: Trap, fd: int, count: int) -> Returned:
    """getdents64(2): names are the data; the value is the size of their records."""
    file = fds.get(trap, fd)
    if file.at is None:
        trap.fail(Errno.ENOTDIR, N_("It is no directory."), "getdents(2)")
    inode = inodes.load(trap, file.at.inode)
    if not inodes.is_dir(inode):
        trap.fail(Errno.ENOTDIR, N_("It is no directory."), "getdents(2)")
    if inode.nlink == 0:
        trap.fail(Errno.ENOENT, N_("The directory has been removed."), "getdents(2)")
    found = inodes.names(trap, file.at.inode)
    if trap.family.traits.terminals_are_tagged:
        found = pty.shown(trap, inode, found)
    everything = (".", "..", *found)
    names: list[str] = []
    size = 0
    for name in everything[file.offset :]:
        record = (_DIRENT_HEADER + len(name.encode("utf-8", "surrogateescape")) + 8) & ~7
        if size + record > count:
            if not names:
                trap.fail(Errno.EINVAL, N_("The buffer holds not one entry."), "getdents(2)")
            break
        size += record
        names.append(name)
    if names:
        namei.touch(trap, file.at, inode, "name")
    at_end = file.offset + len(names) >= len(everything)
    position = _END_OF_DIRECTORY if at_end else file.offset + len(names)
    if position != file.offset:
        trap.store.put(msgspec.structs.replace(file, offset=position))
    return Returned(size, list(names))


@posix("getcwd")
def getcwd(trap: Trap, size: int) -> Returned:
    """getcwd(2): ``(unreachable)/...`` outside the root. ENOENT once it is removed, ERANGE."""
    at = trap.task.cwd
    if dpath.is_deleted(trap, at) or inodes.load(trap, at.inode).nlink == 0:
        trap.fail(Errno.ENOENT, N_("The working directory has been removed."), "getcwd(2)")
    text = dpath.path_of(trap, at)
    needed = len(text.encode("utf-8", "surrogateescape")) + 1
    if size < needed:
        trap.fail(Errno.ERANGE, N_("The buffer is too small for the path."), "getcwd(2)")
    return Returned(needed, text)


@posix("chdir")
def chdir(trap: Trap, path: str) -> int:
    """chdir(2)."""
    at = paths.walk(trap, path)
    _need_enterable(trap, at)
    trap.update(cwd=at)
    return 0


@posix("fchdir")
def fchdir(trap: Trap, fd: int) -> int:
    """fchdir(2): also to a directory that no path leads to any more."""
    file = fds.get_any(trap, fd)
    if file.at is None:
        trap.fail(Errno.ENOTDIR, N_("It is no directory."), "chdir(2)")
    _need_enterable(trap, file.at)
    trap.update(cwd=file.at)
    return 0


@posix("chroot")
def chroot(trap: Trap, path: str) -> int:
    """chroot(2): where ``/`` leads and ``..`` ends; the working directory stays where it is."""
    at = paths.walk(trap, path)
    _need_enterable(trap, at)
    trap.need(Privilege.CHROOT, trap.task.cred.user_ns)
    traits = trap.family.traits
    if traits.chroot_refuses_open_directories:
        _refuse_second_chroot(trap)
    if traits.chroot_pins_dotdot and trap.task.top is None:
        trap.update(root=at, top=at)
    else:
        trap.update(root=at)
    return 0


@posix("umask")
def umask(trap: Trap, mask: int) -> int:
    """umask(2): gives the old one."""
    old = trap.task.umask
    trap.update(umask=mask & 0o777)
    return old


def _need_enterable(trap: Trap, at: At) -> Inode:
    inode = inodes.load(trap, at.inode)
    if not inodes.is_dir(inode):
        trap.fail(Errno.ENOTDIR, N_("It is no directory."), "chdir(2)")
    permission.need_search(trap, inode)
    return inode


def _refuse_second_chroot(trap: Trap) -> None:
    """pwd_chroot(): by kern.chroot_allow_open_directories a process may hold directories open.

    1, the default: unless its root is no longer the machine's; 0: never; any other value: always.
    """
    name = "kern.chroot_allow_open_directories"
    known = name in trap.family.sysctls
    level = sysctl.number(trap.store, trap.family, name) if known else 1
    init = trap.store.get(Task, _INIT)
    is_first = init is not None and trap.task.root == init.root
    if level == 0 or (level == 1 and not is_first):
        refuse_open_directories(trap)


def refuse_open_directories(trap: Trap) -> None:
    """EPERM while the caller holds a directory open (kern_descrip.c chroot_refuse_vdir_fds())."""
    for slot in trap.store.row(fds.FdTable, trap.task.files).slots.values():
        file = trap.store.row(fds.File, slot.file)
        if file.at is not None and inodes.is_dir(inodes.load(trap, file.at.inode)):
            trap.deny(
                Errno.EPERM,
                "chroot-open-directory",
                N_("The root is not changed while the process holds a directory open."),
                "chroot(2)",
            )
