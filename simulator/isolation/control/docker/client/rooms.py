"""docker network, volume and system: commands with commands of their own."""

from typing import Any

from simulator.isolation.control.docker.client import helping, listing, lists, running, usage
from simulator.isolation.control.docker.client.changing import each
from simulator.isolation.control.docker.client.flags import Flag, need, parse
from simulator.isolation.control.docker.client.wire import Api
from simulator.machine.userland.process import Process


def _verb(group: str, words: list[str]) -> tuple[str, list[str]]:
    """The command within a group, and its words; ``""`` asks for help."""
    first = words[0] if words else ""
    if first in ("", "--help", "-h", "help"):
        return "", [group]
    if {"--help", "-h"} & set(words[1:]):
        return "", [f"{group} {first}"]
    return first, words[1:]


async def _unknown(sys: Process, group: str, verb: str) -> int:
    if not verb:
        return 0
    await sys.err(f"docker: unknown command: docker {group} {verb}\n\nUsage:  docker {group}\n\n"
                  f"Run 'docker {group} --help' for more information\n")  # fmt: skip
    return 1


async def _help(sys: Process, words: list[str]) -> int:
    known = words[0] in helping.LINES
    await sys.out(helping.help_of(words[0]) if known else helping.overview(words[0]))
    return 0


async def network(sys: Process, api: Api, words: list[str]) -> int:
    """docker network."""
    verb, rest = _verb("network", words)
    match verb:
        case "":
            return await _help(sys, rest)
        case "ls" | "list":
            return await lists.networks(sys, api, rest)
        case "create":
            return await _network_create(sys, api, rest)
        case "connect" | "disconnect":
            flags = {"alias": Flag("list"), "ip": Flag("text"), "force": Flag(short="f")}
            given = parse(f"network {verb}", flags, rest)
            need(f"network {verb}", given.words, 2, 2)
            body: dict[str, Any] = {"Container": given.words[1]}
            if verb == "connect":
                body["EndpointConfig"] = {"Aliases": given.listed("alias")}
            await api.ask("POST", f"/networks/{given.words[0]}/{verb}", None, body)
            return 0
        case "rm" | "remove":
            return await each(sys, rest, lambda name: api.ask("DELETE", f"/networks/{name}"))
        case "inspect":
            given = parse("network inspect", {"format": Flag("text", "f")}, rest)
            return await listing.inspected(sys, api, given, ["/networks/{}"])
        case "prune":
            return await usage.prune(sys, api, ("Networks",), rest)
        case _:
            return await _unknown(sys, "network", verb)


async def _network_create(sys: Process, api: Api, words: list[str]) -> int:
    flags = {"driver": Flag("text", "d"), "gateway": Flag("text"), "internal": Flag(),
             "label": Flag("list"), "opt": Flag("list", "o"), "subnet": Flag("text"),
             "attachable": Flag(), "ip-range": Flag("text")}  # fmt: skip
    given = parse("network create", flags, words)
    need("network create", given.words, 1, 1)
    pool = {"Subnet": given.text("subnet"), "Gateway": given.text("gateway"),
            "IPRange": given.text("ip-range")}  # fmt: skip
    body: dict[str, Any] = {
        "Name": given.words[0],
        "Driver": given.text("driver") or "bridge",
        "Internal": given.on("internal"),
        "Attachable": given.on("attachable"),
        "Labels": running.pairs(given.listed("label")),
        "Options": running.pairs(given.listed("opt")),
        "IPAM": {"Driver": "default", "Options": {}, "Config": [pool] if pool["Subnet"] else []},
    }
    told = await api.ask("POST", "/networks/create", None, body)
    await sys.out(f"{told['Id']}\n")
    return 0


async def volume(sys: Process, api: Api, words: list[str]) -> int:
    """docker volume."""
    verb, rest = _verb("volume", words)
    match verb:
        case "":
            return await _help(sys, rest)
        case "ls" | "list":
            return await lists.volumes(sys, api, rest)
        case "create":
            flags = {"driver": Flag("text", "d"), "label": Flag("list"), "opt": Flag("list", "o")}
            given = parse("volume create", flags, rest)
            body = {
                "Name": (given.words or [""])[0],
                "Driver": given.text("driver"),
                "Labels": running.pairs(given.listed("label")),
                "DriverOpts": running.pairs(given.listed("opt")),
            }
            told = await api.ask("POST", "/volumes/create", None, body)
            await sys.out(f"{told['Name']}\n")
            return 0
        case "rm" | "remove":
            given = parse("volume rm", {"force": Flag(short="f")}, rest)
            query = {"force": int(given.on("force"))}

            async def act(name: str) -> None:
                await api.ask("DELETE", f"/volumes/{name}", query)

            return await each(sys, given.words, act)
        case "inspect":
            given = parse("volume inspect", {"format": Flag("text", "f")}, rest)
            return await listing.inspected(sys, api, given, ["/volumes/{}"])
        case "prune":
            return await usage.prune(sys, api, ("Volumes",), rest)
        case _:
            return await _unknown(sys, "volume", verb)


async def system(sys: Process, api: Api, words: list[str]) -> int:
    """docker system."""
    verb, rest = _verb("system", words)
    match verb:
        case "":
            return await _help(sys, rest)
        case "info":
            return await listing.info(sys, api, rest)
        case "events":
            return await listing.events(sys, api, rest)
        case "prune":
            return await usage.prune(sys, api, ("Containers", "Networks", "Images"), rest)
        case "df":
            return await usage.disk(sys, api, rest)
        case _:
            return await _unknown(sys, "system", verb)
