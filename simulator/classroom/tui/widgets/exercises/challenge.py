"""A task that the oracles judge: a SPEC or a program, written by the learner."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Input, Markdown, Static, TextArea

from simulator.classroom.lessons.grading import Grade, aims, came
from simulator.classroom.lessons.schema import Challenge, Part
from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.widgets.exercises.answered import Answered, Drafted
from simulator.classroom.tui.widgets.hanging import Hanging
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

PAUSE = 1.0
"""Seconds without a change after which what is written is kept."""


class ChallengeExercise(Vertical):
    """Write, run, read what happened; hints come one by one, the solution after all of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r,f5", "run", N_("run"), priority=True),
        Binding("ctrl+g", "begin_again", N_("start over"), priority=True),
        Binding("escape", "out", N_("out of the field"), priority=True),
    ]

    def __init__(
        self,
        challenge: Challenge,
        part: Part,
        judge: Callable[[str], Grade],
        shown: Callable[[str], str],
        answer: str = "",
    ) -> None:
        super().__init__(classes="exercise")
        self._bindings = translated(self._bindings)
        self._challenge = challenge
        self._part = part
        self._judge = judge
        self._shown = shown
        self._start = challenge.start.strip("\n")
        written = answer or self._start
        # Held here: the last thing written is asked for while the screen is being left, too.
        self._field: Input | TextArea = (
            Input(written, id="answer", compact=True, select_on_focus=False)
            if challenge.kind == "spec"
            else TextArea(written, id="answer", compact=True, tab_behavior="focus")
        )
        self._hints = 0
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """A field, the buttons, what came of it, the hints so far."""
        yield self._field
        with Horizontal(classes="buttons"):
            yield Button(_("Run (Ctrl+R)"), id="run", variant="primary", compact=True)
            yield Button(_("Hint"), id="hint", compact=True)
        yield Static(_wanted(self._challenge), id="told")
        yield Markdown("", id="hints")

    @property
    def answer(self) -> str:
        """What is written now."""
        field = self._field
        return field.text if isinstance(field, TextArea) else field.value

    @property
    def draft(self) -> Drafted:
        """What is written now, to be kept; nothing, while it is as it was given."""
        return Drafted(self._challenge.id, "" if self.answer == self._start else self.answer)

    @on(TextArea.Changed)
    @on(Input.Changed)
    def _keep_soon(self) -> None:
        """Keep it when no key follows for a while: a terminal may be closed at any time."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, lambda: self.post_message(self.draft))

    def action_begin_again(self) -> None:
        """The text as it was given; Ctrl+Z in the field takes that back."""
        field = self._field
        if isinstance(field, TextArea):
            field.replace(self._start, (0, 0), field.document.end)
        else:
            field.value = self._start
        field.focus()

    def action_out(self) -> None:
        """To the buttons, where the keys of the lesson are heard again."""
        self.query_one("#run").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Out of the field is for who is in it; from elsewhere the key leaves the lesson."""
        if action == "out":
            return self._field.has_focus
        return super().check_action(action, parameters)

    @on(Button.Pressed, "#run")
    @on(Input.Submitted)
    def action_run(self) -> None:
        """Judge the answer."""
        judged = self._judge(self.answer)
        told = self.query_one("#told", Static)
        told.update(_told(judged))
        self.call_after_refresh(told.scroll_visible, animate=False, top=True)
        self.post_message(Answered(self._challenge.id, self.answer, judged.met))

    @on(Button.Pressed, "#hint")
    async def more(self) -> None:
        """One more hint; after the last, the solution."""
        hints = self._part.hints
        self._hints = min(self._hints + 1, len(hints) + 1)
        told = [f"{number}. {hint}" for number, hint in enumerate(hints[: self._hints], 1)]
        if self._hints > len(hints):
            told.append(f"```text\n{self._challenge.solution.strip()}\n```")
        below = self.query_one("#hints", Markdown)
        await below.update(self._shown("\n\n".join(told)))
        self.call_after_refresh(below.scroll_visible, animate=False)
        button = self.query_one("#hint", Button)
        button.label = _("Hint") if self._hints < len(hints) else _("Show a solution")
        button.disabled = self._hints > len(hints)


def _wanted(challenge: Challenge) -> Hanging:
    """What is asked for, before anything was tried."""
    aim = Content.styled("· ", "$text-muted")
    return Hanging(*((aim, Content.styled(line, "$text-muted")) for line in aims(challenge)))


def _told(judged: Grade) -> Hanging:
    if judged.problem:
        return Hanging((Content(""), Content.styled(judged.problem, "$text-warning")))
    lines: list[tuple[Content, Content]] = []
    for one in judged.results:
        mark = ("✓ ", "$text-success") if one.met else ("✗ ", "$text-error")
        lines.append((Content.assemble(mark), Content(came(one))))
    lines += [(Content("  "), Content.styled(line, "$text-muted")) for line in judged.steps]
    end = _("Met.") if judged.met else _("Not met yet.")
    lines.append((Content(""), Content.styled(end, "bold")))
    return Hanging(*lines)
