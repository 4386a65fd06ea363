"""A container as inspect and list show it."""

from typing import TYPE_CHECKING, Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine import times
from simulator.isolation.control.docker.engine.config import EndpointSettings, host_shown, shown
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.networks import PREDEFINED

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine


def inspected(engine: "Engine", one: Container) -> dict[str, Any]:
    """``GET /containers/{id}/json``."""
    record, state = one.record, one.state
    told_state: dict[str, Any] = {
        "Status": state.status,
        "Running": state.Running,
        "Paused": state.Paused,
        "Restarting": state.Restarting,
        "OOMKilled": state.OOMKilled,
        "Dead": state.Dead,
        "Pid": state.Pid,
        "ExitCode": state.ExitCode,
        "Error": state.Error,
        "StartedAt": state.StartedAt,
        "FinishedAt": state.FinishedAt,
    }
    if state.Health is not None:
        told_state["Health"] = msgspec.to_builtins(state.Health)
    layers = record.Layers
    return {
        "Id": one.id,
        "Created": record.Created,
        "Path": record.Path,
        "Args": record.Args,
        "State": told_state,
        "Image": record.Image,
        "ResolvConfPath": f"{one.root}/resolv.conf",
        "HostnamePath": f"{one.root}/hostname",
        "HostsPath": f"{one.root}/hosts",
        "LogPath": one.log_path if one.host.LogConfig.Type == "json-file" else "",
        "Name": f"/{one.name}",
        "RestartCount": record.RestartCount,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": [ident for ident in one.execs if engine.execs[ident].running] or None,
        "HostConfig": host_shown(one.host),
        "GraphDriver": {
            "Data": {
                "LowerDir": ":".join(layers),
                "MergedDir": f"{one.layer}/merged",
                "UpperDir": f"{one.layer}/diff",
                "WorkDir": f"{one.layer}/work",
            },
            "Name": "overlay2",
        },
        "Mounts": mounts(one),
        "Config": shown(one.config),
        "NetworkSettings": network_settings(one),
    }


def mounts(one: Container) -> list[dict[str, Any]]:
    """What is mounted into it."""
    found: list[dict[str, Any]] = []
    for point in one.record.Mounts:
        told: dict[str, Any] = msgspec.to_builtins(point)
        for name in ("Name", "Driver"):
            if not told[name]:
                del told[name]
        found.append(told)
    found += [
        {"Type": "tmpfs", "Source": "", "Destination": m.Target, "Mode": "", "RW": True,
         "Propagation": ""}
        for m in one.host.Mounts or []
        if m.Type == "tmpfs"
    ]  # fmt: skip
    return found


def endpoint(settings: EndpointSettings) -> dict[str, Any]:
    """One network of a container."""
    return msgspec.to_builtins(settings)


def old_aliases(one: Container, networks: dict[str, Any]) -> None:
    """Before 1.45 the short id and the host name were shown as aliases (moby ``inspect.go``)."""
    for name, told in networks.items():
        if name not in PREDEFINED:
            given: list[str] = told["Aliases"] or []
            told["Aliases"] = list(dict.fromkeys([*given, one.id[:12], one.config.Hostname]))


def network_settings(one: Container) -> dict[str, Any]:
    """The networks, and once more the default one at the top as of old."""
    networks = one.record.Networks
    default = networks.get("bridge") or EndpointSettings()
    running = one.state.Running
    return {
        "Bridge": "",
        "SandboxID": one.id[::-1] if running else "",
        "SandboxKey": f"/var/run/docker/netns/{one.id[::-1][:12]}" if running else "",
        "Ports": one.record.Ports,
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": default.EndpointID,
        "Gateway": default.Gateway,
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": default.IPAddress,
        "IPPrefixLen": default.IPPrefixLen,
        "IPv6Gateway": "",
        "MacAddress": default.MacAddress,
        "Networks": {name: endpoint(settings) for name, settings in networks.items()},
    }


def listed(engine: "Engine", one: Container, now: int) -> dict[str, Any]:
    """One element of ``GET /containers/json``."""
    record = one.record
    return {
        "Id": one.id,
        "Names": [f"/{one.name}"],
        "Image": image_name(engine, one),
        "ImageID": record.Image,
        "Command": command(one),
        "Created": (times.parse(record.Created) or 0) // times.SECOND,
        "Ports": ports(one),
        "Labels": one.config.Labels or {},
        "State": one.state.status,
        "Status": status(one, now),
        "HostConfig": {"NetworkMode": one.host.NetworkMode},
        "NetworkSettings": {
            "Networks": {name: endpoint(settings) for name, settings in record.Networks.items()}
        },
        "Mounts": mounts(one),
    }


def image_name(engine: "Engine", one: Container) -> str:
    """The name it was made from, or the image's id when that name is now another image's."""
    asked = one.config.Image
    image = engine.images.images.get(one.record.Image)
    if image is None:
        return asked
    try:
        now = engine.images.find(asked)
    except ApiError:
        return one.record.Image
    return asked if now.id == image.id else one.record.Image


def command(one: Container) -> str:
    """Path and arguments, those with blanks in quotes (moby ``view.go``)."""
    arguments = [f"'{text}'" if " " in text else text for text in one.record.Args]
    return " ".join([one.record.Path, *arguments])


def ports(one: Container) -> list[dict[str, Any]]:
    """The ports that are exposed and published."""
    if not one.state.Running:
        return []
    found: list[dict[str, Any]] = []
    for port, places in one.record.Ports.items():
        number, _, kind = port.partition("/")
        base = {"PrivatePort": int(number), "Type": kind or "tcp"}
        if not places:
            found.append(base)
        for place in places or []:
            found.append({"IP": place["HostIp"], **base, "PublicPort": int(place["HostPort"])})
    return found


def status(one: Container, now: int) -> str:
    """``Up 2 minutes (healthy)``, ``Exited (0) 3 seconds ago`` (moby State.String)."""
    state = one.state
    since_start = times.elapsed(now - (times.parse(state.StartedAt) or now))
    since_end = times.elapsed(now - (times.parse(state.FinishedAt) or now))
    if state.Running:
        if state.Paused:
            return f"Up {since_start} (Paused)"
        if state.Restarting:
            return f"Restarting ({state.ExitCode}) {since_end} ago"
        if state.Health is not None:
            word = state.Health.Status
            shown_word = "health: starting" if word == "starting" else word
            return f"Up {since_start} ({shown_word})"
        return f"Up {since_start}"
    if state.RemovalInProgress:
        return "Removal In Progress"
    if state.Dead:
        return "Dead"
    if state.StartedAt == "0001-01-01T00:00:00Z":
        return "Created"
    return f"Exited ({state.ExitCode}) {since_end} ago"
