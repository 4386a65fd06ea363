"""What is mounted into a container: binds, volumes, anonymous volumes of the image, volumes-from.

moby ``daemon/volumes.go`` and ``volume/mounts/linux_parser.go``.
"""

import posixpath
from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, NotFound
from simulator.isolation.control.docker.engine import files
from simulator.isolation.control.docker.engine.config import Mount
from simulator.isolation.control.docker.engine.container import Container, MountPoint
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.volumes import ANONYMOUS
from simulator.isolation.mechanisms.volumes import PROPAGATION
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_MODES = (
    {"ro", "rw"},
    {"z", "Z"},
    set(PROPAGATION),
    {"nocopy"},
    {"cached", "delegated", "consistent"},
)
"""Of each kind one word at most (moby ``linux_parser.go`` linuxValidMountMode())."""
ROOT = "/var/lib/docker"


async def register(sys: Process, engine: "Engine", container: Container) -> None:
    """Fill the container's ``Mounts``. Raises ``BadRequest``, ``NotFound``."""
    points: dict[str, MountPoint] = {}
    host = container.host
    for text in host.VolumesFrom or []:
        ident, _, mode = text.partition(":")
        try:
            other = engine.find(ident)
        except NotFound as error:  # told as it is, the client would look for an image
            raise BadRequest(error.message) from None
        if not _valid_mode(mode):
            raise BadRequest(f"invalid mode: {mode}")
        for one in other.record.Mounts:
            points[one.Destination] = MountPoint(
                Type=one.Type, Name=one.Name, Source=one.Source, Destination=one.Destination,
                Driver=one.Driver, Mode=one.Mode, RW=one.RW and mode != "ro",
                Propagation=one.Propagation,
            )  # fmt: skip
    seen: set[str] = set()
    in_memory = {posixpath.normpath(path) for path in host.Tmpfs or {}}
    for text in host.Binds or []:
        point = bind(text)
        if point.Destination in in_memory:
            raise BadRequest(f"Duplicate mount point: {point.Destination}")
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


def _valid_mode(mode: str) -> bool:
    words = mode.split(",") if mode else []
    known = all(any(word in kind for kind in _MODES) for word in words)
    return known and all(sum(word in kind for word in words) <= 1 for kind in _MODES)


def bind(text: str) -> MountPoint:
    """``[SOURCE:]TARGET[:MODE]``; a source without a slash is a volume. Raises ``BadRequest``."""
    parts = text.split(":", 3)
    spec = f"invalid volume specification: '{text}'"
    if not parts[0] or len(parts) > 3 or (len(parts) == 2 and _valid_mode(parts[1])):
        raise BadRequest(spec)
    source, target = ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    mode = parts[2] if len(parts) == 3 else ""
    if not _valid_mode(mode):
        raise BadRequest(f"invalid mode: {mode}")
    modes = mode.split(",")
    kind = "bind" if source.startswith("/") else "volume"
    why = _wrong_target(target)
    propagation = next((word for word in modes if word in PROPAGATION), "")
    if not why and kind == "volume" and propagation:
        why = "field BindOptions must not be specified"
    if why:
        raise BadRequest(f'{spec}: invalid mount config for type "{kind}": {why}')
    target = posixpath.normpath(target)
    if kind == "volume":
        return MountPoint(
            Type="volume", Name=source, Destination=target, Driver="local", Mode=mode or "z",
            RW="ro" not in modes,
        )  # fmt: skip
    source = posixpath.normpath(source)
    return MountPoint(
        Type="bind", Source=source, Destination=target, Mode=mode, RW="ro" not in modes,
        Propagation=_of_bind(source, propagation),
    )  # fmt: skip


def _wrong_target(target: str) -> str:
    if posixpath.normpath(target) == "/":
        return "invalid specification: destination can't be '/'"
    if not target.startswith("/"):
        return f"invalid mount path: '{target}' mount path must be absolute"
    return ""


def check_tmpfs(path: str) -> None:
    """Raise ``BadRequest`` for a place where no tmpfs can be."""
    if why := _wrong_target(path):
        raise BadRequest(why)


def _of_bind(source: str, wanted: str) -> str:
    """The propagation of a bind mount. Raises ``BadRequest``: what has the daemon's own directory
    in it, or is in that, must not keep its mounts busy (moby ``volumes_linux.go``).
    """
    if not (source.startswith(ROOT) or ROOT.startswith(source)):
        return wanted or "rprivate"
    if wanted not in ("", "rslave", "rshared"):
        raise BadRequest(
            'invalid mount config: must use either propagation mode "rslave" or "rshared" when'
            f' mount source is within the daemon root, daemon root: "{ROOT}", bind mount source:'
            f' "{source}", propagation: "{wanted}"'
        )
    return wanted or "rslave"


def propagation(point: MountPoint) -> str:
    """The word for the mechanism; empty where it stays as the bind mount makes it."""
    return point.Propagation if point.Type == "bind" else ""


async def check_propagation(sys: Process, container: Container) -> None:
    """What is to be shared must lie on a shared mount. Raises ``ApiError``.

    moby ``oci_linux.go`` ensureShared(), ensureSharedOrSlave().
    """
    for point in container.record.Mounts:
        kind = point.Propagation.removeprefix("r")
        if point.Type != "bind" or kind not in ("shared", "slave"):
            continue
        if kind == "slave" and (point.Source.startswith(ROOT) or ROOT.startswith(point.Source)):
            continue  # the daemon itself asked for it, and falls back
        place, tags = await _mounted_on(sys, point.Source)
        wanted = ("shared:",) if kind == "shared" else ("shared:", "master:")
        if not tags.startswith(wanted) and not any(f" {one}" in tags for one in wanted):
            what = " or ".join(one.rstrip(":") for one in wanted).replace("master", "slave")
            raise ApiError(
                f"path {point.Source} is mounted on {place} but it is not a {what} mount"
            )


async def _mounted_on(sys: Process, path: str) -> tuple[str, str]:
    """The mount that ``path`` lies on, and its tags in /proc/self/mountinfo."""
    best = ("/", "")
    for line in (await sys.text("/proc/self/mountinfo")).splitlines():
        head, _, _rest = line.partition(" - ")
        words = head.split(" ")
        place = words[4]
        below = path == place or path.startswith(place.rstrip("/") + "/")
        if below and len(place) >= len(best[0]):
            best = (place, " ".join(words[6:]))
    return best


async def _mount(sys: Process, engine: "Engine", one: Mount) -> MountPoint | None:
    """One entry of HostConfig.Mounts; None for a tmpfs. Raises ``BadRequest``."""
    prefix = f'invalid mount config for type "{one.Type}": '
    if one.Type not in ("bind", "volume", "tmpfs"):
        raise BadRequest(f"{prefix}mount type unknown")
    if not one.Target:
        raise BadRequest(f"{prefix}field Target must not be empty")
    if why := _wrong_target(one.Target):
        raise BadRequest(prefix + why)
    _check_fields(prefix, one)
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
            Propagation=_of_bind(posixpath.normpath(one.Source), wanted.get("Propagation") or ""),
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
        Subpath=_subpath(prefix, one.Source, wanted.get("Subpath") or ""),
    )
    await _volume(sys, engine, point, point.Driver, wanted.get("Labels"), driver.get("Options"))
    return point


def _subpath(prefix: str, name: str, path: str) -> str:
    """``volume-subpath``: below the volume, as far as its words go. Raises ``BadRequest``."""
    if path and not name:
        raise BadRequest(f"{prefix}must not set Subpath when using anonymous volumes")
    clean = posixpath.normpath(path) if path else ""
    if clean.startswith(("/", "../")) or clean == "..":
        raise BadRequest(f"{prefix}subpath must be a relative path within the volume")
    return clean


async def _within(sys: Process, point: MountPoint) -> None:
    """What a subpath names is there, and no link leads out of the volume (``safepath.Join``).

    Raises ``ApiError``, ``BadRequest``.
    """
    place = point.Source
    for part in point.Subpath.split("/"):
        place = f"{place}/{part}"
        try:
            await sys.lstat(place)
        except SysError as error:
            why = error.message.lower()
            raise ApiError(f"cannot access path {point.place}: lstat {place}: {why}") from None
        try:
            target = posixpath.normpath(posixpath.join(place, "..", await sys.readlink(place)))
        except SysError:
            continue
        if not f"{target}/".startswith(f"{point.Source}/"):
            raise BadRequest(
                f"path concatenation escapes the base directory, base: {point.Source}, subpath:"
                f" {point.Subpath}"
            )


def _check_fields(prefix: str, one: Mount) -> None:
    """validateMountConfigImpl(). Raises ``BadRequest``."""
    word = (one.BindOptions or {}).get("Propagation") or ""
    if one.Type == "bind" and word and word not in PROPAGATION:
        raise BadRequest(f"{prefix}invalid propagation mode: {word}")
    extra = "VolumeOptions" if one.Type == "bind" else "BindOptions"
    if getattr(one, extra) is not None:
        raise BadRequest(f"{prefix}field {extra} must not be specified")
    if one.Type == "volume" and one.ReadOnly and not one.Source:
        raise BadRequest(f"{prefix}must not set ReadOnly mode when using anonymous volumes")


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


async def mount_volumes(sys: Process, engine: "Engine", container: Container) -> None:
    """Its volumes that are mounts themselves. Raises ``ApiError``."""
    for point in container.record.Mounts:
        if point.Type == "volume":
            await engine.volumes.mount(sys, point.Name)


async def unmount_volumes(sys: Process, engine: "Engine", container: Container) -> None:
    """Those of them that no other container has that runs."""
    others = {
        point.Name
        for one in engine.containers.values()
        if one is not container and one.state.Running
        for point in one.record.Mounts
    }
    for point in container.record.Mounts:
        if point.Name and point.Name not in others:
            await engine.volumes.unmount(sys, point.Name)


async def make_sources(sys: Process, container: Container) -> None:
    """A bind mount's missing source becomes a directory, when it was asked for with ``-v``.

    Raises ``BadRequest`` for one of ``--mount``, whose source must be there.
    """
    for point in container.record.Mounts:
        if point.Subpath:
            await _within(sys, point)
        if point.Type == "bind" and not await sys.succeeds("stat", point.Source):
            try:
                await files.make(sys, point.Source)
            except SysError as error:
                raise BadRequest(
                    f"error while creating mount source path '{point.Source}': mkdir"
                    f" {point.Source}: {error.message.lower()}"
                ) from None
