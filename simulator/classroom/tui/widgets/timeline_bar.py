"""The run as one line: a mark for every step, the cursor, and the branch below it."""

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from simulator.classroom.tui.present.step import Step, Tone
from simulator.classroom.tui.widgets.tones import TONE_STYLES
from simulator.machine.abi.i18n import gettext as _


class TimelineBar(Widget):
    """Click a mark to stand after that step."""

    DEFAULT_CSS = """
    TimelineBar { height: 1; width: 1fr; }
    """

    steps: reactive[tuple[Step, ...]] = reactive(())
    cursor: reactive[int] = reactive(0)
    label: reactive[str] = reactive("")
    veiled: reactive[bool] = reactive(False)
    """Whether the marks after the cursor are hidden."""

    class Jumped(Message):
        """The person clicked the mark of the step after which ``cursor`` stands."""

        def __init__(self, cursor: int) -> None:
            super().__init__()
            self.cursor = cursor

    def render(self) -> Content:
        """The marks, windowed around the cursor when they don't all fit."""
        stops = self._stops()
        first, width = self._window(stops)
        parts: list[Content | tuple[str, str]] = [(f"{self.label} ", "bold")]
        for position, cursor in enumerate(stops[first : first + width], start=first):
            parts.append(self._mark(position, cursor))
        count = _("{now} of {all}").format(now=self._position(stops), all=len(stops) - 1)
        parts.append((f" {count}", "$text-muted"))
        return Content.assemble(*parts)

    def _mark(self, position: int, cursor: int) -> tuple[str, str]:
        here = position == self._position(self._stops())
        if cursor == 0:
            return ("○" if not here else "◉", "reverse" if here else "$text-muted")
        tone = Tone.HIDDEN if self.veiled and cursor > self.cursor else self.steps[cursor - 1].tone
        style = TONE_STYLES[tone]
        return (tone.value, f"{style} reverse" if here else style)

    def _stops(self) -> list[int]:
        """The cursors that a mark stands for: the start, and after each step that isn't nested."""
        return [0, *(n for n, step in enumerate(self.steps, start=1) if step.depth == 0)]

    def _position(self, stops: list[int]) -> int:
        """Which mark the cursor stands on or, inside a shell line, after."""
        return max((i for i, stop in enumerate(stops) if stop <= self.cursor), default=0)

    def _window(self, stops: list[int]) -> tuple[int, int]:
        width = max(8, self.size.width - len(self.label) - 14)
        if len(stops) <= width:
            return 0, len(stops)
        first = self._position(stops) - width // 2
        return max(0, min(first, len(stops) - width)), width

    def on_click(self, event: Click) -> None:
        """Jump to the mark under the mouse."""
        stops = self._stops()
        first, width = self._window(stops)
        position = first + event.x - len(self.label) - 1
        if first <= position < min(first + width, len(stops)):
            self.post_message(self.Jumped(stops[position]))
