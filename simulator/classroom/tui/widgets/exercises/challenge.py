"""A task that the oracles judge: a SPEC or a program, written by the learner."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Markdown, Static, TextArea

from simulator.classroom.lessons.grading import Grade, aims, came
from simulator.classroom.lessons.schema import Challenge, Part
from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.widgets.exercises.answered import Answered
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class ChallengeExercise(Vertical):
    """Write, run, read what happened; hints come one by one, the solution after all of them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+r,f5", "run", N_("run"), priority=True)]

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
        self._answer = answer or challenge.start.strip("\n")
        self._hints = 0

    def compose(self) -> ComposeResult:
        """A field, the buttons, what came of it, the hints so far."""
        if self._challenge.kind == "spec":
            yield Input(self._answer, id="answer", compact=True, select_on_focus=False)
        else:
            yield TextArea(self._answer, id="answer", compact=True, tab_behavior="focus")
        with Horizontal(classes="buttons"):
            yield Button(_("Run (Ctrl+R)"), id="run", variant="primary", compact=True)
            yield Button(_("Hint"), id="hint", compact=True)
        yield Static(_wanted(self._challenge), id="told")
        yield Markdown("", id="hints")

    @property
    def answer(self) -> str:
        """What is written now."""
        field = self.query_one("#answer")
        return field.text if isinstance(field, TextArea) else self.query_one(Input).value

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


def _wanted(challenge: Challenge) -> Content:
    """What is asked for, before anything was tried."""
    lines = (Content.styled(f"· {line}", "$text-muted") for line in aims(challenge))
    return Content("\n").join(lines)


def _told(judged: Grade) -> Content:
    if judged.problem:
        return Content.styled(judged.problem, "$text-warning")
    lines: list[Content] = []
    for one in judged.results:
        mark = ("✓ ", "$text-success") if one.met else ("✗ ", "$text-error")
        lines.append(Content.assemble(mark, came(one)))
    lines += [Content.assemble(("  " + line, "$text-muted")) for line in judged.steps]
    end = _("Met.") if judged.met else _("Not met yet.")
    lines.append(Content.styled(end, "bold"))
    return Content("\n").join(lines)
