"""Tables, sizes and ``--format``: docker/cli ``command/formatter``, go-units."""

from collections.abc import Iterable, Sequence
from typing import Any

from simulator.isolation.control.docker.client.templates import render
from simulator.isolation.control.docker.units import human_size

_PADDING = 3
_LEAST = 10


def table(titles: list[str], rows: Iterable[list[str]], least: int = _LEAST) -> str:
    """text/tabwriter with a cell of ``least`` columns and three blanks between."""
    every = [titles, *rows]
    widths = [
        max(max(len(row[at]) for row in every) + _PADDING, least) for at in range(len(titles) - 1)
    ]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        + row[-1]
        + "\n"
        for row in every
    )


def size(count: float) -> str:
    """As in lists: ``4.26MB``."""
    return human_size(count, 3)


def short(ident: str) -> str:
    """The first twelve digits of an id."""
    return ident.removeprefix("sha256:")[:12]


def elided(text: str, width: int) -> str:
    """formatter.Ellipsis()."""
    return text if len(text) <= width else text[: width - 1] + "…"


def template(text: str, value: Any) -> str:
    """A Go template of ``value``. Raises ``ClientError`` in Go's words."""
    if text == "json":
        text = "{{json .}}"
    return render(text.replace("\\t", "\t").replace("\\n", "\n"), value)


def layout(text: str, titles: dict[str, str], rows: Sequence[dict[str, Any]]) -> str:
    """``table TEMPLATE``: the template of the titles above that of each row, in columns."""
    every = [template(text, one).split("\t") for one in (titles, *rows)]
    return table(every[0], every[1:])
