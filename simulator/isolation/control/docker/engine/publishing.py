"""Published ports of a container: chosen, opened by rules and a docker-proxy each, and closed.

moby ``libnetwork/portmapper``.
"""

import ipaddress
from typing import TYPE_CHECKING

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine import firewall
from simulator.isolation.control.docker.engine.config import PortBinding
from simulator.isolation.control.docker.engine.container import Container
from simulator.machine.abi.constants import F_SETFD, O_CLOEXEC, SIGTERM
from simulator.machine.userland.process import Process

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_FIRST_EPHEMERAL = 49153
_PARENT = 3
"""Where a docker-proxy says whether it listens (moby ``portmapper/proxy_linux.go``)."""


def _wanted(container: Container) -> list[tuple[str, PortBinding]]:
    """``80/tcp`` and where it is to be published, one each."""
    found: list[tuple[str, PortBinding]] = []
    bindings = container.host.PortBindings or {}
    for port, places in bindings.items():
        for place in places or [PortBinding()]:
            found.append((port, place))
    if container.host.PublishAllPorts:
        found += [
            (p, PortBinding()) for p in container.config.ExposedPorts or {} if p not in bindings
        ]
    return found


def _with_kind(port: str) -> str:
    """``80`` is ``80/tcp`` (nat.Port)."""
    return port if "/" in port else f"{port}/tcp"


def choose_ports(engine: "Engine", container: Container) -> None:
    """Choose host ports, and refuse one that another container has."""
    taken = {
        (place["HostPort"], port.partition("/")[2])
        for one in engine.containers.values()
        if one.state.Running
        for port, places in one.record.Ports.items()
        for place in places or []
    }
    ports: dict[str, list[dict[str, str]] | None] = {
        _with_kind(port): None for port in container.config.ExposedPorts or {}
    }
    if container.host.NetworkMode == "host" or not any(
        got.IPAddress for got in container.record.Networks.values()
    ):
        container.record.Ports = {}
        return
    for port, place in _wanted(container):
        kind = port.partition("/")[2] or "tcp"
        number = place.HostPort
        first, dash, last = number.partition("-")
        if not number or number == "0" or dash:
            free = int(first) if dash else _FIRST_EPHEMERAL
            while (str(free), kind) in taken and (not dash or free < int(last)):
                free += 1
            number = str(free)
        if (number, kind) in taken:
            address = place.HostIp or "0.0.0.0"
            raise ApiError(
                f"driver failed programming external connectivity on endpoint {container.name} ("
                f"{next(iter(container.record.Networks.values())).EndpointID}): Bind for"
                f" {address}:{number} failed: port is already allocated"
            )
        taken.add((number, kind))
        key = _with_kind(port)
        listed = ports.get(key) or []
        hosts_ = [place.HostIp] if _is_address(place.HostIp) else ["0.0.0.0", "::"]
        listed += [{"HostIp": one, "HostPort": number} for one in hosts_]
        ports[key] = listed
    container.record.Ports = ports


def _is_address(text: str) -> bool:
    """net.ParseIP(): for anything else the port is published everywhere."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def publish(sys: Process, engine: "Engine", container: Container) -> None:
    """Rules and a docker-proxy for each published port. Raises ``ApiError`` if it cannot listen."""
    got = next((g for g in container.record.Networks.values() if g.IPAddress), None)
    for port, places in container.record.Ports.items():
        inner, _, kind = port.partition("/")
        for place in places or []:
            if got is None or kind not in ("tcp", "udp") or ":" in place["HostIp"]:
                continue
            bridge = engine.networks.all[got.NetworkID].Bridge
            rules = firewall.of_port(bridge, got.IPAddress, port, place)
            container.port_rules += rules
            words = ["docker-proxy", "-proto", kind, "-host-ip", place["HostIp"]]
            words += ["-host-port", place["HostPort"], "-container-ip", got.IPAddress]
            words += ["-container-port", inner]
            pid, why = await _proxy(sys, words)
            container.proxies.append(pid)
            if why:
                raise ApiError(
                    "driver failed programming external connectivity on endpoint"
                    f" {container.name} ({got.EndpointID}): failed to bind port"
                    f" {place['HostIp']}:{place['HostPort']}/{kind}:"
                    f" Error starting userland proxy: {why}"
                )
            await firewall.open_port(sys, rules)


async def _proxy(sys: Process, words: list[str]) -> tuple[int, str]:
    """Its number, and why it does not listen; empty when it does."""
    heard, tell = await sys.data("pipe2", O_CLOEXEC)

    async def body(own: Process) -> int:
        if tell != _PARENT:
            await own.call("dup2", tell, _PARENT)
        await own.call("fcntl", _PARENT, F_SETFD, 0)
        await own.call("close_range", _PARENT + 1, 0x7FFFFFFF, 0)
        await own.execve("/usr/sbin/docker-proxy", words, {"PATH": "/usr/sbin:/usr/bin"})
        return 127

    pid = await sys.spawn(body)
    await sys.close(tell)
    said = (await sys.drain(heard)).decode()
    return pid, "" if said.startswith("0\n") else said.removeprefix("1\n")


async def unpublish(sys: Process, container: Container) -> None:
    """Its ports are closed."""
    for pid in container.proxies:
        await sys.succeeds("kill", pid, SIGTERM)
    container.proxies.clear()
    await firewall.close_port(sys, container.port_rules)
    container.port_rules.clear()
