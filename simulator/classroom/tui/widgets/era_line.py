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
        """Equal cells around the chosen one, which is reversed."""
        width = self._cell()
        years: list[tuple[str, str]] = []
        knots: list[tuple[str, str]] = []
        names: list[tuple[str, str]] = []
        left = (width - 1) // 2
        shown = self._shown()
        for position, technology in shown:
            here = position == self.chosen
            years.append((str(technology.year or "").center(width), "$text-muted"))
            knots.append(("─" * left, "$text-muted"))
            knots.append(("◉" if here else "○", "bold $text-primary" if here else "$text-muted"))
            knots.append(("─" * (width - left - 1), "$text-muted"))
            names.append(
                (technology.name.center(width), "bold reverse" if here else "$text-primary")
            )
        if not shown:
            return Content("")
        if shown[0][0] > 0:  # there are earlier ones, out of sight
            knots[0] = ("‹" + "─" * (left - 1), "$text-muted")
        if shown[-1][0] < len(self._technologies) - 1:
            rest = self.size.width - width * len(shown)
            knots[-1] = ("─" * (width - left - 2 + rest) + "›", "$text-muted")
        return Content.assemble(*years, "\n", *knots, "\n", *names)

    def _shown(self) -> list[tuple[int, Technology]]:
        """The technologies that fit, the chosen one among them, with their positions."""
        fitting = max(1, self.size.width // self._cell())
        first = min(self.chosen - fitting // 2, len(self._technologies) - fitting)
        first = max(0, first)
        return list(enumerate(self._technologies))[first : first + fitting]

    def _cell(self) -> int:
        """Wide enough for the longest name, and for the whole line when there is room."""
        longest = max((len(technology.name) for technology in self._technologies), default=8)
        return max(longest + 2, self.size.width // max(1, len(self._technologies)))

    def on_click(self, event: Click) -> None:
        """Choose the cell under the mouse."""
        shown = self._shown()
        place = event.x // self._cell()
        if 0 <= place < len(shown):
            self.post_message(self.Chosen(shown[place][0]))
