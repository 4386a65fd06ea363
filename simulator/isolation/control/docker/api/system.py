"""``/_ping``, ``/version``, ``/info``, ``/events``, ``/system/df``, ``/auth``.

moby ``router/system``.
"""

from typing import Any

import msgspec

from simulator.isolation.control.docker.api import filters
from simulator.isolation.control.docker.api.errors import (
    BadRequest,
    NotFound,
    NotImplementedHere,
    Unavailable,
)
from simulator.isolation.control.docker.api.images import summary
from simulator.isolation.control.docker.engine import files, removing, times, volumes
from simulator.isolation.control.docker.engine.engine import VERSION
from simulator.isolation.control.docker.images.manifests import Credentials
from simulator.isolation.control.docker.images.registry import domain_of
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.isolation.control.docker.wire.router import API_VERSION, MIN_API_VERSION, route
from simulator.machine.userland.process import Process

_COMMIT = "vitrina"


@route("GET", "/_ping")
async def ping(x: Exchange) -> None:
    """``OK``, with what a client wants to know first in the headers."""
    headers = {
        "Builder-Version": "1",
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Pragma": "no-cache",
        "Swarm": "inactive",
    }
    await x.reply(200, "OK", headers=headers)


async def _uname(x: Exchange) -> dict[str, str]:
    data: Any = await x.sys.data("uname")
    return {name: str(data[name]) for name in ("sysname", "nodename", "release", "machine")}


@route("GET", "/version")
async def version(x: Exchange) -> None:
    """Of the engine and its parts."""
    host = await _uname(x)
    built = "2025-01-22T13:41:17.000000000+00:00"
    engine = {
        "ApiVersion": API_VERSION,
        "Arch": "amd64",
        "BuildTime": built,
        "Experimental": "false",
        "GitCommit": _COMMIT,
        "GoVersion": "go1.22.11",
        "KernelVersion": host["release"],
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
    }
    parts = [
        {"Name": "Engine", "Version": VERSION, "Details": engine},
        {"Name": "containerd", "Version": "1.7.25", "Details": {"GitCommit": _COMMIT}},
        {"Name": "runc", "Version": "1.2.4", "Details": {"GitCommit": _COMMIT}},
        {"Name": "docker-init", "Version": "0.19.0", "Details": {"GitCommit": _COMMIT}},
    ]
    told = {
        "Platform": {"Name": "Docker Engine - Vitrina"},
        "Components": parts,
        "Version": VERSION,
        **{key: value for key, value in engine.items() if key not in ("Arch", "Experimental")},
        "Arch": "amd64",
    }
    await x.reply(200, told)


@route("GET", "/info")
async def info(x: Exchange) -> None:
    """The whole installation."""
    engine = x.engine
    host = await _uname(x)
    every = engine.listed
    running = sum(one.state.Running and not one.state.Paused for one in every)
    paused = sum(one.state.Paused for one in every)
    told: dict[str, Any] = {
        "ID": engine.id,
        "Containers": len(every),
        "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": len(every) - running - paused,
        "Images": len(engine.images.images),
        **_STORAGE,
        **dict.fromkeys(_ABILITIES, True),
        **dict.fromkeys(_INABILITIES, False),
        "NFd": 0,
        "NGoroutines": 0,
        "SystemTime": times.rfc3339(await times.now(x.sys)),
        "CgroupVersion": "2" if "cgroup2" in engine.facts else "1",
        "NEventsListener": len(engine.events.listeners),
        "KernelVersion": host["release"],
        "OperatingSystem": await _distribution(x),
        "Architecture": host["machine"],
        "NCPU": 2,
        "MemTotal": await _memory(x),
        "Name": host["nodename"],
        "ServerVersion": VERSION,
        **_REST,
    }
    await x.reply(200, told)


_STORAGE: dict[str, Any] = {
    "Driver": "overlay2",
    "DriverStatus": [
        ["Backing Filesystem", "extfs"],
        ["Supports d_type", "true"],
        ["Using metacopy", "false"],
        ["Native Overlay Diff", "true"],
        ["userxattr", "false"],
    ],
    "Plugins": {
        "Volume": sorted(volumes.DRIVERS),
        "Network": ["bridge", "host", "null"],
        "Authorization": None,
        "Log": ["json-file", "none"],
    },
    "DockerRootDir": "/var/lib/docker",
    "LoggingDriver": "json-file",
    "CgroupDriver": "cgroupfs",
}
_ABILITIES = (
    "MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit",
    "IPv4Forwarding",
)  # fmt: skip
_INABILITIES = (
    "BridgeNfIptables", "BridgeNfIp6tables", "Debug", "OomKillDisable", "ExperimentalBuild",
    "LiveRestoreEnabled",
)  # fmt: skip
_COMMITS = {"ID": _COMMIT, "Expected": _COMMIT}
_REST: dict[str, Any] = {
    "OSVersion": "",
    "OSType": "linux",
    "IndexServerAddress": "https://index.docker.io/v1/",
    "RegistryConfig": {
        "InsecureRegistryCIDRs": ["127.0.0.0/8"],
        "IndexConfigs": {
            "docker.io": {"Name": "docker.io", "Mirrors": [], "Secure": True, "Official": True}
        },
        "Mirrors": None,
    },
    "GenericResources": None,
    "HttpProxy": "",
    "HttpsProxy": "",
    "NoProxy": "",
    "Labels": [],
    "Runtimes": {"runc": {"path": "runc"}},
    "DefaultRuntime": "runc",
    "Swarm": {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    },
    "Isolation": "",
    "InitBinary": "docker-init",
    "ContainerdCommit": _COMMITS,
    "RuncCommit": _COMMITS,
    "InitCommit": _COMMITS,
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
    "CDISpecDirs": [],
    "Warnings": None,
}


async def _distribution(x: Exchange) -> str:
    """PRETTY_NAME of the host (moby ``pkg/parsers/operatingsystem``)."""
    for line in (await x.sys.text_or_empty("/etc/os-release")).splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


async def _memory(x: Exchange) -> int:
    for line in (await x.sys.text_or_empty("/proc/meminfo")).splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


@route("GET", "/events")
async def events(x: Exchange) -> None:
    """What happens, and with ``since`` what happened, one JSON object a line."""
    given = filters.read(x.query.get("filters", ""), None)
    since, until = _when(x, "since"), _when(x, "until")
    if since is not None and until is not None and since > until:
        begin, end = x.query["since"], x.query["until"]
        raise BadRequest(f"`since` time ({begin}) cannot be after `until` time ({end})")
    bus = x.engine.events
    channel = bus.listen()

    async def left(own: Process) -> None:
        await channel.close(own)

    await x.watch(left)
    await x.begin()
    past = [] if since is None else list(bus.past)
    for one in past:
        late = until is not None and one["timeNano"] > until
        if one["timeNano"] >= (since or 0) and not late and _fits(one, given):
            await x.write(msgspec.json.encode(one) + b"\n")
    now = await times.now(x.sys)
    if until is None or until > now:
        if until is not None:
            await _close_at(x, channel, until - now)
        while (told := await channel.get(x.sys)) is not None:
            if _fits(told, given):
                await x.write(msgspec.json.encode(told) + b"\n")
    bus.leave(channel)
    await x.finish()


async def _close_at(x: Exchange, channel: Any, nanoseconds: int) -> None:
    from simulator.isolation.control.docker.engine.sync import go

    async def alarm(own: Process) -> None:
        await own.call("nanosleep", divmod(nanoseconds, times.SECOND))
        await channel.close(own)

    await go(x.sys, alarm)


def _when(x: Exchange, name: str) -> int | None:
    text = x.query.get(name, "")
    return times.parse(text) if text else None


def _fits(told: dict[str, Any], given: filters.Filters) -> bool:
    attributes: dict[str, str] = told["Actor"]["Attributes"]
    ident, kind = told["Actor"]["ID"], told["Type"]
    if "event" in given and not any(
        told["Action"] == one or told["Action"].startswith(f"{one}:") for one in given["event"]
    ):
        return False
    if "type" in given and kind not in given["type"]:
        return False
    if not filters.labels(given.get("label", []), attributes):
        return False
    for key in ("container", "image", "network", "volume"):
        if key in given:
            names = {ident, ident[:12], attributes.get("name", "")} if kind == key else set[str]()
            names.add(attributes.get(key, ""))
            if not any(one in names or (one and ident.startswith(one)) for one in given[key]):
                return False
    return True


@route("GET", "/system/df")
async def disk_usage(x: Exchange) -> None:
    """What takes how much."""
    from simulator.isolation.control.docker.api import containers, describe

    engine = x.engine
    kinds = x.lists.get("type", ["container", "image", "volume", "build-cache"])
    told: dict[str, Any] = {"LayersSize": sum(one.size for one in engine.images.layers.values())}
    now = await times.now(x.sys)
    if "image" in kinds:
        told["Images"] = [
            summary(x, image, containers_too=True, shared_too=True)
            for image in engine.images.images.values()
            if engine.images.shown(image)
        ]
    if "container" in kinds:
        told["Containers"] = [
            describe.listed(engine, one, now) | await containers.sizes(x.sys, engine, one)
            for one in engine.listed
        ]
    if "volume" in kinds:
        told["Volumes"] = [
            volumes.shown(
                one,
                UsageData={
                    "Size": await files.size(x.sys, one.Mountpoint),
                    "RefCount": len(removing.users_of(engine, one.Name)),
                },
            )
            for one in engine.volumes.all.values()
        ]
    if "build-cache" in kinds:
        told["BuildCache"] = []
        told["BuilderSize"] = 0
    await x.reply(200, told)


@route("POST", "/auth")
async def auth(x: Exchange) -> None:
    """Credentials are checked by the registry."""
    told = await x.json(dict[str, Any])
    who = Credentials(str(told.get("username") or ""), str(told.get("password") or ""))
    depot = x.engine.registry.depot(domain_of(str(told.get("serveraddress") or "")))
    await depot.log_in(x.sys, who)
    await x.reply(200, {"Status": "Login Succeeded", "IdentityToken": ""})


@route("POST", "/build/prune")
async def build_prune(x: Exchange) -> None:
    """The classic builder keeps no cache but images."""
    await x.engine.events.emit(x.sys, "builder", "prune", "", {"reclaimed": "0"})
    await x.reply(200, {"CachesDeleted": None, "SpaceReclaimed": 0})


@route("GET", "/swarm")
@route("GET", "/swarm/unlockkey")
@route("POST", "/swarm/update")
@route("POST", "/swarm/unlock")
@route("GET", "/(nodes|services|tasks|secrets|configs)")
@route("POST", "/(services|secrets|configs)/create")
@route("GET", "/(nodes|services|tasks|secrets|configs)/{name}")
@route("POST", "/(nodes|services|secrets|configs)/{name}/update")
@route("DELETE", "/(nodes|services|secrets|configs)/{name}")
async def swarm(x: Exchange) -> None:
    """No node is in a swarm here."""
    del x
    raise Unavailable(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to'
        " connect this node to swarm and try again."
    )


@route("POST", "/swarm/leave")
async def leave(x: Exchange) -> None:
    """It is in none."""
    del x
    raise Unavailable("This node is not part of a swarm")


@route("POST", "/swarm/(init|join)")
async def join(x: Exchange) -> None:
    """What a swarm does is not simulated."""
    del x
    raise NotImplementedHere("Vitrina simulates one engine: it can't be in a swarm")


@route("GET", "/plugins/{name*}/json")
@route("DELETE", "/plugins/{name*}")
@route("POST", "/plugins/{name*}/(enable|disable|set|upgrade)")
async def plugin(x: Exchange) -> None:
    """There is none of that name."""
    raise NotFound(f'plugin "{x.names["name"]}" not found')


@route("GET", "/plugins")
async def plugins(x: Exchange) -> None:
    """None is installed."""
    await x.reply(200, [])
