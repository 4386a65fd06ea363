"""A matrix as text: Markdown, HTML, CSV and SVG, each a function of the same grid."""

import csv
import html
import io
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from simulator.experiment.engine.matrix import Cell

FILL = {
    "HOLDS": "#2e7d32",
    "LEAKS": "#c62828",
    "LIMITED": "#b26a00",
    "GRANTED": "#00727a",
    "NOT_APPLICABLE": "#6b6b6b",
    "INCONCLUSIVE": "#7b3fa0",
}
"""Dark enough for white text (contrast above 4.5)."""


class GridRow(NamedTuple):
    """One probe: its outcome on each technology, and what stopped it."""

    probe: str
    group: str
    outcomes: tuple[str, ...]
    walls: tuple[str, ...]


class Grid(NamedTuple):
    """Probes down, technologies across."""

    specs: tuple[str, ...]
    rows: tuple[GridRow, ...]


def grid(cells: Iterable[Cell]) -> Grid:
    """Cells by probe, in the order in which they came."""
    listed = list(cells)
    specs = tuple(dict.fromkeys(_column(cell) for cell in listed))
    found = {(cell.probe, _column(cell)): cell for cell in listed}
    rows: list[GridRow] = []
    for probe, group in dict.fromkeys((cell.probe, cell.group) for cell in listed):
        mine = [found.get((probe, spec)) for spec in specs]
        rows.append(
            GridRow(
                probe,
                group,
                tuple(cell.verdict.outcome.name if cell else "" for cell in mine),
                tuple((cell.verdict.stopped_by or "") if cell else "" for cell in mine),
            )
        )
    return Grid(specs, tuple(rows))


def _column(cell: Cell) -> str:
    return " ".join([cell.spec, *(f"--without {name}" for name in cell.without)])


def markdown(table: Grid) -> str:
    """A GitHub table."""
    lines = [_bar(["probe", *table.specs]), _bar(["---"] * (len(table.specs) + 1))]
    lines += [_bar([row.probe, *row.outcomes]) for row in table.rows]
    return "\n".join(lines) + "\n"


def _bar(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_csv(table: Grid) -> str:
    """RFC 4180, one row a probe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["probe", "group", *table.specs])
    writer.writerows([row.probe, row.group, *row.outcomes] for row in table.rows)
    return out.getvalue()


def as_html(table: Grid) -> str:
    """One page that needs nothing else."""
    head = "".join(f'<th scope="col">{html.escape(spec)}</th>' for spec in table.specs)
    body = "".join(
        f'<tr><th scope="row">{html.escape(row.probe)}</th>'
        + "".join(
            f'<td style="background:{FILL.get(outcome, "#fff")}" title="{html.escape(wall)}">'
            f"{outcome}</td>"
            for outcome, wall in zip(row.outcomes, row.walls, strict=True)
        )
        + "</tr>\n"
        for row in table.rows
    )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Vitrina</title>\n'
        "<style>table{border-collapse:collapse;font:14px sans-serif}"
        "td{color:#fff;padding:4px 8px;border:1px solid #fff}"
        "th{padding:4px 8px;text-align:left}</style>\n"
        f'<table><thead><tr><th scope="col">probe</th>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table></html>\n"
    )


_ROW, _LEFT, _WIDE = 22, 220, 150


def as_svg(table: Grid) -> str:
    """A picture: one coloured box a cell."""
    width = _LEFT + _WIDE * len(table.specs)
    height = _ROW * (len(table.rows) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
    ]
    parts += [
        f'<text x="{_LEFT + _WIDE * index + 6}" y="15" font-weight="bold">'
        f"{html.escape(spec)}</text>"
        for index, spec in enumerate(table.specs)
    ]
    for number, row in enumerate(table.rows, start=1):
        top = _ROW * number
        parts.append(f'<text x="4" y="{top + 15}">{html.escape(row.probe)}</text>')
        for index, outcome in enumerate(row.outcomes):
            left = _LEFT + _WIDE * index
            parts.append(
                f'<rect x="{left}" y="{top + 1}" width="{_WIDE - 2}" height="{_ROW - 2}" '
                f'fill="{FILL.get(outcome, "#fff")}"/>'
                f'<text x="{left + 6}" y="{top + 15}" fill="#fff">{outcome}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


FORMATS: dict[str, Callable[[Grid], str]] = {
    "md": markdown,
    "html": as_html,
    "csv": as_csv,
    "svg": as_svg,
}

WITH_WALLS = frozenset({"html"})
"""Formats that tell what stopped a probe; the others show outcomes only."""


def by_name(path: str) -> str:
    """The format that a file's name ends with; Markdown when it says nothing."""
    ending = path.rpartition(".")[2].lower()
    return ending if ending in FORMATS else "md"
