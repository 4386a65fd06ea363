"""A run to step through."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Button

from simulator.classroom.lessons.schema import Steps
from simulator.classroom.tui.messages import PlayRequested
from simulator.classroom.tui.widgets.exercises.answered import Answered
from simulator.experiment.scenarios.schema import DEMONSTRATIONS
from simulator.machine.abi.i18n import gettext as _


class StepsExercise(Vertical):
    """Opens the play screen; having looked is being done."""

    def __init__(self, steps: Steps) -> None:
        super().__init__(classes="exercise")
        self._steps = steps

    def compose(self) -> ComposeResult:
        """One button."""
        shows = self._steps.scenario.partition(".")[0] in DEMONSTRATIONS
        on = _("Step through it on {spec}").format(spec=self._steps.on)
        text = _("Step through it") if shows else on
        yield Button(text, id="step", variant="primary", compact=True)

    @on(Button.Pressed, "#step")
    def step(self) -> None:
        """Play."""
        steps = self._steps
        self.post_message(Answered(steps.id, steps.on, right=True))
        self.post_message(PlayRequested(steps.scenario, steps.on, without=steps.without))
