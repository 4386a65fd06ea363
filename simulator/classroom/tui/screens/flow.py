"""The flow of a run: domains on the left, the objects they reached or were kept from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.present.crossed import acted, named, owned
from simulator.classroom.tui.widgets.tones import domain_style
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

if TYPE_CHECKING:
    from simulator.experiment.engine.flow import Line

ARROWS = {
    "allowed": ("━━▶", "bold $text-error"),
    "granted": ("━+▶", "$text-warning"),
    "denied": ("╌╌┃", "$text-success"),
}


class FlowDialog(ModalScreen[int | None]):
    """Returns the line of the program that was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f,q", "dismiss(None)", N_("close"), priority=True)
    ]

    def __init__(self, label: str, lines: "list[Line]") -> None:
        super().__init__()
        self._label = label
        self._lines = lines

    def compose(self) -> ComposeResult:
        """What the marks mean, then an arrow for each access."""
        with Vertical(classes="dialog") as box:
            box.border_title = _("Flow: {what}").format(what=self._label)
            yield Static(
                Content.assemble(
                    ARROWS["allowed"],
                    f" {_('reached')}  ",
                    ARROWS["granted"],
                    f" {_('granted')}  ",
                    ARROWS["denied"],
                    f" {_('kept away')}",
                )
            )
            listed = list(self._options())
            if listed:
                yield OptionList(*listed, id="flow")
            else:
                yield Static(_("every call stayed at home"))

    def _options(self) -> Iterator[Option]:
        width = max((len(acted(line.operation)) for line in self._lines), default=0)
        for actor in dict.fromkeys(line.actor for line in self._lines):
            yield Option(Content.styled(owned(actor), f"bold {domain_style(actor)}"), disabled=True)
            for number, line in enumerate(self._lines):
                if line.actor == actor:
                    yield Option(_drawn(line, width), id=str(number))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """To the first line of the program that made this access."""
        self.dismiss(self._lines[int(message.option.id or 0)].entries[0])


def _drawn(line: "Line", width: int) -> Content:
    arrow, style = ARROWS[line.outcome]
    walls = f"  {' '.join(line.walls)}" if line.walls else ""
    return Content.assemble(
        f"  {acted(line.operation):<{width}} ",
        (arrow, style),
        (f" {owned(line.owner)}: ", domain_style(line.owner)),
        named(line.thing),
        (walls, "$text-muted"),
    )
