"""``/networks``. moby ``router/network``."""

from typing import Any

import msgspec

from simulator.isolation.control.docker.api import filters
from simulator.isolation.control.docker.api.errors import ApiError, Forbidden
from simulator.isolation.control.docker.engine import networking, times
from simulator.isolation.control.docker.engine.config import EndpointSettings
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.networks import PREDEFINED, Network
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.isolation.control.docker.wire.router import route

_LIST = frozenset(("dangling", "driver", "id", "label", "name", "scope", "type"))


class _Ipam(msgspec.Struct):
    Driver: str = ""
    Options: dict[str, str] | None = None
    Config: list[dict[str, Any]] | None = None


class _Create(msgspec.Struct):
    Name: str = ""
    CheckDuplicate: bool = False
    Driver: str = ""
    Internal: bool = False
    Attachable: bool = False
    Ingress: bool = False
    Scope: str = ""
    ConfigOnly: bool = False
    EnableIPv6: bool | None = None
    IPAM: _Ipam | None = None
    Options: dict[str, str] | None = None
    Labels: dict[str, str] | None = None


class _Connect(msgspec.Struct):
    Container: str = ""
    EndpointConfig: EndpointSettings | None = None
    Force: bool = False


def shown(x: Exchange, one: Network, *, full: bool) -> dict[str, Any]:
    """A network as the API writes it; ``full`` with the containers on it."""
    containers: dict[str, Any] = {}
    for ident, got in one.Endpoints.items() if full else ():
        container = x.engine.containers.get(ident)
        containers[ident] = {
            "Name": container.name if container is not None else "",
            "EndpointID": got.EndpointID,
            "MacAddress": got.MacAddress,
            "IPv4Address": f"{got.IPAddress}/{got.IPPrefixLen}" if got.IPAddress else "",
            "IPv6Address": "",
        }
    return {
        "Name": one.Name,
        "Id": one.Id,
        "Created": one.Created,
        "Scope": "local",
        "Driver": one.Driver,
        "EnableIPv6": one.EnableIPv6,
        "IPAM": one.IPAM,
        "Internal": one.Internal,
        "Attachable": one.Attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": containers,
        "Options": one.Options,
        "Labels": one.Labels,
    }


def _wanted(one: Network, given: filters.Filters) -> bool:
    kind = "builtin" if one.Name in PREDEFINED else "custom"
    if "dangling" in given:
        unused = not one.Endpoints and kind == "custom"
        if filters.boolean(given, "dangling", default=True) != unused:
            return False
    return (
        filters.matches(given.get("name", []), one.Name)
        and filters.labels(given.get("label", []), one.Labels)
        and ("driver" not in given or one.Driver in given["driver"])
        and ("id" not in given or any(one.Id.startswith(text) for text in given["id"]))
        and ("type" not in given or kind in given["type"])
        and ("scope" not in given or "local" in given["scope"])
    )


@route("GET", "/networks/?")
async def listing(x: Exchange) -> None:
    """Every network."""
    given = filters.read(x.query.get("filters", ""), _LIST)
    for kind in given.get("type", []):
        if kind not in ("builtin", "custom"):
            raise ApiError(f"invalid filter: 'type'='{kind}'")
    every = x.engine.networks.all.values()
    await x.reply(200, [shown(x, one, full=False) for one in every if _wanted(one, given)])


@route("GET", "/networks/{name}")
async def inspect(x: Exchange) -> None:
    """One network, with the containers on it."""
    await x.reply(200, shown(x, x.engine.networks.find(x.names["name"]), full=True))


@route("POST", "/networks/create")
async def create(x: Exchange) -> None:
    """201 with the id."""
    asked = await x.json(_Create)
    if asked.Scope == "swarm":
        raise Forbidden("cannot create a swarm scoped network when swarm is not active")
    wanted: dict[str, Any] = ((asked.IPAM and asked.IPAM.Config) or [{}])[0]
    network = Network(
        Name=asked.Name,
        Id="",
        Created="",
        Driver=asked.Driver or "bridge",
        Subnet=wanted.get("Subnet") or "",
        Gateway=wanted.get("Gateway") or "",
        IPRange=wanted.get("IPRange") or "",
        AuxiliaryAddresses=wanted.get("AuxiliaryAddresses") or wanted.get("AuxAddress") or {},
        Internal=asked.Internal,
        Attachable=asked.Attachable,
        EnableIPv6=bool(asked.EnableIPv6),
        Options=asked.Options or {},
        Labels=asked.Labels or {},
        IPAM={"Options": asked.IPAM.Options if asked.IPAM is not None else None},
    )
    made = await x.engine.networks.create(x.sys, await new_id(x.sys), network)
    await _tell(x, made, "create")
    await x.reply(201, {"Id": made.Id, "Warning": ""})


async def _tell(x: Exchange, one: Network, action: str) -> None:
    told = {"name": one.Name, "type": one.Driver}
    await x.engine.events.emit(x.sys, "network", action, one.Id, told)


@route("DELETE", "/networks/{name}")
async def remove(x: Exchange) -> None:
    """204."""
    one = x.engine.networks.find(x.names["name"])
    await x.engine.networks.remove(x.sys, one)
    await _tell(x, one, "destroy")
    await x.reply(204)


@route("POST", "/networks/{name}/connect")
async def connect(x: Exchange) -> None:
    """A container more on it."""
    asked = await x.json(_Connect)
    network = x.engine.networks.find(x.names["name"])
    container = x.engine.find(asked.Container)
    settings = asked.EndpointConfig or EndpointSettings()
    await networking.connect(x.sys, x.engine, container, network, settings)
    await x.reply(200)


@route("POST", "/networks/{name}/disconnect")
async def disconnect(x: Exchange) -> None:
    """A container less on it."""
    asked = await x.json(_Connect)
    network = x.engine.networks.find(x.names["name"])
    container = x.engine.find(asked.Container)
    await networking.disconnect(x.sys, x.engine, container, network)
    await x.reply(200)


@route("POST", "/networks/prune")
async def prune(x: Exchange) -> None:
    """Those that nobody uses go."""
    wanted = await filters.of_prune(x.sys, x.query.get("filters", ""), "until")
    gone: list[str] = []
    used = {name for c in x.engine.containers.values() for name in c.record.Networks}
    for one in list(x.engine.networks.all.values()):
        if one.Name in PREDEFINED or one.Endpoints or one.Name in used:
            continue
        if wanted.takes(one.Labels, times.parse(one.Created)):
            await x.engine.networks.remove(x.sys, one)
            await _tell(x, one, "destroy")
            gone.append(one.Name)
    await x.engine.events.emit(x.sys, "network", "prune", "", {"reclaimed": "0"})
    await x.reply(200, {"NetworksDeleted": gone or None})
