"""One question: every wrong option says which misconception is behind it."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.lessons.schema import Part
from simulator.classroom.lessons.schema import Question as Quiz
from simulator.classroom.tui.widgets.exercises.answered import Answered
from simulator.classroom.tui.widgets.hanging import Hanging
from simulator.machine.abi.i18n import gettext as _


class QuestionExercise(Vertical):
    """Choose with Enter; think again as often as you like."""

    def __init__(
        self,
        quiz: Quiz,
        part: Part,
        judge: Callable[[str], bool],
        shown: Callable[[str], str],
        misconceptions: dict[str, str],
    ) -> None:
        super().__init__(classes="exercise")
        self._quiz = quiz
        self._part = part
        self._judge = judge
        self._shown = shown
        self._misconceptions = misconceptions

    def compose(self) -> ComposeResult:
        """The options, and below them what the chosen one is told."""
        yield OptionList(
            *(
                Option(Hanging((Content(f"{letter})  "), Content(text))), id=letter)
                for letter, text in self._options()
            )
        )
        yield Static("", id="mark")
        yield Markdown("", id="told")

    def _options(self) -> list[tuple[str, str]]:
        return [(letter, text.replace("`", "")) for letter, text in self._part.options]

    @on(OptionList.OptionSelected)
    async def choose(self, message: OptionList.OptionSelected) -> None:
        """Say whether it is right, and why."""
        letter = message.option.id or ""
        right = self._judge(letter)
        mark = self.query_one("#mark", Static)
        if right:
            mark.update(Content.styled("✓ " + _("Right."), "$text-success"))
        else:
            behind = self._misconceptions.get(dict(self._quiz.misconceptions).get(letter, ""), "")
            mark.update(
                Content.assemble(
                    ("✗ " + _("Not so."), "$text-error"),
                    "  " + _("A common misconception: {text}").format(text=behind),
                )
            )
        told = dict(self._part.told).get(letter, "")
        below = self.query_one("#told", Markdown)
        await below.update(self._shown(told))
        self.call_after_refresh(below.scroll_visible, animate=False)
        self.post_message(Answered(self._quiz.id, letter, right))
