"""docker ps, images, history, network ls and volume ls: lists of rows."""

from typing import Any

from simulator.isolation.control.docker.client import rows
from simulator.isolation.control.docker.client.flags import Flag, need, parse
from simulator.isolation.control.docker.client.listing import ago, filters, show
from simulator.isolation.control.docker.client.tables import elided, short, size
from simulator.isolation.control.docker.client.wire import Api
from simulator.isolation.control.docker.engine import times
from simulator.machine.userland.process import Process

_FORMAT = Flag("text")
_FILTER = Flag("list", "f")
_RAW = {
    "ps": "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n"
    "created_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\n"
    "names: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n",
    "images": "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\n"
    "created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n",
    "network ls": "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
    "volume ls": "name: {{.Name}}\ndriver: {{.Driver}}\n",
}
"""What ``--format raw`` stands for."""


async def _shown(
    sys: Process, command: str, given: Any, titles: dict[str, str], found: list[Any], ident: str
) -> int:
    """A list; ``ident`` is the field that ``--quiet`` shows."""
    if given.on("quiet"):
        await sys.out("".join(f"{row[ident]}\n" for row in found))
        return 0
    if given.text("format") == "raw":
        given.given["format"] = _RAW[command]
    return await show(sys, given, titles, found)


async def ps(sys: Process, api: Api, words: list[str]) -> int:
    """docker ps."""
    flags = {
        "all": Flag(short="a"), "filter": _FILTER, "format": _FORMAT, "last": Flag("number", "n"),
        "latest": Flag(short="l"), "no-trunc": Flag(), "quiet": Flag(short="q"),
        "size": Flag(short="s"),
    }  # fmt: skip
    given = parse("ps", flags, words)
    need("ps", given.words, 0)
    query: dict[str, Any] = filters(given)
    if given.on("all"):
        query["all"] = 1
    if given.on("latest") or "last" in given.given:
        query["limit"] = 1 if given.on("latest") else given.given["last"]
    form = given.text("format")
    if given.on("size") or ".Size" in form or "json" in form:
        query["size"] = 1
    found = [
        rows.container(one, await ago(sys, one["Created"]), whole=given.on("no-trunc"))
        for one in await api.ask("GET", "/containers/json", query)
    ]
    titles = {
        "ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "RunningFor": "CREATED",
        "Status": "STATUS", "Ports": "PORTS", "Names": "NAMES",
    } | ({"Size": "SIZE"} if given.on("size") else {})  # fmt: skip
    return await _shown(sys, "ps", given, titles, found, "ID")


async def images(sys: Process, api: Api, words: list[str]) -> int:
    """docker images."""
    flags = {
        "all": Flag(short="a"), "digests": Flag(), "filter": _FILTER, "format": _FORMAT,
        "no-trunc": Flag(), "quiet": Flag(short="q"), "tree": Flag(),
    }  # fmt: skip
    given = parse("images", flags, words)
    need("images", given.words, 0)
    if given.words:
        given.given.setdefault("filter", []).append(f"reference={given.words[0]}")
    query: dict[str, Any] = filters(given) | ({"all": 1} if given.on("all") else {})
    wanted = given.on("digests") or ".Digest" in given.text("format")
    found: list[rows.ImageRow] = []
    for one in await api.ask("GET", "/images/json", query):
        digests = [text.partition("@") for text in one.get("RepoDigests") or ()]
        known = {name: digest for name, _, digest in digests} if wanted else {}
        for name in one["RepoTags"] or ["<none>:<none>"]:
            digest = known.get(name.rpartition(":")[0], "")
            since = await ago(sys, one["Created"])
            found.append(rows.image(one, name, digest, since, whole=given.on("no-trunc")))
    titles = {"Repository": "REPOSITORY", "Tag": "TAG"}
    titles |= {"Digest": "DIGEST"} if given.on("digests") else {}
    titles |= {"ID": "IMAGE ID", "CreatedSince": "CREATED", "Size": "SIZE"}
    return await _shown(sys, "images", given, titles, found, "ID")


async def history(sys: Process, api: Api, words: list[str]) -> int:
    """docker history."""
    flags = {"no-trunc": Flag(), "quiet": Flag(short="q"), "format": _FORMAT,
             "human": Flag(short="H"), "platform": Flag("text")}  # fmt: skip
    given = parse("history", flags, words)
    need("history", given.words, 1, 1)
    whole, human = given.on("no-trunc"), given.given.get("human", True)
    found: list[dict[str, str]] = []
    for one in await api.ask("GET", f"/images/{given.words[0]}/history"):
        created = times.rfc3339(one["Created"] * times.SECOND)
        found.append({
            "ID": one["Id"] if whole or one["Id"] == "<missing>" else short(one["Id"]),
            "CreatedSince": await ago(sys, one["Created"]) if human else created,
            "CreatedAt": created,
            "CreatedBy": one["CreatedBy"] if whole else elided(one["CreatedBy"], 45),
            "Size": size(one["Size"]) if human else str(one["Size"]),
            "Comment": one["Comment"],
        })  # fmt: skip
    titles = {"ID": "IMAGE", "CreatedSince": "CREATED" if human else "CREATED AT",
              "CreatedBy": "CREATED BY", "Size": "SIZE", "Comment": "COMMENT"}  # fmt: skip
    return await _shown(sys, "history", given, titles, found, "ID")


async def networks(sys: Process, api: Api, words: list[str]) -> int:
    """docker network ls."""
    flags = {"quiet": Flag(short="q"), "filter": _FILTER, "format": _FORMAT, "no-trunc": Flag()}
    given = parse("network ls", flags, words)
    need("network ls", given.words, 0)
    listed: list[dict[str, Any]] = await api.ask("GET", "/networks", filters(given))
    listed.sort(key=lambda one: one["Name"])
    found = [rows.network(one, whole=given.on("no-trunc")) for one in listed]
    titles = {"ID": "NETWORK ID", "Name": "NAME", "Driver": "DRIVER", "Scope": "SCOPE"}
    return await _shown(sys, "network ls", given, titles, found, "ID")


async def volumes(sys: Process, api: Api, words: list[str]) -> int:
    """docker volume ls."""
    flags = {"quiet": Flag(short="q"), "filter": _FILTER, "format": _FORMAT}
    given = parse("volume ls", flags, words)
    need("volume ls", given.words, 0)
    listed: list[dict[str, Any]] = (await api.ask("GET", "/volumes", filters(given)))["Volumes"]
    found = [rows.volume(one) for one in sorted(listed or (), key=lambda one: one["Name"])]
    titles = {"Driver": "DRIVER", "Name": "VOLUME NAME"}
    return await _shown(sys, "volume ls", given, titles, found, "Name")
