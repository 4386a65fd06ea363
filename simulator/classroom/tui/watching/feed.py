"""What is seen of a machine with an engine: requests, calls, events, panels. It only reads."""

from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from simulator.classroom.tui.present.engine import calls, happened
from simulator.classroom.tui.present.engine.disk import Disk
from simulator.classroom.tui.present.engine.happened import Happened
from simulator.classroom.tui.present.engine.inside import first_process, shown
from simulator.classroom.tui.present.engine.requests import Listener, Request, daemon
from simulator.classroom.tui.present.engine.stack import Difference, Stacks, difference, stacks
from simulator.classroom.tui.present.line import Line
from simulator.classroom.tui.present.views import ENGINE_VIEWS, VIEWS, engine_view, view
from simulator.classroom.tui.watching.wire import (
    VERSION,
    Calls,
    EventNews,
    Hello,
    Missed,
    Moved,
    News,
    Panel,
    Panels,
    RequestNews,
)
from simulator.experiment.engine_api.machine import Machine
from simulator.machine.abi import i18n
from simulator.machine.abi.i18n import LANGUAGES
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.boot import INIT

TITLES: dict[str, tuple[str, str]] = {
    **{name: (title, inside) for name, title, inside in ENGINE_VIEWS},
    **{name: (title, title) for name, title in VIEWS},
}
"""Every view that can be asked for, and its titles on both sides."""
_KEPT = 500
"""Requests and events that are remembered."""
_AT_ONCE = 5000
"""Calls that are heard in one look: some milliseconds."""
_LISTED = 2000
"""Calls that are listed below one request."""


class Feed:
    """One machine's history as it grows. A ``glass`` for ``engine_api``, or for a screen here."""

    def __init__(self, machine: Machine, places: tuple[str, ...], name: str) -> None:
        self.machine = machine
        self.events: deque[tuple[int, Happened]] = deque(maxlen=_KEPT)
        self.dropped = 0
        """Requests that are no longer remembered."""
        self.heard = machine.forgotten
        self.stands: dict[int, tuple[int, RequestNews]] = {}
        """How each request stands, and at which look it came to that; the latest last."""
        self.looks = 0
        self._hello = Hello(VERSION, name, places, tuple(TITLES))
        self._listener: Listener | None = None
        self.told = 0
        """Events so far."""
        self._forgotten = machine.forgotten

    # -- hearing

    @property
    def requests(self) -> list[Request]:
        """Those that are remembered, oldest first."""
        return self._listener.found if self._listener is not None else []

    def look(self) -> bool:
        """Hear what happened since, up to a limit; whether there is more."""
        machine = self.machine
        if self._listener is None:
            first = daemon(machine.kernel.store)
            if first is None:
                return False
            self._listener = Listener({first})
        events, forgotten = machine.kernel.timeline.events, machine.forgotten
        start = max(self.heard, forgotten)
        self.heard = min(start + _AT_ONCE, forgotten + len(events))
        for number in range(start, self.heard):
            event = events[number - forgotten]
            self._listener.hear(number + 1, event)
            said = happened.told(event)
            if said is not None:
                self.told += 1
                self.events.append((self.told, said))
        if self._forgotten != forgotten:
            self._forget(forgotten)
        self._note(self._listener)
        return self.heard < forgotten + len(events)

    def _note(self, listener: Listener) -> None:
        """Once for all onlookers: which requests are not as they were."""
        self.looks += 1
        for number, one in listener.touched.items():
            self.stands.pop(number, None)
            news = RequestNews(number, one.method, one.path, one.status, one.count)
            self.stands[number] = (self.looks, news)
        listener.touched.clear()
        over = len(listener.found) - _KEPT
        if over > 0:
            for number in range(self.dropped + 1, self.dropped + over + 1):
                self.stands.pop(number, None)
            self.dropped += over
            del listener.found[:over]

    def _forget(self, forgotten: int) -> None:
        """History has begun anew: the numbers of calls before that lead nowhere."""
        self._forgotten = forgotten
        for one in self.requests:
            gone = bisect_right(one.calls, forgotten)
            one.forgotten += gone
            del one.calls[:gone]

    # -- telling

    def hello(self) -> Hello:
        """Who speaks."""
        return self._hello

    def onlooker(self) -> "Told":
        """Somebody who was told nothing yet."""
        return Told(self)

    def answer(self, path: str, query: Mapping[str, str]) -> bytes | None:
        """As JSON; ``lang`` of ``query`` is the language that is asked for."""
        with _spoken(query.get("lang", "")):
            found = self._found(path.split("/"), query)
        return msgspec.json.encode(found) if found is not None else None

    def _found(self, path: list[str], query: Mapping[str, str]) -> Any:
        match path:
            case [""]:
                return self._hello
            case ["view", name] if name in TITLES:
                return self.view(name, _number(query.get("container", "0")))
            case ["requests", number] if number.isdecimal():
                return self.calls(_number(number))
            case ["layers"]:
                return self.stacks()
            case ["layers", ident]:
                return self.difference(ident)
            case _other:
                return None

    def view(self, name: str, container: int = 0) -> Panels:
        """Both sides, in the language now spoken. ``name`` is one of ``TITLES``."""
        world, family = self.machine.kernel.store, self.machine.kernel.family
        one = shown(world, container)
        title, title_inside = TITLES[name]
        label = _("Container {name}").format(name=one.Name) if one is not None else _("Container")
        if any(name == known for known, _title in VIEWS):
            pid = first_process(world, one) if one is not None else None
            host = view(name, world, family, INIT)
            ended = [Line(text=_("it does not run"), domain="kernel")]
            inside = view(name, world, family, pid) if pid is not None else ended
        else:
            told = [said for _number, said in self.events] if name == "events" else []
            host = engine_view(name, world, one, inside=False, told=told)
            inside = engine_view(name, world, one, inside=True, told=told)
        return Panels(
            containers=len(Disk(world).containers()),
            host=Panel(f"{_('Host')}: {_(title)}", host),
            inside=Panel(f"{label}: {_(title_inside)}", inside),
        )

    def calls(self, number: int) -> Calls | None:
        """What is below the request with that number, from 1."""
        place = number - self.dropped - 1
        if not 0 <= place < len(self.requests):
            return None
        request, forgotten = self.requests[place], self.machine.forgotten
        kept = [one for one in request.calls if one > forgotten][:_LISTED]
        events = self.machine.kernel.timeline.events
        listed = [calls.told(one, events[one - forgotten - 1]) for one in kept]
        return Calls(number, listed, request.count - len(kept))

    def stacks(self) -> Stacks:
        """The images and their layers."""
        return stacks(self.machine.kernel.store)

    def difference(self, ident: str) -> Difference | None:
        """What one layer changes."""
        return difference(self.machine.kernel.store, ident)


class Told:
    """What one onlooker was told already, and what is new to it."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._greeted = False
        self._look = 0
        self._last = feed.dropped
        """The last request that it was told of, or that was gone before it came."""
        self._events = 0
        self._moved = -1

    def news(self) -> list[bytes]:
        """As JSON, one a line."""
        return [msgspec.json.encode(one) for one in self.fresh()]

    def fresh(self) -> list[News]:
        """What it does not know yet."""
        feed = self._feed
        fresh: list[News] = []
        if not self._greeted:
            self._greeted = True
            fresh.append(feed.hello())
        fresh += self._of_requests()
        if feed.told > self._events:
            new = [(number, one) for number, one in feed.events if number > self._events]
            fresh += [EventNews(number, *msgspec.structs.astuple(one)) for number, one in new]
            self._events = feed.told
        if feed.heard != self._moved:
            self._moved = feed.heard
            fresh.append(Moved(feed.heard))
        return fresh

    def _of_requests(self) -> list[News]:
        feed = self._feed
        told: list[RequestNews] = []
        for look, news in reversed(feed.stands.values()):
            if look <= self._look:
                break
            told.append(news)
        self._look = feed.looks
        told.sort(key=lambda one: one.number)
        missed = max(0, feed.dropped - self._last)
        self._last = max(self._last, feed.dropped, *(one.number for one in told[-1:]))
        return [*([Missed(missed)] if missed else []), *told]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@contextmanager
def _spoken(language: str) -> Generator[None]:
    """In another language for a moment: the engine's terminal has its own."""
    own = i18n.language()
    if language in LANGUAGES and language != own:
        i18n.use(language)
    try:
        yield
    finally:
        if i18n.language() != own:
            i18n.use(own)
