"""docker stop, kill, rm, rmi, tag, commit, cp, network, volume, system and others that change."""

import posixpath
from collections.abc import Awaitable, Callable
from typing import Any

from simulator.isolation.control.docker.client import running
from simulator.isolation.control.docker.client.flags import Flag, need, parse
from simulator.isolation.control.docker.client.wire import Api, ClientError, DaemonError
from simulator.isolation.control.docker.images import tarball
from simulator.machine.userland.process import Process, SysError

Command = Callable[[Process, Api, list[str]], Awaitable[int]]


async def each(
    sys: Process, names: list[str], act: Callable[[str], Awaitable[Any]], verb: str = ""
) -> int:
    """Do something to every name and print it; complaints of all come at the end."""
    status = 0
    for name in names:
        try:
            told = await act(name)
        except DaemonError as error:
            await sys.err(f"{error}\n")
            if verb:
                await sys.err(f"Error: failed to {verb}: {name}\n")
            status = 1
        else:
            await sys.out(f"{told if isinstance(told, str) else name}\n")
    return status


def _verb(path: str, command: str, flags: dict[str, Flag], names: dict[str, str]) -> Command:
    """A command that is one POST for each container; ``names`` are flags and their query words."""

    async def main(sys: Process, api: Api, words: list[str]) -> int:
        given = parse(command, flags, words)
        need(command, given.words, 1)
        query = {word: given.text(flag) for flag, word in names.items() if flag in given.given}

        async def act(name: str) -> None:
            await api.ask("POST", f"/containers/{name}/{path}", query)

        return await each(sys, given.words, act)

    return main


_STOP = {"time": Flag("number", "t"), "timeout": Flag("number"), "signal": Flag("text", "s")}
_STOP_WORDS = {"time": "t", "timeout": "t", "signal": "signal"}
stop = _verb("stop", "stop", _STOP, _STOP_WORDS)
restart = _verb("restart", "restart", _STOP, _STOP_WORDS)
kill = _verb("kill", "kill", {"signal": Flag("text", "s")}, {"signal": "signal"})
pause = _verb("pause", "pause", {}, {})
unpause = _verb("unpause", "unpause", {}, {})


async def wait(sys: Process, api: Api, words: list[str]) -> int:
    """docker wait."""
    need("wait", words, 1)

    async def act(name: str) -> str:
        return str((await api.ask("POST", f"/containers/{name}/wait"))["StatusCode"])

    return await each(sys, words, act)


async def remove(sys: Process, api: Api, words: list[str]) -> int:
    """docker rm."""
    flags = {"force": Flag(short="f"), "link": Flag(short="l"), "volumes": Flag(short="v")}
    given = parse("rm", flags, words)
    need("rm", given.words, 1)
    query = {"force": int(given.on("force")), "v": int(given.on("volumes"))}

    async def act(name: str) -> None:
        await api.ask("DELETE", f"/containers/{name}", query)

    return await each(sys, given.words, act)


async def remove_image(sys: Process, api: Api, words: list[str]) -> int:
    """docker rmi."""
    given = parse("rmi", {"force": Flag(short="f"), "no-prune": Flag()}, words)
    need("rmi", given.words, 1)
    status = 0
    for name in given.words:
        try:
            query = {"force": int(given.on("force")), "noprune": int(given.on("no-prune"))}
            for one in await api.ask("DELETE", f"/images/{name}", query):
                for key, value in one.items():
                    await sys.out(f"{key}: {value}\n")
        except DaemonError as error:
            await sys.err(f"{error}\n")
            status = 1
    return status


async def rename(sys: Process, api: Api, words: list[str]) -> int:
    """docker rename."""
    need("rename", words, 2, 2)
    try:
        await api.ask("POST", f"/containers/{words[0]}/rename", {"name": words[1]})
    except DaemonError as error:
        await sys.err(f"{error}\nError: failed to rename container named {words[0]}\n")
        return 1
    return 0


async def tag(sys: Process, api: Api, words: list[str]) -> int:
    """docker tag."""
    del sys
    need("tag", words, 2, 2)
    name, _, mark = (
        words[1].rpartition(":") if ":" in words[1].rpartition("/")[2] else (words[1], "", "")
    )
    await api.ask("POST", f"/images/{words[0]}/tag", {"repo": name, "tag": mark})
    return 0


async def pull(sys: Process, api: Api, words: list[str]) -> int:
    """docker pull."""
    flags = {"quiet": Flag(short="q"), "all-tags": Flag(short="a"), "platform": Flag("text")}
    given = parse("pull", flags, words)
    need("pull", given.words, 1, 1)
    name = given.words[0]
    platform = given.text("platform")
    await running.pull(api, name, to=sys.out, quiet=given.on("quiet"), platform=platform)
    last = name.rpartition("/")[2]
    full = name if "/" in name else f"library/{name}"
    first = full.split("/")[0]
    domain = "" if "." in first or ":" in first or first == "localhost" else "docker.io/"
    await sys.out(f"{domain}{full}{'' if ':' in last else ':latest'}\n")
    return 0


async def push(sys: Process, api: Api, words: list[str]) -> int:
    """docker push."""
    given = parse("push", {"quiet": Flag(short="q")}, words)
    need("push", given.words, 1, 1)
    name = given.words[0]
    query: dict[str, str] = {}
    if ":" in name.rpartition("/")[2]:
        name, _, query["tag"] = name.rpartition(":")
    else:
        query["tag"] = "latest"
        await sys.out("Using default tag: latest\n")
    async for told in api.lines("POST", f"/images/{name}/push", query):
        if "error" in told:
            raise ClientError(str(told["error"]))
        if "status" in told and not told.get("progressDetail"):
            prefix = f"{told['id']}: " if told.get("id") else ""
            await sys.out(f"{prefix}{told['status']}\n")
    return 0


async def commit(sys: Process, api: Api, words: list[str]) -> int:
    """docker commit."""
    flags = {"author": Flag("text", "a"), "change": Flag("list", "c"),
             "message": Flag("text", "m"), "pause": Flag(short="p")}  # fmt: skip
    given = parse("commit", flags, words)
    need("commit", given.words, 1)
    query: dict[str, Any] = {"container": given.words[0], "comment": given.text("message")}
    query["author"] = given.text("author")
    if len(given.words) > 1:
        name, _, mark = given.words[1].partition(":")
        query |= {"repo": name, "tag": mark}
    told = await api.ask("POST", "/commit", query, {})
    await sys.out(f"{told['Id']}\n")
    return 0


async def save(sys: Process, api: Api, words: list[str]) -> int:
    """docker save."""
    given = parse("save", {"output": Flag("text", "o")}, words)
    need("save", given.words, 1)
    content = await api.data("GET", "/images/get", {"names": ",".join(given.words)})
    return await _put(sys, given.text("output"), content)


async def export(sys: Process, api: Api, words: list[str]) -> int:
    """docker export."""
    given = parse("export", {"output": Flag("text", "o")}, words)
    need("export", given.words, 1, 1)
    content = await api.data("GET", f"/containers/{given.words[0]}/export")
    return await _put(sys, given.text("output"), content)


async def _put(sys: Process, path: str, content: bytes) -> int:
    fd = await sys.open(path, 0o1101, 0o600) if path else 1
    await sys.write(fd, content)
    return 0


async def load(sys: Process, api: Api, words: list[str]) -> int:
    """docker load."""
    given = parse("load", {"input": Flag("text", "i"), "quiet": Flag(short="q")}, words)
    path = given.text("input")
    try:
        content = await sys.slurp(path) if path else await sys.drain(0)
    except SysError as error:
        raise ClientError(f"open {path}: {error.message.lower()}", 1) from None
    async for told in api.lines("POST", "/images/load", None, content):
        await sys.out(told.get("stream", ""))
    return 0


async def copy(sys: Process, api: Api, words: list[str]) -> int:
    """docker cp CONTAINER:PATH PATH, and the other way round."""
    given = parse("cp", {"archive": Flag(short="a"), "quiet": Flag(short="q")}, words)
    need("cp", given.words, 2, 2)
    source, target = given.words
    if ":" in source:
        name, _, path = source.partition(":")
        content = await api.data("GET", f"/containers/{name}/archive", {"path": path})
        place, renamed = await _place(sys, target)
        members = [(info, data) for info, data in tarball.members(content)]
        first = members[0][0].name.split("/")[0] if members else ""
        entries = [
            tarball.Entry(
                renamed + info.name[len(first) :] if renamed else info.name,
                (0o040000 if info.isdir() else 0o100000) | info.mode,
                data,
            )
            for info, data in members
        ]
        await tarball.unpack(sys, tarball.made(entries), place)
        return 0
    name, _, path = target.partition(":")
    last = posixpath.basename(path.rstrip("/")) or "."
    inner = path
    called = posixpath.basename(source.rstrip("/"))
    try:
        await api.data("GET", f"/containers/{name}/archive", {"path": path.rstrip("/") + "/."})
    except DaemonError:
        inner, called = posixpath.dirname(path) or "/", last
    content = await tarball.pack(sys, source, called)
    await api.ask("PUT", f"/containers/{name}/archive", {"path": inner}, content)
    return 0


async def _place(sys: Process, target: str) -> tuple[str, str]:
    """The directory to unpack into, and the name that it gets there (empty: its own)."""
    try:
        status = await sys.stat(target)
    except SysError:
        return posixpath.dirname(target) or ".", posixpath.basename(target)
    if status["mode"] & 0o170000 == 0o040000:
        return target.rstrip("/") or "/", ""
    return posixpath.dirname(target) or ".", posixpath.basename(target)
