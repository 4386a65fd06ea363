"""Curves for a terminal and as a picture."""

import html
from collections.abc import Sequence
from itertools import groupby

from simulator.classroom.tui.present.curves import Row, heading, marks, rows, shown, spark
from simulator.experiment.engine.curves import Curves
from simulator.machine.abi.i18n import gettext as _

_COLUMNS = 60
COLOURS = {"guest": "#c0392b", "neighbour": "#2471a3", "host": "#7f8c8d"}
_WIDE, _HIGH, _LEFT, _TOP, _GAP = 420, 90, 70, 30, 40


def as_text(curves: Curves) -> str:
    """One line for each curve: blocks, the mean and the highest value."""
    lines = [heading(curves)]
    for title, group in groupby(rows(curves), key=lambda row: row.title):
        listed = list(group)
        top = _("full height: {value}").format(value=shown(listed[0].full))
        lines.append(f"  {title} ({top})")
        for row in listed:
            values = _("mean {mean}, most {most}").format(
                mean=shown(sum(row.values) / len(row.values)), most=shown(max(row.values))
            )
            picture = spark(row.values, row.full, _COLUMNS)
            lines.append(f"    {row.domain:<10} {picture}  {values}")
    if len(lines) == 1:
        lines.append("  " + _("nothing was taken"))
    lines += [f"  {mark}" for mark in marks(curves)]
    return "\n".join(lines) + "\n"


def as_svg(listed: Sequence[Curves]) -> str:
    """A picture: a column for each SPEC, a frame for each thing that was taken."""
    columns = [[list(g) for _t, g in groupby(rows(c), key=lambda row: row.title)] for c in listed]
    deep = max((len(frames) for frames in columns), default=1)
    width = len(listed) * (_LEFT + _WIDE + 20)
    height = _TOP + max(1, deep) * (_HIGH + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
    ]
    for number, (curves, frames) in enumerate(zip(listed, columns, strict=True)):
        left = number * (_LEFT + _WIDE + 20) + _LEFT
        title = html.escape(heading(curves))
        parts.append(f'<text x="{left - _LEFT + 4}" y="16" font-weight="bold">{title}</text>')
        for place, frame in enumerate(frames):
            top = _TOP + place * (_HIGH + _GAP) + 14
            parts += _frame(frame, left, top, curves.seconds)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _frame(frame: Sequence[Row], left: int, top: int, seconds: float) -> list[str]:
    """One diagram: the scale at the left, seconds below, a line for each owner."""
    bottom = top + _HIGH
    parts = [
        f'<text x="{left}" y="{top - 4}">{html.escape(frame[0].title)}</text>',
        f'<rect x="{left}" y="{top}" width="{_WIDE}" height="{_HIGH}" fill="#f6f6f6"/>',
        f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{shown(frame[0].full)}</text>',
        f'<text x="{left - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{left + _WIDE}" y="{bottom + 14}" text-anchor="end">{shown(seconds)} s</text>',
    ]
    for number, row in enumerate(frame):
        colour = COLOURS.get(row.domain, "#000")
        step = _WIDE / max(1, len(row.values) - 1)
        points = " ".join(
            f"{left + index * step:.1f},{bottom - value / row.full * _HIGH:.1f}"
            for index, value in enumerate(row.values)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{left + 4 + 90 * number}" y="{bottom + 14}" fill="{colour}">'
            f"{html.escape(row.domain)}</text>"
        )
    return parts
