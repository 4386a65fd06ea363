"""A run's history: every event, the state after each, and branches off any of them.

``at(n)`` is the state after ``n`` events: the nearest keyframe carried forward over the journal.
A keyframe is a value of the whole state that shares what was not written since the one before. One
is taken when the journal has grown by as much as copying the tables would cost, so neither a small
world with many steps nor a large one with few pays more than its share. Nothing here is ever cut
off: a branch begins as a keyframe and makes its own only what it writes.
"""

from bisect import bisect_right
from typing import Generic, TypeVar

import msgspec

from simulator.machine.state.store import Store, World, Write, copy_tables

E = TypeVar("E")

_MIN_WRITES_PER_KEYFRAME = 256


class Origin(msgspec.Struct, frozen=True, eq=False):
    """Where a branch left its parent: ``timeline`` after ``step`` events."""

    timeline: "Timeline[object]"
    step: int


class Timeline(Generic[E]):
    """A store and the events that changed it; ``E`` is what an event is."""

    __slots__ = (
        "_keyframes",
        "_keyframes_at",
        "_lent",
        "_look_due",
        "_marks",
        "events",
        "origin",
        "store",
    )

    def __init__(
        self,
        store: Store | None = None,
        origin: Origin | None = None,
        keyframe: World | None = None,
    ) -> None:
        """``keyframe``: the store's state as it is now, which nobody changes."""
        self.store = store or Store()
        self.events: list[E] = []
        self.origin = origin
        self._begin(keyframe or World(copy_tables(self.store.tables)))

    def _begin(self, keyframe: World) -> None:
        self._marks: list[int] = [len(self.store.journal)]
        self._keyframes_at: list[int] = [0]
        self._keyframes: list[World] = [keyframe]
        self._lent: World | None = None
        self._look_due = self._marks[-1] + _MIN_WRITES_PER_KEYFRAME

    def __len__(self) -> int:
        return len(self.events)

    def commit(self, event: E) -> None:
        """Close a step: everything written since the last commit belongs to ``event``."""
        self.events.append(event)
        position = len(self.store.journal)
        self._marks.append(position)
        if position >= self._look_due:
            self._keyframe_if_due(position)

    def at(self, step: int) -> World:
        """The state after ``step`` events (0: before the first), as a value of its own."""
        if not 0 <= step <= len(self.events):
            raise IndexError(step)
        nearest = bisect_right(self._keyframes_at, step) - 1
        start = self._marks[self._keyframes_at[nearest]]
        writes = self.store.journal[start : self._marks[step]]
        if not writes:
            return self._keyframes[nearest]
        state = Store(self._keyframes[nearest])
        state.carry(writes)
        return state

    def diff(self, step: int) -> tuple[Write, ...]:
        """What event ``step`` (from 1) wrote."""
        if not 1 <= step <= len(self.events):
            return ()
        return tuple(self.store.journal[self._marks[step - 1] : self._marks[step]])

    def branch(self, step: int) -> "Timeline[E]":
        """A timeline of its own that starts from the state after ``step`` events."""
        keyframe = self._keyframe_at(step)
        return Timeline(Store(keyframe), Origin(self, step), keyframe)  # pyright: ignore[reportArgumentType]

    def undone(self) -> World:
        """The initial state, reached by undoing every write: equals ``at(0)`` or history lies."""
        tables = copy_tables(self.store.tables)
        for write in reversed(self.store.journal[self._marks[0] :]):
            if write.old is None:
                tables[write.table].pop(write.key, None)
            else:
                tables[write.table][write.key] = write.old
        return World(tables)

    def forget(self) -> None:
        """Begin history anew with the present state: for a machine that runs for days.

        Only between two steps, and never on a timeline that somebody has branched from.
        """
        now = self._now()
        self.events.clear()
        self.store.begin_anew()
        self._begin(now)

    def _keyframe_at(self, step: int) -> World:
        """A keyframe exactly there, kept for the next branch: sessions leave from one step."""
        place = bisect_right(self._keyframes_at, step)
        here = place and self._keyframes_at[place - 1] == step
        current = step == len(self.events) and len(self.store.journal) == self._marks[-1]
        if not here:
            state = self._now() if current else self.at(step)
            state.settle()
            self._keyframes.insert(place, state)
            self._keyframes_at.insert(place, step)
            place += 1
        keyframe = self._keyframes[place - 1]
        if current and keyframe is not self._lent:
            self.store.lend(keyframe)
            self._lent = keyframe
        return keyframe

    def _keyframe_if_due(self, position: int) -> None:
        """When half as much has been written as a whole copy would be."""
        rows = sum(map(len, self.store.tables.values()))
        due = self._marks[self._keyframes_at[-1]] + max(_MIN_WRITES_PER_KEYFRAME, rows // 2)
        if position >= due:
            self._keyframes.append(self._now())
            self._keyframes_at.append(len(self.events))
            due = position + _MIN_WRITES_PER_KEYFRAME
        self._look_due = due

    def _now(self) -> World:
        return self.store.world(self._keyframes[-1], self._marks[self._keyframes_at[-1]])
