"""Type a technology with its product's own options."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from simulator.machine.abi.i18n import gettext as _


class SpecDialog(ModalScreen[str | None]):
    """Returns a SPEC such as ``docker --pid=host``, or None. A mistake is said below the field, and
    what was typed stays there to be mended.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(
        self,
        title: str,
        known: tuple[str, ...],
        wrong: Callable[[str], str],
        value: str = "",
    ) -> None:
        """``wrong`` says what is wrong with a SPEC, or nothing."""
        super().__init__()
        self._wrong = wrong
        self._title = title
        self._known = known
        self._value = value

    def compose(self) -> ComposeResult:
        """A field that completes the names of technologies, and an example."""
        with Vertical():
            field = Input(self._value, suggester=SuggestFromList(self._known, case_sensitive=False))
            field.border_title = self._title
            yield field
            yield Static(
                _("One of {names}, with the product's own options: docker --pid=host").format(
                    names=", ".join(self._known)
                ),
                id="told",
                markup=False,
            )

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter was pressed."""
        typed = message.value.strip()
        wrong = self._wrong(typed) if typed else ""
        if not wrong:
            self.dismiss(typed or None)
            return
        told = self.query_one("#told", Static)
        told.update(wrong)
        told.add_class("wrong")
