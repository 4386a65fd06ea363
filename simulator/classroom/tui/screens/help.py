"""What the keys do and what the marks mean."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Markdown

from simulator.machine.abi.i18n import N_


class HelpDialog(ModalScreen[None]):
    """Shows a screen's own help text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", N_("close"), priority=True)
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text, which scrolls when the terminal is small."""
        title, _line_break, text = self._text.removeprefix("# ").partition("\n")
        with VerticalScroll(classes="dialog") as box:
            box.border_title = title
            yield Markdown(text.strip())
