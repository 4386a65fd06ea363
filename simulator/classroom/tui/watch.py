"""``vitrina engine --watch``: a running engine through the glass, while real clients use it."""

import asyncio
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.present.engine.inside import shown
from simulator.classroom.tui.present.engine.requests import Listener, daemon
from simulator.classroom.tui.present.line import Line, changed
from simulator.classroom.tui.present.views import ENGINE_VIEWS, engine_view
from simulator.classroom.tui.screens.requests import RequestsDialog, request_line
from simulator.classroom.tui.widgets.state_panel import StatePanel
from simulator.experiment.engine_api.server import Server
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_EVERY = 0.5
"""Seconds between two looks; looking is no call, so the machine does not notice."""
_KEPT = 500


class WatchApp(App[None]):
    """The engine's requests below, its layers, networks or volumes above."""

    TITLE = "Vitrina"
    CSS_PATH = "app.tcss"
    DEFAULT_CSS = """
    #watched { height: 3fr; }
    #heard { height: 2fr; border: none; border-top: solid $surface-lighten-2;
        background: $background; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "view(1)", N_("view"), priority=True),
        Binding("g", "container", N_("container"), priority=True),
        Binding("d", "requests", N_("requests")),
        Binding("ctrl+q,q", "quit", N_("quit")),
    ]
    view_number: reactive[int] = reactive(0)
    container: reactive[int] = reactive(0)

    def __init__(self, server: Server, places: str) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._server = server
        self._places = places
        self._listener: Listener | None = None
        self._heard = 0
        self._painted: tuple[tuple[int, int], ...] = ()
        self._before: dict[str, list[Line]] = {}
        self._serving: asyncio.Future[None] | None = None

    def compose(self) -> ComposeResult:
        """Where to connect, both sides, the requests."""
        yield Static(_("listening on {places}").format(places=self._places), id="title")
        with Horizontal(id="watched"):
            yield StatePanel(_("Host"), id="host")
            yield StatePanel(_("Container"), id="sandbox")
        yield OptionList(id="heard")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Let the engine run, and look at it again and again."""
        machine = self._server.machine
        machine.on_gap = lambda why: self.notify(why, severity="warning")
        self._serving = asyncio.ensure_future(self._server.run())
        self.set_interval(_EVERY, self.look)
        self.query_one("#heard").border_title = _("requests")

    async def on_unmount(self) -> None:
        """The engine ends with the screen."""
        if self._serving is not None:
            self._server.stop()
            await self._serving

    def look(self) -> None:
        """Hear what happened since the last time, and paint what is there now."""
        self._hear()
        store = self._server.machine.kernel.store
        one = shown(store, self.container)
        name, title, inside = ENGINE_VIEWS[self.view_number % len(ENGINE_VIEWS)]
        label = _("Container {name}").format(name=one.Name) if one is not None else _("Container")
        titles = {"host": f"{_('Host')}: {_(title)}", "sandbox": f"{label}: {_(inside)}"}
        for side, said in titles.items():
            lines = engine_view(name, store, one, inside=side == "sandbox")
            panel = self.query_one(f"#{side}", StatePanel)
            panel.border_title = said
            before = self._before.get(f"{side} {name}", lines)
            panel.show(lines, changed(lines, before))
            self._before[f"{side} {name}"] = lines

    def _hear(self) -> None:
        machine = self._server.machine
        if self._listener is None:
            first = daemon(machine.kernel.store)
            if first is None:
                return
            self._listener = Listener({first})
        events, forgotten = machine.kernel.timeline.events, machine.forgotten
        start = max(self._heard, forgotten)
        for number, event in enumerate(events[start - forgotten :], start=start + 1):
            self._listener.hear(number, event)
        self._heard = forgotten + len(events)
        found = self._listener.found
        del found[:-_KEPT]
        told = tuple((one.status, len(one.calls)) for one in found)
        if told != self._painted:
            self._painted = told
            heard = self.query_one("#heard", OptionList)
            heard.clear_options()
            heard.add_options([Option(request_line(one)) for one in found])
            heard.highlighted = len(found) - 1
            self.call_after_refresh(heard.scroll_to_highlight)

    def action_view(self, direction: int) -> None:
        """Layers, networks, volumes."""
        self.view_number += direction
        self.look()

    def action_container(self) -> None:
        """Another container on the right."""
        self.container += 1
        self.look()

    def action_requests(self) -> None:
        """The requests so far, with the kernel calls below each."""
        machine = self._server.machine
        found = list(self._listener.found) if self._listener is not None else []
        events = list(machine.kernel.timeline.events)
        self.push_screen(RequestsDialog(found, events, machine.forgotten))
