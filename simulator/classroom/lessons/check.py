"""The author's linter for lessons."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from simulator.classroom.lessons import load as loading
from simulator.classroom.lessons import runs
from simulator.classroom.lessons import text as texts
from simulator.classroom.lessons.grading import digest, grade, so
from simulator.classroom.lessons.schema import FORMAT, Challenge, Lesson, Part, Predict, Steps
from simulator.classroom.lessons.schema import Question as Quiz
from simulator.classroom.lessons.sentences import unbound
from simulator.experiment.probes.oracles import ORACLES
from simulator.experiment.scenarios.load import find, load_world
from simulator.experiment.scenarios.schema import Scenario
from simulator.experiment.scenarios.structure import Mistake, ScenarioError
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import LANGUAGES
from simulator.machine.abi.i18n import gettext as _

_ID = re.compile(r"[0-9]{3}-[a-z0-9-]+")


def check(paths: Iterable[Path] = ()) -> tuple[Mistake, ...]:
    """Every mistake in the lessons at ``paths``, or in the whole course."""
    named = list(paths)
    if named:
        listed = [(str(path), path, loading.language_of(path.absolute())) for path in named]
    else:
        listed = [
            (f"lessons/{language}/{name}.md", path, language)
            for language in LANGUAGES
            for name, path in loading.lesson_files(language)
        ]
    mistakes: list[Mistake] = []
    lessons: list[Lesson] = []
    for name, path, language in listed:
        try:
            lessons.append(loading.load(path, name, language))
        except ScenarioError as error:
            mistakes += error.mistakes
    for lesson in lessons:
        mistakes += _one(lesson)
    if not named:
        mistakes += _together(lessons)
    return tuple(mistakes)


def _one(lesson: Lesson) -> Iterator[Mistake]:
    def at(place: str, message: str) -> Mistake:
        return Mistake(file=lesson.path, place=place, message=message)

    front = lesson.front
    stem = lesson.path.rpartition("/")[2].removesuffix(".md")
    if front.format != FORMAT:
        yield at("format", _("must be {format}").format(format=FORMAT))
    if not _ID.fullmatch(front.id) or front.id != stem:
        yield at("id", _("must be the file's name: three digits, '-' and words"))
    if not lesson.title:
        yield at("", _("has no title: a line that begins with '# '"))
    for place, message in (*_exercises(lesson), *_parts(lesson), *_sources(lesson)):
        yield at(place, message)


def _exercises(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """What the front matter names must exist, and each challenge must be one."""
    front = lesson.front
    shown = [(part.kind, part.name) for part in lesson.exercises]
    for kind in ("predict", "steps", "question", "challenge"):
        for one in getattr(front, kind):
            times = shown.count((kind, one.id))
            if times != 1:
                message = _("stands {times} times in the text, instead of once")
                yield f"{kind} {one.id}", message.format(times=times)
    for one in (*front.predict, *front.steps):
        yield from _asks(one)
    for one in front.challenge:
        yield from _challenge(one)
    for one in front.question:
        yield from _quiz(lesson, one)


def _asks(one: Predict | Steps) -> Iterator[tuple[str, str]]:
    place = f"{'predict' if isinstance(one, Predict) else 'steps'} {one.id}"
    try:
        scenario = find(one.scenario)
        for spec in one.on if isinstance(one, Predict) else (one.on,):
            parse_spec(spec)
    except VitrinaError as error:
        yield place, str(error)
        return
    if isinstance(one, Predict):
        yield from ((place, message) for message in _foretold(one, scenario))


def _foretold(one: Predict, scenario: Scenario) -> Iterator[str]:
    """Oracles judge scenarios; of a demonstration there is a line to be foretold."""
    if not scenario.demonstrates:
        if one.choices or not one.on:
            yield _("asks for outcomes: needs 'on', and no 'choices'")
        return
    if not one.choices or one.on:
        yield _("a demonstration is foretold by 'line' and 'choices', without 'on'")
    elif not 0 <= one.line < len(scenario.program.steps):
        yield _("its demonstration has no line {line}").format(line=one.line)
    elif len(found := so(one)) != 1:
        message = _("exactly one choice must be so; so are: {letters}")
        yield message.format(letters=", ".join(found) or "-")


def _challenge(one: Challenge) -> Iterator[tuple[str, str]]:
    place = f"challenge {one.id}"
    if one.kind == "program" and one.asks not in ORACLES:
        yield place, _("asks: not one of {allowed}").format(allowed=", ".join(ORACLES))
        return
    if one.kind == "spec" and not one.goals:
        yield place, _("has no goals")
        return
    if one.kind in ("shell", "file"):
        found = list(_work(one))
        yield from ((place, message) for message in found)
        if found:
            return
    try:
        start, solution = grade(one, one.start), grade(one, one.solution)
    except VitrinaError as error:
        yield place, str(error)
        return
    if start.met:
        yield place, _("is met at the start already")
    if start.problem:
        yield place, _("its start is no answer: {why}").format(why=start.problem)
    if not solution.met:
        told = solution.problem or ", ".join(f"{r.goal}: {r.got}" for r in solution.results)
        yield place, _("is not met by its solution ({why})").format(why=told)


def _work(one: Challenge) -> Iterator[str]:
    """What is wrong with a task that is worked on in a shell or a file."""
    if not one.checks:
        yield _("has no checks")
    if (one.kind == "file") != one.file.startswith("/"):
        yield _("'file' is the path, from /, of a challenge of kind 'file'")
    try:
        load_world(one.world)
    except ScenarioError as error:
        yield str(error)


def _quiz(lesson: Lesson, one: Quiz) -> Iterator[tuple[str, str]]:
    place = f"question {one.id}"
    part = next((p for p in lesson.parts if p.name == one.id and p.kind == "question"), None)
    if part is None:
        return
    letters = [letter for letter, _text in part.options]
    right = [letter for letter in letters if digest(lesson.id, one.id, letter) == one.right]
    if len(letters) < 3:
        yield place, _("needs at least three options")
    if len(right) != 1:
        yield place, _("'right' is the digest of none of its options")
    wrong = set(letters) - set(right)
    if {letter for letter, _name in one.misconceptions} != wrong:
        yield place, _("each wrong option names its misconception, the right one none")
    if [letter for letter, _text in part.told] != letters:
        yield place, _("each option needs a <details> block with its letter, in order")
    known = loading.misconceptions(lesson)
    for _letter, name in one.misconceptions:
        if name not in known:
            yield place, _("no such misconception in lessons/strings: {name}").format(name=name)


def _parts(lesson: Lesson) -> Iterator[tuple[str, str]]:
    for part in lesson.exercises:
        place = _("line {line}").format(line=part.line)
        if lesson.front.exercise(part.kind, part.name) is None:
            message = _("the front matter has no {kind} {name}")
            yield place, message.format(kind=part.kind, name=part.name)
        asked = lesson.front.exercise(part.kind, part.name)
        if isinstance(asked, Predict):
            letters = [letter for letter, _text in part.options]
            if letters != [one.option for one in asked.choices]:
                yield place, _("its options and the front matter's 'choices' have other letters")
        if part.kind == "challenge" and not all(hint.strip() for hint in part.hints or ("",)):
            yield place, _("a challenge needs hints, none of them empty")


def _sources(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Every factual sentence is bound to a run or to a citation, and the runs are so."""
    labels = [label for label, _note in lesson.notes]
    used: set[str] = set()
    for part in lesson.parts:
        used |= set(texts.REFERENCE.findall(part.text))
        for _letter, told in part.told:
            used |= set(texts.REFERENCE.findall(told))
        place = _("line {line}").format(line=part.line)
        for sentence in _loose(part):
            message = _("a sentence without a source: {sentence}")
            yield place, message.format(sentence=f"{sentence[:60]}...")
    for label in sorted(used - set(labels)):
        yield f"[^{label}]", _("a footnote that there is not")
    for label in sorted(set(labels) - used):
        yield f"[^{label}]", _("a footnote that nothing refers to")
    for label in sorted({label for label in labels if labels.count(label) > 1}):
        yield f"[^{label}]", _("two footnotes with one label")
    for label, note in lesson.notes:
        yield from ((f"[^{label}]", message) for message in runs.wrong(note))


def _loose(part: Part) -> tuple[str, ...]:
    return unbound(part.text) if part.kind == "read" else ()


def _together(lessons: list[Lesson]) -> Iterator[Mistake]:
    by_language = {
        language: {one.id: one for one in lessons if one.language == language}
        for language in LANGUAGES
    }
    everywhere = sorted({lesson.id for lesson in lessons})
    for name in everywhere:
        there = [by_language[language].get(name) for language in LANGUAGES]
        for language, lesson in zip(LANGUAGES, there, strict=True):
            if lesson is None:
                file = f"lessons/{language}/{name}.md"
                yield Mistake(file=file, message=_("missing: there is one in another language"))
        first = next(one for one in there if one is not None)
        for lesson in there:
            if lesson is not None and lesson.front != first.front:
                message = _("differs from {file}").format(file=first.path)
                yield Mistake(file=lesson.path, place="+++", message=message)
        for need in first.front.needs:
            if need not in everywhere:
                message = _("no such lesson: {name}").format(name=need)
                yield Mistake(file=first.path, place="needs", message=message)
    for found in by_language.values():
        orders = [one.front.order for one in found.values()]
        for lesson in found.values():
            if orders.count(lesson.front.order) > 1:
                message = _("another lesson has the same order")
                yield Mistake(file=lesson.path, place="order", message=message)
    names = {language: set(loading.spoken(language)) for language in LANGUAGES}
    for language in LANGUAGES:
        for name in sorted(set[str]().union(*names.values()) - names[language]):
            file = f"lessons/strings/{language}.toml"
            yield Mistake(file=file, place=name, message=_("missing in this language"))
