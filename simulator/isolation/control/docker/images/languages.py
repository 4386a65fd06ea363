"""Images of languages: python and node, in the tags that Dockerfiles and tutorials name."""

from simulator.isolation.control.docker.images.catalogue import (
    ALPINE,
    BOOKWORM,
    SLIM,
    Published,
    image,
)
from simulator.isolation.control.docker.images.contents import Distribution, Make, layer

_MB = 1_000_000
_ENTRY = """#!/bin/sh
set -e
# a first word that is an option, or no program, belongs to node
if [ "${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ]; then
    set -- node "$@"
fi
exec "$@"
"""
_TOOLS: dict[str, Make] = {}


def _build_tools() -> Make:
    """What the full images of languages have in common: a layer that they share."""
    if not _TOOLS:
        _TOOLS["all"] = layer(780 * _MB, ("usr/bin/curl", "usr/bin/wget"))
    return _TOOLS["all"]


def _python(base: Distribution, version: str, size: int, *, full: bool = False) -> Published:
    names = ("python3", "python", "pip")
    own = layer(size, tuple(f"usr/local/bin/{name}" for name in names),
                below=("usr/local/lib/python3/site-packages",))  # fmt: skip
    layers = (_build_tools(), own) if full else (own,)
    return image(base, *layers, env=("LANG=C.UTF-8", f"PYTHON_VERSION={version}"), Cmd=["python3"])


def _node(base: Distribution, version: str, size: int, *, full: bool = False) -> Published:
    names = ("node", "npm", "npx", "yarn", "yarnpkg")
    own = layer(size, tuple(f"usr/local/bin/{name}" for name in names))
    layers = (_build_tools(), own) if full else (own,)
    entry = layer(388, scripts={"usr/local/bin/docker-entrypoint.sh": _ENTRY})
    return image(base, *layers, entry, env=(f"NODE_VERSION={version}",), Cmd=["node"],
                 Entrypoint=["docker-entrypoint.sh"])  # fmt: skip


def _tagged(one: Published, *tags: str) -> dict[str, Published]:
    return dict.fromkeys(tags, one)


def published() -> dict[str, dict[str, Published]]:
    """By short name and tag."""
    return {"python": _pythons(), "node": _nodes()}


def _pythons() -> dict[str, Published]:
    light = ALPINE["3.20"]
    return {
        **_tagged(
            _python(BOOKWORM, "3.12.8", 64 * _MB, full=True), "latest", "3", "3.12", "3.12-bookworm"
        ),
        **_tagged(
            _python(SLIM, "3.12.8", 47 * _MB), "slim", "3-slim", "3.12-slim", "3.12-slim-bookworm"
        ),
        **_tagged(_python(light, "3.12.8", 40 * _MB), "alpine", "3-alpine", "3.12-alpine"),
        **_tagged(_python(BOOKWORM, "3.11.11", 60 * _MB, full=True), "3.11"),
        **_tagged(_python(SLIM, "3.11.11", 45 * _MB), "3.11-slim"),
        **_tagged(_python(SLIM, "3.10.16", 44 * _MB), "3.10", "3.10-slim"),
        **_tagged(_python(SLIM, "3.9.21", 44 * _MB), "3.9", "3.9-slim"),
        **_tagged(_python(light, "3.11.11", 39 * _MB), "3.11-alpine"),
        **_tagged(_python(light, "3.10.16", 38 * _MB), "3.10-alpine"),
        **_tagged(_python(light, "3.9.21", 38 * _MB), "3.9-alpine"),
        **_tagged(_python(SLIM, "3.13.1", 48 * _MB), "3.13", "3.13-slim"),
        **_tagged(_python(light, "3.13.1", 41 * _MB), "3.13-alpine"),
    }


def _nodes() -> dict[str, Published]:
    light = ALPINE["3.20"]
    return {
        **_tagged(_node(BOOKWORM, "22.12.0", 190 * _MB, full=True), "latest", "22"),
        **_tagged(_node(SLIM, "22.12.0", 150 * _MB), "slim", "22-slim"),
        **_tagged(_node(light, "22.12.0", 147 * _MB), "alpine", "22-alpine"),
        **_tagged(_node(BOOKWORM, "24.11.1", 195 * _MB, full=True), "24", "lts", "krypton"),
        **_tagged(_node(light, "24.11.1", 150 * _MB), "24-alpine", "lts-alpine"),
        **_tagged(_node(SLIM, "24.11.1", 152 * _MB), "24-slim", "lts-slim"),
        **_tagged(_node(BOOKWORM, "20.18.1", 185 * _MB, full=True), "20", "20-bookworm"),
        **_tagged(_node(SLIM, "20.18.1", 145 * _MB), "20-slim"),
        **_tagged(_node(light, "20.18.1", 126 * _MB), "20-alpine"),
        **_tagged(_node(BOOKWORM, "18.20.5", 180 * _MB, full=True), "18", "18-bookworm"),
        **_tagged(_node(SLIM, "18.20.5", 140 * _MB), "18-slim"),
        **_tagged(_node(light, "18.20.5", 120 * _MB), "18-alpine"),
    }
