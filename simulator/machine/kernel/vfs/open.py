"""Opening a file: open(2), fs/namei.c (path_openat, do_open, may_open), fs/open.c.

The order of the refusals is the kernel's: a missing name, then what the flags forbid, then the
permission bits, then a read-only mount, then the device behind the name.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    AT_FDCWD,
    FS_APPEND_FL,
    MS_NODEV,
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_PATH,
    O_RDONLY,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    S_ISVTX,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.fs.registry import mutations, virtual
from simulator.machine.kernel.namespace import UserNs
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import (
    attributes,
    dpath,
    namei,
    ops,
    path,
    permission,
    pipe,
    tree,
    unified,
)
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
_NOT_KEPT = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC
_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY


def open_file(trap: "Trap", dirfd: int, name: str, flags: int, mode: int, resolve: int = 0) -> int:
    """openat2(2): a descriptor for ``name``; ``mode`` is without the umask applied."""
    flags = _checked(trap, flags)
    if not name:  # ENOENT comes before EMFILE
        path.start_at(trap, AT_FDCWD, name)
    fds.lowest_free(trap)
    start = path.start_at(trap, dirfd, name, resolve)
    if flags & _TMPFILE_BIT:
        return _open_unnamed(trap, path.walk(trap, name, start, resolve=resolve), flags, mode)
    found = _find(trap, name, start, flags, resolve)
    created = False
    if found.at is None:
        at, created = _created(trap, found, flags, mode), True
    else:
        at = found.at
        if flags & O_CREAT:
            _may_reuse(trap, found, at, flags)
        at = unified.own_copy(trap, found, at, flags)
    opened = (found.parent.inode, found.name) if found.name else None
    return _open_found(trap, at, flags, created, opened)


def open_at(trap: "Trap", at: At, flags: int) -> int:
    """Open a place already found: a magic link, a file handle."""
    return _open_found(trap, at, _checked(trap, flags), False, None)


def _checked(trap: "Trap", flags: int) -> int:
    """build_open_flags(): EINVAL for combinations that mean nothing."""
    if not trap.family.traits.has_unnamed_files:
        flags &= ~_TMPFILE_BIT
    if flags & O_PATH:
        return flags & _PATH_FLAGS
    if flags & O_CREAT and flags & O_DIRECTORY:
        trap.fail(Errno.EINVAL, N_("open() makes no directories."), "open(2)")
    if flags & _TMPFILE_BIT and (not flags & O_DIRECTORY or flags & O_ACCMODE == O_RDONLY):
        trap.fail(Errno.EINVAL, N_("O_TMPFILE needs write access."), "open(2)")
    return flags


def _find(trap: "Trap", name: str, start: At, flags: int, resolve: int) -> path.Found:
    if (
        flags & O_CREAT
        and name[-1] == "/"
        and path.last(trap, name, start).name not in ("", ".", "..")
    ):
        trap.fail(Errno.EISDIR, N_("A path that ends with a slash names a directory."), "open(2)")
    follow = not flags & O_NOFOLLOW and flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL
    found = path.find(trap, name, start, follow=follow, resolve=resolve)
    if found.at is None and not flags & O_CREAT:
        trap.fail(Errno.ENOENT, N_("Nothing has this name here."), "open(2)")
    return found


def _created(trap: "Trap", found: path.Found, flags: int, mode: int) -> At:
    """lookup_open() of a name that isn't there."""
    above = found.parent.inode
    if isinstance(above, tuple) and mutations(above).missing_fails(above):
        trap.fail(Errno.ENOENT, N_("Nothing can be made in this directory."), "proc(5)")
    directory = inodes.load(trap, above)
    if directory.nlink == 0:
        trap.fail(Errno.ENOENT, N_("The directory has been removed."), "open(2)")
    permission.need_writable(trap, found.parent.mount)
    directory = namei.may_create(trap, found.parent)
    bits = S_IFREG | (mode & 0o7777 & ~trap.task.umask)
    del flags
    return namei.make(trap, found.parent, directory, found.name, bits)


def _may_reuse(trap: "Trap", found: path.Found, at: At, flags: int) -> None:
    """O_CREAT on a name that is there: O_EXCL, directories, and sticky directories."""
    if flags & O_EXCL:
        trap.fail(Errno.EEXIST, N_("The name is taken."), "open(2)")
    inode = inodes.load(trap, at.inode)
    if inodes.is_dir(inode):
        trap.fail(Errno.EISDIR, N_("It is a directory."), "open(2)")
    directory = inodes.load(trap, found.parent.inode)
    sysctl = {S_IFREG: "fs.protected_regular", S_IFIFO: "fs.protected_fifos"}.get(
        inode.mode & S_IFMT
    )
    if (
        sysctl is None
        or not directory.mode & S_ISVTX
        or inode.uid in (directory.uid, trap.task.cred.fsuid)
    ):
        return
    if (directory.mode & 0o002 and permission.protects(trap, sysctl)) or (
        directory.mode & 0o020 and permission.protects(trap, sysctl, 2)
    ):
        trap.deny(
            Errno.EACCES,
            "protected-files",
            N_("In a sticky directory O_CREAT does not open another user's file."),
            "proc_sys_fs(5)",
        )


def _open_found(
    trap: "Trap", at: At, flags: int, created: bool, opened: dpath.Opened | None
) -> int:
    """do_open(): everything that is asked of a file that is there."""
    inode = inodes.load(trap, at.inode)
    kind = inode.mode & S_IFMT
    if flags & O_DIRECTORY and kind != S_IFDIR:
        trap.fail(Errno.ENOTDIR, N_("It is no directory."), "open(2)")
    file = fds.File(
        id=fds.new_file_id(trap),
        at=at,
        flags=flags & ~_NOT_KEPT | (0 if flags & O_PATH else O_LARGEFILE),
        name=opened,
        domain=trap.task.domain,
    )
    if flags & O_PATH:
        namei.touch(trap, at, inode, "name")
        return fds.install(trap, file, cloexec=bool(flags & O_CLOEXEC))
    truncates = bool(flags & O_TRUNC) and kind == S_IFREG and not created
    if truncates:
        permission.need_writable(trap, at.mount)
    if not created:
        _may_open(trap, at, inode, flags)
        if kind in (S_IFREG, S_IFDIR) and flags & O_ACCMODE != O_RDONLY:
            permission.need_writable(trap, at.mount)
            _need_not_running(trap, at)
    if isinstance(at.inode, tuple):
        virtual(at.inode).check_open(trap, at.inode, flags)
    if trap.task.lsm_label != "unconfined" and trap.family.chain.asked["may_open"]:
        trap.ask("may_open", at, dpath.path_of(trap, at, opened=opened), flags)
    is_queue = kind == S_IFREG and trap.store.row(Superblock, inode.sb).fstype == "mqueue"
    if kind not in (S_IFREG, S_IFDIR) or is_queue:
        file = _with_driver(trap, file, inode, kind)
    if truncates:
        attributes.drop_privileges(trap, at.inode)
        ops.truncate(trap, at.inode, 0)
    if not created and file.kind != "device":
        _report(trap, at, inode, flags)
    return fds.install(trap, file, cloexec=bool(flags & O_CLOEXEC))


def _may_open(trap: "Trap", at: At, inode: Inode, flags: int) -> None:
    """may_open(): what the type of file and its attributes allow."""
    kind = inode.mode & S_IFMT
    want = wanted(flags)
    if kind == S_IFLNK:
        trap.fail(Errno.ELOOP, N_("It is a symbolic link."), "open(2)")
    if kind == S_IFDIR and want & permission.WRITE:
        trap.fail(Errno.EISDIR, N_("A directory is not written to."), "open(2)")
    if kind in (S_IFBLK, S_IFCHR):
        _may_open_device(trap, at)
    own = isinstance(at.inode, tuple) and mutations(at.inode).permission(trap, at.inode, want)
    permission.need(trap, inode, want, bits=not own)
    if kind in (S_IFBLK, S_IFCHR):
        for bit, letter in ((permission.READ, "r"), (permission.WRITE, "w")):
            if want & bit:
                trap.ask("may_open_device", kind, inode.rdev, letter)
    if inode.flags & FS_APPEND_FL and (
        (flags & O_ACCMODE != O_RDONLY and not flags & O_APPEND) or flags & O_TRUNC
    ):
        trap.deny(
            Errno.EPERM,
            "immutable",
            N_("The file may only be appended to."),
            "ioctl_iflags(2)",
        )
    if flags & O_NOATIME and not permission.owner_or_capable(trap, inode):
        trap.deny(Errno.EPERM, "file-owner", N_("O_NOATIME is for the file's owner."), "open(2)")


def wanted(flags: int) -> int:
    """The permission bits that open(2)'s flags ask for (ACC_MODE())."""
    want = (permission.READ, permission.WRITE, 6, 6)[flags & O_ACCMODE]
    return want | permission.WRITE if flags & O_TRUNC else want


def _may_open_device(trap: "Trap", at: At) -> None:
    """may_open_dev(): MS_NODEV, also implied by a filesystem of a user namespace."""
    if trap.family.traits.devices_only_in_devfs and isinstance(at.inode, int):
        trap.deny(
            Errno.EOPNOTSUPP,
            "devfs",
            N_("A device node outside devfs opens no device: only devfs knows the drivers."),
            "sys/ufs/ufs/ufs_vnops.c ufs_open()",
        )
    mount = trap.store.row(Mount, at.mount)
    if not mount.flags & MS_NODEV:
        owner = trap.store.row(UserNs, trap.store.row(Superblock, mount.sb).owner)
        if owner.parent is None:
            return
    trap.deny(
        Errno.EACCES,
        "nodev-mount",
        N_("Device files on this mount open no device (MS_NODEV)."),
        "mount(2)",
    )


def _need_not_running(trap: "Trap", at: At) -> None:
    if trap.store.by(ops.USED_BY, at.inode):
        trap.fail(Errno.ETXTBSY, N_("The file is being executed."), "open(2)")


def _with_driver(trap: "Trap", file: fds.File, inode: Inode, kind: int) -> fds.File:
    """Give the description the kind whose functions read and write it. ENXIO."""
    if kind == S_IFIFO:
        return pipe.open_fifo(trap, file, inode)
    if kind in (S_IFBLK, S_IFCHR):
        return devices.open_device(trap, file, inode)
    node = None if file.at is None else file.at.inode
    tag = node[0] if isinstance(node, tuple) else ""
    if isinstance(node, tuple) and tag == "pidfd":  # pidfs gives another one
        return msgspec.structs.replace(file, at=None, kind="pidfd", object=node[1])
    if kind == S_IFREG:
        return msgspec.structs.replace(file, kind="mqueue")
    if kind == S_IFSOCK or tag == fds.ANONYMOUS:
        trap.fail(Errno.ENXIO, N_("A socket is not opened but connected to."), "open(2)")
    return file


def _report(trap: "Trap", at: At, inode: Inode, flags: int) -> None:
    if inodes.is_dir(inode):
        namei.touch(trap, at, inode, "name")
        return
    if flags & O_ACCMODE != O_WRONLY:
        namei.touch(trap, at, inode, "read")
    if flags & O_ACCMODE != O_RDONLY or flags & O_TRUNC:
        namei.touch(trap, at, inode, "write")


def _open_unnamed(trap: "Trap", at: At, flags: int, mode: int) -> int:
    """do_tmpfile(): a file without a name in the directory's filesystem."""
    directory = inodes.load(trap, at.inode)
    if not inodes.is_dir(directory):
        trap.fail(Errno.ENOTDIR, N_("It is no directory."), "open(2)")
    permission.need_writable(trap, at.mount)
    permission.need(trap, directory, permission.WRITE | permission.EXEC)
    row = ops.stored(trap, at.inode, writing=True)
    if row is None:
        trap.fail(Errno.EOPNOTSUPP, N_("The filesystem makes no unnamed files."), "open(2)")
    bits = S_IFREG | (mode & 0o7777 & ~trap.task.umask)
    inode = tree.unnamed(
        trap.store,
        row.sb,
        bits,
        uid=trap.task.cred.fsuid,
        gid=trap.task.cred.fsgid,
        domain=trap.task.domain,
    )
    inode = msgspec.structs.replace(inode, linkable=not flags & O_EXCL)
    trap.store.put(inode)
    file = fds.File(
        id=fds.new_file_id(trap),
        at=At(at.mount, inode.id),
        flags=flags & ~_NOT_KEPT | O_LARGEFILE,
        label=f"/#{inode.id} (deleted)",
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=bool(flags & O_CLOEXEC))
