"""``--link`` on the default bridge: the other's address and ports in the environment.

moby ``daemon/links/links.go``, ``container_operations_unix.go`` (setupLinkedContainers()).
"""

from typing import TYPE_CHECKING

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine.container import Container

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

Port = tuple[int, str]


def variables(engine: "Engine", container: Container) -> list[str]:
    """``DB_PORT=tcp://...`` and its like. Raises ``ApiError``."""
    if container.host.NetworkMode != "bridge":
        return []
    found: list[str] = []
    for text in container.host.Links or []:
        target, _, alias = text.partition(":")
        other = engine.find(target)
        got = other.record.Networks.get("bridge")
        if got is None:
            raise ApiError(f"container {other.id} not attached to default bridge network")
        found += _of_one(f"/{container.name}/{alias or other.name}", other, got.IPAddress)
    return found


def _of_one(name: str, other: Container, address: str) -> list[str]:
    """Link.ToEnv()."""
    alias = name.rpartition("/")[2].upper().replace("-", "_")
    ports = sorted(
        (int(port), kind or "tcp")
        for port, _, kind in (text.partition("/") for text in other.config.ExposedPorts or {})
    )
    ports.sort(key=lambda port: (port[0], port[1] != "tcp"))
    told: list[str] = []
    if ports:
        told.append(f"{alias}_PORT={_url(ports[0], address)}")
    told += _ranges(alias, ports, address)
    for number, kind in ports:
        begun = f"{alias}_PORT_{number}_{kind.upper()}"
        told += [
            f"{begun}={_url((number, kind), address)}",
            f"{begun}_ADDR={address}",
            f"{begun}_PORT={number}",
            f"{begun}_PROTO={kind}",
        ]
    told.append(f"{alias}_NAME={name}")
    for pair in other.config.Env or []:
        key, given, _value = pair.partition("=")
        if given and key not in ("HOME", "PATH"):
            told.append(f"{alias}_ENV_{pair}")
    return told


def _ranges(alias: str, ports: list[Port], address: str) -> list[str]:
    """Of three ports and more that follow each other, the first and the last once more."""
    told: list[str] = []
    at = 0
    while at < len(ports):
        end = at
        while end + 1 < len(ports) and ports[end + 1][0] <= ports[at][0] + end + 1 - at:
            end += 1
        if end > at + 1:
            (number, kind), last = ports[at], ports[end]
            begun = f"{alias}_PORT_{number}_{kind.upper()}"
            told += [
                f"{begun}_START={_url(ports[at], address)}",
                f"{begun}_ADDR={address}",
                f"{begun}_PROTO={kind}",
                f"{begun}_PORT_START={number}",
                f"{alias}_PORT_{number}_{last[1].upper()}_END={_url(last, address)}",
                f"{alias}_PORT_{number}_{last[1].upper()}_PORT_END={last[0]}",
            ]
            at = end
        at += 1
    return told


def _url(port: Port, address: str) -> str:
    return f"{port[1]}://{address}:{port[0]}"
