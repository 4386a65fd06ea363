"""A process's address space: its mappings, what they show, and how much of each is in memory.

Only what was touched is in memory. The program itself and its stack are not among them. Source:
mm/vma.c, mm/mmap.c, mm/mlock.c, mm/memory.c (do_anonymous_page).
"""

from collections.abc import Iterable
from operator import attrgetter

import msgspec

from simulator.machine.abi.constants import PROT_READ, PROT_WRITE
from simulator.machine.abi.ids import FileId, NsId
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.state.store import Index, Row, Store, World

PAGE = 4096
HEAP = 0x01023000
"""Where the heap of a program begins that brk(2) grows."""
PROGRAM_SIZE = 16 << 20
"""What any program's address space holds besides what it asked for, in bytes."""
TOP = 0x7F0000000000
"""Mappings lie side by side below this address, the newest lowest, where there is room."""


class Mapping(Row, frozen=True, kw_only=True):
    """One mapping; ``id`` is (pid, address). ``touched`` bytes from its start are in memory.

    ``private`` mappings that can be written count as memory that was promised. ``file`` is the open
    description that it holds and shows from byte ``offset`` on, ``segment`` the System V segment.
    """

    size: int
    touched: int = 0
    private: bool = False
    protection: int = PROT_READ | PROT_WRITE
    shared: bool = False
    may_write: bool = True
    """Whether mprotect(2) may make it writable (VM_MAYWRITE)."""
    may_execute: bool = True
    file: FileId | None = None
    offset: int = 0
    segment: tuple[NsId, int] | None = None
    locked: bool = False

    @property
    def start(self) -> int:
        """Its first address."""
        return self.id[1]  # pyright: ignore[reportIndexIssue, reportReturnType, reportOptionalSubscript]

    @property
    def end(self) -> int:
        """The address behind its last."""
        return self.start + self.size


_BY_ADDRESS = attrgetter("start")
OF_TASK = Index(Mapping, lambda row: (row.id[0],), "id")
_OF_FILE = Index(Mapping, lambda row: () if row.file is None else (row.file,), "file")
fds.HOLDERS.append(_OF_FILE)


def of(world: World, pid: int) -> list[Mapping]:
    """The mappings of ``pid``, lowest first."""
    if not world.count(Mapping):
        return []
    return sorted(world.rows_by(OF_TASK, pid), key=_BY_ADDRESS)


def of_file(world: World, file: FileId) -> Iterable[Mapping]:
    """Everybody's mappings of an open description."""
    return world.rows_by(_OF_FILE, file)


def size(world: World, pid: int) -> int:
    """How much of its address space ``pid`` has mapped, in bytes."""
    return sum(row.size for row in of(world, pid))


def locked(world: World, pids: Iterable[int]) -> int:
    """What these processes have locked into memory, in bytes."""
    return sum(row.size for pid in pids for row in of(world, pid) if row.locked)


def containing(world: World, pid: int, address: int) -> Mapping | None:
    """The mapping of ``pid`` that ``address`` lies in, or None."""
    for row in world.rows_by(OF_TASK, pid):
        if row.start <= address < row.end:
            return row
    return None


def within(world: World, pid: int, start: int, end: int) -> list[Mapping]:
    """The mappings of ``pid`` that have a part between two addresses, lowest first."""
    return [row for row in of(world, pid) if row.start < end and start < row.end]


def free(world: World, pid: int, length: int) -> int:
    """Where ``length`` bytes have room: unmapped_area_topdown()."""
    end = TOP
    for row in reversed(of(world, pid)):
        if row.end <= end - length:
            break
        end = min(end, row.start)
    return end - length


def carve(store: Store, pid: int, start: int, end: int) -> list[Mapping]:
    """``within``, after mappings that reach over either address were split there."""
    for border in (start, end):
        row = containing(store, pid, border)
        if row is not None and row.start != border:
            _split(store, row, border)
    return within(store, pid, start, end)


def _split(store: Store, row: Mapping, border: int) -> None:
    below = border - row.start
    lower = msgspec.structs.replace(row, size=below, touched=min(row.touched, below))
    upper = msgspec.structs.replace(
        row,
        id=(row.id[0], border),  # pyright: ignore[reportIndexIssue, reportOptionalSubscript]
        size=row.size - below,
        touched=max(0, row.touched - below),
        offset=row.offset + below,
    )
    store.put(lower)
    store.put(upper)


def touch(store: Store, row: Mapping, end: int) -> int:
    """Bytes that become resident when ``row`` is touched up to ``end`` bytes from its start."""
    new = max(0, min(end, row.size) - row.touched)
    if new:
        store.put(msgspec.structs.replace(row, touched=row.touched + new))
    return new


def drop(store: Store, row: Mapping) -> None:
    """It goes, and its description too when nothing else holds that."""
    store.drop(Mapping, row.id)
    if row.file is not None:
        fds.drop_reference(store, row.file)


def copy(store: Store, parent: int, child: int) -> None:
    """dup_mmap(): the child has the same, in no memory of its own yet, and nothing locked."""
    for row in of(store, parent):
        key = (child, row.start)
        store.put(msgspec.structs.replace(row, id=key, touched=0, locked=False))


def forget(store: Store, task: Task) -> None:
    """The address space goes: at exit, and when a program is executed."""
    for row in of(store, task.id):
        drop(store, row)


exits.at_exit(forget)
