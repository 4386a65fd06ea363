"""The application: which screen follows which, the commands, the language."""

import os
from collections.abc import Callable, Iterable

from textual.app import SystemCommand
from textual.command import CommandPalette
from textual.screen import Screen
from textual.theme import Theme, ThemeProvider
from textual.widgets import Label

from simulator.classroom.tui.frame import Frame
from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.messages import (
    AttachRequested,
    BranchRequested,
    ComparisonRequested,
    CourseRequested,
    CurvesRequested,
    FlowRequested,
    MatrixRequested,
    MomentRequested,
    MomentsRequested,
    PlayRequested,
    VerificationRequested,
)
from simulator.classroom.tui.playback import Playback
from simulator.classroom.tui.screens.compare import CompareScreen
from simulator.classroom.tui.screens.flow import FlowDialog
from simulator.classroom.tui.screens.home import HomeScreen
from simulator.classroom.tui.screens.palette import Palette
from simulator.classroom.tui.screens.spec import SpecDialog
from simulator.classroom.tui.studio import Studio
from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

THEME = "TEXTUAL_THEME"
"""The environment's own choice of colours, which Textual reads."""


class VitrinaApp(Frame[None]):
    """Opens on the home screen, or at once on a scenario."""

    def __init__(self, studio: Studio | None = None, lesson: str = "") -> None:
        super().__init__()
        self.studio = studio or Studio()
        self._lesson = lesson
        """The lesson to open first, if any."""

    def on_mount(self) -> None:
        """Home, or a lesson with home behind it; in the colours that were chosen last time."""
        theme = self.studio.kept_theme()
        if theme in self.available_themes and THEME not in os.environ:
            self.theme = theme
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self.push_screen(self._home())
        if self._lesson:
            self.open_course(self._lesson)

    def _keep_theme(self, theme: Theme) -> None:
        try:
            self.studio.keep_theme(theme.name)
        except VitrinaError as error:
            self.notify(str(error), severity="error", timeout=10)

    def on_course_requested(self, _message: CourseRequested) -> None:
        """The lessons."""
        self.open_course()

    def on_verification_requested(self, _message: VerificationRequested) -> None:
        """The model against a real kernel."""
        self.open_verification()

    def open_verification(self) -> None:
        """Reports of the comparison, or a new one."""
        from simulator.classroom.tui.screens.verify import VerifyScreen

        self.push_screen(VerifyScreen())

    def on_matrix_requested(self, _message: MatrixRequested) -> None:
        """The matrix."""
        self.open_matrix()

    def open_matrix(self) -> None:
        """Every probe on every technology, a cell a door to its run."""
        from simulator.classroom.tui.screens.matrix import MatrixScreen

        self.push_screen(MatrixScreen(self.studio))

    def on_moments_requested(self, _message: MomentsRequested) -> None:
        """The moments."""
        self.open_moments()

    def open_moments(self) -> None:
        """Surprises on which technologies differ."""
        from simulator.classroom.tui.screens.moments import MomentsScreen

        self.push_screen(MomentsScreen(self.studio.moments()))

    def on_moment_requested(self, message: MomentRequested) -> None:
        """A moment on all its technologies."""
        moment = message.moment

        def play() -> None:
            runs = [self.studio.play_moment(moment.id, spec) for spec in moment.on]
            self.push_screen(CompareScreen(*runs, title=moment.title, why=moment.why))

        self._soon(_("Running it on {count} technologies...").format(count=len(moment.on)), play)

    def _soon(self, text: str, work: Callable[[], None]) -> None:
        """Say that it takes a moment, and then do it."""

        def begin() -> None:
            try:
                work()
            except VitrinaError as error:
                self.notify(str(error), severity="error", timeout=10)
            finally:
                told.remove()

        told = Label(text, classes="soon")
        self.screen.mount(told)
        self.call_after_refresh(begin)

    def on_attach_requested(self, _message: AttachRequested) -> None:
        """Ask for the engine, then watch it."""
        self.open_engine()

    def open_engine(self) -> None:
        """A running engine, until it ends or the person leaves."""
        from simulator.classroom.tui.screens.place import PlaceDialog
        from simulator.classroom.tui.screens.watch import WatchScreen
        from simulator.classroom.tui.watching.sources import Source

        def told(why: str | None) -> None:
            if why:
                self.notify(why, severity="warning", timeout=10)

        def go(source: Source | None) -> None:
            if source is not None:
                self.push_screen(WatchScreen(source), told)

        self.push_screen(PlaceDialog(), go)

    def open_course(self, lesson: str = "") -> None:
        """The lessons, and one of them at once."""
        # They bring the engine with them, which the first screen can do without.
        from simulator.classroom.tui.screens.course import CourseScreen

        try:
            listed = self.studio.course()
            course = CourseScreen(listed, self.studio)
            self.push_screen(course)
            if lesson:
                course.open(self.studio.lesson(lesson))
        except VitrinaError as error:
            self.notify(str(error), severity="error", timeout=10)
        while self.studio.remarks:
            self.notify(self.studio.remarks.pop(), severity="warning", timeout=10)

    def _home(self) -> HomeScreen:
        return HomeScreen(self.studio.technologies(), self.studio.offers(), self.studio.program)

    def on_play_requested(self, message: PlayRequested) -> None:
        """Play, after asking for the options if that was wished."""

        def go(typed: str | None) -> None:
            if typed is not None:
                self.play(message.scenario, typed, message.without)

        if message.ask:
            self.push_screen(self._spec_dialog(_("Play on"), message.spec), go)
        else:
            spec = self.studio.stage(message.scenario, message.spec)
            self.play(message.scenario, spec, message.without)

    def play(self, scenario: str, spec: str, without: tuple[str, ...] = ()) -> None:
        """Step through ``scenario`` on ``spec`` less the mechanisms ``without``."""
        try:
            hosts = () if without else self.studio.play_hosts(scenario, spec)
        except VitrinaError as error:
            self.notify(str(error), severity="error", timeout=10)
            return
        if hosts:
            self.push_screen(CompareScreen(*hosts, title=hosts[0].title, why=hosts[0].question))
            return
        run = self._run(scenario, spec, without)
        if run is not None:
            # It brings what draws an engine, which the first screen can do without.
            from simulator.classroom.tui.screens.play import PlayScreen

            self.push_screen(PlayScreen(run))

    def on_branch_requested(self, message: BranchRequested) -> None:
        """Run again without some mechanisms; the play screen shows both time lines."""
        from simulator.classroom.tui.screens.play import PlayScreen

        branch = self._run(message.run.scenario, message.run.spec, message.without)
        if branch is not None and isinstance(self.screen, PlayScreen):
            self.screen.take(branch)

    def on_comparison_requested(self, message: ComparisonRequested) -> None:
        """Ask for the other technology, then walk both."""

        def go(typed: str | None) -> None:
            if typed is None:
                return
            spec = self.studio.stage(message.scenario, message.spec)
            left = self._run(message.scenario, spec, message.without)
            right = self._run(message.scenario, typed, ())
            if left is not None and right is not None:
                self.push_screen(CompareScreen(left, right))

        self.push_screen(self._spec_dialog(_("Compare with")), go)

    def _spec_dialog(self, title: str, value: str = "") -> SpecDialog:
        return SpecDialog(title, self.studio.names(), self.studio.wrong_spec, value)

    def on_flow_requested(self, message: FlowRequested) -> None:
        """The graph of a run; choosing an access goes to its line."""
        from simulator.classroom.tui.screens.play import PlayScreen

        run = message.run

        def go(entry: int | None) -> None:
            if entry is not None and isinstance(self.screen, PlayScreen):
                self.screen.go_to(entry)

        found = self.studio.flow(run.scenario, run.spec, run.without)
        self.push_screen(FlowDialog(run.label, found), go)

    def on_curves_requested(self, message: CurvesRequested) -> None:
        """Processors, memory, disk and tasks over time."""
        from simulator.classroom.tui.screens.curves import CurvesScreen

        drawn = [self.studio.curves(run.scenario, run.spec, run.without) for run in message.runs]
        self.push_screen(CurvesScreen(*drawn))

    def _run(self, scenario: str, spec: str, without: tuple[str, ...]) -> Playback | None:
        """The run, or None after saying what was wrong with the request."""
        try:
            return self.studio.play(scenario, spec, without)
        except VitrinaError as error:
            self.notify(str(error), severity="error", timeout=10)
            return None

    def action_language(self) -> None:
        """The other language, from here on."""
        i18n.use("en" if i18n.language() == "es" else "es")
        self._bindings = translated(type(self)()._bindings)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(self._home())

    def action_command_palette(self) -> None:
        """Textual's, with its prompt in the language spoken."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(placeholder=_("Search for commands…")))

    def search_themes(self) -> None:
        """Textual's, likewise."""
        prompt = _("Search for themes…")
        self.push_screen(Palette([ThemeProvider], placeholder=prompt))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers besides a screen's own keys."""
        yield SystemCommand(_("Help"), _("What the keys do on this screen"), self.action_help)
        yield SystemCommand(_("Lessons"), _("The course, lesson by lesson"), self.open_course)
        yield SystemCommand(
            _("Moments"),
            _("One program, and technologies that answer it differently"),
            self.open_moments,
        )
        yield SystemCommand(_("Matrix"), _("Every probe on every technology"), self.open_matrix)
        yield SystemCommand(_("Attach"), _("Watch a running 'vitrina engine'"), self.open_engine)
        yield SystemCommand(
            _("Verification"), _("The model against a real kernel"), self.open_verification
        )
        yield SystemCommand(_("Language"), _("English / español"), self.action_language)
        yield SystemCommand(_("Theme"), _("Colours of the screen"), self.action_change_theme)
        yield SystemCommand(
            _("Screenshot"), _("Save this screen as an SVG file"), self.action_screenshot
        )
        if isinstance(screen, HomeScreen):
            for offer in self.studio.offers():
                yield SystemCommand(
                    offer.title,
                    offer.question,
                    lambda scenario=offer.id, home=screen: self.play(
                        scenario, self.studio.stage(scenario, home.chosen_name)
                    ),
                    discover=False,  # there are hundreds: they are found by typing
                )
        yield SystemCommand(_("Quit"), _("Leave Vitrina"), self.action_quit)


def main(lesson: str = "") -> None:
    """Open the TUI in this terminal, at a lesson if one is named."""
    VitrinaApp(lesson=lesson).run()
