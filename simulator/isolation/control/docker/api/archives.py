"""Files of a container: archive (cp), export, changes (diff), top, stats.

moby ``archive_unix.go``.
"""

import base64
import posixpath
from typing import Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, Conflict, NotFound
from simulator.isolation.control.docker.engine import inside, statistics
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.isolation.control.docker.wire.router import route


def _missing(x: Exchange, path: str) -> ApiError:
    name = x.names["name"]
    return NotFound(f"Could not find the file {path} in container {name}")


def _stat_header(told: dict[str, Any]) -> dict[str, str]:
    text = base64.b64encode(msgspec.json.encode(told)).decode()
    return {"X-Docker-Container-Path-Stat": text}


def _path(x: Exchange) -> str:
    path = x.query.get("path", "")
    if not path:
        raise BadRequest("bad parameter: pathcannot be empty")
    return path


@route("HEAD", "/containers/{name}/archive")
async def stat(x: Exchange) -> None:
    """What is at a path, in a header."""
    one, path = x.engine.find(x.names["name"]), _path(x)
    told = await inside.stat(x.sys, one, path)
    if told is None:
        raise _missing(x, path)
    await x.reply(200, headers=_stat_header(told))


@route("GET", "/containers/{name}/archive")
async def get(x: Exchange) -> None:
    """An archive of what is at a path."""
    one, path = x.engine.find(x.names["name"]), _path(x)
    told = await inside.stat(x.sys, one, path)
    if told is None:
        raise _missing(x, path)
    content = await inside.get(x.sys, one, path)
    await x.engine.tell(x.sys, one, "archive-path")
    await x.reply(200, content, headers=_stat_header(told), content_type="application/x-tar")


@route("PUT", "/containers/{name}/archive")
async def put(x: Exchange) -> None:
    """Unpack an archive into a directory."""
    one, path = x.engine.find(x.names["name"]), _path(x)
    told = await inside.stat(x.sys, one, path, follow=True)
    if told is None:
        raise _missing(x, path)
    if not told["mode"] & 1 << 31:
        raise BadRequest("extraction point is not a directory")
    if one.host.ReadonlyRootfs and not _on_volume(one, path):
        raise BadRequest("container rootfs is marked read-only")
    content = await x.body()
    keep = x.flag("noOverwriteDirNonDir")
    await inside.put(x.sys, one, path, content, keep_dirs=keep)
    await x.engine.tell(x.sys, one, "extract-to-dir")
    await x.reply(200)


def _on_volume(one: Any, path: str) -> bool:
    clean = posixpath.normpath(path)
    return any(
        point.RW and (clean == point.Destination or clean.startswith(point.Destination + "/"))
        for point in one.record.Mounts
    )


@route("GET", "/containers/{name}/export")
async def export(x: Exchange) -> None:
    """An archive of the whole root."""
    one = x.engine.find(x.names["name"])
    content = await inside.export(x.sys, one)
    await x.engine.tell(x.sys, one, "export")
    await x.reply(200, content, content_type="application/octet-stream")


@route("GET", "/containers/{name}/changes")
async def changes(x: Exchange) -> None:
    """What its own layer changes: 0 modified, 1 added, 2 deleted."""
    one = x.engine.find(x.names["name"])
    await x.reply(200, await inside.changes(x.sys, one))


@route("GET", "/containers/{name}/top")
async def top(x: Exchange) -> None:
    """Its processes, as the host's ps sees them."""
    one = x.engine.find(x.names["name"])
    if not one.state.Running:
        raise Conflict(f"container {one.id} is not running")
    if one.state.Restarting:
        raise Conflict(f"Container {one.id} is restarting, wait until the container is running")
    titles, rows = await statistics.processes(x.sys, one, x.query.get("ps_args", "-ef"))
    await x.engine.tell(x.sys, one, "top")
    await x.reply(200, {"Processes": rows, "Titles": titles})


@route("GET", "/containers/{name}/stats")
async def stats(x: Exchange) -> None:
    """How much it takes, once a second or once."""
    one = x.engine.find(x.names["name"])
    gone: list[bool] = []
    if not x.flag("stream", default=True):
        before = None
        if not x.flag("one-shot") and one.state.Running:
            before = await statistics.sample(x.sys, x.engine, one, None)
            await x.sys.call("nanosleep", (1, 0))
        await x.reply(200, await statistics.sample(x.sys, x.engine, one, before))
        return

    async def left(own: Any) -> None:
        gone.append(True)
        await one.changed.ring(own)

    await x.watch(left)
    await x.begin()
    before = None
    while not gone and not one.removed:
        before = await statistics.sample(x.sys, x.engine, one, before)
        await x.write(msgspec.json.encode(before) + b"\n")
        await one.changed.within(x.sys, lambda: bool(gone) or one.removed, 1_000_000_000)
    await x.finish()
