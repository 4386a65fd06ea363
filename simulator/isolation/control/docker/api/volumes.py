"""``/volumes``. moby ``router/volume``."""

import msgspec

from simulator.isolation.control.docker.api import filters
from simulator.isolation.control.docker.api.errors import Conflict
from simulator.isolation.control.docker.engine import files, removing
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.volumes import ANONYMOUS, shown
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.isolation.control.docker.wire.router import route

_LIST = frozenset(("dangling", "driver", "label", "name"))


class _Create(msgspec.Struct):
    Name: str = ""
    Driver: str = ""
    DriverOpts: dict[str, str] | None = None
    Labels: dict[str, str] | None = None


@route("GET", "/volumes")
async def listing(x: Exchange) -> None:
    """Every volume."""
    given = filters.read(x.query.get("filters", ""), _LIST)
    dangling = filters.boolean(given, "dangling", default=True)
    found: list[object] = []
    for one in x.engine.volumes.all.values():
        unused = not removing.users_of(x.engine, one.Name)
        if "dangling" in given and dangling != unused:
            continue
        if not any(text in one.Name for text in given.get("name", [""])):
            continue
        if "driver" in given and one.Driver not in given["driver"]:
            continue
        if filters.labels(given.get("label", []), one.Labels):
            found.append(shown(one))
    await x.reply(200, {"Volumes": found, "Warnings": None})


@route("POST", "/volumes/create")
async def create(x: Exchange) -> None:
    """201 with the volume; the same again when it is there."""
    asked = await x.json(_Create)
    name, labels = asked.Name, asked.Labels
    if not name:
        name = await new_id(x.sys)
        labels = {**(labels or {}), ANONYMOUS: ""}
    driver = asked.Driver or "local"
    made, new = await x.engine.volumes.create(x.sys, name, driver, labels, asked.DriverOpts)
    if new:
        await x.engine.events.emit(x.sys, "volume", "create", made.Name, {"driver": driver})
    await x.reply(201, shown(made))


@route("GET", "/volumes/{name}")
async def inspect(x: Exchange) -> None:
    """One volume."""
    await x.reply(200, shown(x.engine.volumes.find(x.names["name"])))


@route("DELETE", "/volumes/{name}")
async def remove(x: Exchange) -> None:
    """204, or 409 while a container has it."""
    name = x.names["name"]
    if x.flag("force") and name not in x.engine.volumes.all:
        await x.reply(204)
        return
    one = x.engine.volumes.find(name)
    users = removing.users_of(x.engine, name)
    if users:
        raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
    await x.engine.volumes.remove(x.sys, one)
    await x.engine.events.emit(x.sys, "volume", "destroy", name, {"driver": one.Driver})
    await x.reply(204)


@route("POST", "/volumes/prune")
async def prune(x: Exchange) -> None:
    """Unused anonymous ones go; with the filter ``all`` named ones too."""
    wanted = await filters.of_prune(x.sys, x.query.get("filters", ""), "all")
    everything = filters.boolean(wanted.given, "all", default=x.version < (1, 42))
    gone: list[str] = []
    space = 0
    for one in list(x.engine.volumes.all.values()):
        if removing.users_of(x.engine, one.Name) or not (everything or one.anonymous):
            continue
        if wanted.takes(one.Labels):
            space += await files.size(x.sys, one.Mountpoint)
            await x.engine.volumes.remove(x.sys, one)
            told = {"driver": one.Driver}
            await x.engine.events.emit(x.sys, "volume", "destroy", one.Name, told)
            gone.append(one.Name)
    await x.engine.events.emit(x.sys, "volume", "prune", "", {"reclaimed": str(space)})
    await x.reply(200, {"VolumesDeleted": gone or None, "SpaceReclaimed": space})
