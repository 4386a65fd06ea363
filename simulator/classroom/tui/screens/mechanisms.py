"""Lift and restore the mechanisms of a technology."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection

from simulator.classroom.tui.playback import Playback, Switch
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class MechanismsDialog(ModalScreen[tuple[str, ...] | None]):
    """Returns the mechanisms to go without, or None when nothing is to change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", N_("cancel")),
        Binding("enter", "accept", N_("run again"), priority=True),
    ]

    def __init__(self, run: Playback) -> None:
        super().__init__()
        self._spec = run.spec
        self._switches = run.switches
        self._width = max((len(switch.id) for switch in run.switches), default=0)
        self._boxes = SelectionList[str](
            *(
                Selection(self._label(switch, switch.on), switch.id, switch.on)
                for switch in self._switches
            ),
            id="mechanisms",
        )

    def compose(self) -> ComposeResult:
        """A list with a box for each mechanism."""
        with Vertical(classes="dialog") as box:
            box.border_title = _("Walls of {spec}").format(spec=self._spec)
            yield Static(
                _(
                    "Space lifts or restores a mechanism; Enter runs the scenario again. "
                    "Coloured: the product's own option for that; the others are lifted "
                    "as a thought experiment."
                ),
                classes="how",
            )
            if self._switches:
                yield self._boxes
                yield Static("", id="wall", markup=False)
            else:
                yield Static(_("It has none to lift."))

    def on_resize(self, event: Resize) -> None:
        """As many lines as leave room for the words around them; the rest is scrolled to."""
        self._boxes.styles.height = min(len(self._switches), event.size.height * 9 // 20)

    def on_selection_list_selection_highlighted(
        self, message: SelectionList.SelectionHighlighted[str]
    ) -> None:
        """What it is and how its product leaves it out, which a narrow line has no room for."""
        switch = self._switches[message.selection_index]
        told = ": ".join(filter(None, (switch.id, _(switch.title))))
        product = (f"{switch.product}  " if switch.product else "", "$text-warning")
        self.query_one("#wall", Static).update(Content.assemble(product, told))

    def on_selection_list_selection_toggled(
        self, message: SelectionList.SelectionToggled[str]
    ) -> None:
        """Say the new state in the line that was toggled."""
        switch = self._switches[message.selection_index]
        on = switch.id in self._boxes.selected
        self._boxes.replace_option_prompt_at_index(message.selection_index, self._label(switch, on))

    def action_accept(self) -> None:
        """Run with what is left standing."""
        standing = frozenset(self._boxes.selected)
        self.dismiss(tuple(s.id for s in self._switches if s.id not in standing))

    def _label(self, switch: Switch, on: bool) -> Content:
        """Its state as a word too: the box alone tells the states apart by colour only."""
        title, state = _(switch.title), _("stands") if on else _("lifted")
        return Content.assemble(
            f"{state:<8} {switch.id:<{self._width}}",
            (f"  {switch.product}" if switch.product else "", "$text-warning"),
            (f"  {title}" if title != switch.id else "", "$text-muted"),
        )
