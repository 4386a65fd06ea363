"""The REST requests that a dockerd answered, and the kernel calls below each."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.present.engine.calls import told
from simulator.classroom.tui.present.engine.requests import Request
from simulator.classroom.tui.widgets.heard import call_line, request_line
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.kernel import Event


class RequestsDialog(ModalScreen[int | None]):
    """Returns the number of the event that was chosen, from 1, or None."""

    DEFAULT_CSS = """
    RequestsDialog Vertical {
        width: 96%; height: 90%; background: $surface; padding: 0 1;
    }
    RequestsDialog OptionList {
        width: 1fr; height: 1fr; border: none; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    RequestsDialog #request-calls { border-left: solid $surface-lighten-2; padding: 0 0 0 1; }
    RequestsDialog.-narrow Horizontal { layout: vertical; }
    RequestsDialog.-narrow #request-calls {
        border-left: none; border-top: solid $surface-lighten-2;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,d,q", "dismiss(None)", N_("close"), priority=True),
        Binding("right", "focus_calls", N_("its calls"), show=False, priority=True),
        Binding("left", "focus_requests", N_("requests"), show=False, priority=True),
    ]

    def __init__(self, found: Sequence[Request], events: Sequence[Event]) -> None:
        super().__init__()
        self._found = found
        self._events = events

    def compose(self) -> ComposeResult:
        """The requests, and the calls of the one that is highlighted."""
        with Vertical(classes="dialog"):
            yield Static(
                _("REST requests to dockerd: → to the calls below one, Enter goes there"),
                id="requests-title",
            )
            if not self._found:
                yield Static(_("no request was made"))
                return
            with Horizontal():
                yield OptionList(*map(_line, self._found), id="requests")
                yield OptionList(id="request-calls")

    @on(OptionList.OptionHighlighted, "#requests")
    def _show(self, message: OptionList.OptionHighlighted) -> None:
        calls = self.query_one("#request-calls", OptionList)
        calls.clear_options()
        request = self._found[message.option_index]
        calls.add_options(
            [
                Option(call_line(told(number, self._events[number - 1])), id=str(number))
                for number in request.calls
            ]
        )

    @on(OptionList.OptionSelected, "#requests")
    def action_focus_calls(self) -> None:
        """To the calls of the request."""
        calls = self.query_one("#request-calls", OptionList)
        calls.focus()
        if calls.highlighted is None:
            calls.action_first()

    def action_focus_requests(self) -> None:
        """Back to the requests."""
        self.query_one("#requests", OptionList).focus()

    @on(OptionList.OptionSelected, "#request-calls")
    def _chosen(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.dismiss(int(message.option.id or 0))


def _line(one: Request) -> Content:
    return request_line(one.method, one.path, one.status, one.count)
