"""The screen of one engine, as an application of its own."""

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.screens.help import HelpDialog
from simulator.classroom.tui.screens.watch import WatchScreen
from simulator.classroom.tui.watching.sources import Source
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class WatchApp(App[str]):
    """Returns why it ended, or nothing when the person left."""

    TITLE = "Vitrina"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", N_("help"), priority=True),
        Binding("ctrl+q", "quit", N_("quit"), show=False),
    ]

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._source = source

    def on_mount(self) -> None:
        """The one screen."""
        self.push_screen(WatchScreen(self._source), self.exit)

    def action_help(self) -> None:
        """What the keys do."""
        if isinstance(self.screen, HelpDialog):
            self.pop_screen()
        else:
            self.push_screen(HelpDialog(_(str(self.screen.HELP))))
