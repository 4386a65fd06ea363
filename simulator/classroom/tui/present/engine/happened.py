"""What the Engine told its listeners, as ``docker events`` prints it."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from simulator.classroom.tui.present.line import Line
from simulator.isolation.control.docker.engine.container import Record
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.kernel.kernel import Event
from simulator.machine.userland.calendar import moment

_SECOND = 1_000_000_000
_ID = 12
_TOLD = frozenset(("image", "exitCode", "signal", "driver", "type", "execID", "destination"))
"""Attributes that are said; the rest are a container's labels."""


class Happened(msgspec.Struct, frozen=True):
    """One event. ``time`` is in nanoseconds since the epoch."""

    time: int
    kind: str
    action: str
    ident: str
    attributes: dict[str, str]

    @property
    def container(self) -> str:
        """The id of the container that it is about, or empty."""
        if self.kind == "container":
            return self.ident
        return self.attributes.get("container", "")


def told(event: Event) -> Happened | None:
    """What the Engine said by this call, or None of any other call."""
    call = event.call
    if call.name != "@event":
        return None
    kind, action, ident, time, attributes = cast("tuple[str, str, str, int, Any]", call.args)
    given = cast("Mapping[str, str]", attributes)
    return Happened(time, kind, action, ident, {key: str(one) for key, one in given.items()})


def happenings(events: Iterable[Event]) -> list[Happened]:
    """All that was told in these calls."""
    return [one for event in events if (one := told(event)) is not None]


def lines(found: Iterable[Happened], containers: Iterable[Record] = ()) -> list[Line]:
    """A line each: when, what, which. ``containers`` lends their names."""
    names = {one.ID: one.Name for one in containers}
    listed = [Line(text=spelled(one, names), domain=_whose(one)) for one in found]
    return listed or [Line(text=_("nothing happened yet"), domain="kernel")]


def inside(found: Iterable[Happened], container: Record | None) -> list[Line]:
    """Those about one container."""
    if container is None:
        return [Line(text=_("no container yet"), domain="kernel")]
    return lines([one for one in found if one.container == container.ID], [container])


def spelled(one: Happened, names: Mapping[str, str]) -> str:
    """``22:13:21 container start web  image=nginx``."""
    clock = moment(one.time // _SECOND).iso()[11:19]
    name = one.attributes.get("name") or _short(one.ident)
    rest = [
        f"{key}={_short(value) if key == 'execID' or value.startswith('sha256:') else value}"
        for key, value in sorted(one.attributes.items())
        if key in _TOLD and value
    ]
    if one.kind != "container" and one.container:
        rest.insert(0, f"container={names.get(one.container, _short(one.container))}")
    return f"{clock} {one.kind} {one.action} {name}  {' '.join(rest)}".rstrip()


def _short(text: str) -> str:
    return text.removeprefix("sha256:")[:_ID]


def _whose(one: Happened) -> Domain:
    return Domain(one.container) if one.container else HOST
