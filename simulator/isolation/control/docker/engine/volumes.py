"""Volumes: directories that outlive containers. moby ``volume/local`` and ``volume/service``.

``volumes/NAME/_data`` holds the files, ``volumes/NAME/volume.json`` what is known of it. Another
driver than ``local`` that the daemon has: ``vitrina-remote``, a simulated plugin whose volumes
stand for a share on another machine.
"""

import re
from typing import Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, Conflict, NotFound
from simulator.isolation.control.docker.engine import files, times
from simulator.isolation.control.docker.engine.sync import Lock
from simulator.isolation.mechanisms import mount_words
from simulator.machine.abi.constants import MNT_DETACH, MS_BIND, MS_REC, MS_REMOUNT
from simulator.machine.userland.process import Process, SysError

ROOT = "/var/lib/docker/volumes"
REMOTE = "/var/lib/docker/plugins/vitrina-remote"
DRIVERS = {"local": ROOT, "vitrina-remote": REMOTE}
ANONYMOUS = "com.docker.volume.anonymous"
_OPTIONS = ("type", "o", "device", "size")
"""Of the driver local (moby ``volume/local/local_unix.go``)."""
_NEEDS = {"device": ("type",), "type": ("device",), "o": ("device", "type")}
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


class Volume(msgspec.Struct):
    """One volume. ``Options`` are the driver's."""

    Name: str
    Driver: str
    Mountpoint: str
    CreatedAt: str
    Labels: dict[str, str] | None = None
    Options: dict[str, str] | None = None
    Scope: str = "local"

    @property
    def anonymous(self) -> bool:
        """Whether nobody gave it a name."""
        return ANONYMOUS in (self.Labels or {})

    @property
    def mounts(self) -> bool:
        """Whether its files are somewhere else: a device or directory that its options name."""
        return bool((self.Options or {}).get("device"))


class Volumes:
    """Every volume, by name."""

    def __init__(self) -> None:
        self.all: dict[str, Volume] = {}
        self.mounted: set[str] = set()
        """Those of them that are mounts, while something runs that has them."""
        self._changing = Lock()

    async def load(self, sys: Process) -> None:
        """Read what is on disk."""
        for driver, root in DRIVERS.items():
            if driver == "local":
                await files.make(sys, root, 0o701)
            for name in await files.names(sys, root):
                kept = await files.load(sys, f"{root}/{name}/volume.json", Volume)
                if kept is not None:
                    self.all[name] = kept

    async def create(
        self,
        sys: Process,
        name: str,
        driver: str = "local",
        labels: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
    ) -> tuple[Volume, bool]:
        """The volume called ``name``, and whether it is new.

        Raises ``BadRequest``, ``Conflict``, ``NotFound``.
        """
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f'create {name}: "{name}" includes invalid characters for a local volume name,'
                ' only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host'
                " directory, use absolute path"
            )
        if driver not in DRIVERS:
            raise NotFound(
                f'create {name}: error looking up volume plugin {driver}: plugin "{driver}"'
                " not found"
            )
        if driver == "local":
            _check_options(name, options or {})
        async with self._changing.held(sys):
            there = self.all.get(name)
            if there is None:
                return await self._make(sys, name, driver, labels, options), True
            if there.Driver != driver:
                raise Conflict(f"create {name}: conflict: volume name must be unique")
            return there, False

    async def _make(
        self,
        sys: Process,
        name: str,
        driver: str,
        labels: dict[str, str] | None,
        options: dict[str, str] | None,
    ) -> Volume:
        place = f"{DRIVERS[driver]}/{name}"
        await files.make(sys, f"{place}/_data")
        made = Volume(
            Name=name,
            Driver=driver,
            Mountpoint=f"{place}/_data",
            CreatedAt=times.rfc3339(await times.now(sys) // times.SECOND * times.SECOND),
            Labels=labels,
            Options=options,
            Scope="local" if driver == "local" else "global",
        )
        try:
            await files.save(sys, f"{place}/volume.json", made)
        except SysError:
            await files.remove(sys, place)
            raise
        self.all[name] = made
        return made

    async def mount(self, sys: Process, name: str) -> None:
        """Mount what its options name where its files are to be; once, however many want it.

        Raises ``ApiError`` (moby ``local_unix.go`` mount(), moby/sys ``mount``).
        """
        volume = self.all.get(name)
        if volume is None or volume.Driver != "local" or not volume.mounts:
            return
        async with self._changing.held(sys):
            if volume.Name in self.mounted:
                return
            given = volume.Options or {}
            flags, data = mount_words.split(given.get("o", ""))
            source, place = given["device"], volume.Mountpoint
            try:
                await sys.call("mount", source, place, given["type"], flags, data or None)
                if flags & MS_BIND and flags & ~(MS_BIND | MS_REC):
                    again = flags | MS_REMOUNT
                    await sys.call("mount", source, place, "", again, None)
            except SysError as error:
                told = f"mount {source}:{place}"
                told += f", flags: 0x{flags:x}" if flags else ""
                told += f", data: {data}" if data else ""
                raise ApiError(
                    f"error while mounting volume '{place}': failed to mount local volume:"
                    f" {told}: {error.message.lower()}"
                ) from None
            self.mounted.add(volume.Name)

    async def unmount(self, sys: Process, name: str) -> None:
        """Nothing that runs has it any more."""
        if name in self.mounted:
            self.mounted.discard(name)
            await sys.succeeds("umount2", self.all[name].Mountpoint, MNT_DETACH)

    def find(self, name: str) -> Volume:
        """By name. Raises ``NotFound``."""
        found = self.all.get(name)
        if found is None:
            raise NotFound(f"get {name}: no such volume")
        return found

    async def remove(self, sys: Process, volume: Volume) -> None:
        """Remove one, with its files."""
        await self.unmount(sys, volume.Name)
        async with self._changing.held(sys):
            self.all.pop(volume.Name, None)
            await files.remove(sys, volume.Mountpoint.rpartition("/")[0])


def _check_options(name: str, given: dict[str, str]) -> None:
    """validateOpts(). Raises ``BadRequest``."""
    for option in sorted(given):
        if option not in _OPTIONS:
            raise BadRequest(f'create {name}: invalid option: "{option}"')
    if given.get("size", "0") != "0":
        raise BadRequest(f"create {name}: quota size requested but no quota support")
    for option, others in _NEEDS.items():
        for other in others if option in given else ():
            if other not in given:
                raise BadRequest(f'create {name}: missing required option: "{other}"')


def shown(volume: Volume, **more: Any) -> dict[str, Any]:
    """As the API writes it."""
    told: dict[str, Any] = msgspec.to_builtins(volume)
    return told | more
