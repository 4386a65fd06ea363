"""Advisory locks: record locks of processes and of open file descriptions, and flock(2).

One row holds all locks of an inode, so a sleeper watches one row. Source: fcntl(2), flock(2),
fs/locks.c.
"""

from typing import Any, TypeAlias

import msgspec

from simulator.machine.abi.constants import F_UNLCK, F_WRLCK
from simulator.machine.abi.ids import InodeId
from simulator.machine.state.store import Row, Store, World

Owner: TypeAlias = tuple[str, Any]
"""``("files", table)`` for a process's record locks, ``("file", description)`` for the others."""

TO_THE_END = (1 << 63) - 1
"""OFFSET_MAX: a lock of length 0 reaches to wherever the file ever ends."""


class Lock(msgspec.Struct, frozen=True):
    """Bytes ``start`` to ``end`` (both included), for reading or writing.

    ``style`` is ``record`` (fcntl) or ``whole`` (flock): the two never meet. ``pid`` is the
    locker's in the initial pid namespace, -1 for a description's.
    """

    owner: Owner
    kind: int
    start: int
    end: int
    pid: int
    style: str = "record"


class Locks(Row, frozen=True, kw_only=True):
    """The locks on one inode (``id``), by owner and start."""

    held: tuple[Lock, ...]


def on(world: World, inode: InodeId) -> tuple[Lock, ...]:
    """The locks on ``inode``."""
    row = world.get(Locks, inode)
    return row.held if row is not None else ()


def conflict(world: World, inode: InodeId, wanted: Lock) -> Lock | None:
    """The first lock of another owner that ``wanted`` can't live with, or None."""
    for held in on(world, inode):
        if (
            held.style == wanted.style
            and held.owner != wanted.owner
            and held.start <= wanted.end
            and wanted.start <= held.end
            and F_WRLCK in (held.kind, wanted.kind)
        ):
            return held
    return None


def put(store: Store, inode: InodeId, wanted: Lock) -> None:
    """Place ``wanted`` (F_UNLCK: remove), splitting and joining the owner's own locks."""
    kept: list[Lock] = []
    mine: list[Lock] = []
    for held in on(store, inode):
        if held.owner != wanted.owner or held.style != wanted.style:
            kept.append(held)
        else:
            mine.extend(_without(held, wanted.start, wanted.end))
    if wanted.kind != F_UNLCK:
        mine = _joined([*mine, wanted])
    _write(store, inode, (*kept, *mine))


def release(store: Store, owner: Owner, inode: InodeId) -> None:
    """Drop every lock that ``owner`` has on ``inode``."""
    if store.get(Locks, inode) is None:
        return
    held = on(store, inode)
    kept = tuple(lock for lock in held if lock.owner != owner)
    if len(kept) != len(held):
        _write(store, inode, kept)


def _without(held: Lock, start: int, end: int) -> list[Lock]:
    if held.end < start or end < held.start:
        return [held]
    parts: list[Lock] = []
    if held.start < start:
        parts.append(msgspec.structs.replace(held, end=start - 1))
    if end < held.end:
        parts.append(msgspec.structs.replace(held, start=end + 1))
    return parts


def _joined(locks: list[Lock]) -> list[Lock]:
    locks.sort(key=lambda lock: lock.start)
    out = [locks[0]]
    for lock in locks[1:]:
        last = out[-1]
        if last.kind == lock.kind and lock.start <= last.end + 1:
            out[-1] = msgspec.structs.replace(last, end=max(last.end, lock.end))
        else:
            out.append(lock)
    return out


def _write(store: Store, inode: InodeId, held: tuple[Lock, ...]) -> None:
    if held:
        store.put(Locks(id=inode, held=held))
    elif store.get(Locks, inode) is not None:
        store.drop(Locks, inode)
