"""What commands print: JSON for programs, plain columns in a pipe, rich tables on a terminal."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

COLOURS = {
    "HOLDS": "green",
    "LEAKS": "red",
    "LIMITED": "yellow",
    "GRANTED": "cyan",
    "NOT_APPLICABLE": "bright_black",
    "INCONCLUSIVE": "magenta",
}


class OutputError(VitrinaError):
    """A file that the result can't be written to."""


def fancy() -> bool:
    """Whether a person at a terminal reads this, and likes colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def emit_json(value: Any, path: str | None = None) -> None:
    """``value`` as JSON on standard output, or into a file."""
    write(json.dumps(value, ensure_ascii=False, indent=2), path)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns: aligned text, or a rich table on a terminal."""
    listed = [list(row) for row in rows]
    if fancy():
        _rich(headers, listed)
        return
    widths = [
        max(len(header), *(len(row[index]) for row in listed), 0)
        for index, header in enumerate(headers)
    ]
    for row in ([*headers], *listed):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def _rich(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        shown.add_column(header, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    Console().print(shown)


def write(text: str, path: str | None) -> None:
    """``text`` into a file, or to standard output."""
    if path is None or path == "-":
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            _("{path}: can't be written: {reason}").format(path=path, reason=error.strerror)
        ) from None
