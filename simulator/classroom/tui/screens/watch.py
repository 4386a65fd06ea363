# pyright: reportUnknownMemberType=false
"""A running engine through the glass, while real clients use it."""

import asyncio
import contextlib
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.present.line import Line, changed
from simulator.classroom.tui.screens.layers import LayersDialog
from simulator.classroom.tui.watching.sources import Source
from simulator.classroom.tui.watching.wire import Calls, Moved, News, Panels, RequestNews
from simulator.classroom.tui.widgets.foot import Foot
from simulator.classroom.tui.widgets.heard import call_line, request_line
from simulator.classroom.tui.widgets.state_panel import StatePanel
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_, ngettext
from simulator.machine.abi.i18n import gettext as _

_EVERY = 0.4
"""Seconds at least between two looks at the panels."""
_PATIENT = 10
"""A look that cost the engine so long is followed by a pause so many times as long."""
_KEPT = 500
"""Requests in the list."""
_VIEWS = ("layers", "bridges", "volumes", "events", "processes", "files", "network", "usage")
"""What ``v`` goes through."""


class WatchScreen(Screen[str]):
    """Both sides of the glass above; below, the requests and the kernel calls of the chosen one.

    Dismissed with why it ended: one line, or nothing when the person left.
    """

    HELP = N_(
        """\
# Watch

A Docker Engine of the simulated kernel, while clients use it. Above, the host and a container;
below, each REST request and, beside it, the kernel calls that it led to. What has just changed is
marked.

- `v` the next view: layers, networks, volumes, events, processes, files; `V` the one before
- `g` another container
- `y` image layers one by one, and what each changes
- up and down choose a request; the newest is followed while the last one is chosen
- `d` the requests alone, and back
- `q` or Escape leaves; the engine goes on
"""
    )
    DEFAULT_CSS = """
    #watched { height: 3fr; }
    #below { height: 2fr; border-top: solid $surface-lighten-2; border-title-color: $text-muted; }
    #below OptionList {
        width: 1fr; height: 1fr; border: none; padding: 0; background: $background;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    #below #calls { border-left: solid $surface-lighten-2; }
    WatchScreen.-alone #watched { display: none; }
    WatchScreen.-narrow.-alone #below { layout: vertical; }
    WatchScreen.-narrow.-alone #below #calls {
        border-left: none; border-top: solid $surface-lighten-2;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "view(1)", N_("view"), priority=True),
        Binding("V", "view(-1)", N_("view before"), show=False, priority=True),
        Binding("g", "container", N_("container"), priority=True),
        Binding("y", "layers", N_("layers"), priority=True),
        Binding("d", "alone", N_("requests"), priority=True),
        Binding("right", "side('calls')", show=False, priority=True),
        Binding("left", "side('heard')", show=False, priority=True),
        Binding("escape,q", "dismiss('')", N_("leave"), priority=True),
    ]

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._source = source
        self._view = 0
        self._container = 0
        self._chosen: RequestNews | None = None
        self._requests: dict[int, RequestNews] = {}
        self._before: dict[str, list[Line]] = {}
        self._due = asyncio.Event()
        self._hurry = asyncio.Event()
        """The person waits: no pause before the next look."""

    def compose(self) -> ComposeResult:
        """Where it listens, both sides, the requests and their calls."""
        yield Static(_("watching {place}").format(place=self._source.name), id="title")
        with Horizontal(id="watched"):
            yield StatePanel(_("Host"), id="host")
            yield StatePanel(_("Container"), id="sandbox")
        with Horizontal(id="below") as below:
            below.border_title = _("REST requests, and the kernel calls below one")
            yield OptionList(id="heard")
            yield OptionList(id="calls")
        yield Foot()

    def on_mount(self) -> None:
        """Listen, and look whenever something moved."""
        self.query_one("#heard").focus()
        self.run_worker(self._follow(), group="follow")
        self.run_worker(self._look(), group="look")
        self._due.set()

    async def _follow(self) -> None:
        try:
            async for news in self._source.follow():
                self._hear(news)
        except VitrinaError as error:
            self.pop_until_active()  # a dialog may stand over it
            self.dismiss(str(error))

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await self._due.wait()
            self._due.clear()
            self._hurry.clear()
            begun = clock()
            try:
                await self._look_once()
            except VitrinaError:
                # Why it ended is what the stream says: an engine that is busy may yet answer.
                await asyncio.sleep(_EVERY)
            with contextlib.suppress(TimeoutError):
                pause = max(_EVERY, _PATIENT * (clock() - begun))
                await asyncio.wait_for(self._hurry.wait(), pause)

    async def _look_once(self) -> None:
        """The view, and the calls below the chosen request.

        A screen that is being left loses what is on it before its workers end: ``display`` says so.
        """
        view = _VIEWS[self._view]
        panels = await self._source.view(view, self._container)
        if self.display:
            self._paint(view, panels)
        chosen = self._chosen
        if chosen is not None:
            calls = await self._source.calls(chosen.number)
            if self.display:
                self._list(calls)

    # -- what is heard

    def _hear(self, news: list[News]) -> None:
        if not self.display:
            return
        told: list[RequestNews] = []
        for one in news:
            match one:
                case RequestNews():
                    told.append(one)
                case Moved(calls=count):
                    self._title(count)
                case _other:
                    pass  # what is new in a view is seen when it is painted
        if told:
            self._show_requests(told)
        self._due.set()

    def _title(self, count: int) -> None:
        place = _("watching {place}").format(place=self._source.name)
        calls = ngettext("{count} kernel call", "{count} kernel calls", count).format(count=count)
        self.query_one("#title", Static).update(f"{place} — {calls}")

    def _show_requests(self, told: list[RequestNews]) -> None:
        heard = self.query_one("#heard", OptionList)
        followed = heard.highlighted is None or heard.highlighted == heard.option_count - 1
        fresh: dict[int, Option] = {}
        for one in told:
            line = request_line(one.method, one.target, one.status, one.calls)
            if one.number in self._requests:
                heard.replace_option_prompt(f"r{one.number}", line)
            else:
                fresh[one.number] = Option(line, id=f"r{one.number}")
            self._requests[one.number] = one
            if self._chosen is not None and self._chosen.number == one.number:
                self._chosen = one
        heard.add_options(fresh.values())
        for number in list(self._requests)[:-_KEPT]:
            del self._requests[number]
            heard.remove_option(f"r{number}")
        if followed and heard.option_count:
            heard.highlighted = heard.option_count - 1
            self.call_after_refresh(heard.scroll_to_highlight)

    @on(OptionList.OptionHighlighted, "#heard")
    def _choose(self, message: OptionList.OptionHighlighted) -> None:
        self._chosen = self._requests.get(int((message.option.id or "r0")[1:]))
        self._ask()

    def _ask(self) -> None:
        self._due.set()
        self._hurry.set()

    def _list(self, found: Calls | None) -> None:
        listed = self.query_one("#calls", OptionList)
        told = found.calls if found is not None else []
        if listed.option_count == len(told) and (not told or _first(listed) == told[0].number):
            return
        at = listed.highlighted
        listed.clear_options()
        listed.add_options([Option(call_line(one), id=f"c{one.number}") for one in told])
        if at is not None and at < len(told):
            listed.highlighted = at

    # -- what is seen

    def _paint(self, view: str, panels: Panels) -> None:
        for side, panel in (("host", panels.host), ("sandbox", panels.inside)):
            widget = self.query_one(f"#{side}", StatePanel)
            widget.border_title = panel.title
            key = f"{side} {view}"
            widget.show(panel.lines, changed(panel.lines, self._before.get(key, panel.lines)))
            if view == "events":
                widget.scroll_end(animate=False)
            self._before[key] = panel.lines

    def action_view(self, direction: int) -> None:
        """The next aspect of both sides."""
        self._view = (self._view + direction) % len(_VIEWS)
        self._ask()

    def action_container(self) -> None:
        """Another container on the right."""
        self._container += 1
        self._before = {key: told for key, told in self._before.items() if key[0] == "h"}
        self._ask()

    def action_alone(self) -> None:
        """The requests take the whole screen, or give it back."""
        self.toggle_class("-alone")

    def action_side(self, side: str) -> None:
        """To the requests or to the calls."""
        listed = self.query_one(f"#{side}", OptionList)
        listed.focus()
        if listed.highlighted is None:
            listed.action_first()

    async def action_layers(self) -> None:
        """Image layers and what each changes."""
        try:
            found = await self._source.stacks()
        except VitrinaError as error:
            self.notify(str(error), severity="error")
            return
        self.app.push_screen(LayersDialog(found, self._source.difference))


def _first(listed: OptionList) -> int:
    return int((listed.get_option_at_index(0).id or "c0")[1:])
