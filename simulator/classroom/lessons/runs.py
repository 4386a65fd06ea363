"""Footnotes that name a run: each must be what it says."""

import functools
import re
import shlex
from collections.abc import Iterable, Iterator

from simulator.classroom.lessons.schema import Expect
from simulator.classroom.lessons.shell import demonstrated
from simulator.experiment.engine.judge import Answer, answer
from simulator.experiment.probes.trace import Entry
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find
from simulator.experiment.scenarios.moments import find_moment
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

_RUN = re.compile(
    r"^`vitrina run (?P<words>[^`]+)`: (?P<outcome>[A-Z_]+)"
    r"(?:, (?P<actor>[a-z]+)\.(?P<call>\w+) = (?P<result>\w+))?\.?$"
)
_MOMENT = re.compile(r"^`vitrina compare --moment (?P<name>[a-z0-9-]+)`\.?$")
_DEMONSTRATION = re.compile(r"^`vitrina trace (?P<name>[a-z0-9.-]+)`: (?P<lines>.+)$")
_LINE = re.compile(
    r"(?:[^\W\d]+ )?(\d+)(?: = (\d+))?(?: `([^`]+)`)?(?: (?:without|sin) `([^`]+)`)?(?:; |\.?$)"
)
"""``line 6 = 1 `words` without `others```, or in Spanish: a line's number and what it came to."""


def wrong(note: str) -> Iterator[str]:
    """What is wrong with a footnote; one that names no run is a citation, and is left alone."""
    if note.startswith("`vitrina compare --moment"):
        yield from _moment(note)
    elif note.startswith("`vitrina trace"):
        yield from _shown(note)
    elif note.startswith("`vitrina run"):
        yield from _judged(note)


def _judged(note: str) -> Iterator[str]:
    found = _RUN.match(note)
    if found is None:
        yield _("must read: `vitrina run SCENARIO --on SPEC`: OUTCOME")
        return
    try:
        given = _answered(found["words"])
    except (VitrinaError, ValueError) as error:
        yield str(error)
        return
    got, message = given.verdict.outcome.name, _("says {said}, but the run gives {got}")
    if got != found["outcome"]:
        yield message.format(said=found["outcome"], got=got)
    if found["result"]:
        entries = given.case.main.trace.entries
        came = _came(entries, found["actor"], found["call"])
        if found["result"] not in came:
            yield message.format(said=found["result"], got=", ".join(came) or "-")


@functools.lru_cache(maxsize=64)
def _answered(words: str) -> Answer:
    """The run that a footnote names; the same one stands in every language."""
    scenario, spec, without = _words(words)
    return answer(question(find(scenario)), parse_spec(spec, without))


def _came(entries: Iterable[Entry], actor: str, call: str) -> tuple[str, ...]:
    """What one actor's calls of a name came to, each result once: an errno or a number."""
    results = [str(e.errno or e.value) for e in entries if (e.actor, e.call) == (actor, call)]
    return tuple(dict.fromkeys(results))


def _words(text: str) -> tuple[str, str, list[str]]:
    words = shlex.split(text)
    scenario, spec, without = words.pop(0), "", list[str]()
    while len(words) >= 2:
        option, value = words.pop(0), words.pop(0)
        if option == "--on":
            spec = value
        elif option == "--without":
            without.append(value)
        else:
            raise ValueError(_("unknown option {option}").format(option=option))
    if not spec or words:
        raise ValueError(_("must read: `vitrina run SCENARIO --on SPEC`: OUTCOME"))
    return scenario, spec, without


def _shown(note: str) -> Iterator[str]:
    """A demonstration, and what some of its lines came to."""
    found = _DEMONSTRATION.match(note)
    lines = _lines(found["lines"]) if found is not None else None
    if found is None or lines is None:
        yield _("must read: `vitrina trace DEMONSTRATION`: line 2 = 0 `words`; line 3 `words`")
        return
    try:
        if not find(found["name"]).demonstrates:
            yield _("no demonstration: write `vitrina run SCENARIO --on SPEC`: OUTCOME")
            return
        said = demonstrated(found["name"])
    except VitrinaError as error:
        yield str(error)
        return
    for number, wanted in lines:
        if number >= len(said):
            yield _("its demonstration has no line {line}").format(line=number)
        elif not wanted.met(said[number].status, said[number].output):
            message = _("line {line} does not come to that, but to {status} {output}")
            one = said[number]
            yield message.format(line=number, status=one.status, output=repr(one.output[-300:]))


def _lines(text: str) -> list[tuple[int, Expect]] | None:
    """The lines that a footnote names, by number; None when it is written otherwise."""
    found: list[tuple[int, Expect]] = []
    at = 0
    while at < len(text):
        piece = _LINE.match(text, at)
        if piece is None or piece.end() == at:
            return None
        number, status, says, lacks = piece.groups()
        came = Expect(status=int(status) if status else None, says=says or "", lacks=lacks or "")
        found.append((int(number), came))
        at = piece.end()
    return found


def _moment(note: str) -> Iterator[str]:
    """What a moment shows is tested where moments are."""
    found = _MOMENT.match(note)
    if found is None:
        yield _("must read: `vitrina compare --moment MOMENT`")
        return
    try:
        find_moment(found["name"])
    except VitrinaError as error:
        yield str(error)
