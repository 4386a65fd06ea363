"""Tables, sizes and ``--format``: docker/cli ``command/formatter``, go-units."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from simulator.isolation.control.docker.client.wire import ClientError

_PADDING = 3
_LEAST = 10


def table(titles: list[str], rows: Iterable[list[str]]) -> str:
    """text/tabwriter with a cell of ten columns at least and three blanks between."""
    every = [titles, *rows]
    widths = [
        max(max(len(row[at]) for row in every) + _PADDING, _LEAST) for at in range(len(titles) - 1)
    ]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        + row[-1]
        + "\n"
        for row in every
    )


def size(count: float) -> str:
    """units.HumanSizeWithPrecision(3): ``4.26MB``."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g}PB"


def short(ident: str) -> str:
    """The first twelve digits of an id."""
    return ident.removeprefix("sha256:")[:12]


def elided(text: str, width: int) -> str:
    """formatter.Ellipsis()."""
    return text if len(text) <= width else text[: width - 1] + "…"


_ACTION = re.compile(r"\{\{\s*(.*?)\s*\}\}")


def template(text: str, value: Any) -> str:
    """A Go template of fields: ``{{.State.Pid}}``, ``{{json .Mounts}}``, ``{{len .X}}``.

    Raises ``ClientError`` for what else a template can do.
    """

    def put(match: re.Match[str]) -> str:
        words = match[1].split()
        function = words[0] if words[0] in ("json", "len", "upper", "lower", "println") else ""
        path = words[-1]
        if not path.startswith(".") or len(words) != (2 if function else 1):
            raise ClientError(f'template parsing error: template: :1: "{match[1]}" is not modelled')
        found = _field(value, path)
        if function == "json":
            return msgspec.json.encode(found).decode()
        if function == "len":
            return str(len(found or ()))
        return {"upper": str.upper, "lower": str.lower}.get(function, str)(_shown(found))

    return _ACTION.sub(put, text.replace("\\t", "\t").replace("\\n", "\n"))


def _field(value: Any, path: str) -> Any:
    for name in path.strip(".").split("."):
        if not name:
            continue
        if not isinstance(value, dict) or name not in value:
            raise ClientError(
                f'template: :1:2: executing "" at <{path}>: map has no entry for key "{name}"'
            )
        value = value[name]  # pyright: ignore[reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]


def _shown(value: Any) -> str:
    """As Go prints it with %v."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + " ".join(_shown(one) for one in value) + "]"  # pyright: ignore
    if isinstance(value, dict):
        pairs = sorted(value.items())  # pyright: ignore
        return "map[" + " ".join(f"{key}:{_shown(one)}" for key, one in pairs) + "]"  # pyright: ignore
    return str(value)
