"""POSIX message queues: named files of the ipc namespace's own mqueue. mq_overview(7).

Source: ``ipc/mqueue.c`` (do_mq_open, mqueue_create_attr, sys_mq_unlink).
"""

from typing import NoReturn

import msgspec

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    O_ACCMODE,
    O_CREAT,
    O_EXCL,
    O_NONBLOCK,
    O_RDONLY,
    O_WRONLY,
    S_IFREG,
    S_ISVTX,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import single, stored
from simulator.machine.kernel.ipc import params, perm
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import internal, namei, permission, tree
from simulator.machine.kernel.vfs.fd import File, FileOps
from simulator.machine.kernel.vfs.inode import IN_DIRECTORY, Dentry, Inode, Superblock

STATUS = b"QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n"
_SIZE = 80
"""FILENT_SIZE: what a queue's inode says, whatever can be read."""


def open_queue(trap: Trap, name: str, flags: int, mode: int, attributes: Value) -> int:
    """mq_open(2). ENOENT, EEXIST, EACCES, EINVAL, ENOSPC."""
    root = _root(trap)
    _must_be_plain(trap, name)
    entry = trap.store.get(Dentry, (root.id, name))
    if entry is None:
        if not flags & O_CREAT:
            _missing(trap, name)
        inode = _make(trap, root, name, mode, attributes)
    else:
        if flags & O_CREAT and flags & O_EXCL:
            trap.fail(Errno.EEXIST, N_("A queue has this name already."), "mq_open(3)")
        inode = trap.store.row(Inode, entry.inode)
        _may_open(trap, inode, flags)
        trap.touch("msg", inode.domain, "name", f"/{name}")
    file = File(
        id=fds.new_file_id(trap),
        kind="mqueue",
        at=At(internal.mount(trap.store, trap.store.row(Superblock, inode.sb)), inode.id),
        flags=flags & (O_ACCMODE | O_NONBLOCK),
        label=f"/{name}",
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=True)


def unlink_queue(trap: Trap, name: str) -> int:
    """mq_unlink(2). ENOENT, EACCES, EPERM."""
    root = _root(trap)
    _must_be_plain(trap, name)
    entry = trap.store.get(Dentry, (root.id, name))
    if entry is None:
        _missing(trap, name)
    inode = trap.store.row(Inode, entry.inode)
    permission.need(trap, root, permission.WRITE | permission.EXEC)
    owners = (inode.uid, root.uid)
    sticky = root.mode & S_ISVTX and trap.task.cred.fsuid not in owners
    if sticky and not permission.has_over(trap, Privilege.FOWNER, inode):
        trap.deny(
            Errno.EPERM,
            "sticky-bit",
            N_("In a sticky directory only the file's or the directory's owner may do that."),
            "inode(7)",
        )
    tree.unlink(trap.store, root.id, name)
    trap.touch("msg", inode.domain, "write", f"/{name}")
    return 0


def _root(trap: Trap) -> Inode:
    """The root of the namespace's mqueue filesystem, made when it is first needed."""
    sb = stored.find(trap.store, "mqueue", ipc_ns=single.queues_of(trap))
    if sb is None:
        sb = single.MQUEUE.make(trap, "mqueue", "")
    return trap.store.row(Inode, sb.root)


def _must_be_plain(trap: Trap, name: str) -> None:
    """The C library takes the leading slash away; the kernel takes none (lookup_one_len())."""
    if not name:
        trap.fail(Errno.ENOENT, N_("The empty name names nothing."), "mq_open(3)")
    if "/" in name or name in (".", ".."):
        trap.fail(Errno.EACCES, N_("A queue's name holds no slash."), "mq_open(3)")
    if len(name.encode()) > 255:
        trap.fail(Errno.ENAMETOOLONG, "", "mq_open(3)")


def _missing(trap: Trap, name: str) -> NoReturn:
    for sb in trap.store.all(Superblock):
        if sb.fstype == "mqueue" and trap.store.get(Dentry, (sb.root, name)) is not None:
            perm.elsewhere(trap, Errno.ENOENT)
    trap.fail(Errno.ENOENT, N_("No queue has this name."), "mq_open(3)")


def _make(trap: Trap, root: Inode, name: str, mode: int, attributes: Value) -> Inode:
    if attributes:
        raise NotModelled("a queue with attributes of its own")
    namei.need_mapped_ids(trap, root)
    permission.need(trap, root, permission.WRITE | permission.EXEC)
    most = params.number(trap.store, trap.task.ns.ipc, "fs.mqueue.queues_max")
    count = trap.store.many(IN_DIRECTORY, root.id)
    if count >= most and not trap.has(Privilege.RESOURCE_RAISE):
        trap.deny(
            Errno.ENOSPC,
            "ipc-limit",
            N_("The ipc namespace holds as many queues as fs.mqueue.queues_max allows."),
            "mq_overview(7)",
        )
    cred = trap.task.cred
    made = tree.make(
        trap.store,
        root.id,
        name,
        S_IFREG | (mode & 0o777 & ~trap.task.umask),
        uid=cred.fsuid,
        gid=cred.fsgid,
        content=STATUS,
        domain=trap.task.domain,
    )
    made = msgspec.structs.replace(made, size=_SIZE)
    trap.store.put(made)
    return made


def _may_open(trap: Trap, inode: Inode, flags: int) -> None:
    access = flags & O_ACCMODE
    if access == O_ACCMODE:
        trap.fail(Errno.EINVAL, N_("There is no such access mode."), "mq_open(3)")
    wanted = permission.READ | permission.WRITE
    if access == O_RDONLY:
        wanted = permission.READ
    elif access == O_WRONLY:
        wanted = permission.WRITE
    permission.need(trap, inode, wanted)


def _read(trap: Trap, file: File, size: int) -> bytes:
    data = STATUS[file.offset : file.offset + size]
    del trap
    return data


def _write(trap: Trap, file: File, data: bytes) -> int:
    del file, data
    trap.fail(Errno.EINVAL, N_("Messages are sent with mq_send(3)."), "mq_overview(7)")


# A queue lives in its filesystem, opened or not: nothing is released.
fds.register("mqueue", FileOps(_read, _write, syncs=False, allocate=Errno.EOPNOTSUPP))
