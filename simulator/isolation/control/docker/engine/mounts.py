"""What is mounted into a container: binds, volumes, anonymous volumes of the image, volumes-from.

moby ``daemon/volumes.go`` and ``volume/mounts/linux_parser.go``.
"""

import posixpath
from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.api.errors import BadRequest
from simulator.isolation.control.docker.engine import files
from simulator.isolation.control.docker.engine.config import Mount
from simulator.isolation.control.docker.engine.container import Container, MountPoint
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.volumes import ANONYMOUS
from simulator.isolation.control.docker.images import tarball
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_MODES = frozenset(
    ("ro", "rw", "z", "Z", "nocopy", "private", "rprivate", "shared", "rshared", "slave",
     "rslave", "cached", "delegated", "consistent")
)  # fmt: skip
PROPAGATION = ("private", "rprivate", "shared", "rshared", "slave", "rslave")


async def register(sys: Process, engine: "Engine", container: Container) -> None:
    """Fill the container's ``Mounts``. Raises ``BadRequest``, ``NotFound``."""
    points: dict[str, MountPoint] = {}
    host = container.host
    for text in host.VolumesFrom or []:
        ident, _, mode = text.partition(":")
        for one in engine.find(ident).record.Mounts:
            points[one.Destination] = MountPoint(
                Type=one.Type, Name=one.Name, Source=one.Source, Destination=one.Destination,
                Driver=one.Driver, Mode=one.Mode, RW=one.RW and mode != "ro",
                Propagation=one.Propagation,
            )  # fmt: skip
    seen: set[str] = set()
    for text in host.Binds or []:
        point = bind(text)
        _once(seen, point.Destination)
        if point.Type == "volume":
            await _volume(sys, engine, point, host.VolumeDriver or "local", None, None)
        points[point.Destination] = point
    for one in host.Mounts or []:
        point = await _mount(sys, engine, one)
        _once(seen, posixpath.normpath(one.Target))
        if point is not None:
            points[point.Destination] = point
    for path in host.Tmpfs or {}:
        _once(seen, posixpath.normpath(path))
    for path in container.config.Volumes or {}:
        place = posixpath.normpath(path)
        if place not in points and place not in seen:
            point = MountPoint(Type="volume", Destination=place, Driver="local")
            await _anonymous(sys, engine, point, host.VolumeDriver or "local")
            points[place] = point
    container.record.Mounts = list(points.values())


def _once(seen: set[str], path: str) -> None:
    if path in seen:
        raise BadRequest(f"Duplicate mount point: {path}")
    seen.add(path)


def bind(text: str) -> MountPoint:
    """``SOURCE:TARGET[:MODE]``; a source without a slash is a volume. Raises ``BadRequest``."""
    parts = text.split(":")
    if len(parts) == 1:
        parts = ["", *parts]
    if len(parts) > 3 or (len(parts) > 1 and not parts[1]):
        raise BadRequest(f"invalid volume specification: '{text}'")
    source, target = parts[0], parts[1]
    modes = parts[2].split(",") if len(parts) == 3 else []
    if any(mode not in _MODES for mode in modes):
        raise BadRequest(f"invalid mode: {parts[2]}")
    if not target.startswith("/"):
        raise BadRequest(
            f"invalid volume specification: '{text}': invalid mount config for type"
            f' "{"bind" if source.startswith("/") else "volume"}": invalid mount path:'
            f" '{target}' mount path must be absolute"
        )
    if posixpath.normpath(target) == "/":
        raise BadRequest(
            f"invalid volume specification: '{text}': invalid mount config for type"
            f' "{"bind" if source.startswith("/") else "volume"}": invalid specification:'
            " destination can't be '/'"
        )
    propagation = next((mode for mode in modes if mode in PROPAGATION), "")
    if source.startswith("/"):
        return MountPoint(
            Type="bind",
            Source=posixpath.normpath(source),
            Destination=posixpath.normpath(target),
            Mode=",".join(modes),
            RW="ro" not in modes,
            Propagation=propagation or "rprivate",
        )
    return MountPoint(
        Type="volume",
        Name=source,
        Destination=posixpath.normpath(target),
        Driver="local",
        Mode=",".join(modes) or "z",
        RW="ro" not in modes,
    )


async def _mount(sys: Process, engine: "Engine", one: Mount) -> MountPoint | None:
    """One entry of HostConfig.Mounts; None for a tmpfs. Raises ``BadRequest``."""
    prefix = f'invalid mount config for type "{one.Type}": '
    if one.Type not in ("bind", "volume", "tmpfs"):
        raise BadRequest(f'{prefix}mount type unknown: "{one.Type}"')
    if not one.Target:
        raise BadRequest(f"{prefix}field Target must not be empty")
    if not one.Target.startswith("/"):
        raise BadRequest(f"{prefix}invalid mount path: '{one.Target}' mount path must be absolute")
    if one.Type == "tmpfs":
        if one.Source:
            raise BadRequest(f"{prefix}field Source must not be specified")
        return None
    if one.Type == "bind":
        if not one.Source:
            raise BadRequest(f"{prefix}field Source must not be empty")
        if not one.Source.startswith("/"):
            raise BadRequest(
                f"{prefix}invalid mount path: '{one.Source}' mount path must be absolute"
            )
        wanted = one.BindOptions or {}
        if not await sys.succeeds("stat", one.Source) and not wanted.get("CreateMountpoint"):
            raise BadRequest(f"{prefix}bind source path does not exist: {one.Source}")
        return MountPoint(
            Type="bind",
            Source=posixpath.normpath(one.Source),
            Destination=posixpath.normpath(one.Target),
            RW=not one.ReadOnly,
            Propagation=wanted.get("Propagation") or "rprivate",
        )
    wanted = one.VolumeOptions or {}
    driver: dict[str, Any] = wanted.get("DriverConfig") or {}
    point = MountPoint(
        Type="volume",
        Name=one.Source,
        Destination=posixpath.normpath(one.Target),
        Driver=driver.get("Name") or "local",
        Mode="z",
        RW=not one.ReadOnly,
    )
    await _volume(sys, engine, point, point.Driver, wanted.get("Labels"), driver.get("Options"))
    return point


async def _volume(
    sys: Process,
    engine: "Engine",
    point: MountPoint,
    driver: str,
    labels: dict[str, str] | None,
    options: dict[str, str] | None,
) -> None:
    if not point.Name:
        await _anonymous(sys, engine, point, driver)
        return
    known = engine.volumes.all.get(point.Name)
    driver = known.Driver if known is not None else driver
    volume, new = await engine.volumes.create(sys, point.Name, driver, labels, options)
    point.Source, point.Driver = volume.Mountpoint, volume.Driver
    if new:
        await engine.events.emit(sys, "volume", "create", volume.Name, {"driver": driver})


async def _anonymous(sys: Process, engine: "Engine", point: MountPoint, driver: str) -> None:
    point.Name = await new_id(sys)
    volume, _ = await engine.volumes.create(sys, point.Name, driver, {ANONYMOUS: ""})
    point.Source, point.Driver = volume.Mountpoint, volume.Driver
    await engine.events.emit(sys, "volume", "create", volume.Name, {"driver": driver})


async def fill_new_volumes(sys: Process, engine: "Engine", container: Container) -> None:
    """An empty volume gets what the image has at its place (copyExistingContents())."""
    for point in container.record.Mounts:
        if point.Type != "volume" or "nocopy" in point.Mode:
            continue
        if await files.names(sys, point.Source):
            continue
        for layer in container.record.Layers:
            inside = layer + point.Destination
            if await files.names(sys, inside):
                archive = await tarball.pack(sys, inside, layer=False)
                await tarball.unpack(sys, archive, point.Source)
                break
    del engine


async def tell(sys: Process, engine: "Engine", container: Container, action: str) -> None:
    """``mount`` or ``unmount`` of each of its volumes, as an event (moby ``volumes_unix.go``)."""
    for point in container.record.Mounts:
        if point.Type != "volume":
            continue
        told = {"driver": point.Driver, "container": container.id}
        if action == "mount":
            told |= {
                "destination": point.Destination,
                "read/write": "true" if point.RW else "false",
                "propagation": point.Propagation,
            }
        await engine.events.emit(sys, "volume", action, point.Name, told)


async def make_sources(sys: Process, container: Container) -> None:
    """A bind mount's missing source becomes a directory, when it was asked for with ``-v``.

    Raises ``BadRequest`` for one of ``--mount``, whose source must be there.
    """
    for point in container.record.Mounts:
        if point.Type == "bind" and not await sys.succeeds("stat", point.Source):
            try:
                await files.make(sys, point.Source)
            except SysError as error:
                raise BadRequest(
                    f"error while creating mount source path '{point.Source}': mkdir"
                    f" {point.Source}: {error.message.lower()}"
                ) from None
