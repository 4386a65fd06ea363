"""Finding and loading lessons. They are data beside the package, as scenarios are."""

import functools
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

from simulator.classroom.lessons import text as texts
from simulator.classroom.lessons.schema import FrontMatter, Lesson
from simulator.experiment.probes.source import UnreadableError, read_text
from simulator.experiment.scenarios.structure import Mistake, ScenarioError, structure
from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _


class NoLessonError(VitrinaError):
    """A lesson that there is not."""


@functools.cache
def lessons_root() -> Path | Traversable:
    """The folder ``lessons``: in a source tree, or in the installed package."""
    package = Path(__file__).resolve().parents[2]
    beside = package.parent / "lessons"
    return beside if beside.is_dir() else files("simulator") / "data" / "lessons"


def lesson_files(language: str) -> list[tuple[str, Path | Traversable]]:
    """Each lesson's id and file, by name."""
    place = lessons_root() / language
    if not place.is_dir():
        return []
    names = [one for one in place.iterdir() if one.name.endswith(".md")]
    return sorted(((one.name.removesuffix(".md"), one) for one in names), key=lambda it: it[0])


def load(path: Path | Traversable, name: str, language: str) -> Lesson:
    """The lesson in file ``path``. Raises ``ScenarioError`` with its mistakes."""
    try:
        source = read_text(path)
    except UnreadableError as error:
        detail = str(error).removeprefix(f"{path}: ")
        raise ScenarioError([Mistake(file=name, message=detail)]) from None
    try:
        front, body, first = texts.split(source)
        table = tomllib.loads(front)
    except texts.TextError as error:
        raise ScenarioError([Mistake(file=name, message=str(error))]) from None
    except (tomllib.TOMLDecodeError, ValueError, RecursionError, OverflowError) as error:
        reason = str(error).replace("\n", " ")
        message = _("not TOML: {reason}").format(reason=reason)
        raise ScenarioError([Mistake(file=name, place="+++", message=message)]) from None
    return Lesson(
        front=structure(table, FrontMatter, name),
        language=language,
        title=texts.title(body),
        parts=texts.parts(body, first),
        notes=texts.notes(body),
        path=name,
    )


@functools.cache
def load_all(language: str) -> tuple[Lesson, ...]:
    """Every lesson in ``language``, in the order of the course. Raises ``ScenarioError``."""
    found = [
        load(path, f"lessons/{language}/{name}.md", language)
        for name, path in lesson_files(language)
    ]
    return tuple(sorted(found, key=lambda one: (one.front.order, one.id)))


def course(language: str | None = None) -> tuple[Lesson, ...]:
    """The lessons in the language now spoken; English where there is no other."""
    spoken = language or i18n.language()
    return load_all(spoken) or load_all("en")


def language_of(path: Path) -> str:
    """The language of a lesson's file: its folder's name; else the one now spoken."""
    return path.parent.name if path.parent.name in i18n.LANGUAGES else i18n.language()


def find(name: str) -> Lesson:
    """The lesson called ``name``: its id, its number, or a file ``.md`` of somebody's own.

    Raises ``NoLessonError``, and ``ScenarioError`` for a file with mistakes.
    """
    if name.endswith(".md"):
        path = Path(name)
        return load(path, name, language_of(path.absolute()))
    listed = course()
    for lesson in listed:
        if name in (lesson.id, lesson.id.partition("-")[0], str(lesson.front.order)):
            return lesson
    names = ", ".join(lesson.id for lesson in listed)
    raise NoLessonError(
        _("there is no lesson {name}; there are: {list}").format(name=repr(name), list=names)
    )


def misconceptions(lesson: Lesson) -> dict[str, str]:
    """What each misconception says, in one sentence, by id.

    A lesson of somebody's own may bring more of them, in ``../strings/<language>.toml``.
    """
    told = spoken(lesson.language)
    beside = Path(lesson.path).parent.parent / "strings" / f"{lesson.language}.toml"
    return told | _sentences(beside, str(beside)) if beside.is_file() else told


@functools.cache
def spoken(language: str) -> dict[str, str]:
    """The misconceptions of the course in one language."""
    place = lessons_root() / "strings" / f"{language}.toml"
    return _sentences(place, f"lessons/strings/{language}.toml")


def _sentences(path: Path | Traversable, shown: str) -> dict[str, str]:
    try:
        table = tomllib.loads(read_text(path))
    except (UnreadableError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError([Mistake(file=shown, message=str(error))]) from None
    found = table.get("misconception", {})
    if not isinstance(found, dict):
        raise ScenarioError([Mistake(file=shown, message=_("must be a table"))])
    return {str(key): str(value) for key, value in cast("dict[str, Any]", found).items()}
