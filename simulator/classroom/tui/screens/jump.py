"""Type the rest of a line's number."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from simulator.machine.abi.i18n import gettext as _


class JumpDialog(ModalScreen[int | None]):
    """Returns the number, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, digits: str) -> None:
        super().__init__()
        self._digits = digits

    def compose(self) -> ComposeResult:
        """One field that holds the digit already pressed."""
        field = Input(self._digits, type="integer", max_length=6, select_on_focus=False)
        field.border_title = _("Go to line")
        yield field

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter was pressed."""
        self.dismiss(int(message.value) if message.value.isdigit() else None)
