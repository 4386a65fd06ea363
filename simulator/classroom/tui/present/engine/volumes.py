"""Volumes against the writable layer: what outlives a container, and what goes with it."""

from simulator.classroom.tui.present.engine.disk import Disk, size
from simulator.classroom.tui.present.line import Line, heading
from simulator.isolation.control.docker.engine.container import Record
from simulator.isolation.control.docker.images.store import OVERLAY
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.i18n import ngettext
from simulator.machine.state.store import World


def volumes(world: World) -> list[Line]:
    """Every volume: its files' size, and where which containers have it."""
    disk = Disk(world)
    containers = disk.containers()
    lines: list[Line] = []
    for one in disk.volumes():
        name = one.Name[:12] if one.anonymous else one.Name
        kind = _("anonymous") if one.anonymous else ""
        lines.append(heading("  ".join(filter(None, (name, one.Driver, kind)))))
        lines.append(Line(text=_held(disk, one.Mountpoint)))
        used = [
            (container, point)
            for container in containers
            for point in container.Mounts
            if point.Type == "volume" and point.Name == one.Name
        ]
        lines += [
            Line(
                text=f"◀ {c.Name} {p.Destination}{'' if p.RW else ' ro'}  {c.State.status}",
                domain=c.ID,
            )
            for c, p in used
        ]
        if not used:
            lines.append(Line(text=_("no container has it: it stays until 'docker volume rm'")))
    return lines or [Line(text=_("no volume yet"), domain="kernel")]


def _held(disk: Disk, path: str) -> str:
    files = [one for _place, one in disk.below(path) if one.mode & S_IFMT != S_IFDIR]
    count = ngettext("{count} file", "{count} files", len(files)).format(count=len(files))
    return f"{count}, {size(sum(one.size for one in files))}"


def fate(world: World, container: Record | None) -> list[Line]:
    """What ``docker rm`` of one container takes, and what it leaves."""
    if container is None:
        return [Line(text=_("no container yet"), domain="kernel")]
    disk = Disk(world)
    anonymous = {one.Name for one in disk.volumes() if one.anonymous}
    lines = [
        heading(_("dies with the container")),
        Line(
            text=_("✗ its layer: {held}").format(
                held=_held(disk, f"{OVERLAY}/{container.ID}/diff")
            ),
            domain=container.ID,
        ),
        Line(text=_("✗ its log, hostname, hosts, resolv.conf"), domain=container.ID),
    ]
    unnamed = _("anonymous volume, with rm -v or --rm")
    lines += [
        Line(text=f"✗ {p.Destination}  {unnamed}") for p in container.Mounts if p.Name in anonymous
    ]
    stays = [
        Line(text=f"✓ {p.Destination} ◀ {p.Name if p.Type == 'volume' else p.Source}  {p.Type}")
        for p in container.Mounts
        if p.Name not in anonymous
    ]
    return [*lines, heading(_("outlives it")), *(stays or [Line(text=_("nothing"))])]
