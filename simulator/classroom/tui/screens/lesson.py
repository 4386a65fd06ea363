"""One lesson, part by part."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Markdown, Static

from simulator.classroom.lessons.progress import Progress
from simulator.classroom.lessons.schema import Challenge, Lesson, Part, Predict, Question, Steps
from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.present.lesson import dots, shown
from simulator.classroom.tui.studio import Studio
from simulator.classroom.tui.widgets.exercises.answered import Answered, Drafted
from simulator.classroom.tui.widgets.exercises.challenge import ChallengeExercise
from simulator.classroom.tui.widgets.exercises.choices import Row
from simulator.classroom.tui.widgets.exercises.foretell import ForetellExercise
from simulator.classroom.tui.widgets.exercises.predict import PredictExercise
from simulator.classroom.tui.widgets.exercises.question import QuestionExercise
from simulator.classroom.tui.widgets.exercises.steps import StepsExercise
from simulator.classroom.tui.widgets.foot import Foot
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class LessonScreen(Screen[str]):
    """The text of a part, and its exercise below.

    Dismissed with the id of the lesson to go on with, if any.
    """

    HELP = N_(
        """\
# A lesson

Read, say what you expect, look, answer, try. Your answers are kept.

- `n` the next part, `p` the one before
- arrows and `Tab` move between choices, `Enter` or `Space` chooses
- in a challenge: `Ctrl+R` runs what you wrote, `Ctrl+G` brings back the text as it was given,
  `Escape` leads out of the field to the other keys
- `Escape` leaves; you come back to where you were, and to what you wrote

The row above: ◉ where you are, ● done, ○ to be done, · to be read.
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "part(1)", N_("next")),
        Binding("p", "part(-1)", N_("back")),
        Binding("right", "page(1)", show=False),
        Binding("left", "page(-1)", show=False),
        Binding("escape,q", "leave", N_("lessons")),
    ]

    def __init__(self, lesson: Lesson, studio: Studio, after: Lesson | None = None) -> None:
        """``after`` is the lesson that comes next in the course."""
        super().__init__()
        self._bindings = translated(self._bindings)
        self.lesson = lesson
        self._after = after
        self._studio = studio
        self._progress = studio.progress()
        kept = self._progress.place.get(lesson.id, 0)
        self.at = min(max(kept, 0), len(lesson.parts) - 1)

    def compose(self) -> ComposeResult:
        """Title with the row of parts, the part, the keys."""
        yield Static("", id="title")
        yield VerticalScroll(id="part", can_focus=False)
        yield Foot()

    async def on_mount(self) -> None:
        """Where it was left."""
        await self._show()

    async def _show(self) -> None:
        part = self.lesson.parts[self.at]
        self._title()
        place = self.query_one("#part", VerticalScroll)
        await place.remove_children()
        await place.mount(Markdown(shown(self.lesson, part.text)))
        exercise = self._exercise(part)
        if exercise is not None:
            await place.mount(exercise)
            self.set_focus(next((w for w in exercise.query("*") if w.focusable), None))
        else:
            self.set_focus(None)
        if self._after is not None and self.at == len(self.lesson.parts) - 1:
            title = _("Next lesson: {title}").format(title=self._after.title)
            await place.mount(Button(title, id="next", compact=True))
        place.scroll_home(animate=False)

    def _title(self) -> None:
        done = [
            None if part.kind == "read" else self._progress.answered(self.lesson.id, part.name).done
            for part in self.lesson.parts
        ]
        self.query_one("#title", Static).update(f"{dots(done, self.at)}   {self.lesson.title}")

    @on(Button.Pressed, "#next")
    def _go_on(self) -> None:
        if self._after is not None:
            self._keep_draft()
            self.dismiss(self._after.id)

    def _exercise(self, part: Part) -> Widget | None:
        lesson, studio = self.lesson, self._studio

        def told(text: str) -> str:
            return shown(lesson, text)

        match lesson.front.exercise(part.kind, part.name):
            case Predict(choices=choices) as predict if choices:
                return ForetellExercise(predict, part, studio.shown)
            case Predict() as predict:
                return PredictExercise(predict, studio.outcomes)
            case Steps() as steps:
                return StepsExercise(steps)
            case Question() as quiz:
                return QuestionExercise(
                    quiz,
                    part,
                    lambda letter: studio.is_right(lesson.id, quiz, letter),
                    told,
                    studio.misconceptions(lesson),
                )
            case Challenge() as challenge:
                kept = self._progress.answered(lesson.id, challenge.id).answer
                return ChallengeExercise(
                    challenge, part, lambda text: studio.grade(challenge, text), told, kept
                )
            case None:
                return None

    def on_answered(self, message: Answered) -> None:
        """Keep the answer."""
        told = self._progress.with_answer(
            self.lesson.id, message.name, message.answer, right=message.right
        )
        self._keep(told)
        self._title()

    def on_drafted(self, message: Drafted) -> None:
        """Keep what is written, be it finished or not."""
        told = self._progress.with_draft(self.lesson.id, message.name, message.text)
        if told is not self._progress:
            self._keep(told)

    def _keep_draft(self) -> None:
        for exercise in self.query(ChallengeExercise):
            self.on_drafted(exercise.draft)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The arrows turn the page only where they choose nothing."""
        if action == "page":
            return not self.query(Row)
        return super().check_action(action, parameters)

    async def action_page(self, direction: int) -> None:
        """As ``action_part``."""
        await self.action_part(direction)

    async def action_part(self, direction: int) -> None:
        """To the next part, or the one before."""
        self._keep_draft()
        to = self.at + direction
        if to == len(self.lesson.parts):
            self.action_leave()
            return
        self.at = max(to, 0)
        self._keep(self._progress.at(self.lesson.id, self.at))
        await self._show()

    def action_leave(self) -> None:
        """Back to the course."""
        self._keep_draft()
        self.dismiss("")

    def _keep(self, told: Progress) -> None:
        self._progress = told
        try:
            self._studio.keep(told)
        except VitrinaError as error:
            self.notify(str(error), severity="error", timeout=10)
