# pyright: reportUnknownMemberType=false
"""Lines that, where they must be folded, go on below their own words and not below their mark."""

from collections.abc import Iterator

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual


class Hanging(Visual):
    """Each line is a head, such as a mark or a number, and the words that follow it.

    Where the style says ``text-wrap: nowrap`` nothing is folded.
    """

    def __init__(self, *lines: tuple[Content, Content]) -> None:
        self._lines = lines

    def __str__(self) -> str:
        """The words, unfolded."""
        return self._whole().plain

    def rows(self, position: int, width: int) -> int:
        """How many rows the line at ``position`` takes in ``width`` cells."""
        return sum(1 for _row in self._folded(position, width))

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """The rows, cut or padded as Textual does it."""
        return self._content(width, options.rules).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """What the longest line takes when nothing is folded."""
        return self._whole().get_optimal_width(rules, container_width)

    def get_height(self, rules: RulesMap, width: int) -> int:
        """The rows that all lines take."""
        return self._content(width, rules).get_height(rules, width)

    def _content(self, width: int, rules: RulesMap) -> Content:
        if rules.get("text_wrap", "wrap") == "nowrap":
            return self._whole()
        rows = [row for number in range(len(self._lines)) for row in self._folded(number, width)]
        return Content("\n").join(rows)

    def _whole(self) -> Content:
        return Content("\n").join([head.append(words) for head, words in self._lines])

    def _folded(self, position: int, width: int) -> Iterator[Content]:
        head, words = self._lines[position]
        indent = Content(" " * head.cell_length)
        for number, row in enumerate(words.wrap(max(1, width - head.cell_length))):
            yield (indent if number else head).append(row)
