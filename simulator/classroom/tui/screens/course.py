# pyright: reportUnknownMemberType=false
"""The course: its lessons, and how far one is in each."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.lessons.progress import Progress
from simulator.classroom.lessons.schema import Lesson
from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.screens.lesson import LessonScreen
from simulator.classroom.tui.studio import Studio
from simulator.classroom.tui.widgets.foot import Foot
from simulator.classroom.tui.widgets.hanging import Hanging
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class CourseScreen(Screen[None]):
    """Up and down choose a lesson, Enter opens it."""

    HELP = N_(
        """\
# The course

A lesson for each technology, and then Docker itself. Up and down choose, Enter opens; what you have
done is kept, and a lesson opens where you left it. Escape goes back to the display case.
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("open"), priority=True),
        Binding("escape,q", "dismiss", N_("home")),
    ]

    def __init__(self, lessons: tuple[Lesson, ...], studio: Studio) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._lessons = {lesson.id: lesson for lesson in lessons}
        self._studio = studio

    def compose(self) -> ComposeResult:
        """The list."""
        yield Static(Content.assemble((_("Lessons"), "bold $text-primary")), id="name")
        yield OptionList(id="lessons")
        yield Foot()

    def on_screen_resume(self) -> None:
        """Show how far one has come meanwhile."""
        progress = self._studio.progress()
        listed = self.query_one("#lessons", OptionList)
        at = listed.highlighted
        listed.clear_options()
        listed.add_options(
            Option(_row(lesson, progress), id=name) for name, lesson in self._lessons.items()
        )
        listed.highlighted = at if at is not None else 0
        listed.focus()

    def action_open(self) -> None:
        """The lesson that is highlighted."""
        self.query_one("#lessons", OptionList).action_select()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Open the lesson."""
        self.open(self._lessons[message.option.id or ""])

    def open(self, lesson: Lesson) -> None:
        """``lesson``, and from its end the next; one that is not of the course has none."""
        names = [*self._lessons]
        place = names.index(lesson.id) + 1 if lesson.id in names else len(names)
        after = self._lessons[names[place]] if place < len(names) else None

        def go(name: str | None) -> None:
            if name:
                self.query_one("#lessons", OptionList).highlighted = names.index(name)
                self.open(self._lessons[name])

        self.app.push_screen(LessonScreen(lesson, self._studio, after), go)


def _row(lesson: Lesson, progress: Progress) -> Hanging:
    done, total = progress.done(lesson)
    marks = "●" * done + "○" * (total - done)
    minutes = _("{minutes} min").format(minutes=lesson.front.minutes)
    return Hanging(
        (
            Content.styled(f"{marks:<6} ", "$text-success" if done == total else "$text-muted"),
            Content.assemble((lesson.title, "bold"), (f"  {minutes}", "$text-muted")),
        )
    )
