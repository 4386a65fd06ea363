"""docker ps, images, inspect, logs, history, version, info, events and others that print."""

from typing import Any

import msgspec

from simulator.isolation.control.docker.client.flags import Flag, Parsed, need, parse
from simulator.isolation.control.docker.client.moments import stamp
from simulator.isolation.control.docker.client.tables import (
    elided,
    layout,
    short,
    size,
    table,
    template,
)
from simulator.isolation.control.docker.client.wire import Api, ClientError, DaemonError
from simulator.isolation.control.docker.engine import times
from simulator.machine.userland.process import Process

_FORMAT = Flag("text")
_FILTER = Flag("list", "f")


def filters(given: Parsed) -> dict[str, str]:
    """The query of ``--filter key=value``."""
    found: dict[str, list[str]] = {}
    for one in given.listed("filter"):
        key, equals, value = one.partition("=")
        if not equals:
            why = "bad format of filter (expected name=value)"
            raise ClientError(f'invalid argument "{one}" for "-f, --filter" flag: {why}', 125)
        found.setdefault(key, []).append(value)
    return {"filters": msgspec.json.encode(found).decode()} if found else {}


async def ago(sys: Process, seconds: int) -> str:
    """``2 hours ago``."""
    return f"{times.elapsed(await times.now(sys) - seconds * times.SECOND)} ago"


async def ps(sys: Process, api: Api, words: list[str]) -> int:
    """docker ps."""
    flags = {
        "all": Flag(short="a"), "filter": _FILTER, "format": _FORMAT, "last": Flag("number", "n"),
        "latest": Flag(short="l"), "no-trunc": Flag(), "quiet": Flag(short="q"),
        "size": Flag(short="s"),
    }  # fmt: skip
    given = parse("ps", flags, words)
    query: dict[str, Any] = filters(given)
    if given.on("all"):
        query["all"] = 1
    if given.on("latest") or "last" in given.given:
        query["limit"] = 1 if given.on("latest") else given.given["last"]
    rows: list[dict[str, str]] = []
    for one in await api.ask("GET", "/containers/json", query):
        command = one["Command"] if given.on("no-trunc") else elided(one["Command"], 20)
        rows.append(
            {
                "ID": one["Id"] if given.on("no-trunc") else one["Id"][:12],
                "Image": one["Image"]
                if not one["Image"].startswith("sha256:")
                else short(one["Image"]),
                "Command": f'"{command}"',
                "RunningFor": await ago(sys, one["Created"]),
                "Status": one["Status"],
                "Ports": ", ".join(port_text(port) for port in one["Ports"]),
                "Names": ",".join(name.removeprefix("/") for name in one["Names"]),
                "State": one["State"],
                "Labels": ",".join(f"{key}={value}" for key, value in one["Labels"].items()),
                "Mounts": ",".join(m.get("Name") or m["Source"] for m in one["Mounts"]),
                "Networks": ",".join(one["NetworkSettings"]["Networks"]),
            }
        )
    if given.on("quiet"):
        await sys.out("".join(f"{row['ID']}\n" for row in rows))
        return 0
    titles = {
        "ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "RunningFor": "CREATED",
        "Status": "STATUS", "Ports": "PORTS", "Names": "NAMES",
    }  # fmt: skip
    return await show(sys, given, titles, rows)


def port_text(port: dict[str, Any]) -> str:
    """``0.0.0.0:8080->80/tcp``."""
    inside = f"{port['PrivatePort']}/{port['Type']}"
    if "PublicPort" not in port:
        return inside
    address = f"[{port['IP']}]" if ":" in port["IP"] else port["IP"]
    return f"{address}:{port['PublicPort']}->{inside}"


async def show(
    sys: Process, given: Parsed, titles: dict[str, str], rows: list[dict[str, str]]
) -> int:
    """A table, or each row by ``--format``."""
    form = given.text("format")
    if form == "json":
        for row in rows:
            await sys.out(msgspec.json.encode(row).decode() + "\n")
    elif form.startswith("table "):
        known = {name: titles.get(name, name.upper()) for row in rows for name in row} | titles
        await sys.out(layout(form[6:], known, rows))
    elif form:
        for row in rows:
            await sys.out(template(form, row) + "\n")
    else:
        cells = ([row[name] for name in titles] for row in rows)
        await sys.out(table(list(titles.values()), cells))
    return 0


async def images(sys: Process, api: Api, words: list[str]) -> int:
    """docker images."""
    flags = {
        "all": Flag(short="a"), "digests": Flag(), "filter": _FILTER, "format": _FORMAT,
        "no-trunc": Flag(), "quiet": Flag(short="q"),
    }  # fmt: skip
    given = parse("images", flags, words)
    query: dict[str, Any] = filters(given) | ({"all": 1} if given.on("all") else {})
    if given.words:
        wanted = msgspec.json.encode({"reference": given.words}).decode()
        query["filters"] = wanted
    rows: list[dict[str, str]] = []
    for one in await api.ask("GET", "/images/json", query):
        ident = one["Id"] if given.on("no-trunc") else short(one["Id"])
        for name in one["RepoTags"] or ["<none>:<none>"]:
            repository, _, mark = name.rpartition(":")
            created = await ago(sys, one["Created"])
            rows.append(
                {"Repository": repository, "Tag": mark, "ID": ident, "CreatedSince": created,
                 "Size": size(one["Size"])}
            )  # fmt: skip
    if given.on("quiet"):
        await sys.out("".join(f"{row['ID']}\n" for row in rows))
        return 0
    titles = {"Repository": "REPOSITORY", "Tag": "TAG", "ID": "IMAGE ID",
              "CreatedSince": "CREATED", "Size": "SIZE"}  # fmt: skip
    return await show(sys, given, titles, rows)


async def history(sys: Process, api: Api, words: list[str]) -> int:
    """docker history."""
    given = parse(
        "history", {"no-trunc": Flag(), "quiet": Flag(short="q"), "format": _FORMAT}, words
    )
    need("history", given.words, 1, 1)
    rows: list[dict[str, str]] = []
    for one in await api.ask("GET", f"/images/{given.words[0]}/history"):
        by = one["CreatedBy"] if given.on("no-trunc") else elided(one["CreatedBy"], 45)
        rows.append(
            {"ID": short(one["Id"]), "CreatedSince": await ago(sys, one["Created"]),
             "CreatedBy": by, "Size": size(one["Size"]), "Comment": one["Comment"]}
        )  # fmt: skip
    if given.on("quiet"):
        await sys.out("".join(f"{row['ID']}\n" for row in rows))
        return 0
    titles = {"ID": "IMAGE", "CreatedSince": "CREATED", "CreatedBy": "CREATED BY",
              "Size": "SIZE", "Comment": "COMMENT"}  # fmt: skip
    return await show(sys, given, titles, rows)


async def inspect(sys: Process, api: Api, words: list[str]) -> int:
    """docker inspect: containers, images, networks, volumes, in that order."""
    flags = {"format": Flag("text", "f"), "size": Flag(short="s"), "type": Flag("text")}
    given = parse("inspect", flags, words)
    need("inspect", given.words, 1)
    kinds = {"container": "/containers/{}/json", "image": "/images/{}/json",
             "network": "/networks/{}", "volume": "/volumes/{}"}  # fmt: skip
    wanted = [given.text("type")] if given.text("type") else list(kinds)
    return await inspected(sys, api, given, [kinds[kind] for kind in wanted if kind in kinds])


async def inspected(sys: Process, api: Api, given: Parsed, paths: list[str]) -> int:
    """The JSON of each name, or a template of it."""
    found: list[Any] = []
    status = 0
    for name in given.words:
        told = None
        for path in paths:
            try:
                told = await api.ask("GET", path.format(name))
                break
            except DaemonError as error:
                if error.code != 404:
                    raise
        if told is None:
            await sys.err(f"Error: No such object: {name}\n")
            status = 1
            continue
        found.append(told)
    form = given.text("format")
    if form:
        for told in found:
            await sys.out(template(form, told) + "\n")
    else:
        await sys.out(msgspec.json.format(msgspec.json.encode(found), indent=4).decode() + "\n")
    return status


def between(given: Parsed, now: int, blame: str = "") -> dict[str, str]:
    """``--since`` and ``--until`` for a request. Raises ``ClientError``."""
    found: dict[str, str] = {}
    for name in ("since", "until"):
        if given.text(name):
            try:
                found[name] = stamp(given.text(name), now)
            except ClientError as error:
                raise ClientError(f"{blame.format(name)}{error}", 1) from None
    return found


async def logs(sys: Process, api: Api, words: list[str]) -> int:
    """docker logs."""
    flags = {
        "follow": Flag(short="f"), "since": Flag("text"), "tail": Flag("text", "n"),
        "timestamps": Flag(short="t"), "until": Flag("text"), "details": Flag(),
    }  # fmt: skip
    given = parse("logs", flags, words)
    need("logs", given.words, 1, 1)
    told = await api.ask("GET", f"/containers/{given.words[0]}/json")
    query: dict[str, Any] = {"stdout": 1, "stderr": 1, "tail": given.text("tail", "all")}
    for name in ("follow", "timestamps"):
        if given.on(name):
            query[name] = 1
    query |= between(given, await times.now(sys), 'invalid value for "{}": ')
    left = b""
    async for piece in api.stream("GET", f"/containers/{told['Id']}/logs", query):
        if told["Config"]["Tty"]:
            await sys.write(1, piece)
            continue
        left += piece
        while len(left) >= 8 and len(left) >= 8 + int.from_bytes(left[4:8], "big"):
            end = 8 + int.from_bytes(left[4:8], "big")
            await sys.write(2 if left[0] == 2 else 1, left[8:end])
            left = left[end:]
    return 0


async def version(sys: Process, api: Api, words: list[str]) -> int:
    """docker version."""
    given = parse("version", {"format": Flag("text", "f")}, words)
    told = await api.ask("GET", "/version")
    if given.text("format"):
        client = {"Version": told["Version"], "ApiVersion": told["ApiVersion"]}
        await sys.out(template(given.text("format"), {"Client": client, "Server": told}) + "\n")
        return 0
    text = f"Client:\n Version:           {told['Version']}\n"
    text += f" API version:       {told['ApiVersion']}\n"
    text += f" OS/Arch:           linux/amd64\n\nServer: {told['Platform']['Name']}\n"
    for part in told["Components"]:
        text += f" {part['Name']}:\n  Version:          {part['Version']}\n"
        if part["Name"] == "Engine":
            least = f"(minimum version {told['MinAPIVersion']})"
            text += f"  API version:      {told['ApiVersion']} {least}\n"
            text += f"  Go version:       {told['GoVersion']}\n"
            text += f"  Git commit:       {told['GitCommit']}\n  OS/Arch:          linux/amd64\n"
        else:
            text += f"  GitCommit:        {part['Details']['GitCommit']}\n"
    await sys.out(text)
    return 0


async def info(sys: Process, api: Api, words: list[str]) -> int:
    """docker info."""
    given = parse("info", {"format": Flag("text", "f")}, words)
    told = await api.ask("GET", "/info")
    if given.text("format"):
        await sys.out(template(given.text("format"), told) + "\n")
        return 0
    text = "Server:\n"
    for title, key in (
        (" Containers", "Containers"), ("  Running", "ContainersRunning"),
        ("  Paused", "ContainersPaused"), ("  Stopped", "ContainersStopped"),
        (" Images", "Images"), (" Server Version", "ServerVersion"), (" Storage Driver", "Driver"),
        (" Logging Driver", "LoggingDriver"), (" Cgroup Driver", "CgroupDriver"),
        (" Cgroup Version", "CgroupVersion"), (" Kernel Version", "KernelVersion"),
        (" Operating System", "OperatingSystem"), (" OSType", "OSType"),
        (" Architecture", "Architecture"), (" CPUs", "NCPU"), (" Name", "Name"), (" ID", "ID"),
        (" Docker Root Dir", "DockerRootDir"),
    ):  # fmt: skip
        text += f"{title}: {told[key]}\n"
    await sys.out(text)
    return 0


async def events(sys: Process, api: Api, words: list[str]) -> int:
    """docker events."""
    flags = {"filter": _FILTER, "format": _FORMAT, "since": Flag("text"), "until": Flag("text")}
    given = parse("events", flags, words)
    query: dict[str, Any] = filters(given)
    query |= between(given, await times.now(sys))
    async for told in api.lines("GET", "/events", query):
        if given.text("format"):
            await sys.out(template(given.text("format"), told) + "\n")
            continue
        actor = told["Actor"]
        pairs = ", ".join(f"{key}={value}" for key, value in sorted(actor["Attributes"].items()))
        when = times.fixed(told["timeNano"])
        await sys.out(f"{when} {told['Type']} {told['Action']} {actor['ID']} ({pairs})\n")
    return 0


async def top(sys: Process, api: Api, words: list[str]) -> int:
    """docker top."""
    need("top", words, 1)
    query = {"ps_args": " ".join(words[1:])} if words[1:] else None
    told = await api.ask("GET", f"/containers/{words[0]}/top", query)
    await sys.out(table(told["Titles"], told["Processes"]))
    return 0


async def diff(sys: Process, api: Api, words: list[str]) -> int:
    """docker diff."""
    need("diff", words, 1, 1)
    for one in await api.ask("GET", f"/containers/{words[0]}/changes"):
        await sys.out(f"{'CAD'[one['Kind']]} {one['Path']}\n")
    return 0


async def port(sys: Process, api: Api, words: list[str]) -> int:
    """docker port."""
    need("port", words, 1)
    told = await api.ask("GET", f"/containers/{words[0]}/json")
    for number, places in told["NetworkSettings"]["Ports"].items():
        published: list[dict[str, str]] = places or []
        for place in published:
            address = f"[{place['HostIp']}]" if ":" in place["HostIp"] else place["HostIp"]
            await sys.out(f"{number} -> {address}:{place['HostPort']}\n")
    return 0
