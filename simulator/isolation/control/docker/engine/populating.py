"""A volume that is empty gets what the image has where it is mounted. moby ``create_unix.go``,
``container_unix.go`` (CopyImagePathContent).
"""

import posixpath
from typing import TYPE_CHECKING

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine import files, inside, mounts
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.images import tarball
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_NO_DIRECTORY = b"!"


async def fill_new_volumes(sys: Process, engine: "Engine", container: Container) -> None:
    """Copy into each of its volumes that holds nothing, unless ``nocopy`` was said.

    Raises ``ApiError`` where the image has something else than a directory.
    """
    await mounts.mount_volumes(sys, engine, container)
    try:
        await _fill(sys, container)
    finally:
        await mounts.unmount_volumes(sys, engine, container)


async def _fill(sys: Process, container: Container) -> None:
    asked = container.host.Mounts or []
    kept = {
        posixpath.normpath(one.Target) for one in asked if (one.VolumeOptions or {}).get("NoCopy")
    }
    for point in container.record.Mounts:
        place = point.Destination
        if point.Type != "volume" or place in kept or "nocopy" in point.Mode.split(","):
            continue
        if (
            point.Subpath
            or await files.names(sys, point.Source)
            or not await _may_be(sys, container, place)
        ):
            continue
        content = await inside.enter(sys, container, _packer(place), volumes=False)
        if content == _NO_DIRECTORY:
            raise ApiError(f"source {container.layer}/merged{place} is not directory")
        if content:
            await tarball.unpack_below(sys, content, point.Source)


async def _may_be(sys: Process, container: Container, place: str) -> bool:
    """Whether the image has anything on the way: most volumes are mounted at a place of their
    own.
    """
    first = "/" + place.lstrip("/").partition("/")[0]
    for layer in container.record.Layers:
        if await sys.succeeds("lstat", layer + first):
            return True
    return False


def _packer(place: str):
    async def work(own: Process) -> bytes:
        try:
            status = await own.stat(place)
        except SysError:
            return b""
        if status["mode"] & S_IFMT != S_IFDIR:
            return _NO_DIRECTORY
        return await tarball.pack(own, place, ".")

    return work
