"""Images as stacks of layers: sizes, what is shared, and what containers put on top."""

from collections.abc import Iterator

from simulator.classroom.tui.present.engine.disk import Disk, size
from simulator.classroom.tui.present.line import Line, heading
from simulator.isolation.control.docker.engine.container import Record
from simulator.isolation.control.docker.images.store import OVERLAY, Layer, chain_id
from simulator.machine.abi.constants import S_IFCHR, S_IFDIR, S_IFMT
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.i18n import ngettext
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import World

_MOST = 40
"""Files that are named at most: a layer of an image may have thousands."""
_OPAQUE = "trusted.overlay.opaque"


def layers(world: World) -> list[Line]:
    """Each image with its layers, topmost first, and the containers that stand on it."""
    disk = Disk(world)
    known, images, containers = disk.layers(), disk.images(), disk.containers()
    names = _names(disk)
    chains = {ident: _chains(diffs) for ident, diffs in images.items()}
    users: dict[str, int] = {}
    for stack in chains.values():
        for chain in stack:
            users[chain] = users.get(chain, 0) + 1
    lines: list[Line] = []
    for ident, stack in chains.items():
        total = sum(known[chain].size for chain in stack if chain in known)
        lines.append(heading(f"{names.get(ident, ident[7:19])}  {size(total)}"))
        for one in containers:
            if one.Image == ident:
                lines.append(_own(disk, one))
        lines += [_layer(known[chain], users[chain]) for chain in reversed(stack) if chain in known]
    unique = sum(one.size for one in known.values())
    if lines:
        lines.append(heading(_("on disk once: {size}").format(size=size(unique))))
    return lines or [Line(text=_("no image yet"), domain="kernel")]


def _names(disk: Disk) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, ident in disk.tags().items():
        named[ident] = f"{named[ident]}, {name}" if ident in named else name
    return named


def _chains(diffs: list[str]) -> list[str]:
    found: list[str] = []
    for diff in diffs:
        found.append(chain_id(found[-1] if found else "", diff))
    return found


def _layer(layer: Layer, users: int) -> Line:
    text = f"├ {layer.diff[7:19]}  {size(layer.size)}"
    if users > 1:
        shared = ngettext("shared by {count} image", "shared by {count} images", users)
        text = f"{text}  ═ {shared.format(count=users)}"
    return Line(text=text)


def _own(disk: Disk, one: Record) -> Line:
    """A container's own layer: bytes of the files in it."""
    held = sum(
        inode.size
        for _place, inode in disk.below(f"{OVERLAY}/{one.ID}/diff")
        if inode.mode & S_IFMT != S_IFDIR
    )
    return Line(text=f"┌ {one.Name}  {size(held)}  {one.State.status}", domain=one.ID)


# -- one container's overlay


def overlay(world: World, container: Record | None) -> list[Line]:
    """Upper, work and lower directories of a container, with copy-ups and whiteouts marked."""
    if container is None:
        return [Line(text=_("no container yet"), domain="kernel")]
    disk = Disk(world)
    place = f"{OVERLAY}/{container.ID}"
    return [
        heading(_("upper: its own layer")),
        Line(text=f"{OVERLAY}/{container.ID[:12]}…/diff", domain=container.ID),
        *_changes(disk, f"{place}/diff", container),
        heading(_("work: where a copy is prepared")),
        *_plain(disk, f"{place}/work", container.ID),
        heading(_("lower: never written to")),
        *(
            Line(text=f"{number} {_short(path)}")
            for number, path in enumerate(container.Layers, start=1)
        ),
    ]


def _short(path: str) -> str:
    """A layer's directory with its long name cut."""
    name = path.removeprefix(f"{OVERLAY}/").partition("/")[0]
    return f"{name[:12]}…-init/diff" if name.endswith("-init") else f"{name[:12]}…/diff"


def _changes(disk: Disk, upper: str, container: Record) -> Iterator[Line]:
    found = list(disk.below(upper))
    for path, inode in found[:_MOST]:
        mark, said = _change(disk, container, path, inode)
        yield Line(text=f"{mark} {path}  {said}".rstrip(), domain=container.ID)
    if len(found) > _MOST:
        yield Line(text=_("and {count} more").format(count=len(found) - _MOST))
    if not found:
        yield Line(text=_("empty: it has changed nothing"), domain=container.ID)


def _change(disk: Disk, container: Record, path: str, inode: Inode) -> tuple[str, str]:
    if inode.mode & S_IFMT == S_IFCHR and inode.rdev == 0:
        return "✗", _("whiteout: covers the file below")
    below = [number for number, layer in enumerate(container.Layers, 1) if disk.find(layer + path)]
    directory = inode.mode & S_IFMT == S_IFDIR
    if not below:
        return "+", _("new") if directory else _("new, {size}").format(size=size(inode.size))
    if directory and (inode.xattrs or {}).get(_OPAQUE) == b"y":
        return "▪", _("opaque: nothing below is seen")
    if directory:
        return "·", ""
    return "⇡", _("copied up from {layer}, {size}").format(layer=below[0], size=size(inode.size))


def _plain(disk: Disk, path: str, domain: str) -> Iterator[Line]:
    names = [place for place, _inode in disk.below(path)]
    yield Line(text=" ".join(names) or _("empty"), domain=domain)
