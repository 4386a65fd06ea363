"""The layer that a step makes: mounted on those below, written to, taken as an archive.

moby ``builder/dockerfile/imagecontext.go``, ``daemon/images/image_builder.go``.
"""

from types import TracebackType
from typing import Any

import msgspec

from simulator.isolation.control.docker.building.state import Build
from simulator.isolation.control.docker.engine import files, times
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.images import tarball
from simulator.isolation.control.docker.images.store import OVERLAY, Image
from simulator.machine.abi.constants import MNT_DETACH

_COMPARED = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild", "Shell",
    "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip


class Mounted:
    """``async with Mounted(build, image) as layer``: the image's tree, writable, at ``root``."""

    def __init__(self, build: Build, image: Image | None) -> None:
        self.build = build
        self.image = image
        self.place = ""

    async def __aenter__(self) -> "Mounted":
        sys = self.build.sys
        self.place = f"{OVERLAY}/{await new_id(sys)}"
        for name in ("", "/diff", "/work", "/merged"):
            await files.make(sys, self.place + name)
        lower = self.build.engine.images.lower(self.image) if self.image is not None else []
        if not lower:
            await files.make(sys, f"{self.place}/empty")
            lower = [f"{self.place}/empty"]
        over = f"upperdir={self.place}/diff,workdir={self.place}/work"
        options = f"lowerdir={':'.join(lower)},{over}"
        await sys.call("mount", "overlay", self.root, "overlay", 0, options)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if kind is GeneratorExit:  # the worker was ended: nothing can be called any more
            return
        await self.build.sys.succeeds("umount2", self.root, MNT_DETACH)
        await files.remove_tree(self.build.sys, self.place)

    @property
    def root(self) -> str:
        """Where all layers are seen as one."""
        return f"{self.place}/merged"

    async def archive(self) -> bytes:
        """What was changed, as a layer's archive."""
        return await tarball.pack(self.build.sys, f"{self.place}/diff", layer=True)


def probed(build: Build, command: list[str], **changes: Any) -> Image | None:
    """The cached image of a step, by its parent and all that its container had.

    Once a step of a stage is not in the cache, no later one is looked up (``imageprobe.go``).
    """
    stage = build.stage
    if build.options.no_cache or stage.cache_missed:
        return None
    wanted = _comparable({**stage.config, "Cmd": command, **changes})
    store = build.engine.images
    found = [
        one
        for one in store.images.values()
        if one.parent == stage.id
        and one.config.get("container_config") is not None
        and _comparable(one.config["container_config"]) == wanted
    ]
    if not found:
        stage.cache_missed = True
        return None
    return max(found, key=lambda one: one.config.get("created") or "")


def _comparable(config: dict[str, Any]) -> dict[str, Any]:
    return {name: config[name] for name in _COMPARED if config.get(name)}


async def commit(
    build: Build, command: list[str], container: str, layer: bytes | None, **changes: Any
) -> Image:
    """A new image: the one so far, a layer (None: none) and the stage's configuration."""
    stage, store = build.stage, build.engine.images
    base: dict[str, Any] = stage.image.config if stage.image is not None else {}
    below = stage.image.chains if stage.image is not None else []
    diff_ids = stage.image.diff_ids if stage.image is not None else []
    created = times.rfc3339(await times.now(build.sys))
    step: dict[str, Any] = {"created": created}
    if stage.maintainer:
        step["author"] = stage.maintainer
    step["created_by"] = " ".join(command)
    if layer is None or tarball.is_empty(layer):
        step["empty_layer"] = True
    else:
        made = await store.add_layer(build.sys, below[-1] if below else "", layer)
        diff_ids = [*diff_ids, made.diff]
    config: dict[str, Any] = {
        "architecture": base.get("architecture") or "amd64",
        "author": stage.maintainer,
        "config": stage.config,
        "container": container,
        "container_config": {**stage.config, "Hostname": container[:12], "Cmd": command, **changes},
        "created": created,
        "docker_version": "27.5.1",
        "history": [*(base.get("history") or []), step],
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    return await store.add_image(build.sys, msgspec.json.encode(config), stage.id)
