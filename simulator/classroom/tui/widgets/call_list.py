"""The steps as a list that reads like strace: who, what, and what came of it."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from simulator.classroom.tui.present.step import Step
from simulator.classroom.tui.widgets.tones import TONE_STYLES, domain_style


class CallList(OptionList, can_focus=False):
    """Follows the cursor; choosing a line stands after it."""

    steps: reactive[tuple[Step, ...]] = reactive(())
    cursor: reactive[int] = reactive(0)
    differing: reactive[frozenset[int]] = reactive(frozenset[int]())
    """Positions (from 1) of the steps that another run answered otherwise."""

    def watch_steps(self) -> None:
        """Rebuild the lines."""
        self.clear_options()
        self.add_options([Option(self._line(position)) for position in range(len(self.steps))])
        self.watch_cursor()

    def watch_differing(self) -> None:
        """Mark the lines anew."""
        self.watch_steps()

    def watch_cursor(self) -> None:
        """Highlight the step that was done last and keep it in sight."""
        self.highlighted = self.cursor - 1 if self.cursor > 0 and self.option_count else None
        # A list that was filled just now has no size yet, so it can scroll only after a refresh.
        self.call_after_refresh(self.scroll_to_highlight)

    def _line(self, position: int) -> Content:
        step = self.steps[position]
        style = TONE_STYLES[step.tone]
        number = "   " if step.number is None else f"{step.number:>3}"
        differs = "≠" if position + 1 in self.differing else " "
        return Content.assemble(
            (differs, "bold $text-error"),
            (number, "$text-muted"),
            (f" {step.tone.value} ", style),
            "  " * step.depth,
            (f"{step.actor[0]} " if step.actor else "", domain_style(step.actor)),
            step.call,
            (f" {step.outcome}" if step.outcome else "", style),
        )
