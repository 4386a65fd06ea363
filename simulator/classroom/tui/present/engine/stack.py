"""Images as stacks of layers, and what each layer changes: for a screen, or for an onlooker."""

import msgspec

from simulator.classroom.tui.present.engine.changes import Change, changes
from simulator.classroom.tui.present.engine.disk import Disk, History, size
from simulator.isolation.control.docker.engine.container import Record
from simulator.isolation.control.docker.images.store import OVERLAY, Layer, chain_id
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.abi.i18n import ngettext
from simulator.machine.state.store import World

_SHORT = 12


class Storey(msgspec.Struct, frozen=True):
    """A layer, or a container's own on top: ``size`` in bytes, ``shared`` by so many images.

    ``id`` is the layer's chain id or the container's; ``made`` the line of the Dockerfile that made
    a layer, or how the container is.
    """

    id: str
    name: str
    size: int
    made: str = ""
    shared: int = 0
    container: bool = False

    @property
    def text(self) -> str:
        """As one line of a drawing."""
        corner = "┌" if self.container else "├"
        text = f"{corner} {self.name}  {size(self.size)}"
        if self.shared > 1:
            told = ngettext("shared by {count} image", "shared by {count} images", self.shared)
            text = f"{text}  ═ {told.format(count=self.shared)}"
        return f"{text}  {self.made}" if self.container else text


class Stack(msgspec.Struct, frozen=True):
    """One image, its layers topmost first below the containers that stand on it."""

    name: str
    size: int
    storeys: list[Storey]


class Stacks(msgspec.Struct, frozen=True):
    """Every image; ``size``: what is on disk once, in bytes."""

    size: int
    stacks: list[Stack]


class Difference(msgspec.Struct, frozen=True):
    """What one layer changes of those below; ``more``: files that are not named."""

    id: str
    changes: list[Change]
    more: int = 0


def stacks(world: World) -> Stacks:
    """The images of a machine."""
    disk = Disk(world)
    known, images, containers = disk.layers(), disk.images(), disk.containers()
    names = _names(disk)
    chains = {ident: chain_ids(one.rootfs.diff_ids) for ident, one in images.items()}
    users: dict[str, int] = {}
    for stack in chains.values():
        for chain in stack:
            users[chain] = users.get(chain, 0) + 1
    return Stacks(
        size=sum(one.size for one in known.values()),
        stacks=[
            Stack(
                name=names.get(ident, ident.removeprefix("sha256:")[:_SHORT]),
                size=sum(known[chain].size for chain in stack if chain in known),
                storeys=[
                    *(_own(disk, one) for one in containers if one.Image == ident),
                    *_storeys(known, stack, images[ident].history, users),
                ],
            )
            for ident, stack in chains.items()
        ],
    )


def _names(disk: Disk) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, ident in disk.tags().items():
        named[ident] = f"{named[ident]}, {name}" if ident in named else name
    return named


def chain_ids(diffs: list[str]) -> list[str]:
    """The names of layers with all below them, from those of their archives, bottom up."""
    found: list[str] = []
    for diff in diffs:
        found.append(chain_id(found[-1] if found else "", diff))
    return found


def _storeys(
    known: dict[str, Layer], chains: list[str], history: list[History], users: dict[str, int]
) -> list[Storey]:
    made = [one.created_by or one.comment for one in history if not one.empty_layer]
    made += [""] * (len(chains) - len(made))
    return [
        Storey(
            id=chain,
            name=known[chain].diff.removeprefix("sha256:")[:_SHORT],
            size=known[chain].size,
            made=line,
            shared=users[chain],
        )
        for chain, line in reversed(list(zip(chains, made, strict=False)))
        if chain in known
    ]


def _own(disk: Disk, one: Record) -> Storey:
    """A container's own layer: bytes of the files in it."""
    held = sum(
        inode.size
        for _place, inode in disk.below(f"{OVERLAY}/{one.ID}/diff")
        if inode.mode & S_IFMT != S_IFDIR
    )
    return Storey(one.ID, one.Name, held, made=one.State.status, container=True)


def difference(world: World, ident: str) -> Difference | None:
    """What a layer, or a container's own, changes of what is below it; None: there is no such."""
    disk = Disk(world)
    known = disk.layers()
    if ident in known:
        lower: list[str] = []
        parent = known[ident].parent
        while parent in known:
            lower.append(f"{OVERLAY}/{known[parent].cache}/diff")
            parent = known[parent].parent
        found, more = changes(disk, f"{OVERLAY}/{known[ident].cache}/diff", lower)
        return Difference(ident, found, more)
    container = next((one for one in disk.containers() if ident == one.ID), None)
    if container is None:
        return None
    found, more = changes(disk, f"{OVERLAY}/{ident}/diff", container.Layers)
    return Difference(ident, found, more)
