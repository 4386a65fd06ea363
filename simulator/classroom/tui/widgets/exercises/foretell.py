"""Say what a line of a demonstration will come to before you see it."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, RadioSet, Static

from simulator.classroom.lessons.grading import MAX_SHOWN
from simulator.classroom.lessons.schema import Part, Predict
from simulator.classroom.lessons.shell import Said
from simulator.classroom.tui.messages import PlayRequested
from simulator.classroom.tui.widgets.exercises.answered import Answered
from simulator.classroom.tui.widgets.exercises.choices import Choice
from simulator.machine.abi.i18n import gettext as _


class ForetellExercise(Vertical):
    """One choice, then the line as it really came out."""

    DEFAULT_CSS = """
    ForetellExercise RadioSet { width: 1fr; }
    ForetellExercise RadioButton { width: 1fr; text-wrap: wrap; text-overflow: clip; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        predict: Predict,
        part: Part,
        judge: Callable[[Predict], tuple[Said, tuple[str, ...]]],
    ) -> None:
        super().__init__(classes="exercise")
        self._predict = predict
        self._part = part
        self._judge = judge

    def compose(self) -> ComposeResult:
        """The options."""
        yield Static(_("Up and down go from one to another, Enter chooses."), classes="how")
        told = [text.replace("`", "") for _letter, text in self._part.options]
        yield RadioSet(*(Choice(Content(text)) for text in told), compact=True)
        yield Button(_("Look"), id="look", variant="primary", compact=True)
        yield Static("", id="told")
        yield Button(_("Step through it"), id="step", classes="hidden", compact=True)

    @on(RadioSet.Changed)
    def go_on(self) -> None:
        """Once one is chosen, Enter again looks."""
        self.query_one("#look").focus()

    @on(Button.Pressed, "#look")
    def look(self) -> None:
        """Compare with what the line came to."""
        picked = self.query_one(RadioSet).pressed_index
        told = self.query_one("#told", Static)
        if picked == -1:
            told.update(Content.styled(_("Choose one first."), "$text-warning"))
            self.call_after_refresh(told.scroll_visible, animate=False)
            return
        letter = self._part.options[picked][0]
        said, found = self._judge(self._predict)
        right = letter in found
        so = [text for one, text in self._part.options if one in found]
        told.update(_told(said, "" if right else ", ".join(so).replace("`", "")))
        step = self.query_one("#step", Button)
        step.remove_class("hidden")
        self.call_after_refresh(step.scroll_visible, animate=False)
        self.post_message(Answered(self._predict.id, letter, right))

    @on(Button.Pressed, "#step")
    def step(self) -> None:
        """See it, line by line."""
        self.post_message(PlayRequested(self._predict.scenario, "none"))


def _told(said: Said, instead: str) -> Content:
    """What the line came to; ``instead`` is the option that was so, where another was chosen."""
    mark = ("✗ ", "$text-error") if instead else ("✓ ", "$text-success")
    lines = [Content.assemble(mark, (f"$ {said.line}", "bold"))]
    shown = said.output.rstrip("\n").splitlines()[-MAX_SHOWN:]
    lines += [Content.assemble(("  " + line, "$text-muted")) for line in shown]
    if said.status:
        lines.append(Content(_("It ends with {status}.").format(status=said.status)))
    if instead:
        lines.append(Content.styled(_("What happened: {option}").format(option=instead), "bold"))
    return Content("\n").join(lines)
