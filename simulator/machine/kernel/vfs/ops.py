"""Changing files, below the checks: stored ones as rows, computed ones through ``Mutations``.

Every system call that changes an inode ends here, so that a stacked filesystem copies up, space is
accounted and an inode that nobody can reach any more is dropped in one place each.
"""

from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from simulator.machine.abi.constants import (
    F_SEAL_GROW,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    RENAME_EXCHANGE,
    RENAME_WHITEOUT,
    S_IFCHR,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId
from simulator.machine.kernel import clock
from simulator.machine.kernel.fs.registry import NewFile, mutations, virtual
from simulator.machine.kernel.resource import memory, quota
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.resource.reclaim import Cached
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import content, propagation, tree
from simulator.machine.kernel.vfs.fd import OPEN_FILES
from simulator.machine.kernel.vfs.inode import (
    BY_SUPERBLOCK,
    IN_DIRECTORY,
    Dentry,
    Inode,
    Superblock,
    names,
)
from simulator.machine.kernel.vfs.lock import Locks
from simulator.machine.kernel.vfs.mount import BY_MOUNTPOINT, BY_ROOT
from simulator.machine.state.store import Index, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

IN_MEMORY = frozenset(("tmpfs", "ramfs", "devtmpfs", "rootfs"))
"""Filesystem types whose content is memory."""

USED_BY = Index(
    Task,
    lambda task: {
        at.inode: None for at in (task.cwd, task.root, task.top, task.exe) if at is not None
    },
    "cwd",
    "root",
    "top",
    "exe",
)
"""The tasks that stand in, have as root, or execute an inode."""


def stored(trap: "Trap", inode: InodeId, writing: bool = False) -> Inode | None:
    """The row that holds the file's attributes and data; None when they are computed.

    ``writing``: it is about to be changed, so a stacked filesystem makes its own copy first.
    """
    if isinstance(inode, int):
        return trap.store.row(Inode, inode)
    backing = mutations(inode).backing(trap, inode, writing)
    return None if backing is None else trap.store.row(Inode, backing)


def set_attributes(trap: "Trap", inode: InodeId, **changes: Any) -> None:
    """Change fields of the inode; its change time moves on."""
    row = stored(trap, inode, writing=True)
    if row is None:
        assert isinstance(inode, tuple)
        mutations(inode).set_attributes(trap, inode, changes)
        return
    trap.store.put(msgspec.structs.replace(row, ctime=clock.realtime(trap.store), **changes))


def create(trap: "Trap", directory: InodeId, name: str, new: NewFile) -> InodeId:
    """Make a file of any type called ``name``, which is free."""
    if isinstance(directory, tuple):
        return mutations(directory).create(trap, directory, name, new)
    _need_inode(trap, directory)
    made = tree.make(
        trap.store,
        directory,
        name,
        new.mode,
        uid=new.uid,
        gid=new.gid,
        target=new.target,
        rdev=new.rdev,
        domain=new.domain,
    )
    if made.quota:
        quota.account(trap.store, made, 0, 1)
    return made.id


def _need_inode(trap: "Trap", directory: int) -> None:
    """ENOSPC when the filesystem may not take one more file (tmpfs(5) nr_inodes)."""
    above = trap.store.row(Inode, directory)
    if above.quota:
        quota.need_inode(trap, above)
    sb = trap.store.row(Superblock, above.sb)
    if sb.max_inodes is not None and trap.store.many(BY_SUPERBLOCK, sb.id) >= sb.max_inodes:
        trap.deny(
            Errno.ENOSPC,
            "filesystem-size",
            N_("The filesystem has as many files as it was mounted to hold."),
            "tmpfs(5)",
        )


def link(trap: "Trap", directory: InodeId, name: str, inode: InodeId) -> None:
    """One more name for ``inode``."""
    above = directory
    if isinstance(directory, tuple):
        if isinstance(inode, tuple):
            mutations(directory).link(trap, directory, name, inode)
            return
        # An unnamed file of a stacked filesystem lives in its writable layer.
        row = stored(trap, directory, writing=True)
        above = directory if row is None else row.id
    assert isinstance(above, int)
    row = trap.store.row(Inode, inode)
    quota.need_same_tree(trap, row.id, above)
    tree.link(trap.store, above, name, row)


def unlink(trap: "Trap", directory: InodeId, name: str, is_directory: bool) -> None:
    """Take a name away, and the inode too when nothing holds it."""
    if isinstance(directory, tuple):
        change = mutations(directory)
        (change.rmdir if is_directory else change.unlink)(trap, directory, name)
        return
    row = tree.unlink(trap.store, directory, name)
    if row.id in trap.store.filed(BY_MOUNTPOINT):
        propagation.detach_from(trap.store, row.id)
    freed = forget(trap.store, row.id)
    if freed:
        _charge(trap, row, -freed)


def rename(
    trap: "Trap",
    old: tuple[InodeId, str],
    new: tuple[InodeId, str],
    new_inode: InodeId | None,
    flags: int,
) -> None:
    """Move a name, over ``new_inode`` if that stood there; renameat2(2)'s flags apply."""
    old_directory, new_directory = old[0], new[0]
    if isinstance(old_directory, tuple) or isinstance(new_directory, tuple):
        assert isinstance(old_directory, tuple)
        assert isinstance(new_directory, tuple)
        mutations(old_directory).rename(trap, old_directory, old[1], new_directory, new[1], flags)
        return
    store = trap.store
    source, target = (old_directory, old[1]), (new_directory, new[1])
    if flags & RENAME_EXCHANGE:
        tree.exchange(store, source, target)
        return
    moved = store.row(Dentry, source).inode
    assert isinstance(moved, int)
    quota.need_same_tree(trap, moved, new_directory)
    if new_inode is not None:
        tree.unlink(store, *target)
        if store.by(BY_MOUNTPOINT, new_inode):
            propagation.detach_from(store, new_inode)
    tree.move(store, source, target)
    if flags & RENAME_WHITEOUT:
        cred = trap.task.cred
        tree.make(store, *source, S_IFCHR, uid=cred.fsuid, gid=cred.fsgid, domain=trap.task.domain)
    if isinstance(new_inode, int):
        forget(store, new_inode)


def read(trap: "Trap", inode: InodeId, offset: int, count: int) -> bytes:
    """Up to ``count`` bytes from ``offset``."""
    row = stored(trap, inode)
    if row is not None:
        return content.read(row, offset, count)
    assert isinstance(inode, tuple)
    return virtual(inode).read(trap, inode)[offset : offset + count]


def write(trap: "Trap", inode: InodeId, offset: int, data: bytes, length: int) -> int:
    """Write ``data``, then zeros up to ``length`` bytes. ENOSPC, EPERM (seals)."""
    row = stored(trap, inode, writing=True)
    if row is None:
        assert isinstance(inode, tuple)
        if offset:
            mutations(inode).need_start(trap, inode)
        return virtual(inode).write(trap, inode, data.ljust(length, b"\0"))
    if row.seals & F_SEAL_WRITE or (row.seals & F_SEAL_GROW and offset + length > row.size):
        _sealed(trap)
    changes = content.written(row, offset, data, length)
    missing = _pages_missing(trap, row, changes)
    if missing:
        length = -(-(offset + length) // content.PAGE) * content.PAGE - missing - offset
        if length <= 0:
            _no_room(trap, row)
        changes = content.written(row, offset, data[:length], length)
    _put_content(trap, row, changes)
    return length


def truncate(trap: "Trap", inode: InodeId, size: int) -> None:
    """Cut or grow the file to ``size`` bytes; growing makes a hole. EPERM (seals)."""
    row = stored(trap, inode, writing=True)
    if row is None:
        return
    if (row.seals & F_SEAL_SHRINK and size < row.size) or (
        row.seals & F_SEAL_GROW and size > row.size
    ):
        _sealed(trap)
    _put_content(trap, row, content.truncated(row, size))


def allocate(trap: "Trap", inode: InodeId, offset: int, length: int, *, keep_size: bool) -> None:
    """Fill the range's holes with zeros that take room (fallocate(2)). ENOSPC, EPERM (seals)."""
    row = stored(trap, inode, writing=True)
    if row is None:
        return
    if row.seals & F_SEAL_GROW and offset + length > row.size:
        _sealed(trap)
    changes = content.allocated(row, offset, length)
    if _pages_missing(trap, row, changes):
        _no_room(trap, row)
    size = row.size if keep_size else max(row.size, offset + length)
    _put_content(trap, row, changes | {"size": size})


def punch(trap: "Trap", inode: InodeId, offset: int, length: int) -> None:
    """Make a range a hole."""
    row = stored(trap, inode, writing=True)
    if row is not None:
        _put_content(trap, row, content.punched(row, offset, length))


def is_held(store: Store, inode: InodeId) -> bool:
    """Whether somebody holds it open, stands in it or executes it: it outlives its last name."""
    return (
        inode in store.filed(OPEN_FILES)
        or inode in store.filed(USED_BY)
        or inode in store.filed(BY_ROOT)
    )


def forget(store: Store, inode: InodeId) -> int:
    """Drop an inode that has no name and that nobody holds open, stands in or executes.

    Gives how many pages that freed.
    """
    row = store.get(Inode, inode)
    if row is None or row.nlink > 0 or is_held(store, inode):
        return 0
    freed = content.pages(row)
    if freed:
        _account(store, row, -freed)
    for beside in (Locks, Cached):
        if store.get(beside, inode) is not None:
            store.drop(beside, inode)
    if row.quota:
        quota.account(store, row, 0, -1)
    store.drop(Inode, inode)
    return freed


def is_empty(trap: "Trap", directory: InodeId) -> bool:
    """Whether a directory holds no name; a wholly computed one decides for itself (cgroups)."""
    if isinstance(directory, int):
        return not trap.store.by(IN_DIRECTORY, directory)
    if stored(trap, directory) is None:
        return True
    return not names(trap, directory)


def _put_content(trap: "Trap", row: Inode, changes: dict[str, Any]) -> None:
    store = trap.store
    now = clock.realtime(store)
    after = msgspec.structs.replace(row, mtime=now, ctime=now, **changes)
    store.put(after)
    grown = content.pages(after) - content.pages(row)
    if grown:
        _account(store, row, grown)
        _charge(trap, row, grown)


def _charge(trap: "Trap", row: Inode, pages: int) -> None:
    """Files of a filesystem in memory count as memory of the task that fills them.

    Memory control groups charge shmem pages to whoever touches them first, so filling /dev/shm
    meets the group's limit (Documentation/admin-guide/cgroup-v2.rst, "Memory Ownership").
    """
    sb = trap.store.get(Superblock, row.sb)
    if sb is not None and sb.fstype in IN_MEMORY:
        if pages > 0:
            charge(trap, "memory-file", pages * content.PAGE)
        memory.charge_memory(trap, pages * content.PAGE)


def _pages_missing(trap: "Trap", row: Inode, changes: dict[str, Any]) -> int:
    """How many bytes of whole pages the filesystem, or the tree's quota, lacks for the change."""
    left = _space_left(trap, row)
    if left is None:
        return 0
    grown = content.pages(msgspec.structs.replace(row, **changes)) - content.pages(row)
    return max(grown - left // content.PAGE, 0) * content.PAGE


def _space_left(trap: "Trap", row: Inode) -> int | None:
    sb = trap.store.get(Superblock, row.sb)
    of_disk = None if sb is None or sb.room is None else max(sb.room - sb.used, 0)
    of_tree = quota.space_left(trap.store, row)
    if of_disk is None or of_tree is None:
        return of_disk if of_tree is None else of_tree
    return min(of_disk, of_tree)


def _no_room(trap: "Trap", row: Inode) -> NoReturn:
    quota.no_room(trap, row)
    trap.deny(Errno.ENOSPC, "filesystem-size", N_("The filesystem has no more room."), "write(2)")


def _account(store: Store, row: Inode, pages: int) -> None:
    sb = store.get(Superblock, row.sb)
    if row.quota:
        quota.account(store, row, pages)
    if sb is not None:
        used = max(sb.used + pages * content.PAGE, 0)
        store.put(msgspec.structs.replace(sb, used=used))


def _sealed(trap: "Trap") -> NoReturn:
    trap.deny(
        Errno.EPERM, "seal", N_("A seal of the memory file forbids it."), "fcntl(2) F_ADD_SEALS"
    )
