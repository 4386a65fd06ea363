"""From a lesson's text to its parts.

A comment ``<!-- vitrina: question why -->`` begins a part; a code host doesn't show it. Wrong and
right options are answered in ``<details>`` blocks, which a code host folds away and the screens
show only after the answer. Footnotes are the sources of what the text says.
"""

import re
from collections.abc import Iterator

from simulator.classroom.lessons.schema import Kind, Part
from simulator.machine.abi.i18n import gettext as _

FENCE = "+++"

_MARK = re.compile(r"^<!-- vitrina: (read|predict|steps|question|challenge)(?: ([a-z0-9-]+))? -->$")
_HEADING = re.compile(r"^(#{1,6}) +(.+?) *$")
_OPTION = re.compile(r"^- \*\*([a-z])\)\*\* +(.+)$")
_DETAILS = re.compile(
    r"<details>\s*<summary>(?P<title>[^<]*)</summary>(?P<body>.*?)</details>", re.DOTALL
)
_NOTE = re.compile(r"^\[\^([A-Za-z0-9-]+)\]: +(.+)$")
REFERENCE = re.compile(r"\[\^([A-Za-z0-9-]+)\]")


class TextError(ValueError):
    """A lesson file without its front matter."""


def split(source: str) -> tuple[str, str, int]:
    """Front matter, text, and the line (from 1) where the text begins. Raises ``TextError``."""
    lines = source.split("\n")
    if not lines or lines[0].strip() != FENCE:
        raise TextError(_("must begin with a line {fence}, TOML and {fence}").format(fence=FENCE))
    for number, line in enumerate(lines[1:], 1):
        if line.strip() == FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 2
    raise TextError(_("the front matter has no end: a line {fence}").format(fence=FENCE))


def title(text: str) -> str:
    """The first heading of the first level; empty without one."""
    for line in text.split("\n"):
        found = _HEADING.match(line)
        if found is not None and found[1] == "#":
            return found[2]
    return ""


def notes(text: str) -> tuple[tuple[str, str], ...]:
    """Footnotes by label, in order; a note may go on in indented lines."""
    found: list[tuple[str, str]] = []
    within = False
    for line in text.split("\n"):
        match = _NOTE.match(line)
        if match is not None:
            found.append((match[1], match[2].strip()))
            within = True
        elif within and line.startswith("    "):
            label, told = found[-1]
            found[-1] = (label, f"{told} {line.strip()}")
        elif line.strip():
            within = False
    return tuple(found)


def parts(text: str, first: int = 1) -> tuple[Part, ...]:
    """The parts in order; ``first`` is the line of the file at which ``text`` begins."""
    return tuple(
        _part(kind, name, block, line)
        for kind, name, block, line in _blocks(text, first)
        if block.strip() or kind != "read"
    )


def _blocks(text: str, first: int) -> Iterator[tuple[Kind, str, str, int]]:
    kind: Kind = "read"
    name, begun = "", first
    block: list[str] = []
    for number, line in enumerate(_without_notes(text).split("\n"), first):
        mark = _MARK.match(line.strip())
        if mark is None:
            block.append(line)
            continue
        yield kind, name, "\n".join(block), begun
        kind, name = mark[1], mark[2] or ""  # pyright: ignore[reportAssignmentType]
        block, begun = [], number + 1
    yield kind, name, "\n".join(block), begun


def _without_notes(text: str) -> str:
    """The text with footnotes blanked, so that lines keep their numbers."""
    kept: list[str] = []
    within = False
    for line in text.split("\n"):
        within = _NOTE.match(line) is not None or (within and line.startswith("    "))
        kept.append("" if within else line)
    return "\n".join(kept)


def _part(kind: Kind, name: str, block: str, line: int) -> Part:
    folded = [(one["title"].strip(), one["body"].strip()) for one in _DETAILS.finditer(block)]
    shown = _DETAILS.sub("", block)
    heading = next((m[2] for m in map(_HEADING.match, shown.split("\n")) if m is not None), "")
    options: list[tuple[str, str]] = []
    if kind in ("question", "predict"):
        kept: list[str] = []
        for row in shown.split("\n"):
            option = _OPTION.match(row)
            if option is not None:
                options.append((option[1], option[2].strip()))
            elif options and row.startswith("  ") and row.strip():
                options[-1] = (options[-1][0], f"{options[-1][1]} {row.strip()}")
            else:
                kept.append(row)
        shown = "\n".join(kept)
    return Part(
        kind=kind,
        name=name,
        heading=heading,
        text=re.sub(r"\n{3,}", "\n\n", shown).strip(),
        line=line,
        options=tuple(options),
        told=tuple(folded) if kind == "question" else (),
        hints=tuple(body for _title, body in folded) if kind == "challenge" else (),
    )
