"""docker build and docker search: docker/cli ``command/image/build.go``, the classic builder."""

import posixpath
import tarfile
from io import BytesIO
from typing import Any

import msgspec

from simulator.isolation.control.docker.building import ignore
from simulator.isolation.control.docker.client.flags import Flag, need, parse
from simulator.isolation.control.docker.client.listing import show
from simulator.isolation.control.docker.client.tables import size
from simulator.isolation.control.docker.client.wire import Api, ClientError
from simulator.isolation.control.docker.images import tarball
from simulator.isolation.control.docker.images.tarball import Entry
from simulator.machine.abi.constants import S_IFREG
from simulator.machine.userland.process import Process, SysError

_FLAGS = {
    "add-host": Flag("list"), "build-arg": Flag("list"), "cache-from": Flag("list"),
    "file": Flag("text", "f"), "force-rm": Flag(), "label": Flag("list"),
    "memory": Flag("text", "m"), "network": Flag("text"), "no-cache": Flag(),
    "platform": Flag("text"), "pull": Flag(), "quiet": Flag(short="q"), "rm": Flag(),
    "tag": Flag("list", "t"), "target": Flag("text"),
}  # fmt: skip


async def build(sys: Process, api: Api, words: list[str]) -> int:
    """docker build [OPTIONS] PATH | -."""
    given = parse("build", _FLAGS, words)
    need("build", given.words, 1, 1)
    place = given.words[0]
    name = given.text("file") or "Dockerfile"
    if place == "-":
        context = await _from_input(sys, name)
    else:
        name = _inside(place, name) if given.text("file") else name
        context = await archive(sys, place, name)
    quiet = given.on("quiet")
    if not quiet:
        await sys.out(f"Sending build context to Docker daemon  {size(len(context))}\n")
    options = {
        "dockerfile": name,
        "target": given.text("target"),
        "platform": given.text("platform"),
        "networkmode": given.text("network"),
        "nocache": int(given.on("no-cache")),
        "pull": int(given.on("pull")),
        "rm": int("rm" not in given.given or given.on("rm")),
        "forcerm": int(given.on("force-rm")),
        "q": int(quiet),
        "buildargs": _arguments(sys, given.listed("build-arg")),
        "labels": _labels(given.listed("label")),
    }
    query: dict[str, Any] = {key: value for key, value in options.items() if value != ""}
    return await _follow(sys, api, query, given.listed("tag"), context)


async def _follow(
    sys: Process, api: Api, query: dict[str, Any], tags: list[str], context: bytes
) -> int:
    """Send it and show what comes; further tags are given afterwards."""
    first, *more = tags or [""]
    if first:
        query["t"] = first
    async for told in api.lines("POST", "/build", query, context):
        if "error" in told:
            code = int(told.get("errorDetail", {}).get("code") or 1)
            raise ClientError(str(told["error"]), code)
        if "stream" in told:
            await sys.out(str(told["stream"]))
        elif "status" in told and not told.get("progressDetail"):
            prefix = f"{told['id']}: " if told.get("id") else ""
            await sys.out(f"{prefix}{told['status']}\n")
    for tag in more:
        repository, _, mark = tag.partition(":")
        await api.ask("POST", f"/images/{first}/tag", {"repo": repository, "tag": mark})
        await sys.out(f"Successfully tagged {tag if mark else f'{tag}:latest'}\n")
    return 0


def _labels(given: list[str]) -> str:
    pairs = [one.partition("=") for one in given]
    return msgspec.json.encode({key: value for key, _, value in pairs}).decode()


def _arguments(sys: Process, given: list[str]) -> str:
    """``--build-arg NAME`` takes the client's own variable."""
    found: dict[str, str | None] = {}
    for one in given:
        name, equals, value = one.partition("=")
        found[name] = value if equals else sys.env.get(name)
    return msgspec.json.encode(found).decode()


def _inside(place: str, name: str) -> str:
    """The Dockerfile's name in the context."""
    top, path = posixpath.normpath(place), posixpath.normpath(name)
    if path.startswith(f"{top}/"):
        path = path.removeprefix(f"{top}/")
    if path.startswith(("../", "/")):
        raise ClientError(f"unable to prepare context: the Dockerfile ({name}) must be within the"
                          " build context")  # fmt: skip
    return path


async def _from_input(sys: Process, name: str) -> bytes:
    """``-``: an archive, or a Dockerfile alone."""
    content = await sys.drain(0)
    if content[257:262] == b"ustar" or content[:2] == b"\x1f\x8b":
        return content
    return tarball.made([Entry(name, S_IFREG | 0o644, content)])


async def archive(sys: Process, place: str, name: str) -> bytes:
    """A directory as a context, without what .dockerignore leaves out. Raises ``ClientError``."""
    if not await sys.succeeds("stat", place):
        raise ClientError(f'unable to prepare context: path "{place}" not found')
    try:
        packed = await tarball.pack(sys, place)
    except SysError as error:  # docker/cli ValidateContextDirectory()
        why = f"{error.call}: {error.message.lower()}"
        raise ClientError(f"error checking context: {why}") from None
    dockerignore = await sys.text_or_empty(f"{place}/.dockerignore")
    patterns = ignore.read(dockerignore)
    out = BytesIO()
    found = False
    with tarfile.open(fileobj=out, mode="w") as made:
        for info, data in tarball.members(packed):
            path = info.name.removeprefix("./").strip("/")
            needed = path in (name, ".dockerignore")
            found = found or path == name
            if path and (needed or not ignore.excluded(path, patterns)):
                made.addfile(info, BytesIO(data) if info.isreg() else None)
    if not found:
        raise ClientError(f"unable to prepare context: unable to evaluate symlinks in Dockerfile"
                          f" path: lstat {place}/{name}: no such file or directory")  # fmt: skip
    return out.getvalue()


async def search(sys: Process, api: Api, words: list[str]) -> int:
    """docker search TERM."""
    given = parse(
        "search",
        {
            "limit": Flag("number"),
            "no-trunc": Flag(),
            "format": Flag("text"),
            "filter": Flag("list", "f"),
        },
        words,
    )
    need("search", given.words, 1, 1)
    found = await api.ask("GET", "/images/search", {"term": given.words[0]})
    found = found[: given.given.get("limit", 25)]
    rows = [{"Name": one["name"], "Description": one["description"],
             "StarCount": str(one["star_count"]),
             "IsOfficial": "[OK]" if one["is_official"] else ""} for one in found]  # fmt: skip
    titles = {"Name": "NAME", "Description": "DESCRIPTION", "StarCount": "STARS",
              "IsOfficial": "OFFICIAL"}  # fmt: skip
    return await show(sys, given, titles, rows)
