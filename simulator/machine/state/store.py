"""Tables of frozen rows, one verb to write them, and the journal of every write.

A row never changes: a write puts a new row in its place and appends ``Write(table, key, old,
new)`` to the journal. The journal is at once the undo log, the difference that the screen paints,
and the bell that wakes sleeping tasks.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

import msgspec

Key: TypeAlias = Hashable


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every row; a row type is its own table, keyed by the row's ``id``."""

    id: Any


R = TypeVar("R", bound=Row)
Tables: TypeAlias = dict[type[Row], dict[Key, Row]]
Filed: TypeAlias = dict[Key, dict[Key, None]]
"""An index: the keys of rows, oldest first, by the values that a row is filed under."""


class Write(NamedTuple):
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

    Declared once at module level beside the row type. Built on first use, kept up by every write,
    never part of the state itself.
    """

    __slots__ = ("of", "table")

    def __init__(self, table: type[R], of: Callable[[R], Collection[Key]]) -> None:
        self.table = table
        self.of = of


class World:
    """A state of the machine that can be read."""

    __slots__ = ("_filed", "_indexes", "tables")

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._filed: dict[Index[Any], Filed] = {}
        self._indexes: dict[type[Row], list[tuple[Index[Any], Filed]]] = {}

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
        return self.tables.setdefault(table, {})  # pyright: ignore[reportReturnType]

    def count(self, table: type[Row]) -> int:
        """How many rows ``table`` has."""
        rows = self.tables.get(table)
        return len(rows) if rows else 0

    def by(self, index: Index[R], value: Key) -> tuple[Key, ...]:
        """The keys of the rows that ``index`` files under ``value``."""
        return tuple(self.filed(index).get(value, ()))

    def filed(self, index: Index[R]) -> "Filed":
        """The whole of ``index``, for reading only: it follows every later write."""
        filed = self._filed.get(index)
        return self._build(index) if filed is None else filed

    def first(self, index: Index[R], value: Key) -> R | None:
        """The oldest row that ``index`` files under ``value``, or None."""
        found = self.filed(index).get(value)
        return self.row(index.table, next(iter(found))) if found else None

    def rows_by(self, index: Index[R], value: Key) -> tuple[R, ...]:
        """The rows that ``index`` files under ``value``, oldest first."""
        return tuple(self.row(index.table, key) for key in self.by(index, value))

    def _build(self, index: Index[Any]) -> "Filed":
        filed: Filed = {}
        for key, row in self.tables.get(index.table, {}).items():
            for value in index.of(row):
                filed.setdefault(value, {})[key] = None
        self._filed[index] = filed
        self._indexes.setdefault(index.table, []).append((index, filed))
        return filed


class Store(World):
    """A state of the machine that can be written: the only mutable thing in the model."""

    __slots__ = ("journal",)

    def __init__(self, tables: Tables | None = None) -> None:
        super().__init__({} if tables is None else tables)
        self.journal: list[Write] = []

    def file_like(self, other: World) -> None:
        """Take over the indexes of ``other``, a state equal to this one."""
        for table, listed in other._indexes.items():  # pyright: ignore[reportPrivateUsage]
            mine: list[tuple[Index[Any], Filed]] = []
            for index, filed in listed:
                copied = {value: keys.copy() for value, keys in filed.items()}
                self._filed[index] = copied
                mine.append((index, copied))
            self._indexes[table] = mine

    def put(self, row: Row) -> None:
        """Write ``row`` under its id; an equal row in place is no write."""
        table = type(row)
        rows = self.tables.get(table)
        if rows is None:
            rows = self.tables[table] = {}
        key = row.id
        old = rows.get(key)
        if old is row:
            return
        rows[key] = row
        self.journal.append(Write(table, key, old, row))
        if table in self._indexes:
            self._refile(table, key, old, row)

    def drop(self, table: type[Row], key: Key) -> None:
        """Remove the row under ``key``; a missing one is a bug of the model (KeyError)."""
        old = self.tables[table].pop(key)
        self.journal.append(Write(table, key, old, None))
        if table in self._indexes:
            self._refile(table, key, old, None)

    def new_id(self, sequence: Key) -> int:
        """The next number of ``sequence``, from 1; numbers are never given twice."""
        counter = self.get(Counter, sequence)
        number = counter.last + 1 if counter else 1
        self.put(Counter(id=sequence, last=number))
        return number

    def rollback(self, mark: int) -> None:
        """Take back every write after journal position ``mark``."""
        while len(self.journal) > mark:
            table, key, old, new = self.journal.pop()
            _apply(self.tables, table, key, old)
            if table in self._indexes:
                self._refile(table, key, new, old)

    def _refile(self, table: type[Row], key: Key, old: Row | None, new: Row | None) -> None:
        for index, filed in self._indexes[table]:
            before = () if old is None else index.of(old)
            after = () if new is None else index.of(new)
            if before == after:
                continue
            for value in before:
                if value not in after:
                    keys = filed[value]
                    del keys[key]
                    if not keys:
                        del filed[value]
            for value in after:
                filed.setdefault(value, {})[key] = None


def copy_tables(tables: Tables) -> Tables:
    """A shallow copy: rows are frozen, so sharing them is safe."""
    return {table: rows.copy() for table, rows in tables.items()}


def same_tables(left: Tables, right: Tables) -> bool:
    """Whether two states are equal, row by row (an empty table equals an absent one)."""
    return {t: rows for t, rows in left.items() if rows} == {
        t: rows for t, rows in right.items() if rows
    }


def _apply(tables: Tables, table: type[Row], key: Key, row: Row | None) -> None:
    if row is None:
        tables[table].pop(key, None)
    else:
        tables.setdefault(table, {})[key] = row


def replay(tables: Tables, writes: Iterable[Write]) -> None:
    """Carry ``tables`` forward over ``writes``."""
    for table, key, _, new in writes:
        _apply(tables, table, key, new)
