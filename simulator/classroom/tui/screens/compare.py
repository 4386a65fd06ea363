"""Technologies in lock-step: the same line of the program on each, the differences marked."""

from dataclasses import replace
from typing import ClassVar

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import OptionList, Static

from simulator.classroom.tui.keys import TEXT_KEYS, translated
from simulator.classroom.tui.playback import Playback, differing, program
from simulator.classroom.tui.present.step import Step, Tone, numbered
from simulator.classroom.tui.veil import VERDICT, is_veiled, toggle
from simulator.classroom.tui.widgets.call_list import CallList
from simulator.classroom.tui.widgets.foot import Foot
from simulator.classroom.tui.widgets.timeline_bar import TimelineBar
from simulator.classroom.tui.widgets.tones import TONE_STYLES
from simulator.classroom.tui.widgets.why_panel import WhyPanel
from simulator.machine.abi.i18n import N_, ngettext
from simulator.machine.abi.i18n import gettext as _

_WIDE = 60
"""Cells that a column needs before there is room for a third."""
_FEWEST = 2


class CompareScreen(Screen[None]):
    """One cursor, counted in lines of the program, over two runs or more."""

    HELP = N_(
        """\
# Compare

The same program on several technologies, line beside line; under each list stands why.

- `n` or `.` the next line of all, `p` or `,` the line before; `Home`, `End`
- `d` the next line that they answered differently (marked ≠)
- left and right show the others, where there are more than fit
- `h` hide what comes, and the verdicts, until you step to it: say first what you expect
- Shift with up and down scrolls the words under *Why*
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,full_stop", "step(1)", N_("next"), priority=True),
        Binding("p,comma", "step(-1)", N_("back"), priority=True),
        Binding("d", "difference", N_("next difference"), priority=True),
        Binding("right", "turn(1)", N_("others"), priority=True),
        Binding("left", "turn(-1)", N_("others, back"), show=False, priority=True),
        Binding("home", "step(-100000)", N_("start"), show=False, priority=True),
        Binding("end", "step(100000)", N_("end"), show=False, priority=True),
        Binding("h", "veil", N_("hide"), priority=True),
        Binding("escape,q", "leave", N_("leave"), priority=True),
        *TEXT_KEYS,
    ]

    line: reactive[int] = reactive(0)
    first: reactive[int] = reactive(0)
    """The run that stands leftmost."""

    def __init__(self, *runs: Playback, title: str = "", why: str = "") -> None:
        """``title`` and ``why`` are said above, where the runs alone don't tell what this shows."""
        super().__init__()
        self._bindings = translated(self._bindings)
        self._runs = runs = tuple(map(_flat, runs))
        self._said = (title, why)
        self._lines = max(len(program(run)) for run in runs)
        self._differing = _marked(runs)

    def compose(self) -> ComposeResult:
        """What it is about, then a column for each run."""
        if self._said[0]:
            yield Static("", id="about")
        yield Static("", id="specs")
        with Horizontal(id="columns"):
            for place in range(len(self._runs)):
                with Vertical(id=f"run{place}", classes="column"):
                    yield Static("", classes="title", markup=False)
                    yield TimelineBar(id=f"bar{place}")
                    yield CallList(id=f"calls{place}")
                    yield WhyPanel(id=f"why{place}")
        yield Foot()

    def on_mount(self) -> None:
        """Load the runs and stand before the program."""
        for place, run in enumerate(self._runs):
            self.query_one(f"#bar{place}", TimelineBar).steps = run.steps
            calls = self.query_one(f"#calls{place}", CallList)
            calls.steps = run.steps
            calls.differing = self._differing[place]
        self._paint()
        self._arrange()

    def on_resize(self, _event: events.Resize) -> None:
        """As many columns as fit."""
        self._arrange()

    @property
    def _fitting(self) -> int:
        return max(_FEWEST, min(len(self._runs), self.size.width // _WIDE))

    def validate_first(self, first: int) -> int:
        """No empty column."""
        return max(0, min(first, len(self._runs) - self._fitting))

    def watch_first(self) -> None:
        """Other columns."""
        if self.is_mounted:
            self._arrange()

    def _arrange(self) -> None:
        shown = range(self.first, self.first + self._fitting)
        for place in range(len(self._runs)):
            column = self.query_one(f"#run{place}")
            column.set_class(place not in shown, "hidden")
            column.set_class(place == shown.start, "leftmost")
        all_fit = self._fitting >= len(self._runs)
        specs = self.query_one("#specs", Static)
        specs.set_class(all_fit and not self._runs[0].machine, "hidden")
        specs.update(
            Content("  ").join(_tab(run, place in shown) for place, run in enumerate(self._runs))
        )
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There are others only where not all fit."""
        if action == "turn":
            return self._fitting < len(self._runs)
        return super().check_action(action, parameters)

    def validate_line(self, line: int) -> int:
        """Stay within the program."""
        return max(0, min(line, self._lines))

    def watch_line(self) -> None:
        """All follow."""
        if self.is_mounted:
            self._paint()

    def _paint(self) -> None:
        veiled = is_veiled(self)
        title, why = self._said
        for about in self.query("#about").results(Static):
            told = "" if veiled and self.line < self._lines else why
            about.update(Content.assemble((f"{title}  ", "bold"), (told, "$text-muted")))
        for place, run in enumerate(self._runs):
            cursor = self._cursor(run)
            shown = _title(run, veiled=veiled and self.line < self._lines)
            self.query_one(f"#run{place} .title", Static).update(shown)
            self.query_one(f"#bar{place}", TimelineBar).veiled = veiled
            self.query_one(f"#calls{place}", CallList).veiled = veiled
            self.query_one(f"#bar{place}", TimelineBar).cursor = cursor
            self.query_one(f"#calls{place}", CallList).cursor = cursor
            step = run.steps[cursor - 1] if self.line and cursor else None
            asked = run.asked(cursor) if step is not None else ()
            self.query_one(f"#why{place}", WhyPanel).show(step, run.question, asked)

    def _cursor(self, run: Playback) -> int:
        lines = program(run)
        if self.line == 0 or not lines:
            return run.launched
        number = lines[min(self.line, len(lines)) - 1].number
        return run.launched if number is None else numbered(run.steps, number) or run.launched

    def action_step(self, distance: int) -> None:
        """Move all."""
        self.line += distance

    def action_veil(self) -> None:
        """Hide what comes after the cursor, for a class to foretell; or show it again."""
        toggle(self)
        self._paint()

    def action_scroll_text(self, direction: int) -> None:
        """The words under Why, of all."""
        for panel in self.query(WhyPanel):
            panel.scroll_relative(y=direction, animate=False)

    def action_turn(self, distance: int) -> None:
        """The next technologies."""
        self.first += distance

    def action_difference(self) -> None:
        """To the next line that was answered differently."""
        run = self._runs[0]
        lines = program(run)
        numbers = {run.steps[position - 1].number for position in self._differing[0]}
        for line in range(self.line + 1, len(lines) + 1):
            if lines[line - 1].number in numbers:
                self.line = line
                return
        self.notify(_("No further difference."))

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A line was clicked in a column."""
        self._stand_after(message.option_list.id, "calls", message.option_index + 1)

    def on_timeline_bar_jumped(self, message: TimelineBar.Jumped) -> None:
        """A time line was clicked."""
        self._stand_after(message.control.id if message.control else None, "bar", message.cursor)

    def _stand_after(self, name: str | None, kind: str, cursor: int) -> None:
        run = self._runs[int((name or f"{kind}0").removeprefix(kind))]
        self.line = sum(1 for step in run.steps[:cursor] if step.number is not None)


def _flat(run: Playback) -> Playback:
    """Without the calls inside of shell lines: here one walks from line to line. What builds the
    sandbox is one line, so that the lines of the program stand side by side.
    """
    launch, said = run.steps[: run.launched], run.steps[run.launched :]
    first = (_built(launch),) if launch else ()
    steps = (*first, *(step for step in said if step.depth == 0))
    return replace(run, steps=steps, launched=len(first))


def _built(launch: tuple[Step, ...]) -> Step:
    """The whole launch as one step."""
    count = len(launch)
    return msgspec.structs.replace(
        launch[-1],
        actor="",
        call=_("sandbox built"),
        outcome=ngettext("{count} call", "{count} calls", count).format(count=count),
        mechanism="",
    )


def _marked(runs: tuple[Playback, ...]) -> list[frozenset[int]]:
    """For each run, where it differs from the first; for the first, where any other does."""
    first, *others = runs
    every = frozenset[int]().union(*(differing(first, other) for other in others))
    return [every, *(differing(other, first) for other in others)]


def _tab(run: Playback, shown: bool) -> Content:
    name = Content.styled(run.label, "bold $text-primary" if shown else "$text-muted")
    if not run.machine:
        return name
    tone = Tone.REFUSED if any(step.cause for step in run.steps) else Tone.OK
    return Content.assemble((f"{tone.value} ", TONE_STYLES[tone]), name)


def _title(run: Playback, *, veiled: bool) -> str:
    said = " · ".join(filter(None, (run.outcome, run.stopped_by)))
    if said and veiled:
        said = VERDICT
    return " — ".join(filter(None, (run.label, said)))
