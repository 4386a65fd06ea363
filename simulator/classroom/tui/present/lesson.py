"""A lesson's text as the screen shows it: footnotes as small numbers, their sources below."""

import re
from collections.abc import Sequence

from simulator.classroom.lessons.schema import Lesson
from simulator.classroom.lessons.text import REFERENCE
from simulator.machine.abi.i18n import gettext as _

_OUTCOME = re.compile(r"(?<=`: )(HOLDS|LEAKS|LIMITED|GRANTED|NOT_APPLICABLE|INCONCLUSIVE)\b")
_SMALL = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def shown(lesson: Lesson, text: str) -> str:
    """Markdown with numbered sources; the numbers are the lesson's, whatever part is shown."""
    numbers = {label: number for number, (label, _note) in enumerate(lesson.notes, 1)}
    used = dict.fromkeys(label for label in REFERENCE.findall(text) if label in numbers)

    def small(match: re.Match[str]) -> str:
        return str(numbers.get(match[1], "")).translate(_SMALL)

    body = REFERENCE.sub(small, text)
    if not used:
        return body
    notes = dict(lesson.notes)
    listed = "\n".join(
        f"- {str(numbers[label]).translate(_SMALL)} {_source(notes[label])}" for label in used
    )
    sources = _("Sources")
    return f"{body}\n\n---\n\n*{sources}*\n\n{listed}\n"


def _source(note: str) -> str:
    """A footnote; a run's outcome has the name that people read elsewhere."""
    return _OUTCOME.sub(lambda found: _(found[1]), note)


def dots(done: Sequence[bool | None], at: int) -> str:
    """The parts of a lesson as a row: done, here, still to come; None is only to be read."""
    marks = {None: "·", True: "●", False: "○"}
    return " ".join("◉" if number == at else marks[one] for number, one in enumerate(done))
