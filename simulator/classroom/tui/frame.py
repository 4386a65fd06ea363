"""What every application of the screens has around them: help, the way out, translated keys."""

from typing import ClassVar, TypeVar

from textual.app import App
from textual.binding import Binding, BindingType

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.screens.help import HelpDialog
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

Answer = TypeVar("Answer")


class Frame(App[Answer]):
    """``?`` explains the screen that is shown, by its ``HELP``; dialogs keep their keys."""

    TITLE = "Vitrina"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", N_("help"), priority=True),
        Binding("ctrl+q", "quit", N_("quit"), show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)

    def action_help(self) -> None:
        """The help of the screen that is shown; the key that opens it closes it."""
        if isinstance(self.screen, HelpDialog):
            self.pop_screen()
        else:
            self.push_screen(HelpDialog(_(str(self.screen.HELP))))
