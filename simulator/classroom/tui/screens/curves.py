# pyright: reportUnknownMemberType=false
"""The curves of a run, on a screen of their own above the play screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.widgets.curve_pane import CurvePane
from simulator.classroom.tui.widgets.foot import Foot
from simulator.experiment.engine.curves import Curves
from simulator.machine.abi.i18n import N_


class CurvesScreen(Screen[None]):
    """Processors, memory, disk and tasks over virtual time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", N_("back"), priority=True),
    ]

    def __init__(self, *listed: Curves) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._listed = listed

    def compose(self) -> ComposeResult:
        """One pane for each technology, and the keys."""
        for curves in self._listed:
            yield CurvePane(curves)
        yield Foot()
