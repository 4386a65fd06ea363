"""What zonecfg and zoneadm remember: /etc/zones/index and /etc/zones/NAME.xml.

The index says in which state each zone is as far as the disk knows: configured, incomplete or
installed. Whether it is ready or running only the kernel knows. Source: lib/libzonecfg.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.isolation.control import files
from simulator.isolation.technologies.options import zone_xml
from simulator.isolation.technologies.options.zonecfg import Config
from simulator.machine.abi.constants import (
    ZONE_ATTR_BRAND,
    ZONE_ATTR_FLAGS,
    ZONE_ATTR_NAME,
    ZONE_ATTR_ROOT,
    ZONE_ATTR_STATUS,
)

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

DIRECTORY = "/etc/zones"
INDEX = f"{DIRECTORY}/index"


class Entry(msgspec.Struct, frozen=True):
    """One zone: its id (-1: not in the kernel), state, zonepath, brand and kind of IP stack."""

    name: str
    state: str
    path: str
    number: int = -1
    brand: str = "native"
    exclusive: bool = False


async def index(sys: "Process") -> dict[str, Entry]:
    """The zones that the index lists, the global one left out."""
    found: dict[str, Entry] = {}
    for line in (await sys.text_or_empty(INDEX)).splitlines():
        name, colon, rest = line.partition(":")
        if colon and not line.startswith("#") and name != "global":
            state, _, path = rest.partition(":")
            found[name] = Entry(name, state, path.partition(":")[0])
    return found


async def set_state(sys: "Process", name: str, state: str, path: str) -> None:
    """Write the index with one zone's line changed; an empty state takes the line out."""
    entries = await index(sys)
    entries.pop(name, None)
    if state:
        entries[name] = Entry(name, state, path)
    head = [line for line in (await sys.text_or_empty(INDEX)).splitlines() if line.startswith("#")]
    lines = [*head, "global:installed:/"]
    lines += [f"{one.name}:{one.state}:{one.path}:" for one in entries.values()]
    await files.write(sys, INDEX, "".join(f"{line}\n" for line in lines))


async def load(sys: "Process", name: str) -> Config | None:
    """A zone's configuration; None when it has none. Raises ``ConfigError``."""
    content = await sys.text_or_empty(f"{DIRECTORY}/{name}.xml")
    return zone_xml.parse(content) if content else None


async def save(sys: "Process", name: str, config: Config) -> None:
    """Write a zone's configuration, and its line in the index."""
    await files.write(sys, f"{DIRECTORY}/{name}.xml", zone_xml.text(config))
    known = (await index(sys)).get(name)
    state = known.state if known is not None else "configured"
    await set_state(sys, name, state, config.properties.get("zonepath", ""))


async def running(sys: "Process") -> list[Entry]:
    """The zones that the kernel has, the global one first."""
    known = await index(sys)
    found: list[Entry] = []
    for number in await sys.data("zone_list"):
        name = await sys.data("zone_getattr", number, ZONE_ATTR_NAME)
        root = str(await sys.data("zone_getattr", number, ZONE_ATTR_ROOT))
        path = known[name].path if name in known else root.removesuffix("/root") or "/"
        flags = await sys.data("zone_getattr", number, ZONE_ATTR_FLAGS)
        state = str(await sys.data("zone_getattr", number, ZONE_ATTR_STATUS))
        brand = str(await sys.data("zone_getattr", number, ZONE_ATTR_BRAND))
        found.append(Entry(name, state, path, number, brand, bool(flags)))
    return found


async def zones(sys: "Process") -> list[Entry]:
    """Every zone: those in the kernel, then those that are only configured or installed."""
    alive = await running(sys)
    seen = {one.name for one in alive}
    rest = [one for one in (await index(sys)).values() if one.name not in seen]
    for place, one in enumerate(rest):
        config = await load(sys, one.name)
        if config is not None:
            exclusive = config.properties.get("ip-type") == "exclusive"
            brand = config.properties.get("brand", "native")
            rest[place] = msgspec.structs.replace(one, brand=brand, exclusive=exclusive)
    return alive + rest


async def is_global(sys: "Process") -> bool:
    """Whether the tool runs in the global zone."""
    return not await sys.value("zone_lookup", None)
