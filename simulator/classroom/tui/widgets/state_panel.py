"""One side of the glass: what an observer sees of the machine, with the step's changes marked."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from simulator.classroom.tui.present.line import Line
from simulator.classroom.tui.widgets.tones import domain_style


class StatePanel(VerticalScroll, can_focus=False):
    """Lines coloured by owner; a changed line begins with a mark and is bold."""

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = title
        self._text = Static("", classes="lines")

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield self._text

    def show(self, lines: Sequence[Line], changed: frozenset[int]) -> None:
        """Paint ``lines`` and bring the first changed one into sight."""
        self._text.update(
            Content("\n").join(
                [self._line(line, position in changed) for position, line in enumerate(lines)]
            )
        )
        if changed:
            above = sum(self._rows(line) for line in lines[: min(changed)])
            self.scroll_to(y=max(0, above - 2), animate=False)

    def _rows(self, line: Line) -> int:
        """How many rows a line takes: where there is little room it is folded, not cut."""
        width = self.scrollable_content_region.width
        folded = self.screen.has_class("-narrow")
        return -(-(len(line.text) + 1) // width) if folded and width else 1

    def _line(self, line: Line, changed: bool) -> Content:
        if line.heading:
            return Content.styled(line.text, "bold $text-muted")
        style = domain_style(line.domain)
        mark = ("▌", "bold $text-error") if changed else " "
        return Content.assemble(mark, (line.text, f"bold {style}" if changed else style))
