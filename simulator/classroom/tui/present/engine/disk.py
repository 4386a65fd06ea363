"""Reading dockerd's files from a world: nobody's call, so nothing is changed or checked."""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from simulator.isolation.control.docker.engine.container import Record
from simulator.isolation.control.docker.engine.networks import KEPT, Network
from simulator.isolation.control.docker.engine.volumes import DRIVERS, Volume
from simulator.isolation.control.docker.images.store import (
    CONTENT,
    LAYERS,
    NAMES,
    Layer,
)
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.abi.ids import InodeId
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import content
from simulator.machine.kernel.vfs.inode import IN_DIRECTORY, Dentry, Inode
from simulator.machine.state.store import World

T = TypeVar("T")
_CONTAINERS = "/var/lib/docker/containers"


class History(msgspec.Struct, frozen=True):
    """How a step of an image's making is remembered."""

    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageFile(msgspec.Struct, frozen=True):
    """What is told of an image: its layers' archives, from the bottom up, and their making."""

    class RootFs(msgspec.Struct, frozen=True):
        """The layers of it."""

        diff_ids: list[str] = []

    rootfs: RootFs = RootFs()
    history: list[History] = []


class _Names(msgspec.Struct, frozen=True):
    Repositories: dict[str, dict[str, str]] = {}


class Disk:
    """The files of the machine's first root, by absolute paths without links in them."""

    def __init__(self, world: World) -> None:
        self.world = world
        init = world.get(Task, INIT)
        self._root: InodeId = init.root.inode if init is not None else 0

    def find(self, path: str) -> Inode | None:
        """The inode at ``path``, itself if it is a link."""
        at: InodeId = self._root
        for name in filter(None, path.split("/")):
            dentry = self.world.get(Dentry, (at, name))
            if dentry is None:
                return None
            at = dentry.inode
        return self.world.get(Inode, at)

    def names(self, path: str) -> list[str]:
        """What is in a directory, sorted."""
        found = self.find(path)
        keys = self.world.by(IN_DIRECTORY, found.id) if found is not None else ()
        dentries = (self.world.row(Dentry, key) for key in keys)
        return sorted(dentry.id[1] for dentry in dentries)

    def load(self, path: str, kind: type[T]) -> T | None:
        """A file of JSON; None where it is missing or half written."""
        inode = self.find(path)
        if inode is None:
            return None
        try:
            return msgspec.json.decode(content.read(inode, 0, inode.size), type=kind)
        except msgspec.MsgspecError:
            return None

    def below(self, path: str) -> Iterator[tuple[str, Inode]]:
        """Every file below a directory, with its path from there, parents first."""
        for name in self.names(path):
            inode = self.find(f"{path}/{name}")
            if inode is None:
                continue
            yield f"/{name}", inode
            if inode.mode & S_IFMT == S_IFDIR:
                for place, one in self.below(f"{path}/{name}"):
                    yield f"/{name}{place}", one

    # -- what dockerd keeps

    @property
    def there(self) -> bool:
        """Whether a dockerd has ever run here."""
        return self.find(LAYERS) is not None

    def containers(self) -> list[Record]:
        """Every container, oldest first."""
        made = {name: self.find(f"{_CONTAINERS}/{name}") for name in self.names(_CONTAINERS)}
        # Two may be made in one nanosecond of the model: their directories tell the order.
        order = sorted((inode.id, name) for name, inode in made.items() if inode is not None)
        found = [self.load(f"{_CONTAINERS}/{name}/config.v2.json", Record) for _, name in order]
        return [one for one in found if one is not None]

    def networks(self) -> list[Network]:
        """Every network."""
        return self.load(KEPT, list[Network]) or []

    def volumes(self) -> list[Volume]:
        """Every volume."""
        found = [
            self.load(f"{root}/{name}/volume.json", Volume)
            for root in DRIVERS.values()
            for name in self.names(root)
        ]
        return [one for one in found if one is not None]

    def layers(self) -> dict[str, Layer]:
        """Every layer, by its chain id."""
        found = [self.load(f"{LAYERS}/{name}/layer.json", Layer) for name in self.names(LAYERS)]
        return {one.chain: one for one in found if one is not None}

    def images(self) -> dict[str, ImageFile]:
        """Every image, by its id."""
        found = {name: self.load(f"{CONTENT}/{name}", ImageFile) for name in self.names(CONTENT)}
        return {f"sha256:{name}": one for name, one in found.items() if one is not None}

    def tags(self) -> dict[str, str]:
        """Image ids by the names with a tag that people write."""
        kept = self.load(NAMES, _Names)
        named = kept.Repositories.values() if kept is not None else ()
        return {name: ident for one in named for name, ident in one.items() if "@" not in name}


def size(count: int) -> str:
    """Bytes as docker writes them (go-units HumanSize, three digits)."""
    amount, units = float(count), ("B", "kB", "MB", "GB", "TB")
    for unit in units[:-1]:
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} {units[-1]}"
