"""Two technologies in lock-step: the same line of the program on both, the difference marked."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.playback import Playback, differing, program
from simulator.classroom.tui.present.step import numbered
from simulator.classroom.tui.widgets.call_list import CallList
from simulator.classroom.tui.widgets.timeline_bar import TimelineBar
from simulator.classroom.tui.widgets.why_panel import WhyPanel
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class CompareScreen(Screen[None]):
    """One cursor, counted in lines of the program, over two runs."""

    HELP = N_(
        """\
# Compare

The same program on two technologies. `n` and `p` move both; `d` jumps to the next line that they
answered differently (marked ≠). Under each list stands why.
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,full_stop", "step(1)", N_("next"), priority=True),
        Binding("p,comma", "step(-1)", N_("back"), priority=True),
        Binding("d", "difference", N_("next difference"), priority=True),
        Binding("home", "step(-100000)", N_("start"), show=False, priority=True),
        Binding("end", "step(100000)", N_("end"), show=False, priority=True),
        Binding("escape,q", "leave", N_("leave"), priority=True),
    ]

    line: reactive[int] = reactive(0)

    def __init__(self, left: Playback, right: Playback) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._runs = {"left": left, "right": right}
        self._lines = len(program(left))

    def compose(self) -> ComposeResult:
        """A column for each run."""
        with Horizontal(id="columns"):
            for side, run in self._runs.items():
                with Vertical(id=side, classes="column"):
                    yield Static(_title(run), classes="title")
                    yield TimelineBar(id=f"{side}-bar")
                    yield CallList(id=f"{side}-calls")
                    yield WhyPanel(id=f"{side}-why")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Load both runs and stand before the program."""
        left, right = self._runs.values()
        for side, run, other in (("left", left, right), ("right", right, left)):
            self.query_one(f"#{side}-bar", TimelineBar).steps = run.steps
            calls = self.query_one(f"#{side}-calls", CallList)
            calls.steps = run.steps
            calls.differing = differing(run, other)
        self.watch_line()

    def validate_line(self, line: int) -> int:
        """Stay within the program."""
        return max(0, min(line, self._lines))

    def watch_line(self) -> None:
        """Both sides follow."""
        if not self.is_mounted:
            return
        for side, run in self._runs.items():
            cursor = self._cursor(run)
            self.query_one(f"#{side}-bar", TimelineBar).cursor = cursor
            self.query_one(f"#{side}-calls", CallList).cursor = cursor
            step = run.steps[cursor - 1] if self.line and cursor else None
            self.query_one(f"#{side}-why", WhyPanel).show(step, run.question)

    def _cursor(self, run: Playback) -> int:
        if self.line == 0:
            return run.launched
        number = program(run)[self.line - 1].number
        return run.launched if number is None else numbered(run.steps, number) or run.launched

    def action_step(self, distance: int) -> None:
        """Move both."""
        self.line += distance

    def action_difference(self) -> None:
        """To the next line that the two answered differently."""
        left = self._runs["left"]
        lines = program(left)
        positions = differing(left, self._runs["right"])
        numbers = {left.steps[position - 1].number for position in positions}
        for line in range(self.line + 1, len(lines) + 1):
            if lines[line - 1].number in numbers:
                self.line = line
                return
        self.notify(_("No further difference."))

    def action_leave(self) -> None:
        """Back to the play screen."""
        self.dismiss()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A line was clicked on either side."""
        side = "left" if message.option_list.id == "left-calls" else "right"
        self._stand_after(self._runs[side], message.option_index + 1)

    def on_timeline_bar_jumped(self, message: TimelineBar.Jumped) -> None:
        """A time line was clicked."""
        side = "left" if message.control is self.query_one("#left-bar") else "right"
        self._stand_after(self._runs[side], message.cursor)

    def _stand_after(self, run: Playback, cursor: int) -> None:
        self.line = sum(1 for step in run.steps[:cursor] if step.number is not None)


def _title(run: Playback) -> str:
    stopped = f" · {run.stopped_by}" if run.stopped_by else ""
    return f"{run.label} — {run.outcome}{stopped}"
