"""Looking into a container's files from outside, as ``docker cp`` does.

A helper process goes there: into the mount namespace of one that runs, so that it sees volumes
too, else into the layers mounted for it, with chroot(2) so that no link leads out (moby
``containerfs_linux.go``, ``docker-tar``). What it found comes back over a pipe.
"""

import posixpath
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine import files, running, times
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.images import tarball
from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    MS_BIND,
    MS_REC,
    MS_SLAVE,
    O_CLOEXEC,
    O_RDONLY,
    S_IFCHR,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
)
from simulator.machine.userland.process import Process, SysError

_GO_DIR, _GO_LINK, _GO_DEVICE, _GO_CHAR = 1 << 31, 1 << 27, 1 << 26, 1 << 21


async def enter(
    sys: Process,
    container: Container,
    work: Callable[[Process], Awaitable[bytes]],
    *,
    volumes: bool = True,
) -> bytes:
    """What ``work`` gives, done by a helper whose root is the container's. Raises ``ApiError``.

    ``volumes``: with what is mounted into it, even when it does not run.
    """
    read, write = await running.pipe(sys)

    async def helper(own: Process) -> int:
        await own.succeeds("close", read)
        try:
            await _go_in(own, container, volumes=volumes)
            answer = b"+" + await work(own)
        except SysError as error:
            answer = b"-" + f"{error.message.lower()}".encode()
        except ApiError as error:
            answer = b"-" + error.message.encode()
        await own.write(write, answer)
        return 0

    await sys.spawn(helper)
    await sys.close(write)
    answer = await sys.drain(read)
    if answer[:1] != b"+":
        raise ApiError(answer[1:].decode("utf-8", "replace") or "the helper ended")
    return answer[1:]


async def _go_in(own: Process, container: Container, *, volumes: bool) -> None:
    if container.state.Running:
        fd = await own.open(f"/proc/{container.state.Pid}/ns/mnt", O_RDONLY | O_CLOEXEC)
        await own.call("setns", fd, CLONE_NEWNS)
        await own.close(fd)
        return
    await own.call("unshare", CLONE_NEWNS)
    await own.call("mount", "", "/", "", MS_SLAVE | MS_REC, None)
    await running.mount_layers(own, container)
    merged = f"{container.layer}/merged"
    mounted = container.record.Mounts if volumes else []
    for point in sorted(mounted, key=lambda one: one.Destination.count("/")):
        target = merged + point.Destination
        await files.make(own, target)
        if await files.exists(own, point.place):
            await own.call("mount", point.place, target, "bind", MS_BIND | MS_REC, None)
    await own.call("chroot", merged)
    await own.call("chdir", "/")


async def stat(
    sys: Process, container: Container, path: str, *, follow: bool = False
) -> dict[str, Any] | None:
    """name, size, mode (Go's bits), mtime and linkTarget; None when nothing is there.

    Raises ``ApiError`` for a path that ends like a directory and is none.
    """

    async def work(own: Process) -> bytes:
        place = posixpath.normpath("/" + path.lstrip("/"))
        at_directory = path.endswith(("/", "/."))
        try:
            status = await (own.stat if follow or at_directory else own.lstat)(place)
        except SysError:
            return b"null"
        kind = status["mode"] & S_IFMT
        if at_directory and kind != S_IFDIR:
            raise ApiError(f"lstat {path}: not a directory")
        target = ""
        if kind == S_IFLNK:
            text = await own.readlink(place)
            target = posixpath.normpath(posixpath.join(posixpath.dirname(place), text))
        told = {
            "name": "." if path.endswith("/.") else posixpath.basename(place) or "/",
            "size": status["size"],
            "mode": _go_mode(status["mode"]),
            "mtime": times.rfc3339(status.get("mtime", 0)),
            "linkTarget": target,
        }
        return msgspec.json.encode(told)

    return msgspec.json.decode(await enter(sys, container, work))


def _go_mode(mode: int) -> int:
    kind = mode & S_IFMT
    bits = mode & 0o777
    bits |= {S_IFDIR: _GO_DIR, S_IFLNK: _GO_LINK, S_IFCHR: _GO_DEVICE | _GO_CHAR}.get(kind, 0)
    for bit, go in ((0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)):
        bits |= go if mode & bit else 0
    return bits


async def get(sys: Process, container: Container, path: str) -> bytes:
    """An archive of what is at ``path``, called by its last name."""

    async def work(own: Process) -> bytes:
        place = posixpath.normpath("/" + path.lstrip("/"))
        name = posixpath.basename(place) or "."
        if path.endswith(("/.", "/")):
            status = await own.stat(place)
            if status["mode"] & S_IFMT == S_IFDIR and path.endswith("/."):
                name = "."
        return await tarball.pack(own, place, name)

    return await enter(sys, container, work)


async def put(
    sys: Process, container: Container, path: str, content: bytes, *, keep_dirs: bool
) -> None:
    """Unpack an archive into the directory at ``path``."""

    async def work(own: Process) -> bytes:
        place = posixpath.normpath("/" + path.lstrip("/"))
        root = "" if place == "/" else place
        await tarball.unpack(own, content, root, keep_dirs=keep_dirs)
        return b""

    await enter(sys, container, work)


async def export(sys: Process, container: Container) -> bytes:
    """The whole root without what is mounted into it."""
    read, write = await running.pipe(sys)

    async def helper(own: Process) -> int:
        await own.succeeds("close", read)
        await own.call("unshare", CLONE_NEWNS)
        await own.call("mount", "", "/", "", MS_SLAVE | MS_REC, None)
        if not container.state.Running:
            await running.mount_layers(own, container)
        content = await tarball.pack(own, f"{container.layer}/merged")
        await own.write(write, content)
        return 0

    await sys.spawn(helper)
    await sys.close(write)
    return await sys.drain(read)


async def changes(sys: Process, container: Container) -> list[dict[str, Any]]:
    """The layer against those below it: ``Kind`` 0 modified, 1 added, 2 deleted."""
    found: list[dict[str, Any]] = []
    lower = container.record.Layers

    async def look(path: str) -> None:
        for name in await files.names(sys, f"{container.layer}/diff{path}"):
            inside = f"{path}/{name}"
            status = await sys.lstat(f"{container.layer}/diff{inside}")
            kind = status["mode"] & S_IFMT
            if kind == S_IFCHR and status["rdev"] == 0:
                found.append({"Path": inside, "Kind": 2})
                continue
            below = [await files.exists(sys, layer + inside) for layer in lower]
            if kind == S_IFDIR and any(below):
                mark = len(found)
                await look(inside)
                if len(found) > mark or not await _same(sys, container, inside):
                    found.insert(mark, {"Path": inside, "Kind": 0})
                continue
            found.append({"Path": inside, "Kind": 0 if any(below) else 1})
            if kind == S_IFDIR:
                await look(inside)

    await look("")
    return sorted(found, key=lambda told: told["Path"])


async def _same(sys: Process, container: Container, path: str) -> bool:
    """Whether a directory that was copied up for what is in it is otherwise as below."""
    upper = await sys.lstat(f"{container.layer}/diff{path}")
    for layer in container.record.Layers:
        if await files.exists(sys, layer + path):
            lower = await sys.lstat(layer + path)
            return all(upper[key] == lower[key] for key in ("mode", "uid", "gid"))
    return False
