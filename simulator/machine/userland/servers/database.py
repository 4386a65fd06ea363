"""The tiny store behind postgres and mysqld: SQLite in memory, its bytes in a simulated file.

Nothing of this machine can be reached by a statement: databases can't be attached, extensions not
loaded, clocks and random numbers not asked, and a statement that goes on for ever is ended.
"""

import re
import sqlite3
from typing import NamedTuple

_STEPS = 2_000_000
_FORBIDDEN = frozenset(
    ("date", "datetime", "fts3_tokenizer", "julianday", "load_extension", "random", "randomblob",
     "readfile", "strftime", "time", "timediff", "unixepoch", "writefile", "edit")
)  # fmt: skip
_ALLOWED_PRAGMAS = frozenset(("table_info", "foreign_keys"))


class Answer(NamedTuple):
    """Column names, rows as text (None: NULL), and what was done (``INSERT 0 1``)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    tag: str


class DatabaseError(Exception):
    """A statement was refused: SQLite's own words."""


class Database:
    """One database. ``now`` is what NOW() gives."""

    def __init__(self, content: bytes = b"") -> None:
        self.now = ""
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        if content:
            self._connection.deserialize(content)
        else:
            self._connection.execute("PRAGMA user_version = 1")  # an empty one has no bytes
        self._connection.set_authorizer(_authorize)
        self._connection.set_progress_handler(self._tick, 10_000)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 << 20)
        self._connection.create_function("now", 0, lambda: self.now)
        self._left = _STEPS

    def _tick(self) -> int:
        self._left -= 10_000
        return self._left < 0

    def content(self) -> bytes:
        """The whole database, for a file."""
        self._connection.set_authorizer(None)
        data = self._connection.serialize()
        self._connection.set_authorizer(_authorize)
        return data

    def run(self, statement: str) -> Answer:
        """One statement. Raises ``DatabaseError``."""
        self._left = _STEPS
        try:
            cursor = self._connection.execute(statement)
            rows = cursor.fetchall()
        except (sqlite3.Error, ValueError, OverflowError) as error:
            raise DatabaseError(str(error)) from None
        columns = tuple(str(one[0]) for one in cursor.description or ())
        shown = tuple(tuple(_text(value) for value in row) for row in rows)
        return Answer(columns, shown, _tag(statement, len(rows), cursor.rowcount))

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        found = self.run("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").rows
        return [row[0] for row in found if row[0] and not row[0].startswith("sqlite_")]

    def described(self, table: str) -> list[tuple[str, str, bool]]:
        """Columns of a table: name, type, whether NULL is refused."""
        name = table.replace("'", "''")
        rows = self.run(f"SELECT name, type, \"notnull\" FROM pragma_table_info('{name}')").rows
        return [(str(row[0]), (row[1] or "").lower(), row[2] == "1") for row in rows]


def _authorize(action: int, first: str | None, second: str | None, *_rest: str | None) -> int:
    if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and first not in _ALLOWED_PRAGMAS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FORBIDDEN:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_CREATE_VTABLE:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(value)


def _tag(statement: str, rows: int, changed: int) -> str:
    words = statement.split(None, 2)
    first = words[0].upper() if words else ""
    if first in ("SELECT", "WITH", "VALUES"):
        return f"SELECT {rows}"
    if first == "INSERT":
        return f"INSERT 0 {max(changed, 0)}"
    if first in ("UPDATE", "DELETE"):
        return f"{first} {max(changed, 0)}"
    if first in ("CREATE", "DROP", "ALTER") and len(words) > 1:
        return f"{first} {words[1].upper()}"
    return first


def statements(text: str) -> tuple[list[str], str]:
    """Whole statements without their semicolons, and what is left over."""
    found: list[str] = []
    start = 0
    for mark in re.finditer(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|;", text):
        if mark[0] == ";":
            one = text[start : mark.start()].strip()
            start = mark.end()
            if one:
                found.append(one)
    return found, text[start:].strip()


def table(answer: Answer) -> str:
    """Rows drawn as psql draws them."""
    cells = [[value or "" for value in row] for row in answer.rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) if cells else len(name)
              for i, name in enumerate(answer.columns)]  # fmt: skip
    lines = ["|".join(f" {n.center(w)} " for n, w in zip(answer.columns, widths, strict=True))]
    lines.append("+".join("-" * (width + 2) for width in widths))
    for row in cells:
        drawn = [v.rjust(w) if _is_number(v) else v.ljust(w)
                 for v, w in zip(row, widths, strict=True)]  # fmt: skip
        lines.append("|".join(f" {one} " for one in drawn).rstrip())
    count = len(cells)
    return "\n".join([*lines, f"({count} row{'' if count == 1 else 's'})", ""])


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def boxed(answer: Answer) -> str:
    """Rows drawn as mysql draws them."""
    cells = [["NULL" if value is None else value for value in row] for row in answer.rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) if cells else len(name)
              for i, name in enumerate(answer.columns)]  # fmt: skip
    edge = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def drawn(row: list[str]) -> str:
        parts = [f" {v.rjust(w) if _is_number(v) else v.ljust(w)} "
                 for v, w in zip(row, widths, strict=True)]  # fmt: skip
        return "|" + "|".join(parts) + "|"

    head = "|" + "|".join(f" {n.ljust(w)} " for n, w in zip(answer.columns, widths, strict=True))
    return "\n".join([edge, head + "|", edge, *(drawn(row) for row in cells), edge, ""])
