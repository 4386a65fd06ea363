"""Images as stacks of layers: sizes, what is shared, and what containers put on top."""

from collections.abc import Iterator

from simulator.classroom.tui.present.engine.changes import changes
from simulator.classroom.tui.present.engine.disk import Disk, size
from simulator.classroom.tui.present.engine.stack import Storey, stacks
from simulator.classroom.tui.present.line import Line, heading
from simulator.isolation.control.docker.engine.container import Record
from simulator.isolation.control.docker.images.store import OVERLAY
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import HOST
from simulator.machine.state.store import World

_MOST = 40
"""Files that are named at most: a panel is no file manager."""


def layers(world: World) -> list[Line]:
    """Each image with its layers, topmost first, and the containers that stand on it."""
    found = stacks(world)
    lines: list[Line] = []
    for one in found.stacks:
        lines.append(heading(f"{one.name}  {size(one.size)}"))
        lines += map(_line, one.storeys)
    if lines:
        lines.append(heading(_("on disk once: {size}").format(size=size(found.size))))
    return lines or [Line(text=_("no image yet"), domain="kernel")]


def _line(one: Storey) -> Line:
    return Line(text=one.text, domain=one.id if one.container else HOST)


# -- one container's overlay


def overlay(world: World, container: Record | None) -> list[Line]:
    """Upper, work and lower directories of a container, with copy-ups and whiteouts marked."""
    if container is None:
        return [Line(text=_("no container yet"), domain="kernel")]
    disk = Disk(world)
    place = f"{OVERLAY}/{container.ID}"
    known = {
        one.cache: f"  ├ {one.diff.removeprefix('sha256:')[:12]}  {size(one.size)}"
        for one in disk.layers().values()
    }
    return [
        heading(_("upper: its own layer")),
        Line(text=f"{OVERLAY}/{container.ID[:12]}…/diff", domain=container.ID),
        *_changes(disk, f"{place}/diff", container),
        heading(_("work: where a copy is prepared")),
        *_plain(disk, f"{place}/work", container.ID),
        heading(_("lower: never written to")),
        *(
            Line(text=f"{number} {_short(path)}{known.get(_directory(path), '')}")
            for number, path in enumerate(container.Layers, start=1)
        ),
    ]


def _directory(path: str) -> str:
    return path.removeprefix(f"{OVERLAY}/").partition("/")[0]


def _short(path: str) -> str:
    """A layer's directory with its long name cut."""
    name = _directory(path)
    return f"{name[:12]}…-init/diff" if name.endswith("-init") else f"{name[:12]}…/diff"


def _changes(disk: Disk, upper: str, container: Record) -> Iterator[Line]:
    found, more = changes(disk, upper, container.Layers, _MOST)
    yield from (Line(text=one.text, domain=container.ID) for one in found)
    if more:
        yield Line(text=_("and {count} more").format(count=more))
    if not found:
        yield Line(text=_("empty: it has changed nothing"), domain=container.ID)


def _plain(disk: Disk, path: str, domain: str) -> Iterator[Line]:
    names = [place for place, _inode in disk.below(path)]
    yield Line(text=" ".join(names) or _("empty"), domain=domain)
