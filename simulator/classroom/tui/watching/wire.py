"""What is told of a running engine, in memory and as JSON: ``GET /vitrina/...`` on its socket.

``watch``
    A stream of ``News``, one JSON object a line; its ``type`` says which: ``hello`` first, then
    ``request`` and ``event`` as they come (a request again when its status or its number of calls
    changed), ``moved`` when the machine did anything at all, ``missed`` for requests that were too
    many to be told.
``view/NAME?container=N&lang=en|es``
    ``Panels``: one aspect of the machine (``VIEW_NAMES``), as the host sees it and as the N-th
    container does, the newest that runs first.
``requests/N?lang=...``
    ``Calls``: the kernel calls below a request.
``layers?lang=...``, ``layers/ID?lang=...``
    ``Stacks`` of image layers with their sizes; what one layer changes.

More keys may follow; these stay. Times are nanoseconds since the epoch, sizes are bytes.
"""

from typing import TypeAlias

import msgspec

from simulator.classroom.tui.present.engine.calls import CallLine
from simulator.classroom.tui.present.line import Line

VERSION = 1


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Who speaks. ``views`` are the names that ``view/NAME`` knows."""

    version: int
    machine: str
    places: tuple[str, ...]
    views: tuple[str, ...]


class RequestNews(msgspec.Struct, frozen=True, tag="request"):
    """How a request stands. ``status`` 0: not answered yet; ``calls``: how many are below it."""

    number: int
    method: str
    target: str
    status: int
    calls: int


class EventNews(msgspec.Struct, frozen=True, tag="event"):
    """The Engine told its listeners something; the same as one line of ``docker events``."""

    number: int
    time: int
    kind: str
    action: str
    ident: str
    attributes: dict[str, str]


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """The kernel has answered so many calls by now."""

    calls: int


class Missed(msgspec.Struct, frozen=True, tag="missed"):
    """So many requests came and went untold."""

    requests: int


News: TypeAlias = Hello | RequestNews | EventNews | Moved | Missed


class Panel(msgspec.Struct, frozen=True):
    """One side of the glass."""

    title: str
    lines: list[Line]


class Panels(msgspec.Struct, frozen=True):
    """Both sides; ``containers``: how many there are to choose from."""

    containers: int
    host: Panel
    inside: Panel


class Calls(msgspec.Struct, frozen=True):
    """The calls below a request; ``more`` were too many, or are too long ago."""

    request: int
    calls: list[CallLine]
    more: int = 0
