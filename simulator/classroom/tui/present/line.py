"""One line of a panel."""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.state.store import Key, Row, Write

RowKey: TypeAlias = tuple[type[Row], Key]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` about an object of ``domain``; ``keys`` are the rows it was computed from.

    ``heading`` lines divide a panel and are never marked as changed.
    """

    text: str
    domain: Domain = HOST
    keys: tuple[RowKey, ...] = ()
    heading: bool = False


def heading(text: str) -> Line:
    """A line that names what follows."""
    return Line(text=text, heading=True)


def changed(lines: Iterable[Line], writes: Iterable[Write]) -> frozenset[int]:
    """The positions of the lines whose rows some write touched."""
    touched = {(write.table, write.key) for write in writes}
    return frozenset(
        position
        for position, line in enumerate(lines)
        if not line.heading and any(key in touched for key in line.keys)
    )


def vanished(writes: Iterable[Write], table: type[Row]) -> tuple[Row, ...]:
    """The rows of ``table`` that a step removed."""
    return tuple(w.old for w in writes if w.table is table and w.new is None and w.old is not None)
