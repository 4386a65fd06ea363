"""Which engine to watch: its socket is asked for, and whether anybody is there."""

import os
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from simulator.classroom.tui.watching.sources import Source, There
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

_SOCKET = "/tmp/engine.sock"
"""Where an engine is looked for when nothing is typed; the README has one started there."""


class PlaceDialog(ModalScreen[Source | None]):
    """Returns an engine that answered, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def compose(self) -> ComposeResult:
        """A field, and how an engine is started."""
        with Vertical():
            field = Input(os.environ.get("DOCKER_HOST", ""), placeholder=f"unix://{_SOCKET}")
            field.border_title = _("Attach to the engine at")
            yield field
            yield Static(
                _("Start one in another terminal: vitrina engine --socket {path}").format(
                    path=_SOCKET
                ),
                id="told",
                markup=False,
            )

    async def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter was pressed: go there, or say why not."""
        place = message.value.strip() or f"unix://{_SOCKET}"
        try:
            source = There(place)
            await source.begin()
        except VitrinaError as error:
            told = self.query_one("#told", Static)
            told.update(str(error))
            told.add_class("wrong")
            return
        self.dismiss(source)
