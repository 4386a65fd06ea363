"""A flow graph as text and as a picture: domains on the left, what they reached on the right."""

import html
from collections.abc import Iterable, Sequence

from simulator.experiment.engine.flow import ALLOWED, DENIED, GRANTED, Access, Line, lines
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

COLOURS = {ALLOWED: "#c62828", GRANTED: "#00727a", DENIED: "#2e7d32"}
ARROWS = {ALLOWED: "──▶", GRANTED: "─+▶", DENIED: "─╳ "}
MEANINGS = {
    ALLOWED: N_("reached"),
    GRANTED: N_("reached, as the operator asked"),
    DENIED: N_("kept away"),
}


def as_text(found: Iterable[Access]) -> str:
    """One line for each access, grouped by who made it."""
    listed = lines(found)
    if not listed:
        return _("every call stayed at home") + "\n"
    told: list[str] = []
    width = max(len(line.operation) for line in listed)
    for actor in dict.fromkeys(line.actor for line in listed):
        told.append(actor)
        for line in listed:
            if line.actor == actor:
                told.append(f"  {line.operation:<{width}} {ARROWS[line.outcome]} {_object(line)}")
    return "\n".join(told) + "\n"


def _object(line: Line) -> str:
    owner = _("{owner}'s {thing}").format(owner=line.owner, thing=line.thing)
    walls = f"  [{' '.join(line.walls)}]" if line.walls else ""
    steps = ", ".join(str(entry) for entry in line.entries[:4])
    more = "..." if len(line.entries) > 4 else ""
    return f"{owner}{walls}  ({_('step')} {steps}{more})"


_ROW, _TOP, _LEFT, _RIGHT, _WIDTH = 34, 56, 150, 420, 900


def as_svg(found: Iterable[Access], title: str) -> str:
    """A picture: an arrow for each access, coloured by its outcome, with the wall that cut it."""
    listed = sorted(lines(found), key=lambda line: (line.owner, line.thing, line.operation))
    actors = list(dict.fromkeys(line.actor for line in listed))
    height = _TOP + _ROW * max(len(listed), 1) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13">'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="16" y="28" font-size="16" font-weight="bold">{html.escape(title)}</text>'
    ]
    if not listed:
        text = html.escape(_("every call stayed at home"))
        parts.append(f'<text x="16" y="{_TOP + 16}">{text}</text>')
    places = _places(actors, len(listed))
    for actor, y in places.items():
        parts.append(_box(16, y, _LEFT - 16, actor))
    for row, line in enumerate(listed):
        parts.append(_arrow(line, places[line.actor], _TOP + _ROW * row))
    parts.append(_legend(height - 16))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _places(actors: Sequence[str], rows: int) -> dict[str, int]:
    """Where each domain's box stands: spread over the height of the list."""
    share = _ROW * max(rows, 1) / max(len(actors), 1)
    return {
        actor: int(_TOP + share * index + share / 2 - _ROW / 2)
        for index, actor in enumerate(actors)
    }


def _box(x: int, y: int, width: int, text: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="24" rx="4" fill="#eef1f5" '
        f'stroke="#455"/><text x="{x + 8}" y="{y + 17}">{html.escape(text)}</text>'
    )


def _arrow(line: Line, from_y: int, y: int) -> str:
    colour = COLOURS[line.outcome]
    end = _RIGHT if line.outcome != DENIED else _RIGHT - 26
    middle = y + 12
    dash = ' stroke-dasharray="5 3"' if line.outcome == DENIED else ""
    head = (
        f'<path d="M{end} {middle} l-9 -5 v10 z" fill="{colour}"/>'
        if line.outcome != DENIED
        else f'<path d="M{end} {middle - 8} v16" stroke="{colour}" stroke-width="4"/>'
    )
    label = html.escape(line.operation)
    thing = html.escape(_("{owner}'s {thing}").format(owner=line.owner, thing=line.thing))
    wall = html.escape(" ".join(line.walls))
    note = f'<tspan fill="{colour}" dx="10">{wall}</tspan>' if wall else ""
    return (
        f'<path d="M{_LEFT} {from_y + 12} C{_LEFT + 90} {from_y + 12} {_RIGHT - 190} {middle} '
        f'{end} {middle}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>{head}'
        f'<text x="{_RIGHT - 90}" y="{middle - 4}" font-size="11" fill="{colour}">{label}</text>'
        f'<text x="{_RIGHT + 10}" y="{middle + 5}">{thing}{note}</text>'
    )


def _legend(y: int) -> str:
    parts: list[str] = []
    for index, (outcome, meaning) in enumerate(MEANINGS.items()):
        x = 16 + 260 * index
        parts.append(
            f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{COLOURS[outcome]}"/>'
            f'<text x="{x + 18}" y="{y}" font-size="12">{html.escape(_(meaning))}</text>'
        )
    return "".join(parts)
