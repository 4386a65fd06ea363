"""Moments of a lesson: one program on technologies that answer it differently, as surprises go.

``scenarios/moments.toml`` says which, and what each answers; the sentences are in
``scenarios/strings/moments.<language>.toml``. What is said there is checked, never shown as fact.
"""

import difflib
import functools
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from simulator.experiment.engine.judge import Question
from simulator.experiment.probes.language import parse
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import data_root, find, load_world
from simulator.experiment.scenarios.structure import (
    Mistake,
    ScenarioError,
    read_table,
    structure,
)
from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import LANGUAGES
from simulator.machine.abi.i18n import gettext as _

FORMAT = 1
_SHOWN = "scenarios/moments.toml"


class Shows(msgspec.Struct, frozen=True, kw_only=True):
    """What ``spec`` answers at ``step`` (counted from 0, its last repetition), and its outcome.

    ``says`` is an errno, a status, a value, or a piece of what the call gave; ``wall`` is what
    refused. Each is left out where it does not matter.
    """

    spec: str
    step: int = 0
    says: str = ""
    wall: str = ""
    outcome: Literal["", "holds", "leaks", "limited", "granted"] = ""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario, or a program of its own where no oracle judges it, and who answers what."""

    number: int
    id: str
    scenario: str = ""
    program: str = ""
    shows: tuple[Shows, ...]
    source: str

    @property
    def on(self) -> tuple[str, ...]:
        """The SPECs, in the order of the file."""
        return tuple(dict.fromkeys(one.spec for one in self.shows))


class MomentWords(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a moment."""

    title: str
    why: str


class NoMomentError(VitrinaError):
    """A moment that there is not."""


class _File(msgspec.Struct, frozen=True):
    format: int
    moment: tuple[Moment, ...]


class _Strings(msgspec.Struct, frozen=True):
    words: dict[str, MomentWords]


@functools.cache
def load_moments() -> tuple[Moment, ...]:
    """Every moment, in order. Raises ``ScenarioError``."""
    found = structure(read_table(data_root() / "moments.toml", _SHOWN), _File, _SHOWN)
    return tuple(sorted(found.moment, key=lambda one: one.number))


def find_moment(name: str) -> Moment:
    """The moment called ``name``: its id or its number. Raises ``NoMomentError``."""
    listed = load_moments()
    for moment in listed:
        if name in (moment.id, str(moment.number)):
            return moment
    near = difflib.get_close_matches(name[:80], [one.id for one in listed], n=1, cutoff=0.5)
    hint = (
        _("did you mean {near}?").format(near=near[0])
        if near
        else _("'vitrina list moments' lists them")
    )
    raise NoMomentError(_("there is no moment {name}; {hint}").format(name=repr(name), hint=hint))


def asked(moment: Moment) -> Question:
    """The moment's program in its world. One of its own is judged by nobody."""
    if moment.scenario:
        return question(find(moment.scenario))
    return Question(
        id=f"moments.{moment.id}",
        group="moments",
        world=load_world(),
        asks="",
        program=parse(moment.program),
    )


@functools.cache
def _words(language: str) -> Mapping[str, MomentWords]:
    shown = f"scenarios/strings/moments.{language}.toml"
    table = read_table(data_root() / "strings" / f"moments.{language}.toml", shown)
    return structure({"words": table}, _Strings, shown).words


def moment_words(name: str, language: str | None = None) -> MomentWords:
    """Title and reason in ``language``, or the one now spoken."""
    spoken = language or i18n.language()
    told = _words(spoken if spoken in LANGUAGES else "en")
    return told.get(name) or MomentWords(title=name, why="")


def check_moments() -> Iterator[Mistake]:
    """What is wrong in the files, short of running them."""
    try:
        listed = load_moments()
        told = {language: _words(language) for language in LANGUAGES}
    except ScenarioError as error:
        yield from error.mistakes
        return
    if [one.number for one in listed] != list(range(1, len(listed) + 1)):
        yield Mistake(file=_SHOWN, place="number", message=_("must count from 1"))
    for moment in listed:
        for message in _wrong(moment):
            yield Mistake(file=_SHOWN, place=moment.id, message=message)
        for language, words in told.items():
            if moment.id not in words:
                shown = f"scenarios/strings/moments.{language}.toml"
                yield Mistake(file=shown, place=moment.id, message=_("missing"))


def _wrong(moment: Moment) -> Iterator[str]:
    if bool(moment.scenario) == bool(moment.program):
        yield _("needs a scenario, or a program of its own")
        return
    if len(moment.on) < 2:
        yield _("two technologies at least")
    try:
        asked(moment)
    except VitrinaError as error:
        yield str(error)
