"""A run's history: every event, the state after each, and branches off any of them.

``at(n)`` is the state after ``n`` events: the nearest keyframe (a shallow copy of every table)
carried forward over the journal. A keyframe is taken when the journal has grown by as much as
copying the tables would cost, so neither a small world with many steps nor a large one with few
pays more than its share. Nothing here is ever cut off: a branch copies.
"""

from bisect import bisect_right
from typing import Generic, TypeVar

import msgspec

from simulator.machine.state.store import (
    Store,
    Tables,
    World,
    Write,
    copy_tables,
    replay,
)

E = TypeVar("E")

_MIN_WRITES_PER_KEYFRAME = 256


class Origin(msgspec.Struct, frozen=True, eq=False):
    """Where a branch left its parent: ``timeline`` after ``step`` events."""

    timeline: "Timeline[object]"
    step: int


class Timeline(Generic[E]):
    """A store and the events that changed it; ``E`` is what an event is."""

    __slots__ = (
        "_keyframe_due",
        "_keyframes",
        "_keyframes_at",
        "_marks",
        "events",
        "origin",
        "store",
    )

    def __init__(
        self,
        store: Store | None = None,
        origin: Origin | None = None,
        keyframe: Tables | None = None,
    ) -> None:
        """``keyframe``: the store's tables as they are now, a copy that nobody changes."""
        self.store = store or Store()
        self.events: list[E] = []
        self.origin = origin
        self._marks: list[int] = [len(self.store.journal)]
        self._keyframes_at: list[int] = []
        self._keyframes: list[Tables] = []
        self._keyframe(keyframe)

    def __len__(self) -> int:
        return len(self.events)

    def commit(self, event: E) -> None:
        """Close a step: everything written since the last commit belongs to ``event``."""
        self.events.append(event)
        position = len(self.store.journal)
        self._marks.append(position)
        if position >= self._keyframe_due:
            self._keyframe()

    def at(self, step: int) -> World:
        """The state after ``step`` events (0: before the first), as a value of its own."""
        return World(self._tables_at(step))

    def diff(self, step: int) -> tuple[Write, ...]:
        """What event ``step`` (from 1) wrote."""
        if not 1 <= step <= len(self.events):
            return ()
        return tuple(self.store.journal[self._marks[step - 1] : self._marks[step]])

    def branch(self, step: int) -> "Timeline[E]":
        """A timeline of its own that starts from the state after ``step`` events."""
        keyframe = self._keyframe_at(step)
        store = Store(copy_tables(keyframe))
        if step == len(self.events) and len(self.store.journal) == self._marks[-1]:
            store.file_like(self.store)
        return Timeline(store, Origin(self, step), keyframe)  # pyright: ignore[reportArgumentType]

    def _keyframe_at(self, step: int) -> Tables:
        """A keyframe exactly there, kept for the next branch: sessions leave from one step."""
        place = bisect_right(self._keyframes_at, step)
        if place and self._keyframes_at[place - 1] == step:
            return self._keyframes[place - 1]
        tables = self._tables_at(step)
        self._keyframes_at.insert(place, step)
        self._keyframes.insert(place, tables)
        return tables

    def undone(self) -> World:
        """The initial state, reached by undoing every write: equals ``at(0)`` or history lies."""
        tables = copy_tables(self.store.tables)
        for table, key, old, _ in reversed(self.store.journal[self._marks[0] :]):
            if old is None:
                tables[table].pop(key, None)
            else:
                tables[table][key] = old
        return World(tables)

    def forget(self) -> None:
        """Begin history anew with the present state: for a machine that runs for days.

        Only between two steps, and never on a timeline that somebody has branched from.
        """
        self.events.clear()
        self.store.journal.clear()
        self._marks = [0]
        self._keyframes_at.clear()
        self._keyframes.clear()
        self._keyframe()

    def _tables_at(self, step: int) -> Tables:
        if not 0 <= step <= len(self.events):
            raise IndexError(step)
        nearest = bisect_right(self._keyframes_at, step) - 1
        tables = copy_tables(self._keyframes[nearest])
        start = self._marks[self._keyframes_at[nearest]]
        replay(tables, self.store.journal[start : self._marks[step]])
        return tables

    def _keyframe(self, tables: Tables | None = None) -> None:
        """Copy every table; the next copy is due when as much again has been written."""
        rows = sum(map(len, self.store.tables.values()))
        self._keyframe_due = self._marks[-1] + max(_MIN_WRITES_PER_KEYFRAME, rows // 2)
        self._keyframes_at.append(len(self.events))
        self._keyframes.append(copy_tables(self.store.tables) if tables is None else tables)
