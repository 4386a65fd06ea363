"""The technologies on a line of years."""

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from simulator.classroom.tui.studio import Technology


class EraLine(Widget):
    """Three rows: years, a rule with a knot for each technology, names."""

    chosen: reactive[int] = reactive(0)

    class Chosen(Message):
        """The technology at ``position`` was clicked."""

        def __init__(self, position: int) -> None:
            super().__init__()
            self.position = position

    def __init__(self, technologies: tuple[Technology, ...], *, id: str) -> None:
        super().__init__(id=id)
        self._technologies = technologies

    def render(self) -> Content:
        """Equal cells, the chosen one reversed."""
        width = self._cell()
        years = "".join(_centre(str(t.year or ""), width) for t in self._technologies)
        knots: list[tuple[str, str]] = []
        names: list[tuple[str, str]] = []
        for position, technology in enumerate(self._technologies):
            here = position == self.chosen
            left = (width - 1) // 2
            knots.append(("─" * left, "$text-muted"))
            knots.append(("◉" if here else "○", "bold $text-primary" if here else "$text-muted"))
            knots.append(("─" * (width - left - 1), "$text-muted"))
            names.append(
                (_centre(technology.name, width), "bold reverse" if here else "$text-primary")
            )
        return Content.assemble((years, "$text-muted"), "\n", *knots, "\n", *names)

    def _cell(self) -> int:
        count = max(1, len(self._technologies))
        return max(7, min(16, self.size.width // count))

    def on_click(self, event: Click) -> None:
        """Choose the cell under the mouse."""
        position = event.x // self._cell()
        if 0 <= position < len(self._technologies):
            self.post_message(self.Chosen(position))


def _centre(text: str, width: int) -> str:
    return text[:width].center(width)
