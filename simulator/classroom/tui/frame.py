"""What every application of the screens has around them: help, the way out, translated keys."""

from typing import ClassVar, TypeVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.screens.help import HelpDialog
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

Answer = TypeVar("Answer")


_TEXTUAL = (N_("Saved screenshot to"), N_("Saved screenshot"), N_("Failed to save screenshot"))
"""How the notices begin that Textual gives by itself."""


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

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Textual's, with its own few notices in the language spoken."""
        for words in _TEXTUAL:
            if message.startswith(words):
                message = _(words) + message.removeprefix(words)
        super().notify(
            message,
            title=_(title) if title else "",
            severity=severity,
            timeout=timeout,
            markup=markup,
        )

    def action_help_quit(self) -> None:
        """Ctrl-C ends nothing here: it copies. Say which key does."""
        self.notify(_("Ctrl+Q leaves Vitrina."))

    def action_help(self) -> None:
        """The help of the screen that is shown; the key that opens it closes it."""
        if isinstance(self.screen, HelpDialog):
            self.pop_screen()
        else:
            self.push_screen(HelpDialog(_(str(self.screen.HELP))))
