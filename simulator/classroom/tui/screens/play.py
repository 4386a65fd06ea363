# pyright: reportUnknownMemberType=false
"""The play screen: a finished run, one cursor, and the machine on both sides of the glass."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import OptionList, Static

from simulator.classroom.tui.keys import TEXT_KEYS, translated, widened
from simulator.classroom.tui.messages import (
    BranchRequested,
    ComparisonRequested,
    CurvesRequested,
    FlowRequested,
)
from simulator.classroom.tui.playback import Playback, differing, first_difference, reached
from simulator.classroom.tui.present.engine.requests import daemon, requests
from simulator.classroom.tui.present.engine.stack import Difference, difference, stacks
from simulator.classroom.tui.present.line import changed
from simulator.classroom.tui.present.sides import first_view, sides, views
from simulator.classroom.tui.present.step import last_stop, next_stop, numbered
from simulator.classroom.tui.screens.jump import JumpDialog
from simulator.classroom.tui.screens.layers import LayersDialog
from simulator.classroom.tui.screens.mechanisms import MechanismsDialog
from simulator.classroom.tui.screens.requests import RequestsDialog
from simulator.classroom.tui.veil import VERDICT, is_veiled, toggle
from simulator.classroom.tui.widgets.call_list import CallList
from simulator.classroom.tui.widgets.foot import Foot
from simulator.classroom.tui.widgets.state_panel import StatePanel
from simulator.classroom.tui.widgets.timeline_bar import TimelineBar
from simulator.classroom.tui.widgets.why_panel import WhyPanel
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class PlayScreen(Screen[None]):
    """Step with ``n`` and ``p``; nothing on this screen runs the model except a toggle."""

    HELP = N_(
        """\
# Play

The left side lists what was said to the kernel and what it answered. The right side shows the
machine at the step where you stand: as the **host** sees it and as the **sandbox** sees it.
What the step changed is marked, forward and back.

- `n` or `.` next line, `p` or `,` the line before; `]` and `[` also stop at the calls inside a
  shell line: ▸ stands before how many they are
- `Home`, `End`; a number jumps to that line
- `v` the next view, `V` the one before: processes, files and mounts, network, users and limits,
  use of the machine
- `t` lift or restore a mechanism and watch the time line branch
- `d` where an engine runs: its REST requests, with the calls below each; `g` another container;
  `y` image layers one by one, and what each changes
- `b` the other branch
- `f` the flow: who reached whose objects, and which wall kept the rest away
- `r` in scenarios about resources: curves of processors, memory, disk and tasks over time; of both
  branches when there are two
- `c` compare with another technology, step by step
- `h` hide what comes, and the verdict, until you step to it: say first what you expect
- Shift with up and down scrolls the words under *Why*

Marks: ✓ done, ✗ refused by a wall, ! reached something of another's, + granted on purpose,
z asleep, - did not run, · building the sandbox.
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,full_stop", "step(1)", N_("next"), priority=True),
        Binding("p,comma", "step(-1)", N_("back"), priority=True),
        Binding("right_square_bracket", "into(1)", N_("into"), show=False, priority=True),
        Binding("left_square_bracket", "into(-1)", N_("into, back"), show=False, priority=True),
        Binding("home", "go_start", N_("start"), show=False, priority=True),
        Binding("end", "go_end", N_("end"), show=False, priority=True),
        Binding("v", "view(1)", N_("view"), priority=True),
        Binding("V", "view(-1)", N_("view before"), show=False, priority=True),
        Binding("t", "mechanisms", N_("walls"), priority=True),
        Binding("b", "branch", N_("other branch"), show=False, priority=True),
        Binding("g", "container", N_("container"), show=False, priority=True),
        Binding("d", "requests", N_("REST"), priority=True),
        Binding("y", "layers", N_("layers"), show=False, priority=True),
        Binding("f", "flow", N_("flow"), priority=True),
        Binding("r", "curves", N_("curves"), priority=True),
        Binding("c", "compare", N_("compare"), priority=True),
        Binding("h", "veil", N_("hide"), show=False, priority=True, id="wide.veil"),
        Binding("escape,q", "leave", N_("leave"), priority=True),
        *TEXT_KEYS,
        *(
            Binding(str(digit), f"jump({digit})", N_("jump"), show=False, priority=True)
            for digit in range(10)
        ),
    ]

    cursor: reactive[int] = reactive(0)
    view_number: reactive[int] = reactive(0)
    container: reactive[int] = reactive(0)
    """Which of an engine's containers is shown, from the newest."""

    def __init__(self, run: Playback, *, cursor: int | None = None) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self.run = run
        self.trunk: Playback | None = None
        """The run that this one was branched from by lifting mechanisms."""
        self._start = run.launched if cursor is None else cursor
        self.set_reactive(PlayScreen.view_number, first_view(run.scenario) % views(run))
        self._came_from = self._start

    def compose(self) -> ComposeResult:
        """Title, time lines, the three panels, the keys."""
        yield Static("", id="title")
        yield TimelineBar(id="timeline")
        yield TimelineBar(id="trunk", classes="hidden")
        with Horizontal(id="stage"):
            with Vertical(id="said"):
                yield CallList(id="calls")
                yield WhyPanel(id="why")
            with Horizontal(id="glass"):
                yield StatePanel(_("Host"), id="host")
                yield StatePanel(_("Sandbox"), id="sandbox")
        yield Foot()

    def on_mount(self) -> None:
        """Show the run from where its program begins."""
        self._load()
        self.cursor = self._start
        self._paint()

    def _load(self) -> None:
        run = self.run
        bar = self.query_one("#timeline", TimelineBar)
        bar.steps, bar.label = run.steps, _named(run)
        trunk = self.query_one("#trunk", TimelineBar)
        trunk.set_class(self.trunk is None, "hidden")
        calls = self.query_one(CallList)
        calls.steps = run.steps
        if self.trunk is not None:
            trunk.steps, trunk.label = self.trunk.steps, self.trunk.label
            calls.differing = differing(run, self.trunk)

    def validate_cursor(self, cursor: int) -> int:
        """Stay on the time line."""
        return max(0, min(cursor, len(self.run.steps)))

    def watch_cursor(self, before: int, _after: int) -> None:
        """Everything on the screen follows the cursor."""
        self._came_from = before
        if self.is_mounted:
            self._paint()

    def watch_view_number(self) -> None:
        """Show another aspect of the same world."""
        if self.is_mounted:
            self._paint()

    def watch_container(self) -> None:
        """Show another container of the same world."""
        if self.is_mounted:
            self._paint()

    def _paint(self) -> None:
        run, cursor = self.run, self.cursor
        veiled = is_veiled(self)
        verdict = " · ".join(filter(None, (run.outcome, run.stopped_by)))
        if verdict and veiled and cursor < last_stop(run.steps):
            verdict = VERDICT
        said = (run.title, _named(run), verdict)
        self.query_one("#title", Static).update(" — ".join(filter(None, said)))
        for bar in self.query(TimelineBar):
            bar.veiled = veiled
            bar.cursor = cursor if bar.id == "timeline" else self._on_trunk()
        calls = self.query_one(CallList)
        calls.veiled, calls.cursor = veiled, cursor
        step = run.steps[cursor - 1] if cursor else None
        self.query_one(WhyPanel).show(step, run.question, run.asked(cursor))
        host, sandbox = sides(run, cursor, self._came_from, self.view_number, self.container)
        for panel_id, side in (("host", host), ("sandbox", sandbox)):
            panel = self.query_one(f"#{panel_id}", StatePanel)
            panel.border_title = side.title
            panel.show(side.lines, changed(side.lines, side.before))

    def _on_trunk(self) -> int:
        """Where the trunk's cursor stands: after the same line of the program."""
        if self.trunk is None or self.cursor == 0:
            return 0
        number = self.run.steps[self.cursor - 1].number
        if number is None:
            return self.trunk.launched
        return numbered(self.trunk.steps, number) or self.trunk.launched

    def action_step(self, direction: int) -> None:
        """To the next line of the program, over the calls inside a shell line."""
        self.cursor = next_stop(self.run.steps, self.cursor, direction, into=False)

    def action_into(self, direction: int) -> None:
        """To the next call, also inside a shell line."""
        self.cursor = next_stop(self.run.steps, self.cursor, direction, into=True)

    def action_go_start(self) -> None:
        """Before anything."""
        self.cursor = 0

    def action_go_end(self) -> None:
        """After everything."""
        self.cursor = last_stop(self.run.steps)

    def action_view(self, direction: int) -> None:
        """The next view of both sides."""
        self.view_number = (self.view_number + direction) % views(self.run)

    def action_container(self) -> None:
        """Another container on the sandbox's side, where an engine has several."""
        self.container += 1

    def action_requests(self) -> None:
        """The requests that a dockerd answered; choosing a call goes to it."""
        run, machine = self.run, self.run.host.machine
        timeline = run.machines[machine].timeline
        first = daemon(timeline.at(len(timeline)))
        found = requests(timeline.events, first) if first is not None else []

        def go(number: int | None) -> None:
            if number is not None:
                self.cursor = reached(run, machine, number)

        self.app.push_screen(RequestsDialog(found, timeline.events), go)

    def action_layers(self) -> None:
        """Image layers as they are here, and what each changes."""
        world = self.run.world(self.run.host.machine, self.cursor)

        async def changed_by(ident: str) -> Difference | None:
            return difference(world, ident)

        self.app.push_screen(LayersDialog(stacks(world), changed_by))

    def action_jump(self, digit: int) -> None:
        """Ask for the rest of the number and go there."""

        def go(number: int | None) -> None:
            if number is None:
                return
            if numbered(self.run.steps, number) is None:
                self.notify(_("There is no line {number}.").format(number=number))
            else:
                self.go_to(number)

        self.app.push_screen(JumpDialog(str(digit)), go)

    def action_mechanisms(self) -> None:
        """Lift mechanisms: the run is made again without them and shown as a branch."""

        def lift(without: tuple[str, ...] | None) -> None:
            if without is not None and without != self.run.without:
                self.post_message(BranchRequested(self.run, without))

        self.app.push_screen(MechanismsDialog(self.run), lift)

    def take(self, branch: Playback) -> None:
        """Show ``branch`` above the run that was shown, at the first line that differs."""
        trunk, self.trunk, self.run = self.run, self.run, branch
        self._load()
        number = first_difference(branch, trunk)
        at = numbered(branch.steps, number) if number is not None else None
        # The cursor that was is one of the other run: nothing may be looked up with it in this one.
        self._came_from = branch.launched
        self.set_reactive(PlayScreen.cursor, at if at is not None else branch.launched)
        self._paint()
        if number is None:
            self.notify(_("Every line of the program came out the same."))

    def action_branch(self) -> None:
        """Change places with the run this one was branched from."""
        if self.trunk is not None:
            self.take(self.trunk)

    def action_flow(self) -> None:
        """Who reached whose objects."""
        self.post_message(FlowRequested(self.run))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Curves are for what is used up, containers and requests for an engine; a demonstration,
        which nothing judges, has no flow.
        """
        if action == "flow":
            return bool(self.run.outcome)
        if action == "curves":
            return self.run.scenario.startswith("resources.")
        if action in ("container", "requests", "layers"):
            return self.run.engine
        return super().check_action(action, parameters)

    def on_resize(self, event: Resize) -> None:
        """All keys are named below where there is room."""
        widened(self, event.size.width)

    def action_veil(self) -> None:
        """Hide what comes after the cursor, for a class to foretell; or show it again."""
        toggle(self)
        self._paint()

    def action_scroll_text(self, direction: int) -> None:
        """The words under Why."""
        self.query_one(WhyPanel).scroll_relative(y=direction, animate=False)

    def action_curves(self) -> None:
        """What the run took of the machine, beside the run it was branched from."""
        runs = (self.run,) if self.trunk is None else (self.trunk, self.run)
        self.post_message(CurvesRequested(runs))

    def go_to(self, number: int) -> None:
        """Stand after the line with that number."""
        cursor = numbered(self.run.steps, number)
        if cursor is not None:
            self.cursor = cursor

    def action_compare(self) -> None:
        """Choose a second technology and walk both in lock-step."""
        run = self.run
        self.post_message(ComparisonRequested(run.scenario, run.spec, run.without))

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss()

    def on_timeline_bar_jumped(self, message: TimelineBar.Jumped) -> None:
        """The time line was clicked."""
        self.cursor = message.cursor

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A line was clicked."""
        self.cursor = int(message.option.id or 0) + 1


def _named(run: Playback) -> str:
    """What it is played on; a demonstration without walls is played on its own host."""
    return run.label if run.outcome or run.label != "none" else ""
