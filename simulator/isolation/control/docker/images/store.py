"""The image store: configurations, layers and names below /var/lib/docker, as moby keeps them.

``image/overlay2/imagedb/content/sha256/ID`` is an image's configuration, ``layerdb/sha256/CHAIN``
what is known of a layer, ``overlay2/CACHE-ID/diff`` its files, ``repositories.json`` the names.
In the place of moby's tar-split a layer's archive is kept whole, so that it can be given back
byte for byte. A builder needs ``add_layer`` and ``add_image``, and ``lower`` to run a step on.
"""

import hashlib
from typing import Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, Conflict, NotFound
from simulator.isolation.control.docker.engine import files
from simulator.isolation.control.docker.engine.files import Kept
from simulator.isolation.control.docker.images import reference as references
from simulator.isolation.control.docker.images import tarball
from simulator.isolation.control.docker.images.reference import Reference
from simulator.machine.userland.process import Process, SysError

ROOT = "/var/lib/docker"
CONTENT = f"{ROOT}/image/overlay2/imagedb/content/sha256"
METADATA = f"{ROOT}/image/overlay2/imagedb/metadata/sha256"
LAYERS = f"{ROOT}/image/overlay2/layerdb/sha256"
NAMES = f"{ROOT}/image/overlay2/repositories.json"
OVERLAY = f"{ROOT}/overlay2"


class Layer(msgspec.Struct):
    """A layer on disk. ``chain`` names it with all below it, ``diff`` its archive alone."""

    chain: str
    diff: str
    cache: str
    parent: str
    size: int


class Image:
    """An image: its id (``sha256:...``) and its configuration."""

    def __init__(self, ident: str, config: dict[str, Any], parent: str = "") -> None:
        self.id = ident
        self.config = config
        self.parent = parent

    @property
    def run_config(self) -> dict[str, Any]:
        """What a container of it starts with."""
        return self.config.get("config") or {}

    @property
    def diff_ids(self) -> list[str]:
        """The layers' archives, from the bottom up."""
        rootfs: dict[str, Any] = self.config.get("rootfs") or {}
        return rootfs.get("diff_ids") or []

    @property
    def chains(self) -> list[str]:
        """The layers' chain ids, from the bottom up."""
        found: list[str] = []
        for diff in self.diff_ids:
            found.append(chain_id(found[-1] if found else "", diff))
        return found


def digest(content: bytes) -> str:
    """``sha256:...``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def chain_id(parent: str, diff: str) -> str:
    """The name of a layer with all below it (OCI image-spec, "Layer ChainID")."""
    return digest(f"{parent} {diff}".encode()) if parent else diff


class ImageStore:
    """Images, layers and names; loaded from disk at start, written back at every change."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.layers: dict[str, Layer] = {}
        self.names: dict[str, dict[str, str]] = {}
        """Repository, as people write it, to reference, to image id."""
        self._kept = Kept()

    async def load(self, sys: Process) -> None:
        """Read what is on disk."""
        for path in (CONTENT, METADATA, LAYERS, OVERLAY):
            await files.make(sys, path, 0o710)
        for name in await files.names(sys, LAYERS):
            layer = await files.load(sys, f"{LAYERS}/{name}/layer.json", Layer)
            if layer is not None:
                self.layers[layer.chain] = layer
        for name in await files.names(sys, CONTENT):
            config = await files.load(sys, f"{CONTENT}/{name}", dict[str, Any])
            if config is not None:
                parent = await sys.text_or_empty(f"{METADATA}/{name}/parent")
                self.images[f"sha256:{name}"] = Image(f"sha256:{name}", config, parent)
        kept = await files.load(sys, NAMES, dict[str, dict[str, dict[str, str]]])
        self.names = (kept or {}).get("Repositories", {})

    # -- layers

    async def add_layer(self, sys: Process, parent: str, content: bytes) -> Layer:
        """Unpack an archive as a layer on ``parent`` (a chain id, or empty); shared if known."""
        diff = digest(content)
        chain = chain_id(parent, diff)
        if chain in self.layers:
            return self.layers[chain]
        cache = hashlib.sha256(f"cache {chain}".encode()).hexdigest()
        place = f"{OVERLAY}/{cache}"
        own = f"{LAYERS}/{_hex(chain)}"
        try:
            await files.make(sys, f"{place}/diff")
            held = await tarball.unpack_below(sys, content, f"{place}/diff", layer=True)
            size = tarball.stated_size(content) or held
            layer = Layer(chain=chain, diff=diff, cache=cache, parent=parent, size=size)
            await files.make(sys, own)
            await files.write(sys, f"{own}/layer.tar", content)
            await files.save(sys, f"{own}/layer.json", layer)
        except (ApiError, SysError):  # half a layer would be taken for a whole one
            await files.remove(sys, place)
            await files.remove(sys, own)
            raise
        self.layers[chain] = layer
        return layer

    async def archive(self, sys: Process, chain: str) -> bytes:
        """A layer's archive, as it came."""
        return await sys.slurp(f"{LAYERS}/{_hex(chain)}/layer.tar")

    def lower(self, image: Image) -> list[str]:
        """The directories below a container's own, topmost first."""
        return [f"{OVERLAY}/{self.layers[chain].cache}/diff" for chain in reversed(image.chains)]

    def size(self, image: Image) -> int:
        """Bytes of all its layers."""
        return sum(self.layers[chain].size for chain in image.chains if chain in self.layers)

    def shown(self, image: Image) -> bool:
        """Whether lists have it: it has a name, or is nobody's parent."""
        return bool(self.references(image)) or not self.children(image)

    async def _drop_unused_layers(self, sys: Process, chains: list[str]) -> list[str]:
        used = {chain for image in self.images.values() for chain in image.chains}
        gone: list[str] = []
        for chain in reversed(chains):
            layer = self.layers.get(chain)
            if layer is None or chain in used:
                break
            del self.layers[chain]
            await files.remove(sys, f"{OVERLAY}/{layer.cache}")
            await files.remove(sys, f"{LAYERS}/{_hex(chain)}")
            gone.append(chain)
        return gone

    # -- images

    async def add_image(self, sys: Process, config: bytes, parent: str = "") -> Image:
        """Keep a configuration whose layers are there; the image."""
        ident = digest(config)
        if ident in self.images:
            return self.images[ident]
        image = Image(ident, msgspec.json.decode(config, type=dict[str, Any]), parent)
        await files.write(sys, f"{CONTENT}/{_hex(ident)}", config)
        if parent:
            await files.make(sys, f"{METADATA}/{_hex(ident)}")
            await files.write(sys, f"{METADATA}/{_hex(ident)}/parent", parent.encode())
        self.images[ident] = image
        return image

    async def raw_config(self, sys: Process, image: Image) -> bytes:
        """The configuration's bytes, whose digest the id is."""
        return await sys.slurp(f"{CONTENT}/{_hex(image.id)}")

    async def remove_image(self, sys: Process, image: Image) -> list[str]:
        """Forget an image that no name refers to; the chain ids of layers that went with it."""
        del self.images[image.id]
        await files.remove(sys, f"{CONTENT}/{_hex(image.id)}")
        await files.remove(sys, f"{METADATA}/{_hex(image.id)}")
        return await self._drop_unused_layers(sys, image.chains)

    def children(self, image: Image) -> list[Image]:
        """Images that a builder made from it."""
        return [one for one in self.images.values() if one.parent == image.id]

    # -- names

    def references(self, image: Image) -> list[str]:
        """Every name of an image, tags before digests."""
        found = [
            name for names in self.names.values() for name, ident in names.items()
            if ident == image.id
        ]  # fmt: skip
        return sorted(found, key=lambda name: ("@" in name, name))

    async def tag(self, sys: Process, reference: Reference, image: Image) -> None:
        """Give an image a name, which another one then loses."""
        name = str(reference.tagged())
        self.names.setdefault(reference.familiar, {})[name] = image.id
        await self._save_names(sys)

    async def untag(self, sys: Process, name: str) -> None:
        """Take a name away."""
        for repository, names in list(self.names.items()):
            names.pop(name, None)
            if not names:
                del self.names[repository]
        await self._save_names(sys)

    async def _save_names(self, sys: Process) -> None:
        await self._kept.save(sys, NAMES, lambda: {"Repositories": self.names})

    def named(self, reference: Reference) -> Image | None:
        """The image of a name."""
        names = self.names.get(reference.familiar, {})
        if reference.digest:
            ident = names.get(f"{reference.familiar}@{reference.digest}")
            if ident is None and reference.digest in self.images:
                ident = reference.digest
        else:
            ident = names.get(str(reference.tagged()))
        return self.images.get(ident) if ident is not None else None

    def find(self, text: str) -> Image:
        """By id, the beginning of one, or name. Raises ``NotFound`` as the daemon words it."""
        bare = text.removeprefix("sha256:")
        full = self.images.get(f"sha256:{bare}")
        if full is not None:
            return full
        missing = NotFound(f"No such image: {_shown(text)}")
        try:
            reference = references.parse(text)
        except ApiError:
            reference = None
            if not _is_hex(bare):
                raise
        named = self.named(reference) if reference is not None else None
        if named is not None:
            return named
        if not _is_hex(bare):
            raise missing
        found = [one for ident, one in self.images.items() if ident[7:].startswith(bare)]
        if len(found) > 1:
            raise Conflict(f"multiple IDs found with provided prefix: {bare}")
        if not found:
            raise missing
        return found[0]


def _shown(text: str) -> str:
    """How an unknown image is named in the error: with its tag."""
    try:
        return str(references.parse(text).tagged())
    except ApiError:
        return text


def _hex(ident: str) -> str:
    return ident.removeprefix("sha256:")


def _is_hex(text: str) -> bool:
    return bool(text) and all(char in "0123456789abcdef" for char in text)
