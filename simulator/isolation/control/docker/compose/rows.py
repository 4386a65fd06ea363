"""What ``ps`` tells of a container: compose's ``ContainerSummary`` (``pkg/api/api.go``)."""

from typing import Any

import msgspec

from simulator.isolation.control.docker.client.rows import port_text
from simulator.isolation.control.docker.client.tables import elided, layout, short, table, template
from simulator.isolation.control.docker.compose.plan import Seen
from simulator.isolation.control.docker.compose.project import LABEL
from simulator.isolation.control.docker.compose.tree import part
from simulator.isolation.control.docker.engine import times

_TITLES = {
    "Name": "NAME", "Image": "IMAGE", "Command": "COMMAND", "Service": "SERVICE",
    "RunningFor": "CREATED", "Status": "STATUS", "Ports": "PORTS",
}  # fmt: skip
_OTHERS = {"ID": "CONTAINER ID", "State": "STATE", "Health": "HEALTH", "ExitCode": "EXIT CODE",
           "Project": "PROJECT", "Labels": "LABELS", "Names": "NAMES", "Mounts": "MOUNTS",
           "Networks": "NETWORKS", "Size": "SIZE", "CreatedAt": "CREATED AT",
           "LocalVolumes": "LOCAL VOLUMES", "Publishers": "PUBLISHERS"}  # fmt: skip


def row(
    one: dict[str, Any], told: dict[str, Any], now: int, *, whole: bool = False
) -> dict[str, Any]:
    """A container as the list has it, and as inspect does; ``now`` in nanoseconds."""
    seen = Seen.of(one)
    mounts: list[dict[str, Any]] = one.get("Mounts") or []
    named: list[str] = [mount.get("Name") or mount.get("Source", "") for mount in mounts]
    networks = part(part(one, "NetworkSettings"), "Networks")
    created = one["Created"] * times.SECOND
    return {
        "Command": f'"{one["Command"] if whole else elided(one["Command"], 20)}"',
        "CreatedAt": times.rfc3339(created)[:19].replace("T", " ") + " +0000 UTC",
        "ExitCode": told["State"]["ExitCode"],
        "Health": part(told["State"], "Health").get("Status") or "",
        "ID": one["Id"] if whole else short(one["Id"]),
        "Image": one["Image"],
        "Labels": ",".join(f"{key}={value}" for key, value in one["Labels"].items()),
        "LocalVolumes": str(sum(mount.get("Driver") == "local" for mount in mounts)),
        "Mounts": ",".join(elided(text, 15) for text in named),
        "Name": seen.name,
        "Names": seen.name,
        "Networks": ",".join(networks),
        "Ports": ", ".join(port_text(port) for port in one["Ports"]),
        "Project": one["Labels"].get(f"{LABEL}project", ""),
        "Publishers": [
            {
                "URL": port.get("IP", ""),
                "TargetPort": port["PrivatePort"],
                "PublishedPort": port.get("PublicPort", 0),
                "Protocol": port["Type"],
            }
            for port in one["Ports"]
        ],
        "RunningFor": f"{times.elapsed(now - created)} ago",
        "Service": seen.service,
        "Size": "0B",
        "State": one["State"],
        "Status": one["Status"],
    }


def shown(rows: list[dict[str, Any]], form: str) -> str:
    """The rows as a table, as JSON a line, or by a template. Raises ``ClientError``."""
    if form == "json":
        return "".join(f"{as_go(row)}\n" for row in rows)
    if form == "table":
        cells = ([row[name] for name in _TITLES] for row in rows)
        return table(list(_TITLES.values()), cells)
    if form.startswith("table "):
        return layout(form.removeprefix("table ").strip(), _TITLES | _OTHERS, rows)
    return "".join(template(form, row) + "\n" for row in rows)


def as_go(value: Any) -> str:
    """encoding/json, which writes ``<``, ``>`` and ``&`` so that no browser minds them."""
    text = msgspec.json.encode(value).decode()
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
