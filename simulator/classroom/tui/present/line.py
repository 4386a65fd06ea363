"""One line of a panel."""

from collections.abc import Sequence

import msgspec

from simulator.machine.abi.ids import HOST, Domain


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` about an object of ``domain``.

    ``heading`` lines divide a panel and are never marked as changed.
    """

    text: str
    domain: Domain = HOST
    heading: bool = False


def heading(text: str) -> Line:
    """A line that names what follows."""
    return Line(text=text, heading=True)


def changed(lines: Sequence[Line], before: Sequence[Line]) -> frozenset[int]:
    """The positions of the lines that were not there, or read otherwise, before the step."""
    known = frozenset(before)
    return frozenset(
        position for position, line in enumerate(lines) if not line.heading and line not in known
    )
