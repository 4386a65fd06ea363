"""The application: which screen follows which, the commands, the language."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.messages import (
    BranchRequested,
    ComparisonRequested,
    PlayRequested,
)
from simulator.classroom.tui.playback import Playback
from simulator.classroom.tui.screens.compare import CompareScreen
from simulator.classroom.tui.screens.help import HelpDialog
from simulator.classroom.tui.screens.home import HomeScreen
from simulator.classroom.tui.screens.play import PlayScreen
from simulator.classroom.tui.screens.spec import SpecDialog
from simulator.classroom.tui.studio import Studio
from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class VitrinaApp(App[None]):
    """Opens on the home screen, or at once on a scenario."""

    TITLE = "Vitrina"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", N_("help"), priority=True),
        Binding("ctrl+q", "quit", N_("quit"), show=False),
    ]

    def __init__(self, studio: Studio | None = None) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self.studio = studio or Studio()

    def on_mount(self) -> None:
        """Home."""
        self.push_screen(self._home())

    def _home(self) -> HomeScreen:
        return HomeScreen(self.studio.technologies(), self.studio.offers())

    def on_play_requested(self, message: PlayRequested) -> None:
        """Play, after asking for the options if that was wished."""

        def go(typed: str | None) -> None:
            if typed is not None:
                self.play(message.scenario, typed)

        if message.ask:
            self.push_screen(SpecDialog(_("Play on"), self.studio.names(), message.spec), go)
        else:
            self.play(message.scenario, message.spec)

    def play(self, scenario: str, spec: str) -> None:
        """Step through ``scenario`` on ``spec``."""
        run = self._run(scenario, spec, ())
        if run is not None:
            self.push_screen(PlayScreen(run))

    def on_branch_requested(self, message: BranchRequested) -> None:
        """Run again without some mechanisms; the play screen shows both time lines."""
        branch = self._run(message.run.scenario, message.run.spec, message.without)
        if branch is not None and isinstance(self.screen, PlayScreen):
            self.screen.take(branch)

    def on_comparison_requested(self, message: ComparisonRequested) -> None:
        """Ask for the other technology, then walk both."""

        def go(typed: str | None) -> None:
            if typed is None:
                return
            left = self._run(message.scenario, message.spec, message.without)
            right = self._run(message.scenario, typed, ())
            if left is not None and right is not None:
                self.push_screen(CompareScreen(left, right))

        self.push_screen(SpecDialog(_("Compare with"), self.studio.names()), go)

    def _run(self, scenario: str, spec: str, without: tuple[str, ...]) -> Playback | None:
        """The run, or None after saying what was wrong with the request."""
        try:
            return self.studio.play(scenario, spec, without)
        except VitrinaError as error:
            self.notify(str(error), severity="error", timeout=10)
            return None

    def action_help(self) -> None:
        """The help of the screen that is shown."""
        if isinstance(self.screen, HelpDialog):
            self.pop_screen()
        else:
            self.push_screen(HelpDialog(_(str(self.screen.HELP))))

    def action_language(self) -> None:
        """The other language, from here on."""
        i18n.use("en" if i18n.language() == "es" else "es")
        self._bindings = translated(type(self)()._bindings)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(self._home())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers besides a screen's own keys."""
        yield SystemCommand(_("Help"), _("What the keys do on this screen"), self.action_help)
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
                    lambda scenario=offer.id, home=screen: self.play(scenario, home.chosen_name),
                )
        yield SystemCommand(_("Quit"), _("Leave Vitrina"), self.action_quit)


def main() -> None:
    """Open the TUI in this terminal."""
    VitrinaApp().run()
