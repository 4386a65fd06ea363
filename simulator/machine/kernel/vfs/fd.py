"""Open file descriptions and the tables of descriptors that refer to them: open(2), dup(2)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.machine.abi.call import Result, Value
from simulator.machine.abi.constants import (
    O_ACCMODE,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    RLIMIT_NOFILE,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, FileId, FilesId, InodeId, MountId, VirtualId
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import lock
from simulator.machine.kernel.vfs.slots import Slot, Slots
from simulator.machine.state.store import Index, Key, Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


class File(Row, frozen=True, kw_only=True):
    """An open file description: what dup(2) and fork(2) share.

    ``kind`` is ``inode``, ``pipe`` (also a FIFO), ``device``, ``socket``, ``eventfd``, ``pidfd``,
    ``mount`` (open_tree(2)), ``fscontext`` (fsopen(2)) ...; ``object`` is the key of the row it
    refers to when that is no inode. ``name`` is ``(directory, name)`` at the time of opening, for
    /proc/PID/fd.
    """

    kind: str = "inode"
    at: At | None = None
    flags: int = 0
    offset: int = 0
    object: Key = None
    name: tuple[InodeId, str] | None = None
    label: str = ""
    owner: int = 0
    """F_SETOWN: who is sent SIGIO."""
    opener: int = 0
    cred: Credentials | None = None
    """Who opened it, and with what rights (``f_cred``)."""
    domain: Domain = HOST


_DESCRIPTION = attrgetter("file")


class FdTable(Row, frozen=True, kw_only=True):
    """The descriptors of a task (several share one after clone(2) with CLONE_FILES)."""

    slots: Slots


def _descriptions(table: FdTable) -> Collection[FileId]:
    return dict.fromkeys(map(_DESCRIPTION, table.slots.values()))


def _changed(old: FdTable, new: FdTable) -> tuple[Collection[FileId], Collection[FileId]]:
    """The descriptions that ``new`` no longer refers to, and those that it has come to refer to."""
    before, after = old.slots.pages, new.slots.pages
    gone: set[FileId] = set()
    come: set[FileId] = set()
    for number in before.keys() | after.keys():
        then, now = before.get(number, _NONE), after.get(number, _NONE)
        if then is not now:
            gone.update(map(_DESCRIPTION, then.values()))
            come.update(map(_DESCRIPTION, now.values()))
    lost = gone - come
    if len(before) > 1 or len(after) > 1:  # a page that stays as it was may hold it too
        if len(lost) > _FEW:
            lost.difference_update(*(map(_DESCRIPTION, page.values()) for page in after.values()))
        else:
            lost = {one for one in lost if not any(_holds(page, one) for page in after.values())}
    return lost, come - gone


def _holds(page: Mapping[int, Slot], file: FileId) -> bool:
    return file in map(_DESCRIPTION, page.values())


_NONE: Mapping[int, Slot] = {}
_FEW = 4
"""Up to so many are looked for one by one, rather than all that a table holds among them."""
REFERENCES = Index(FdTable, _descriptions, "slots.pages", between=_changed)
"""The descriptor tables that hold a description; it is released with the last of them."""

HOLDERS: list[Index[Any]] = []
"""What else may hold a description: by its id (a mapping of the file)."""

OPEN_FILES = Index(File, lambda file: () if file.at is None else (file.at.inode,), "at")
"""The descriptions of an inode."""


def _written_through(file: File) -> tuple[MountId, ...]:
    """fs/open.c do_dentry_open(): devices and pipes are not written through a mount."""
    if file.at is None or file.kind != "inode":
        return ()
    through = not file.flags & O_PATH and file.flags & O_ACCMODE != O_RDONLY
    return (file.at.mount,) if through else ()


WRITERS = Index(File, _written_through, "kind", "at", "flags")
"""The descriptions by the mount that they are written through."""


def get(trap: "Trap", fd: int) -> File:
    """The description behind ``fd``, open for real (O_PATH does not count). EBADF."""
    file = get_any(trap, fd)
    if file.flags & O_PATH:
        trap.fail(Errno.EBADF, N_("The descriptor was opened with O_PATH."), "open(2)")
    return file


def get_any(trap: "Trap", fd: int) -> File:
    """The description behind ``fd``, also one that only names a place (O_PATH). EBADF."""
    slot = trap.store.row(FdTable, trap.task.files).slots.get(fd)
    if slot is None:
        trap.fail(Errno.EBADF, N_("No file is open under this descriptor."), "open(2)")
    return trap.store.row(File, slot.file)


def slot_of(trap: "Trap", fd: int) -> Slot:
    """The descriptor itself. EBADF."""
    slot = trap.store.row(FdTable, trap.task.files).slots.get(fd)
    if slot is None:
        trap.fail(Errno.EBADF, N_("No file is open under this descriptor."), "open(2)")
    return slot


def readable(file: File) -> bool:
    """Whether it was opened for reading."""
    return file.flags & O_ACCMODE in (O_RDONLY, O_RDWR)


def writable(file: File) -> bool:
    """Whether it was opened for writing."""
    return file.flags & O_ACCMODE in (O_WRONLY, O_RDWR)


def keeps_from_running(file: File) -> bool:
    """get_write_access(), which open(2) calls and memfd_create(2) does not: ETXTBSY."""
    return writable(file) and not file.label.startswith("/memfd:")


def lowest_free(trap: "Trap", lowest: int = 0) -> int:
    """The lowest free descriptor from ``lowest``. EMFILE at RLIMIT_NOFILE."""
    slots = trap.store.row(FdTable, trap.task.files).slots
    fd = slots.lowest_free(lowest)
    if fd >= trap.task.rlimits[RLIMIT_NOFILE][0]:
        trap.deny(
            Errno.EMFILE,
            "rlimit",
            N_("The process has as many descriptors open as RLIMIT_NOFILE allows."),
            "getrlimit(2)",
        )
    return fd


def install(trap: "Trap", file: File, *, cloexec: bool = False, lowest: int = 0) -> int:
    """Give ``file`` the lowest free descriptor from ``lowest``. EMFILE at RLIMIT_NOFILE."""
    fd = lowest_free(trap, lowest)
    trap.store.put(msgspec.structs.replace(file, opener=trap.task.id, cred=trap.task.cred))
    put_slot(trap, fd, Slot(file.id, cloexec))
    return fd


def new_file_id(trap: "Trap") -> FileId:
    """A number for a new open file description. ENFILE where a container has its share."""
    charge(trap, "file")
    return FileId(trap.store.new_id(File))


def put_slot(trap: "Trap", fd: int, slot: Slot | None) -> None:
    """Write one descriptor of the caller's table; None removes it."""
    table = trap.store.row(FdTable, trap.task.files)
    slots = table.slots.without(fd) if slot is None else table.slots.put(fd, slot)
    trap.store.put(FdTable(id=table.id, slots=slots))


@dataclass(frozen=True, slots=True)
class FileOps:
    """What read(2), write(2), ioctl(2) and the last close(2) do to one kind of description.

    Without ``read`` or ``write`` the call fails with EINVAL; without ``release`` nothing is kept.
    """

    read: "Callable[[Trap, File, int], bytes] | None" = None
    write: "Callable[[Trap, File, bytes], int] | None" = None
    release: Callable[[Store, File], None] | None = None
    ioctl: "Callable[[Trap, File, int, Value], Result | int] | None" = None
    """None: no request is known, ENOTTY."""
    mode: int = 0o600
    """``st_mode`` that fstat(2) shows when the kind has no inode (anon_inodefs has no type)."""
    syncs: bool = True
    """Whether fsync(2) may find somebody to turn to; EINVAL where not."""
    allocate: Errno | None = None
    """What fallocate(2) fails with at once; None leaves it to the inode."""


_OPERATIONS: dict[str, FileOps] = {}
_NOTHING = FileOps()


def register(kind: str, operations: FileOps) -> None:
    """Say how descriptions of ``kind`` are used; a kind registered twice is a bug."""
    if kind in _OPERATIONS:
        raise ValueError(kind)
    _OPERATIONS[kind] = operations


def operations_of(kind: str) -> FileOps:
    """What can be done with descriptions of ``kind``: nothing, if nobody registered it."""
    return _OPERATIONS.get(kind, _NOTHING)


def close(trap: "Trap", fd: int) -> None:
    """close(2): free the descriptor, and what it alone kept open. EBADF."""
    slot = slot_of(trap, fd)
    file = trap.store.row(File, slot.file)
    put_slot(trap, fd, None)
    _let_go(trap.store, trap.task.files, file)


def unnamed(file: File) -> VirtualId | None:
    """The inode of a description that no path leads to (``fs/unnamed.py``), None where it has one.

    Pipes, sockets, pidfds and userfaultfds have one each; the rest have one of anon_inodefs, which
    differs by kind in nothing but its mode.
    """
    if file.at is not None:
        return None
    if file.kind in _OWN_INODE:
        return (file.kind, file.object) if isinstance(file.object, int) else None
    return (ANONYMOUS, file.kind)


ANONYMOUS = "anon_inode"
_OWN_INODE = frozenset({"pipe", "socket", "pidfd", "userfaultfd"})
_SHARED: InodeId = ("anonymous",)


def inode_of(file: File) -> InodeId:
    """What locks are on: pipes and sockets have an inode that no path leads to, the rest share one
    (fs/anon_inodes.c)."""
    if file.at is not None:
        return file.at.inode
    own: tuple[Any, ...] = ("anonymous", file.kind, file.object)
    return own if file.kind in _OWN_INODE else _SHARED


def drop_reference(store: Store, file: FileId) -> None:
    """After a slot was removed: release the description when no table refers to it any more."""
    if file not in store.filed(REFERENCES) and not any(file in store.filed(by) for by in HOLDERS):
        row = store.get(File, file)
        if row is None:
            return
        store.drop(File, file)
        lock.release(store, ("file", file), inode_of(row))
        operations = operations_of(row.kind)
        if operations.release is not None:
            operations.release(store, row)


def copy_table(store: Store, files: FilesId) -> FilesId:
    """fork(2): a table of its own that refers to the same descriptions."""
    copy = FilesId(store.new_id(FdTable))
    store.put(FdTable(id=copy, slots=store.row(FdTable, files).slots))
    return copy


def drop_table(store: Store, files: FilesId) -> None:
    """exit(2) of the last task that uses the table: everything in it is closed."""
    table = store.row(FdTable, files)
    store.drop(FdTable, files)
    _let_all_go(store, files, [slot.file for slot in table.slots.values()])


def close_on_exec(store: Store, files: FilesId) -> None:
    """execve(2): close every descriptor that has FD_CLOEXEC."""
    slots = store.row(FdTable, files).slots
    _close_all(store, files, [fd for fd, slot in slots.items() if slot.cloexec])


def close_range(trap: "Trap", first: int, last: int, *, mark: bool) -> None:
    """close_range(2): close every descriptor of the range, or ``mark`` it to be closed on exec."""
    table = trap.store.row(FdTable, trap.task.files)
    those = sorted(fd for fd, _slot in table.slots.items() if first <= fd <= last)
    if mark:
        marked = {fd: Slot(table.slots[fd].file, True) for fd in those}
        trap.store.put(FdTable(id=table.id, slots=Slots({**table.slots, **marked})))
    else:
        _close_all(trap.store, table.id, those)


def _close_all(store: Store, files: FilesId, those: list[int]) -> None:
    """Close several descriptors at once."""
    if not those:
        return
    slots = store.row(FdTable, files).slots
    closing = set(those)
    kept = {fd: slot for fd, slot in slots.items() if fd not in closing}
    store.put(FdTable(id=files, slots=Slots(kept)))
    _let_all_go(store, files, [slots[fd].file for fd in those])


def _let_all_go(store: Store, files: FilesId, those: list[FileId]) -> None:
    """Several descriptors of table ``files`` no longer refer to these."""
    if not store.count(lock.Locks):  # then nothing becomes of what another table refers to
        referred = store.filed(REFERENCES)
        those = [one for one in those if one not in referred]
    for one in those:
        file = store.get(File, one)
        if file is not None:
            _let_go(store, files, file)


def _let_go(store: Store, files: FilesId, file: File) -> None:
    """One descriptor of table ``files`` no longer refers to ``file``.

    fcntl(2): closing *any* descriptor of a file drops the process's record locks on it.
    """
    lock.release(store, ("files", files), inode_of(file))
    drop_reference(store, file.id)
