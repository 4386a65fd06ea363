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


class PlaceDialog(ModalScreen[Source | None]):
    """Returns an engine that answered, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]
    DEFAULT_CSS = """
    PlaceDialog Vertical {
        width: 76; max-width: 95%; height: auto; background: $surface; padding: 1 1 0 1;
    }
    PlaceDialog Static { color: $text-muted; padding: 0 1 1 1; }
    """

    def compose(self) -> ComposeResult:
        """A field, and how an engine is started."""
        with Vertical():
            field = Input(os.environ.get("DOCKER_HOST", ""), placeholder="unix:///tmp/docker.sock")
            field.border_title = _("Attach to the engine at")
            yield field
            yield Static(
                _("Start one in another terminal: vitrina engine --socket /tmp/docker.sock"),
                id="told",
                markup=False,
            )

    async def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter was pressed: go there, or say why not."""
        place = message.value.strip()
        if not place:
            self.dismiss(None)
            return
        try:
            source = There(place)
            await source.begin()
        except VitrinaError as error:
            self.query_one("#told", Static).update(str(error))
            return
        self.dismiss(source)
