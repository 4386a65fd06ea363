"""One side of the glass: what an observer sees of the machine, with the step's changes marked."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from simulator.classroom.tui.present.line import Line
from simulator.classroom.tui.widgets.hanging import Hanging
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
        painted = Hanging(*(_line(line, at in changed) for at, line in enumerate(lines)))
        self._text.update(painted)
        if changed:
            above = sum(self._rows(painted, position) for position in range(min(changed)))
            self.scroll_to(y=max(0, above - 2), animate=False)

    def _rows(self, painted: Hanging, position: int) -> int:
        """How many rows a line takes: where there is little room it is folded, not cut."""
        width = self.scrollable_content_region.width
        folded = self.screen.has_class("-narrow")
        return painted.rows(position, width) if folded and width else 1


def _line(line: Line, changed: bool) -> tuple[Content, Content]:
    """The mark with what stands before the words, and the words."""
    if line.heading:
        return Content(""), Content.styled(line.text, "bold $text-muted")
    style = domain_style(line.domain)
    style = f"bold {style}" if changed else style
    mark = ("▌", "bold $text-error") if changed else " "
    before, words = _margin(line.text)
    return Content.assemble(mark, (before, style)), Content.styled(words, style)


def _margin(text: str) -> tuple[str, str]:
    """What is not folded: the depth in a tree, and the sign of a name that came or went."""
    words = text.lstrip(" ")
    if words[:2] in ("+ ", "- "):
        words = words[2:]
    return text.removesuffix(words), words
