"""Rows of docker's lists, with every field that ``--format`` knows (docker/cli ``formatter``)."""

from typing import Any

from simulator.isolation.control.docker.client.tables import elided, short, size
from simulator.isolation.control.docker.client.templates import Row
from simulator.isolation.control.docker.engine import times

_NOTHING = "N/A"


class ContainerRow(Row):
    """``ps``."""

    go = "formatter.ContainerContext"


class ImageRow(Row):
    """``images``."""

    go = "formatter.imageContext"


class NetworkRow(Row):
    """``network ls``."""

    go = "network.networkContext"


class VolumeRow(Row):
    """``volume ls``."""

    go = "formatter.volumeContext"


def labels(found: dict[str, str] | None) -> str:
    """``key=value`` by key."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items()))


def _label(found: dict[str, str] | None) -> Any:
    def get(name: str = "") -> str:
        return (found or {}).get(name, "")

    return get


def moment(seconds: int) -> str:
    """``2024-11-30 20:53:20 +0000 UTC``."""
    return times.rfc3339(seconds * times.SECOND)[:19].replace("T", " ") + " +0000 UTC"


def port_text(port: dict[str, Any]) -> str:
    """``0.0.0.0:8080->80/tcp``."""
    inside = f"{port['PrivatePort']}/{port['Type']}"
    if "PublicPort" not in port:
        return inside
    address = f"[{port['IP']}]" if ":" in port["IP"] else port["IP"]
    return f"{address}:{port['PublicPort']}->{inside}"


def container(one: dict[str, Any], ago: str, *, whole: bool) -> ContainerRow:
    """An entry of ``GET /containers/json``."""
    command = one["Command"] if whole else elided(one["Command"], 20)
    image = one["Image"]
    mounts: list[dict[str, Any]] = one["Mounts"]
    names = [mount.get("Name") or mount.get("Source", "") for mount in mounts]
    written = size(one.get("SizeRw") or 0)
    virtual = one.get("SizeRootFs") or 0
    return ContainerRow(
        Command=f'"{command}"',
        CreatedAt=moment(one["Created"]),
        ID=one["Id"] if whole else one["Id"][:12],
        Image=short(image) if image.startswith("sha256:") else image,
        Labels=labels(one["Labels"]),
        LocalVolumes=str(sum(mount.get("Driver") == "local" for mount in mounts)),
        Mounts=",".join(names if whole else (elided(name, 15) for name in names)),
        Names=",".join(name.removeprefix("/") for name in one["Names"]),
        Networks=",".join(one["NetworkSettings"]["Networks"]),
        Ports=", ".join(port_text(port) for port in one["Ports"]),
        RunningFor=ago,
        Size=f"{written} (virtual {size(virtual)})" if virtual > 0 else written,
        State=one["State"],
        Status=one["Status"],
        Label=_label(one["Labels"]),
    )


def image(one: dict[str, Any], name: str, digest: str, ago: str, *, whole: bool) -> ImageRow:
    """An entry of ``GET /images/json``, by one of its names."""
    repository, _, mark = name.rpartition(":")
    return ImageRow(
        Containers=_NOTHING, CreatedAt=moment(one["Created"]), CreatedSince=ago,
        Digest=digest or "<none>", ID=one["Id"] if whole else short(one["Id"]),
        Repository=repository, SharedSize=_NOTHING, Size=size(one["Size"]), Tag=mark,
        UniqueSize=_NOTHING, VirtualSize=size(one["Size"]),
    )  # fmt: skip


def network(one: dict[str, Any], *, whole: bool) -> NetworkRow:
    """An entry of ``GET /networks``."""
    created = one["Created"].replace("T", " ").rstrip("Z")
    return NetworkRow(
        CreatedAt=f"{created} +0000 UTC", Driver=one["Driver"],
        ID=one["Id"] if whole else one["Id"][:12], IPv6=str(bool(one.get("EnableIPv6"))).lower(),
        Internal=str(bool(one.get("Internal"))).lower(), Labels=labels(one.get("Labels")),
        Name=one["Name"], Scope=one["Scope"], Label=_label(one.get("Labels")),
    )  # fmt: skip


def volume(one: dict[str, Any]) -> VolumeRow:
    """An entry of ``GET /volumes``."""
    return VolumeRow(
        Availability=_NOTHING, Driver=one["Driver"], Group=_NOTHING,
        Labels=labels(one.get("Labels")), Links=_NOTHING, Mountpoint=one["Mountpoint"],
        Name=one["Name"], Scope=one["Scope"], Size=_NOTHING, Status=_NOTHING,
        Label=_label(one.get("Labels")),
    )  # fmt: skip
