"""The screen of one engine, as an application of its own."""

from simulator.classroom.tui.frame import Frame
from simulator.classroom.tui.screens.watch import WatchScreen
from simulator.classroom.tui.watching.sources import Source


class WatchApp(Frame[str]):
    """Returns why it ended, or nothing when the person left."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def on_mount(self) -> None:
        """The one screen."""
        self.push_screen(WatchScreen(self._source), self.exit)
