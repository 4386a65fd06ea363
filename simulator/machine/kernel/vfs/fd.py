"""Open file descriptions and the tables of descriptors that refer to them: open(2), dup(2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import RLIMIT_NOFILE
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.ids import HOST, Domain, FileId, InodeId
from simulator.machine.kernel.task import At
from simulator.machine.state.store import Index, Key, Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


class File(Row, frozen=True, kw_only=True):
    """An open file description: what dup(2) and fork(2) share.

    ``kind`` is ``inode``, ``pipe``, ``socket``, ``eventfd``, ``pidfd``, ``mount`` (open_tree(2)),
    ``fscontext`` (fsopen(2)) ...; ``object`` is the key of the row it refers to when that is no
    inode. ``name`` is ``(directory, name)`` at the time of opening, for /proc/PID/fd.
    """

    kind: str = "inode"
    at: At | None = None
    flags: int = 0
    offset: int = 0
    object: Key = None
    name: tuple[InodeId, str] | None = None
    label: str = ""
    domain: Domain = HOST


class Slot(msgspec.Struct, frozen=True):
    """One descriptor: the description it refers to, and FD_CLOEXEC."""

    file: FileId
    cloexec: bool = False


class FdTable(Row, frozen=True, kw_only=True):
    """The descriptors of a task (several share one after clone(2) with CLONE_FILES)."""

    slots: Mapping[int, Slot]


REFERENCES = Index(FdTable, lambda table: {slot.file: None for slot in table.slots.values()})
"""The descriptor tables that hold a description; it is released with the last of them."""


def get(trap: "Trap", fd: int) -> File:
    """The description behind ``fd``. EBADF."""
    slot = trap.store.row(FdTable, trap.task.files).slots.get(fd)
    if slot is None:
        trap.fail(Errno.EBADF, "", "open(2)")
    return trap.store.row(File, slot.file)


def install(trap: "Trap", file: File, *, cloexec: bool = False, lowest: int = 0) -> int:
    """Give ``file`` the lowest free descriptor from ``lowest``. EMFILE at RLIMIT_NOFILE."""
    table = trap.store.row(FdTable, trap.task.files)
    fd = lowest
    while fd in table.slots:
        fd += 1
    if fd >= trap.task.rlimits[RLIMIT_NOFILE][0]:
        trap.fail(Errno.EMFILE, "", "getrlimit(2)")
    trap.store.put(file)
    put_slot(trap, fd, Slot(file.id, cloexec))
    return fd


def new_file_id(trap: "Trap") -> FileId:
    """A number for a new open file description."""
    return FileId(trap.store.new_id(File))


def put_slot(trap: "Trap", fd: int, slot: Slot | None) -> None:
    """Write one descriptor of the caller's table; None removes it."""
    table = trap.store.row(FdTable, trap.task.files)
    slots = dict(table.slots)
    if slot is None:
        del slots[fd]
    else:
        slots[fd] = slot
    trap.store.put(FdTable(id=table.id, slots=slots))


@dataclass(frozen=True, slots=True)
class FileOps:
    """What read(2), write(2) and the last close(2) do to one kind of description."""

    read: "Callable[[Trap, File, int], bytes]"
    write: "Callable[[Trap, File, bytes], int]"
    release: Callable[[Store, File], None]


OPERATIONS: dict[str, FileOps] = {}


def register(kind: str, operations: FileOps) -> None:
    """Say how descriptions of ``kind`` are used; a kind registered twice is a bug."""
    if kind in OPERATIONS:
        raise ValueError(kind)
    OPERATIONS[kind] = operations


def drop_reference(store: Store, file: FileId) -> None:
    """After a slot was removed: release the description when no table refers to it any more."""
    if not store.by(REFERENCES, file):
        row = store.row(File, file)
        store.drop(File, file)
        if (operations := OPERATIONS.get(row.kind)) is not None:
            operations.release(store, row)
