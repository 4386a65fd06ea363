"""Both sides of the glass at one cursor of a run: what the host sees, and what the sandbox sees."""

from typing import NamedTuple

from simulator.classroom.tui.playback import Playback, Viewer
from simulator.classroom.tui.present.engine.disk import Disk
from simulator.classroom.tui.present.engine.happened import Happened, happenings
from simulator.classroom.tui.present.engine.inside import first_process, shown
from simulator.classroom.tui.present.line import Line
from simulator.classroom.tui.present.views import (
    DEMONSTRATION_VIEWS,
    ENGINE_VIEWS,
    SUBJECT_VIEWS,
    VIEWS,
    engine_view,
    view,
)
from simulator.isolation.control.docker.engine.container import Record
from simulator.machine.abi.i18n import gettext as _


class Side(NamedTuple):
    """A panel: its title, its lines, and the lines it had before the step."""

    title: str
    lines: list[Line]
    before: list[Line]


def views(run: Playback) -> int:
    """How many views there are to walk through."""
    return len(VIEWS) + (len(ENGINE_VIEWS) if run.engine else 0)


def first_view(scenario: str) -> int:
    """The view in which most of what a scenario does can be seen."""
    names = [*(name for name, _title in VIEWS), *(name for name, *_titles in ENGINE_VIEWS)]
    by_subject = SUBJECT_VIEWS.get(scenario.partition(".")[0], "processes")
    return names.index(DEMONSTRATION_VIEWS.get(scenario, by_subject))


def sides(
    run: Playback, cursor: int, came_from: int, number: int, back: int = 0
) -> tuple[Side, Side]:
    """The host's side and the sandbox's. ``back`` counts containers from the newest."""
    container = shown(run.world(run.host.machine, cursor), back) if run.engine else None
    label = (
        _("Container {name}").format(name=container.Name) if container is not None else _("Sandbox")
    )
    if number >= len(VIEWS):
        return _of_engine(run, cursor, came_from, number - len(VIEWS), container, label)
    name, title = VIEWS[number]
    host = _seen(run, run.host, cursor, came_from, name)
    inside = _viewer(run, cursor, container)
    guest = _seen(run, inside, cursor, came_from, name) if inside is not None else None
    ended = [Line(text=_("it does not run"), domain="kernel")]
    said, before = guest or (ended, ended)
    return (
        Side(f"{_('Host')}: {_(title)}", *host),
        Side(f"{label}: {_(title)}", said, before),
    )


def _viewer(run: Playback, cursor: int, container: Record | None) -> Viewer | None:
    """Whose eyes the sandbox's side has; None for a container without a process."""
    if container is None:
        return run.guest
    machine = run.host.machine
    pid = first_process(run.world(machine, cursor), container)
    return Viewer(machine, pid) if pid is not None else None


def _seen(
    run: Playback, viewer: Viewer, cursor: int, came_from: int, name: str
) -> tuple[list[Line], list[Line]]:
    machine, pid = viewer.machine, viewer.pid
    family = run.machines[machine].family
    writes = run.writes(machine, came_from, cursor)
    lines = view(name, run.world(machine, cursor), family, pid, writes)
    return lines, view(name, run.world(machine, came_from), family, pid)


def _of_engine(
    run: Playback,
    cursor: int,
    came_from: int,
    number: int,
    container: Record | None,
    label: str,
) -> tuple[Side, Side]:
    name, title, title_inside = ENGINE_VIEWS[number]
    world = run.world(run.host.machine, cursor)
    before = run.world(run.host.machine, came_from)
    known = {one.ID: one for one in Disk(before).containers()}
    earlier = known.get(container.ID) if container is not None else None
    now, then = ((), ()) if name != "events" else (_told(run, cursor), _told(run, came_from))
    return (
        Side(
            f"{_('Host')}: {_(title)}",
            engine_view(name, world, container, inside=False, told=now),
            engine_view(name, before, earlier, inside=False, told=then),
        ),
        Side(
            f"{label}: {_(title_inside)}",
            engine_view(name, world, container, inside=True, told=now),
            engine_view(name, before, earlier, inside=True, told=then),
        ),
    )


def _told(run: Playback, cursor: int) -> list[Happened]:
    return happenings(run.history(run.host.machine, cursor))
