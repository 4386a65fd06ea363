"""How far a learner is: one small JSON file, written whole or not at all.

``VITRINA_PROGRESS`` names another file than the user's own. A file that can't be read is set aside
under another name, never overwritten.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from simulator.classroom.lessons.schema import Lesson
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

FORMAT = 1


class ProgressError(VitrinaError):
    """A progress file that can't be read or written."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered in one exercise: how often, with what at last, and whether it is done.

    Of a challenge ``answer`` is what is written there, judged or not; empty: as it was given.
    """

    tries: int = 0
    answer: str = ""
    done: bool = False
    first_right: bool = False
    """Whether the first answer was right: what a prediction is for."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Answers by ``lesson/exercise``; ``place`` is the part where each lesson was left; ``theme``
    the colours that the person chose for the screens.
    """

    format: int = FORMAT
    answers: dict[str, Answered] = msgspec.field(default_factory=dict[str, Answered])
    place: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    theme: str = ""

    def answered(self, lesson: str, exercise: str) -> Answered:
        """What is known of an exercise."""
        return self.answers.get(f"{lesson}/{exercise}", Answered())

    def with_answer(self, lesson: str, exercise: str, answer: str, *, right: bool) -> "Progress":
        """One more try; what is done stays done."""
        before = self.answered(lesson, exercise)
        now = Answered(
            tries=before.tries + 1,
            answer=answer,
            done=before.done or right,
            first_right=before.first_right or (before.tries == 0 and right),
        )
        answers = {**self.answers, f"{lesson}/{exercise}": now}
        return msgspec.structs.replace(self, answers=answers)

    def with_draft(self, lesson: str, exercise: str, text: str) -> "Progress":
        """What is written by now, without having been judged: no try."""
        before = self.answered(lesson, exercise)
        if text == before.answer:
            return self
        now = msgspec.structs.replace(before, answer=text)
        return msgspec.structs.replace(self, answers={**self.answers, f"{lesson}/{exercise}": now})

    def at(self, lesson: str, part: int) -> "Progress":
        """The lesson is left at ``part``."""
        return msgspec.structs.replace(self, place={**self.place, lesson: part})

    def done(self, lesson: Lesson) -> tuple[int, int]:
        """Exercises done, and all of them."""
        asked = [part.name for part in lesson.exercises]
        return sum(self.answered(lesson.id, name).done for name in asked), len(asked)


def place() -> Path:
    """The progress file."""
    named = os.environ.get("VITRINA_PROGRESS")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("vitrina") / "progress.json"


def read(path: Path | None = None) -> tuple[Progress, str]:
    """What is saved, and a line to show when the file was set aside (else empty).

    Raises ``ProgressError`` for a file that may not be read or set aside.
    """
    path = path or place()
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        saved = msgspec.convert(raw, Progress, strict=True)
        if saved.format != FORMAT:
            raise ValueError(_("another format"))
    except FileNotFoundError:
        return Progress(), ""
    except OSError as error:
        raise ProgressError(
            _("{path}: can't be read: {reason}").format(path=path, reason=error.strerror)
        ) from None
    except (ValueError, RecursionError, msgspec.ValidationError):
        return Progress(), _set_aside(path)
    return saved, ""


def _set_aside(path: Path) -> str:
    for number in range(1, 1000):
        other = path.with_name(f"{path.name}.broken-{number}")
        if not other.exists():
            try:
                path.rename(other)
            except OSError as error:
                raise ProgressError(
                    _("{path}: broken, and can't be set aside: {reason}").format(
                        path=path, reason=error.strerror
                    )
                ) from None
            return _("{path} was broken; it is kept as {other}, and you begin anew").format(
                path=path, other=other.name
            )
    raise ProgressError(_("{path}: broken; move it away").format(path=path))


def write(progress: Progress, path: Path | None = None) -> None:
    """Save, by a new file that takes the old one's place. Raises ``ProgressError``."""
    path = path or place()
    text = json.dumps(msgspec.to_builtins(progress), indent=1, sort_keys=True) + "\n"
    made = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except OSError as error:
        if made:
            Path(made).unlink(missing_ok=True)
        raise ProgressError(
            _("{path}: can't be written: {reason}").format(path=path, reason=error.strerror)
        ) from None
