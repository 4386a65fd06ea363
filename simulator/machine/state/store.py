"""Tables of frozen rows, one verb to write them, and the journal of every write.

A row never changes: a write puts a new row in its place and appends ``Write(table, key, old,
new)`` to the journal. The journal is at once the undo log, the difference that the screen paints,
and the bell that wakes sleeping tasks.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar, cast
from weakref import ref

import msgspec

from simulator.machine.state.index import (
    Filed,
    Index,
    Kept,
    Key,
    Row,
    Table,
    bring_over,
    catch_up,
    filed_anew,
    filing_of,
    note,
)

__all__ = (
    "Counter", "Index", "Key", "Row", "Store", "Tables", "World", "Write", "copy_tables",
    "same_tables",
)  # fmt: skip

R = TypeVar("R", bound=Row)
Tables: TypeAlias = dict[type[Row], dict[Key, Row]]


class Write(msgspec.Struct, frozen=True, gc=False):
    """One change: the row under ``key`` of ``table`` was ``old`` and is ``new`` (None: absent)."""

    table: type[Row]
    key: Key
    old: Row | None
    new: Row | None


class Counter(Row, frozen=True, kw_only=True):
    """The last id handed out of one sequence; ``id`` names the sequence."""

    last: int


class World:
    """A state of the machine that can be read."""

    __slots__ = ("_filed", "_views", "memory", "tables")

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.memory: dict[Key, Any] = {}
        """What readers keep of this state, which whoever begins with it begins with."""
        self._filed: dict[Index[Any], Filed] = {}
        self._views: dict[type[Row], list[Index[Any]]] = {}
        """The indexes of ``_filed`` by their table."""

    def get(self, table: type[R], key: Key) -> R | None:
        """The row of ``table`` under ``key``, or None."""
        # No cast(): this is the hottest line of the model, and a call costs more than the look-up.
        rows = self.tables.get(table)
        return rows.get(key) if rows is not None else None  # pyright: ignore[reportReturnType]

    def row(self, table: type[R], key: Key) -> R:
        """The row of ``table`` under ``key``; a missing one is a bug of the model (KeyError)."""
        return self.tables[table][key]  # pyright: ignore[reportReturnType]

    def all(self, table: type[R]) -> Iterator[R]:
        """Every row of ``table``, oldest first."""
        return iter(cast("tuple[R, ...]", tuple(self.tables.get(table, {}).values())))

    def rows(self, table: type[R]) -> Mapping[Key, R]:
        """The table itself, for reading only: for loops that cannot afford a call a row."""
        return self.tables.get(table, {})  # pyright: ignore[reportReturnType]

    def count(self, table: type[Row]) -> int:
        """How many rows ``table`` has."""
        rows = self.tables.get(table)
        return len(rows) if rows else 0

    def by(self, index: Index[R], value: Key) -> tuple[Key, ...]:
        """The keys of the rows that ``index`` files under ``value``."""
        return tuple(self.filed(index).get(value, ()))

    def many(self, index: Index[R], value: Key) -> int:
        """How many rows ``index`` files under ``value``."""
        return len(self.filed(index).get(value, ()))

    def filed(self, index: Index[R]) -> "Filed":
        """The whole of ``index``, for reading only."""
        filed = self._filed.get(index)
        if filed is None:
            filed = self._file(index, filed_anew(index, self.tables.get(index.table, {})))
        return filed

    def settle(self) -> None:
        """Be ready for several readers at once."""

    def _file(self, index: Index[Any], filed: Filed) -> Filed:
        if index not in self._filed:
            self._views.setdefault(index.table, []).append(index)
        self._filed[index] = filed
        return filed

    def first(self, index: Index[R], value: Key) -> R | None:
        """The oldest row that ``index`` files under ``value``, or None."""
        found = self.filed(index).get(value)
        if found is None:
            return None
        return self.tables[index.table][next(iter(found))]  # pyright: ignore[reportReturnType]

    def rows_by(self, index: Index[R], value: Key) -> tuple[R, ...]:
        """The rows that ``index`` files under ``value``, oldest first."""
        found = self.filed(index).get(value)
        if found is None:
            return ()
        rows = self.tables[index.table]
        return tuple([rows[key] for key in found])  # pyright: ignore[reportReturnType]


class Reader(Protocol):
    """Somebody who keeps something of a store's state in mind."""

    def lend(self, world: World) -> None:
        """Put into ``world.memory`` what holds for the present state, of which ``world`` is one."""
        ...


class Store(World):
    """A state of the machine that can be written: the only mutable thing in the model.

    It begins as ``base``, a state that nobody writes any more, and shares its tables and indexes
    until it writes. A write leaves the indexes alone but for a note of what the row was: they are
    brought up to date when somebody asks, so a row that changes often in between, or is gone again,
    costs them nothing, and nobody pays for an index that nobody asks.
    """

    __slots__ = ("_base", "_mine", "_ready", "journal", "reader")

    def __init__(self, base: World | None = None) -> None:
        super().__init__({} if base is None else base.tables.copy())
        if base is not None:
            self.memory = base.memory
        self._base = base
        self.reader: ref[Reader] | None = None
        """A weak one: a reader holds the store, and a store that nobody holds should be gone."""
        self._mine: dict[type[Row], Table] = {}
        self._ready: dict[Index[Any], tuple[Filed, dict[Key, Row | None]]] = {}
        """The indexes of its own tables, each with those rows that it may not have taken in yet."""
        self.journal: list[Write] = []

    def rows(self, table: type[R]) -> Mapping[Key, R]:
        """The table itself, for reading only; it follows every later write."""
        mine = self._mine.get(table) or self._own(table)
        return mine[0]  # pyright: ignore[reportReturnType]

    def filed(self, index: Index[R]) -> Filed:
        """The whole of ``index``, for reading only, and only until the next write."""
        ready = self._ready.get(index)
        if ready is not None and not ready[1]:
            return ready[0]
        mine = self._mine.get(index.table)
        if mine is None:
            if self._base is not None:
                return self._base.filed(index)
            mine = self._own(index.table)
        catch_up(mine)
        filed = self._filed.get(index)
        return self._keep_up(index, mine) if filed is None else filed

    def put(self, row: Row) -> None:
        """Write ``row`` under its id; an equal row in place is no write."""
        table = type(row)
        rows, kept, before, _filing = self._mine.get(table) or self._own(table)
        key = row.id
        old = rows.get(key)
        if old is row:
            return
        rows[key] = row
        self.journal.append(Write(table, key, old, row))
        if kept and key not in before:
            before[key] = old

    def drop(self, table: type[Row], key: Key) -> None:
        """Remove the row under ``key``; a missing one is a bug of the model (KeyError)."""
        rows, kept, before, _filing = self._mine.get(table) or self._own(table)
        old = rows.pop(key)
        self.journal.append(Write(table, key, old, None))
        if kept:
            note(before, key, old, None)

    def new_id(self, sequence: Key) -> int:
        """The next number of ``sequence``, from 1; numbers are never given twice."""
        rows, kept, before, _filing = self._mine.get(Counter) or self._own(Counter)
        old: Any = rows.get(sequence)
        number: int = 1 if old is None else old.last + 1
        # What ``put`` does, but for a call: hardly any row is written as often
        new = rows[sequence] = Counter(id=sequence, last=number)
        self.journal.append(Write(Counter, sequence, old, new))
        if kept:
            before.setdefault(sequence, old)
        return number

    def rollback(self, mark: int) -> None:
        """Take back every write after journal position ``mark``."""
        while len(self.journal) > mark:
            write = self.journal.pop()
            self._set(write.table, write.key, write.new, write.old)

    def carry(self, writes: Iterable[Write]) -> None:
        """Bring this state forward over ``writes`` of another one, which are not journalled."""
        self.memory = {}
        for write in writes:
            self._set(write.table, write.key, write.old, write.new)

    def world(self, last: World, since: int) -> World:
        """The present state as a value of its own.

        ``last`` is such a value from journal position ``since``: what was not written after that
        is shared with it.
        """
        written = {write.table for write in self.journal[since:]}
        tables = last.tables.copy()
        tables.update((table, self.tables[table].copy()) for table in written)
        return World(tables)

    def begin_anew(self) -> None:
        """Forget what was written: the present state is the first."""
        self.journal = []  # another list, by which who remembers a place in the old one is told
        self.memory = {}

    def lend(self, world: World) -> None:
        """Share the indexes with ``world``, a value of the present state, and what is in mind."""
        reader = None if self.reader is None else self.reader()
        if reader is not None:
            reader.lend(world)
        if self._base is not None:
            for index in tuple(self._base._filed):
                if index.table not in self._mine:  # else the base's is of rows before a write
                    world._file(index, self._base.filed(index))
        self.settle()
        for _rows, kept, _before, _filing in self._mine.values():
            for place, (index, filed, _own) in enumerate(kept):
                world._file(index, filed.copy())
                kept[place] = (index, filed, set())

    def settle(self) -> None:
        """Bring every index up to date: nothing is left to do when it is asked."""
        for mine in self._mine.values():
            catch_up(mine)

    def _set(self, table: type[Row], key: Key, old: Row | None, new: Row | None) -> None:
        rows, kept, before, _filing = self._mine.get(table) or self._own(table)
        if new is None:
            rows.pop(key, None)
        else:
            rows[key] = new
        if kept:
            note(before, key, old, new)

    def _own(self, table: type[Row]) -> Table:
        """Make a table this store's own, with the indexes that its base has of it."""
        shared = self.tables.get(table)
        rows = self.tables[table] = {} if shared is None else shared.copy()
        kept: list[Kept] = []
        before: dict[Key, Row | None] = {}
        if self._base is not None:
            for index in self._base._views.get(table, ()):
                filed = self._file(index, self._base.filed(index).copy())
                kept.append((index, filed, set()))
                self._ready[index] = (filed, before)
        mine = self._mine[table] = (rows, kept, before, filing_of(kept))
        return mine

    def _keep_up(self, index: Index[Any], mine: Table) -> Filed:
        """An index is asked for the first time since its table, ``mine``, was written.

        The base files it too, for the next branch of it to begin with.
        """
        rows, kept, before, _old = mine
        if self._base is None:
            filed, own = filed_anew(index, rows), None
        else:
            filed, own = self._base.filed(index).copy(), set[Key]()
            bring_over((index, filed, own), self._base.tables.get(index.table, {}), rows)
        self._file(index, filed)
        kept.append((index, filed, own))
        self._ready[index] = (filed, before)
        self._mine[index.table] = (rows, kept, before, filing_of(kept))
        return filed


def copy_tables(tables: Tables) -> Tables:
    """A shallow copy: rows are frozen, so sharing them is safe."""
    return {table: rows.copy() for table, rows in tables.items()}


def same_tables(left: Tables, right: Tables) -> bool:
    """Whether two states are equal, row by row (an empty table equals an absent one)."""
    return {t: rows for t, rows in left.items() if rows} == {
        t: rows for t, rows in right.items() if rows
    }
