"""Manifests: what a registry says of an image (distribution ``manifest-v2-2.md``)."""

import base64
import hashlib
from typing import Any, NamedTuple

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.images import catalogue
from simulator.isolation.control.docker.images.catalogue import Published
from simulator.isolation.control.docker.images.tarball import stated_size

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
LIST_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_COMPRESSED = 0.4
"""How much of a layer goes over the wire, about."""


class Blob(NamedTuple):
    """A layer or a configuration in a registry, by digest; ``size`` is what is transferred."""

    digest: str
    size: int


class Manifest(NamedTuple):
    """An image in a registry. ``digest`` is what its tag stands for, maybe that of a list."""

    digest: str
    config: Blob
    layers: tuple[Blob, ...]
    size: int = 528


class Credentials(NamedTuple):
    """Who asks; empty when nobody logged in."""

    user: str = ""
    password: str = ""

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.user}:{self.password}".encode("utf-8", "surrogateescape")
        return f"Basic {base64.b64encode(pair).decode()}"


def credentials(header: str) -> Credentials:
    """The X-Registry-Auth header: base64url of JSON; wrong ones are no ones, as in moby."""
    try:
        padded = header + "=" * (-len(header) % 4)
        told = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=dict[str, Any])
        return Credentials(str(told.get("username") or ""), str(told.get("password") or ""))
    except (ValueError, msgspec.MsgspecError):
        return Credentials()


def configured(header: str, domain: str) -> Credentials:
    """X-Registry-Config: credentials by registry, as a build brings them."""
    try:
        padded = header + "=" * (-len(header) % 4)
        told = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=dict[str, dict[str, Any]])
    except (ValueError, msgspec.MsgspecError):
        return Credentials()
    for name in (domain, f"https://{domain}", "https://index.docker.io/v1/"):
        if name in told and (domain == "docker.io" or "index.docker.io" not in name):
            one = told[name]
            return Credentials(str(one.get("username") or ""), str(one.get("password") or ""))
    return Credentials()


def digest(content: bytes) -> str:
    """``sha256:...``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encoded(config: bytes, layers: list[bytes]) -> bytes:
    """The manifest of an image as JSON."""
    described = [
        {
            "mediaType": _LAYER_TYPE,
            "size": int(stated_size(one) * _COMPRESSED) or len(one),
            "digest": digest(one),
        }
        for one in layers
    ]
    own = {"mediaType": _CONFIG_TYPE, "size": len(config), "digest": digest(config)}
    return msgspec.json.encode(
        {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": own, "layers": described}
    )


def listed(by_architecture: dict[str, bytes]) -> bytes:
    """A list of manifests, one for each architecture."""
    found = [
        {
            "mediaType": MANIFEST_TYPE,
            "size": len(one),
            "digest": digest(one),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for architecture, one in by_architecture.items()
    ]
    return msgspec.json.encode({"schemaVersion": 2, "mediaType": LIST_TYPE, "manifests": found})


def choose(content: bytes, architecture: str) -> str:
    """The digest in a list for an architecture; empty when ``content`` is no list.

    Raises ``ApiError`` when there is none for it.
    """
    told = msgspec.json.decode(content, type=dict[str, Any])
    if told.get("mediaType") != LIST_TYPE:
        return ""
    for one in told["manifests"]:
        if one["platform"]["architecture"] == architecture:
            return str(one["digest"])
    raise ApiError(
        f"no matching manifest for linux/{architecture} in the manifest list entries", 404
    )


def decoded(content: bytes, named: str) -> Manifest:
    """A manifest's JSON, which a tag or list called ``named``. Raises ``ApiError``."""
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
        config = Blob(told["config"]["digest"], told["config"]["size"])
        layers = tuple(Blob(one["digest"], one["size"]) for one in told["layers"])
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise ApiError(f"manifest invalid: {error}") from None
    return Manifest(named, config, layers, len(content))


def image_config(
    config: dict[str, Any], diff_ids: list[str], steps: tuple[str, ...], architecture: str
) -> dict[str, Any]:
    """An image's configuration (OCI image-spec ``config.md``); a step past its layers made none."""
    history = [
        {"created": catalogue.CREATED, "created_by": step}
        | ({"empty_layer": True} if number >= len(diff_ids) else {})
        for number, step in enumerate(steps)
    ]
    return {
        "architecture": architecture,
        "config": config,
        "created": catalogue.CREATED,
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }


class Bundle(NamedTuple):
    """A published image made: what its tag names, and every manifest and blob by digest."""

    top: bytes
    manifests: dict[str, bytes]
    blobs: dict[str, bytes]


_BUNDLES: dict[int, Bundle] = {}


def bundle(published: Published) -> Bundle:
    """The manifests and blobs of an image of the catalogue, made once."""
    found = _BUNDLES.get(id(published))
    if found is not None:
        return found
    manifests: dict[str, bytes] = {}
    blobs: dict[str, bytes] = {}
    for architecture in published.architectures:
        layers = [make(architecture) for make in published.layers]
        diff_ids = [digest(one) for one in layers]
        told = image_config(published.config, diff_ids, published.steps, architecture)
        config = msgspec.json.encode(told)
        blobs[digest(config)] = config
        blobs.update(zip(diff_ids, layers, strict=True))
        manifests[architecture] = encoded(config, layers)
    top = listed(manifests)
    made = Bundle(top, {digest(one): one for one in (top, *manifests.values())}, blobs)
    _BUNDLES[id(published)] = made
    return made
