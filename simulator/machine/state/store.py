"""Tables of frozen rows, one verb to write them, and the journal of every write.

A row never changes: a write puts a new row in its place and appends ``Write(table, key, old,
new)`` to the journal. The journal is at once the undo log, the difference that the screen paints,
and the bell that wakes sleeping tasks.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar, cast

import msgspec

Key: TypeAlias = Hashable


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of every row; a row type is its own table, keyed by the row's ``id``."""

    id: Any


R = TypeVar("R", bound=Row)
Tables: TypeAlias = dict[type[Row], dict[Key, Row]]
Filed: TypeAlias = dict[Key, dict[Key, None]]
"""An index: the keys of rows, oldest first, by the values that a row is filed under."""


class Write(msgspec.Struct, frozen=True, gc=False):
    """One change: the row under ``key`` of ``table`` was ``old`` and is ``new`` (None: absent)."""

    table: type[Row]
    key: Key
    old: Row | None
    new: Row | None


class Counter(Row, frozen=True, kw_only=True):
    """The last id handed out of one sequence; ``id`` names the sequence."""

    last: int


class Index(Generic[R]):
    """A derived view: the keys of ``table``'s rows by any values that ``of`` computes from a row.

    ``reads`` names everything that ``of`` looks at (``"cred.ruid"`` for a part of a field): a write
    that leaves all of it as it was costs the index nothing. Declared once at module level beside
    the row type. Built on first use, brought up to date when it is asked, never part of the state
    itself.
    ``between`` is for rows with very many values: those that only the former of two rows has, and
    those that only the latter has.
    """

    __slots__ = ("between", "filing", "of", "reads", "table")

    def __init__(
        self,
        table: type[R],
        of: Callable[[R], Collection[Key]],
        *reads: str,
        between: Callable[[R, R], tuple[Collection[Key], Collection[Key]]] | None = None,
    ) -> None:
        self.table = table
        self.of = of
        self.reads = reads
        self.filing: Callable[[R], object] = attrgetter(*reads)
        """What gives all that is read of a row."""
        self.between = between


class World:
    """A state of the machine that can be read."""

    __slots__ = ("_filed", "_views", "tables")

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
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
            filed = self._file(index, _filed_anew(index, self.tables.get(index.table, {})))
        return filed

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


# Plain tuples, and not named ones: every write takes one of each apart.
_Kept: TypeAlias = tuple[Index[Any], Filed, set[Key] | None]
"""An index that a store keeps up, and the values whose keys nobody shares (None: all)."""
_Mine: TypeAlias = tuple[
    dict[Key, Row], list[_Kept], dict[Key, Row | None], Callable[[Row], object]
]
"""A table that is a store's own, its indexes, the rows as they were when these were last up to date
(of those keys that were written since; None: absent), and what gives all that they read of a row.
"""


class Store(World):
    """A state of the machine that can be written: the only mutable thing in the model.

    It begins as ``base``, a state that nobody writes any more, and shares its tables and indexes
    until it writes. A write leaves the indexes alone but for a note of what the row was: they are
    brought up to date when somebody asks, so a row that changes often in between, or is gone again,
    costs them nothing, and nobody pays for an index that nobody asks.
    """

    __slots__ = ("_base", "_mine", "journal")

    def __init__(self, base: World | None = None) -> None:
        super().__init__({} if base is None else base.tables.copy())
        self._base = base
        self._mine: dict[type[Row], _Mine] = {}
        self.journal: list[Write] = []

    def rows(self, table: type[R]) -> Mapping[Key, R]:
        """The table itself, for reading only; it follows every later write."""
        mine = self._mine.get(table) or self._own(table)
        return mine[0]  # pyright: ignore[reportReturnType]

    def filed(self, index: Index[R]) -> Filed:
        """The whole of ``index``, for reading only, and only until the next write."""
        mine = self._mine.get(index.table)
        if mine is None:
            if self._base is not None:
                return self._base.filed(index)
            mine = self._own(index.table)
        if mine[2]:
            _catch_up(mine)
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
            _note(before, key, old, None)

    def new_id(self, sequence: Key) -> int:
        """The next number of ``sequence``, from 1; numbers are never given twice."""
        rows, kept, before, _filing = self._mine.get(Counter) or self._own(Counter)
        old = rows.get(sequence)
        number: int = 1 if old is None else old.last + 1  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
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

    def lend(self, world: World) -> None:
        """Share the indexes with ``world``, a value of the present state."""
        if self._base is not None:
            for index in tuple(self._base._filed):
                if index.table not in self._mine:  # else the base's is of rows before a write
                    world._file(index, self._base.filed(index))
        for mine in self._mine.values():
            _catch_up(mine)
            kept = mine[1]
            for place, (index, filed, _own) in enumerate(kept):
                world._file(index, filed.copy())
                kept[place] = (index, filed, set())

    def _set(self, table: type[Row], key: Key, old: Row | None, new: Row | None) -> None:
        rows, kept, before, _filing = self._mine.get(table) or self._own(table)
        if new is None:
            rows.pop(key, None)
        else:
            rows[key] = new
        if kept:
            _note(before, key, old, new)

    def _own(self, table: type[Row]) -> _Mine:
        """Make a table this store's own, with the indexes that its base has of it."""
        shared = self.tables.get(table)
        rows = self.tables[table] = {} if shared is None else shared.copy()
        kept: list[_Kept] = []
        if self._base is not None:
            for index in self._base._views.get(table, ()):
                filed = self._file(index, self._base.filed(index).copy())
                kept.append((index, filed, set()))
        mine = self._mine[table] = (rows, kept, {}, _filing(kept))
        return mine

    def _keep_up(self, index: Index[Any], mine: _Mine) -> Filed:
        """An index is asked for the first time since its table, ``mine``, was written.

        The base files it too, for the next branch of it to begin with.
        """
        if self._base is not None:
            self._base.filed(index)
        rows, kept, before, _old = mine
        filed = self._file(index, _filed_anew(index, rows))
        kept.append((index, filed, None))
        self._mine[index.table] = (rows, kept, before, _filing(kept))
        return filed


def _filed_anew(index: Index[Any], rows: Mapping[Key, Row]) -> Filed:
    filed: Filed = {}
    of = index.of
    for key, row in rows.items():
        for value in of(row):
            filed.setdefault(value, {})[key] = None
    return filed


def _filing(kept: list[_Kept]) -> Callable[[Row], object]:
    """What gives all that these indexes read of a row, in one go."""
    reads = {name for index, _filed, _own in kept for name in index.reads}
    return attrgetter(*sorted(reads)) if reads else _nothing


def _nothing(_row: Row) -> None:
    """No index: nothing is read."""


def _note(before: dict[Key, Row | None], key: Key, old: Row | None, new: Row | None) -> None:
    """What was not there when the indexes were up to date, and is gone again, needs no note."""
    if before.setdefault(key, old) is None and new is None:
        del before[key]


def _catch_up(mine: _Mine) -> None:
    """Bring the indexes of a table up to date."""
    rows, kept, before, filing = mine
    for key, old in before.items():
        new = rows.get(key)
        if old is None or new is None:
            if old is not new:
                _refile(kept, key, old, new)
        elif old is not new and filing(old) != filing(new):
            _refile(kept, key, old, new)
    before.clear()


def _refile(kept: list[_Kept], key: Key, old: Row | None, new: Row | None) -> None:
    for index, filed, own in kept:
        if old is None or new is None:
            before = () if old is None else index.of(old)
            after = () if new is None else index.of(new)
        elif len(kept) > 1 and index.filing(old) == index.filing(new):
            continue
        elif index.between is None:
            before, after = index.of(old), index.of(new)
        else:
            before, after = index.between(old, new)
        for value in before:
            if value not in after:
                keys = filed[value]
                if len(keys) == 1:
                    del filed[value]
                    continue
                if own is not None and value not in own:
                    keys = _own_keys(filed, own, value)
                del keys[key]
        for value in after:
            keys = filed.get(value)
            if keys is None:
                filed[value] = {key: None}
                if own is not None:
                    own.add(value)
            elif key not in keys:
                if own is not None and value not in own:
                    keys = _own_keys(filed, own, value)
                keys[key] = None


def _own_keys(filed: Filed, own: set[Key], value: Key) -> dict[Key, None]:
    """Make the keys under ``value`` the store's own before they change."""
    own.add(value)
    keys = filed[value] = filed[value].copy()
    return keys


def copy_tables(tables: Tables) -> Tables:
    """A shallow copy: rows are frozen, so sharing them is safe."""
    return {table: rows.copy() for table, rows in tables.items()}


def same_tables(left: Tables, right: Tables) -> bool:
    """Whether two states are equal, row by row (an empty table equals an absent one)."""
    return {t: rows for t, rows in left.items() if rows} == {
        t: rows for t, rows in right.items() if rows
    }
