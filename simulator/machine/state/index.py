"""Rows, and derived views of them: which rows have a value, kept beside the tables.

An index is no part of the state. A store that writes notes what a row was; ``catch_up`` brings the
indexes of a table up to date from such notes.
"""

import functools
from collections.abc import Callable, Collection, Hashable, Mapping
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

Key: TypeAlias = Hashable


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of every row; a row type is its own table, keyed by the row's ``id``."""

    id: Any


R = TypeVar("R", bound=Row)
Filed: TypeAlias = dict[Key, dict[Key, None]]
"""An index: the keys of rows, oldest first, by the values that a row is filed under."""


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


# Plain tuples, and not named ones: every write takes one of each apart.
Kept: TypeAlias = tuple[Index[Any], Filed, set[Key] | None]
"""An index that a store keeps up, and the values whose keys nobody shares (None: all)."""
Table: TypeAlias = tuple[dict[Key, Row], list[Kept], dict[Key, Row | None], Callable[[Row], object]]
"""A table that is a store's own, its indexes, the rows as they were when these were last up to date
(of those keys that were written since; None: absent), and what gives all that they read of a row.
"""


def filed_anew(index: Index[Any], rows: Mapping[Key, Row]) -> Filed:
    """The whole of ``index`` of these rows."""
    filed: Filed = {}
    of = index.of
    for key, row in rows.items():
        for value in of(row):
            filed.setdefault(value, {})[key] = None
    return filed


def filing_of(kept: list[Kept]) -> Callable[[Row], object]:
    """What gives all that these indexes read of a row, in one go."""
    return _filing(tuple([index for index, _filed, _own in kept]))


@functools.cache
def _filing(indexes: tuple[Index[Any], ...]) -> Callable[[Row], object]:
    reads = {name for index in indexes for name in index.reads}
    return attrgetter(*sorted(reads)) if reads else _nothing


def _nothing(_row: Row) -> None:
    """No index: nothing is read."""


def note(before: dict[Key, Row | None], key: Key, old: Row | None, new: Row | None) -> None:
    """What was not there when the indexes were up to date, and is gone again, needs no note."""
    if before.setdefault(key, old) is None and new is None:
        del before[key]


def catch_up(mine: Table) -> None:
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


def bring_over(one: Kept, before: Mapping[Key, Row], rows: Mapping[Key, Row]) -> None:
    """Make an index of the rows ``before`` one of ``rows``, most of which are the same."""
    kept = [one]
    for key, row in rows.items():
        old = before.get(key)
        if old is not row:
            _refile(kept, key, old, row)
    for key in before.keys() - rows.keys():
        _refile(kept, key, before[key], None)


def _refile(kept: list[Kept], key: Key, old: Row | None, new: Row | None) -> None:
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
