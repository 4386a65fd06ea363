"""The steps as a list that reads like strace: who, what, and what came of it."""

from collections.abc import Iterator

from textual.content import Content
from textual.events import Resize
from textual.geometry import Region
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from simulator.classroom.tui.present.step import Step, inside, line_of
from simulator.classroom.tui.veil import hidden
from simulator.classroom.tui.widgets.tones import TONE_STYLES, domain_style

_CONTEXT = 3
"""Lines that stay in sight before and after the cursor, where there is room."""
_FEWEST = 12
"""Cells that a call keeps, however long what came of it."""


class CallList(OptionList, can_focus=False):
    """Follows the cursor; choosing a line stands after it.

    The calls inside a line are listed while the cursor stands in it: one line of ``docker run``
    makes hundreds, and what comes before and after it is the program.
    """

    steps: reactive[tuple[Step, ...]] = reactive(())
    cursor: reactive[int] = reactive(0)
    differing: reactive[frozenset[int]] = reactive(frozenset[int]())
    """Positions (from 1) of the steps that another run answered otherwise."""
    veiled: reactive[bool] = reactive(False)
    """Whether what came of the lines after the cursor is hidden."""
    _width = 0
    """The width that the lines were made for."""
    _opened: int | None = None
    """The position of the line that shows the calls inside it: the one that the cursor is in."""

    def watch_steps(self) -> None:
        """Rebuild the lines."""
        self._opened = self._in()
        self.clear_options()
        if self.size.width:  # else they are made when it is known how long they may be
            self.add_options(
                Option(self._line(position), id=str(position)) for position in self._listed()
            )
        self.watch_cursor()

    def _in(self) -> int | None:
        """The line inside of which the cursor stands, if it does."""
        at = self.cursor - 1
        if not 0 <= at < len(self.steps) or self.steps[at].depth == 0:
            return None
        return line_of(self.steps, at)

    def _listed(self) -> Iterator[int]:
        """The lines, and the calls inside the one that is opened."""
        for position, step in enumerate(self.steps):
            if step.depth == 0:
                yield position
                if position == self._opened:
                    yield from inside(self.steps, position)

    def on_resize(self, event: Resize) -> None:
        """What came of a call is never cut away: the call is shortened as the width asks."""
        if not self.option_count or event.size.width != self._width:
            self._width = event.size.width
            self.watch_steps()

    def watch_differing(self) -> None:
        """Mark the lines anew."""
        self.watch_steps()

    def watch_veiled(self) -> None:
        """Hide what comes, or show it."""
        self._say_again(0, len(self.steps))

    def _say_again(self, first: int, last: int) -> None:
        for option in self.options:
            position = int(option.id or 0)
            if first <= position < last:
                self.replace_option_prompt(str(position), self._line(position))

    def watch_cursor(self, before: int = 0, now: int = 0) -> None:
        """Highlight the step that was done last and keep it in sight."""
        if self._opened != self._in():
            self.watch_steps()
            return
        if self.veiled:
            self._say_again(min(before, now), max(before, now))
        # The cursor may be of the run that was shown before: that is a moment of a branch.
        there = 0 < self.cursor <= len(self.steps) and self.option_count
        self.highlighted = self.get_option_index(str(self.cursor - 1)) if there else None
        # A list that was filled just now has no size yet, so it can scroll only after a refresh.
        self.call_after_refresh(self._scroll_around)

    def _scroll_around(self) -> None:
        """The lines around the cursor too: what comes next is what one waits for."""
        at = self.highlighted
        if at is None:
            self.scroll_home(animate=False)
            return
        self.scroll_to_highlight()
        around = min(_CONTEXT, max(0, (self.size.height - 1) // 3))
        region = Region(0, max(0, at - around), 1, 1 + around + min(at, around))
        self.scroll_to_region(region, animate=False, force=True, immediate=True)

    def _line(self, position: int) -> Content:
        step = self.steps[position]
        is_hidden = self.veiled and position >= self.cursor
        if is_hidden:
            step = hidden(step)
        style = TONE_STYLES[step.tone]
        number = "   " if step.number is None else f"{step.number:>3}"
        differs = "≠" if position + 1 in self.differing and not is_hidden else " "
        before = f"{differs}{number} {step.tone.value} {'  ' * step.depth}"
        who = f"{step.actor[0]} " if step.actor else ""
        outcome = f" {step.outcome}" if step.outcome else ""
        within = len(inside(self.steps, position)) if step.depth == 0 else 0
        folded = f" ▸{within}" if within and position != self._opened and not is_hidden else ""
        room = self.size.width - 1 - len(before) - len(who)
        return Content.assemble(
            (differs, "bold $text-error"),
            (number, "$text-muted"),
            (f" {step.tone.value} ", style),
            "  " * step.depth,
            (who, domain_style(step.actor)),
            _shortened(step.call, max(_FEWEST, room - len(outcome) - len(folded))),
            (outcome, style),
            (folded, "$text-muted"),
        )


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
