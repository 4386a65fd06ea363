"""Say what will happen before you see it."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Label, Static

from simulator.classroom.lessons.grading import SAID
from simulator.classroom.lessons.schema import Predict
from simulator.classroom.tui.messages import PlayRequested
from simulator.classroom.tui.widgets.exercises.answered import Answered
from simulator.classroom.tui.widgets.exercises.choices import Row
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.i18n import gettext as _

CHOICES = ("LEAKS", "HOLDS")
"""What may be predicted; LIMITED and GRANTED count as getting through."""

_BESIDE = 30
"""Cells that a SPEC may have to stand in one line with its choices."""

_THROUGH = frozenset({Outcome.LEAKS, Outcome.LIMITED, Outcome.GRANTED})


class PredictExercise(Vertical):
    """A choice for each SPEC, then what the model says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, predict: Predict, judge: Callable[[Predict], Mapping[str, Verdict]]) -> None:
        super().__init__(classes="exercise")
        self._predict = predict
        self._judge = judge

    def compose(self) -> ComposeResult:
        """One row of choices for each SPEC."""
        yield Static(_("Left and right choose, down goes on."), classes="how")
        width = max(map(len, self._predict.on))
        for spec in self._predict.on:
            with (Horizontal if width <= _BESIDE else Vertical)(classes="row"):
                yield Label(f"{spec:<{width}}", classes="asked", markup=False)
                yield Row(*(_(SAID[name]) for name in CHOICES))
        yield Button(_("Look"), id="look", variant="primary", compact=True)
        yield Static("", id="told")
        yield Button(_("Step through it"), id="step", classes="hidden", compact=True)

    @on(Button.Pressed, "#look")
    def look(self) -> None:
        """Compare with what happens; every SPEC must have been predicted."""
        picked = [box.pressed_index for box in self.query(Row)]
        told = self.query_one("#told", Static)
        if -1 in picked:
            told.update(Content.styled(_("Choose for each one first."), "$text-warning"))
            self.query(Row)[picked.index(-1)].focus()
            self.call_after_refresh(told.scroll_visible, animate=False)
            return
        guessed = [CHOICES[index] for index in picked]
        found = self._judge(self._predict)
        lines: list[Content] = []
        right = True
        for guess, (spec, verdict) in zip(guessed, found.items(), strict=True):
            so = (verdict.outcome in _THROUGH) == (guess == "LEAKS")
            right = right and so
            lines.append(_line(spec, verdict, "" if so else _(SAID[guess])))
        told.update(Content("\n").join(lines))
        step = self.query_one("#step", Button)
        step.remove_class("hidden")
        self.call_after_refresh(step.scroll_visible, animate=False)
        self.post_message(Answered(self._predict.id, " ".join(guessed), right))

    @on(Button.Pressed, "#step")
    def step(self) -> None:
        """See it, call by call, on the last SPEC."""
        self.post_message(PlayRequested(self._predict.scenario, self._predict.on[-1], ask=True))


def _line(spec: str, verdict: Verdict, wrong: str) -> Content:
    """What the model says, and what was said before when that was ``wrong``."""
    mark = ("✗ ", "$text-error") if wrong else ("✓ ", "$text-success")
    told = _(SAID[verdict.outcome.name])
    by = _stopped_by(verdict)
    said = "  " + _("you said: {said}").format(said=wrong) if wrong else ""
    return Content.assemble(
        mark, (spec, "bold"), f": {told}", f" ({by})" if by else "", (said, "$text-muted")
    )


def _stopped_by(verdict: Verdict) -> str:
    if verdict.together and not verdict.stopped_by:
        text = _("stopped by {walls}, and each of them alone would do")
        return text.format(walls=", ".join(verdict.together[0]))
    return _("stopped by {wall}").format(wall=verdict.held_by) if verdict.held_by else ""
