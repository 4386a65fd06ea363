"""Where images come from and go to. The daemon asks for a reference and gets a manifest.

The seam for a deeper registry: ``Registry`` answers ``manifest`` and ``blob`` and takes ``push``.
This one is in memory, filled from the catalogue.
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from simulator.isolation.control.docker.images import catalogue
from simulator.isolation.control.docker.images.reference import Reference

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class Blob(NamedTuple):
    """A layer or a configuration in a registry; ``load`` gives its bytes."""

    digest: str
    size: int
    load: Callable[[], bytes]


class Manifest(NamedTuple):
    """An image in a registry."""

    digest: str
    config: Blob
    layers: tuple[Blob, ...]


class Registry:
    """Images by repository and tag or digest."""

    def __init__(self) -> None:
        self._pushed: dict[tuple[str, str], Manifest] = {}

    def manifest(self, reference: Reference) -> Manifest | None:
        """What a reference names, or None."""
        name = reference.full
        wanted = reference.digest or reference.tag or "latest"
        pushed = self._pushed.get((name, wanted))
        if pushed is not None:
            return pushed
        published = catalogue.CATALOGUE.get(name)
        if published is None:
            return None
        offered = _offered(name)
        if wanted == offered.digest or wanted in catalogue.TAGS.get(name, ("latest",)):
            return offered
        return None

    def knows(self, repository: str) -> bool:
        """Whether there is anything of that name."""
        return repository in catalogue.CATALOGUE or any(
            name == repository for name, _ in self._pushed
        )

    def push(self, reference: Reference, config: bytes, layers: list[bytes]) -> Manifest:
        """Take an image in under a reference."""
        made = manifest_of(blob(config), tuple(blob(layer) for layer in layers))
        for wanted in (reference.tag or "latest", made.digest):
            self._pushed[reference.full, wanted] = made
        return made

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a layer is there already: then it is not pushed again."""
        found = [one for (name, _), one in self._pushed.items() if name == repository]
        return any(layer.digest == digest for one in found for layer in one.layers)

    def search(self, term: str) -> list[dict[str, Any]]:
        """Official images whose name holds ``term``."""
        found: list[dict[str, Any]] = []
        for name in catalogue.CATALOGUE:
            short = name.removeprefix("docker.io/library/")
            if term in short:
                found.append(
                    {"star_count": 3000, "is_official": True, "name": short,
                     "is_automated": False, "description": f"{short} base image."}
                )  # fmt: skip
        return found


def blob(content: bytes) -> Blob:
    """Bytes as a blob."""
    return Blob(f"sha256:{hashlib.sha256(content).hexdigest()}", len(content), lambda: content)


def manifest_of(config: Blob, layers: tuple[Blob, ...]) -> Manifest:
    """The manifest of an image, with the digest that its JSON has."""
    kind = "application/vnd.docker.container.image.v1+json"
    text = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": kind, "size": config.size, "digest": config.digest},
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": layer.size,
                "digest": layer.digest,
            }
            for layer in layers
        ],
    }
    return Manifest(blob(msgspec.json.encode(text)).digest, config, layers)


_MADE: dict[str, Manifest] = {}


def _offered(name: str) -> Manifest:
    if name not in _MADE:
        published = catalogue.CATALOGUE[name]
        layers = tuple(blob(load()) for load in published.layers)
        config = image_config(published.config, [layer.digest for layer in layers], published.steps)
        _MADE[name] = manifest_of(blob(msgspec.json.encode(config)), layers)
    return _MADE[name]


def image_config(
    config: dict[str, Any], diff_ids: list[str], steps: tuple[str, ...]
) -> dict[str, Any]:
    """An image's configuration (OCI image-spec ``config.md``); a step past its layers made none."""
    history = [
        {"created": catalogue.CREATED, "created_by": step}
        | ({"empty_layer": True} if number >= len(diff_ids) else {})
        for number, step in enumerate(steps)
    ]
    return {
        "architecture": "amd64",
        "config": config,
        "created": catalogue.CREATED,
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
