"""docker ps, images, inspect, logs, history, version, info, events and others that print."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from simulator.isolation.control.docker.client import information
from simulator.isolation.control.docker.client.flags import Flag, Parsed, need, parse
from simulator.isolation.control.docker.client.functions import as_json
from simulator.isolation.control.docker.client.moments import stamp
from simulator.isolation.control.docker.client.tables import (
    layout,
    table,
    template,
)
from simulator.isolation.control.docker.client.wire import Api, ClientError, DaemonError
from simulator.isolation.control.docker.engine import times
from simulator.machine.userland import calendar
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


async def show(
    sys: Process, given: Parsed, titles: dict[str, str], rows: Sequence[dict[str, Any]]
) -> int:
    """A table, or each row by ``--format``."""
    form = given.text("format")
    try:
        if form == "json":
            await sys.out("".join(f"{as_json(dict(sorted(row.items())))}\n" for row in rows))
        elif form.startswith("table "):
            known = {name: _title(name, titles) for row in rows for name in row} | titles
            await sys.out(layout(form[6:], known, rows))
        elif form not in ("", "table"):
            await sys.out("".join(template(form, row) + "\n" for row in rows))
        else:
            cells = ([row[name] for name in titles] for row in rows)
            await sys.out(table(list(titles.values()), cells))
    except ClientError as error:
        told = str(error).removeprefix("template parsing error: ")
        raise ClientError(f"template parsing error: {told}", 1) from None
    return 0


def _title(name: str, titles: dict[str, str]) -> str:
    """What heads a column: ``CreatedAt`` is ``CREATED AT``."""
    return titles.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).upper()


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
    """The JSON of each name, or a template of it; what is missing is told at the end."""
    found: list[Any] = []
    missing: list[str] = []
    for name in given.words:
        told, why = None, f"Error: No such object: {name}"
        for path in paths:
            try:
                told = await api.ask("GET", path.format(name))
                break
            except DaemonError as error:
                if error.code != 404:
                    raise
                why = str(error) if len(paths) == 1 else why
        if told is None:
            missing.append(why)
            continue
        found.append(_ordered(told))
    form = given.text("format")
    if form == "json":
        await sys.out(as_json(found) + "\n")
    elif form:
        try:
            await sys.out("".join(template(form, told) + "\n" for told in found) or "\n")
        except ClientError as error:
            await sys.out("" if error.status == 64 else "\n")
            told = str(error).removeprefix("template parsing error: ")
            raise ClientError(f"template parsing error: {told}", error.status) from None
    else:
        await sys.out(msgspec.json.format(msgspec.json.encode(found), indent=4).decode() + "\n")
    await sys.err("".join(f"{one}\n" for one in missing))
    return 1 if missing else 0


def _ordered(told: Any) -> Any:
    """A volume's fields go by their names (``volume.Volume``); the others are the daemon's own."""
    return dict(sorted(told.items())) if "Mountpoint" in told else told


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
    goes, built = told["GoVersion"], _built(told.get("BuildTime", ""))
    text = f"Client:\n Version:           {told['Version']}\n"
    text += f" API version:       {told['ApiVersion']}\n Go version:        {goes}\n"
    text += f" Git commit:        {told['GitCommit']}\n Built:             {built}\n"
    text += " OS/Arch:           linux/amd64\n Context:           default\n\n"
    text += f"Server: {told['Platform']['Name']}\n"
    for part in told["Components"]:
        text += f" {part['Name']}:\n  Version:          {part['Version']}\n"
        if part["Name"] == "Engine":
            least = f"(minimum version {told['MinAPIVersion']})"
            text += f"  API version:      {told['ApiVersion']} {least}\n"
            text += f"  Go version:       {goes}\n  Git commit:       {told['GitCommit']}\n"
            text += f"  Built:            {built}\n  OS/Arch:          linux/amd64\n"
            text += "  Experimental:     false\n"
        else:
            text += f"  GitCommit:        {part['Details']['GitCommit']}\n"
    await sys.out(text)
    return 0


def _built(text: str) -> str:
    """``Wed Jan 22 13:41:17 2025``."""
    found = times.parse(text)
    if found is None:
        return text
    return calendar.strftime("%a %b %e %H:%M:%S %Y", found // times.SECOND)


async def info(sys: Process, api: Api, words: list[str]) -> int:
    """docker info."""
    given = parse("info", {"format": Flag("text", "f")}, words)
    told = await api.ask("GET", "/info")
    if given.text("format"):
        await sys.out(template(given.text("format"), told) + "\n")
        return 0
    await sys.out(information.text(told))
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
    await sys.out(table(told["Titles"], told["Processes"], least=20))
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
    ports: dict[str, list[dict[str, str]]] = told["NetworkSettings"]["Ports"]
    if len(words) > 1:
        wanted = words[1] if "/" in words[1] else f"{words[1]}/tcp"
        if not ports.get(wanted):
            raise ClientError(f"Error: No public port '{words[1]}' published for {words[0]}", 1)
        await sys.out("".join(f"{_place(one)}\n" for one in ports[wanted]))
        return 0
    for number, places in ports.items():
        await sys.out("".join(f"{number} -> {_place(one)}\n" for one in places or ()))
    return 0


def _place(one: dict[str, str]) -> str:
    address = f"[{one['HostIp']}]" if ":" in one["HostIp"] else one["HostIp"]
    return f"{address}:{one['HostPort']}"
