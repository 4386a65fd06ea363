"""COPY and ADD: moby ``builder/dockerfile/copy.go`` and ``internals.go`` (performCopy)."""

import hashlib
import posixpath
import tarfile
from io import BytesIO
from urllib.parse import urlsplit

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest
from simulator.isolation.control.docker.building import arguments, context, layers, lex
from simulator.isolation.control.docker.building.context import Context, Found, Item, Source, Tree
from simulator.isolation.control.docker.building.dockerfile import Instruction, wrong
from simulator.isolation.control.docker.building.state import SHELL, Build
from simulator.isolation.control.docker.engine import files, users
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.images import tarball
from simulator.isolation.control.docker.images.store import Image
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.userland.process import Process, SysError

_MAGICS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")


async def copy(build: Build, sent: Context, one: Instruction, source: Image | None) -> Image | None:
    """The image with what was copied; ``source`` is ``--from``'s. Raises ``BadRequest``."""
    words = [lex.expand(word, build.variables(), build.escape) for word in arguments.places(one)]
    if len(words) < 2:
        raise wrong(
            one.line,
            f"{one.word} requires at least two arguments, but only one was provided. Destination"
            " could not be determined." if words else f"{one.word} requires at least two arguments",
        )  # fmt: skip
    *wanted, target = words
    if source is None:
        return await _copy(build, one, sent, wanted, target, image=False)
    async with layers.Mounted(build, source) as other:
        tree = Tree(build.sys, other.root)
        return await _copy(build, one, tree, wanted, target, image=True)


async def _copy(
    build: Build, one: Instruction, source: Source, wanted: list[str], target: str, *, image: bool
) -> Image | None:
    found: list[Found] = []
    try:
        for word in wanted:
            if one.word == "ADD" and word.startswith(("http://", "https://")):
                raise BadRequest(_unreachable(word))
            found += await context.find(source, word, image=image)
        if not found:
            raise BadRequest("no source files were specified")
    except BadRequest as error:
        raise ApiError(f"{one.word} failed: {error.message}") from None
    said, target = target, destination(target, build.stage.config.get("WorkingDir") or "/")
    if len(found) > 1 and not target.endswith("/"):
        raise ApiError(
            f"When using {one.word} with more than one source file, the destination must be a"
            " directory and end with a /"
        )
    chown = lex.expand(one.flag("chown") or "", build.variables(), build.escape)
    comment = f"{one.word} {f'--chown={chown} ' if chown else ''}{_checksum(found)} in {said} "
    command = [*SHELL, f"#(nop) {comment}"]
    hit = layers.probed(build, command)
    if hit is not None:
        await build.say(" ---> Using cache\n")
        return hit
    async with layers.Mounted(build, build.stage.image) as layer:
        ids = await _owner(build.sys, layer.root, chown)
        for each in found:
            unpacks = one.word == "ADD" and _is_archive(each)
            await _place(build.sys, layer.root, each, target, ids, unpacks=unpacks)
        content = await layer.archive()
    return await layers.commit(build, command, await new_id(build.sys), content)


def destination(target: str, directory: str) -> str:
    """Absolute, with the slash that says that it is a directory (``normalizeDest``)."""
    ends = target.endswith(("/", "/.")) or target == "."
    path = posixpath.normpath(posixpath.join("/", directory, target)).replace("//", "/")
    return path if not ends or path == "/" else path + "/"


def _unreachable(word: str) -> str:
    host = urlsplit(word).hostname or word
    return f'Get "{word}": dial tcp: lookup {host}: no such host'


def _checksum(found: list[Found]) -> str:
    if len(found) == 1:
        return found[0].checksum
    joined = ",".join(one.checksum for one in found)
    return f"multi:{hashlib.sha256(joined.encode()).hexdigest()}"


async def _owner(sys: Process, root: str, chown: str) -> tuple[int, int]:
    if not chown:
        return 0, 0
    user, _, group = chown.partition(":")
    try:
        found = await users.resolve(sys, root, f"{user}:{group}" if group else user, [])
    except ApiError as error:
        kind = "group" if "group" in error.message.partition(":")[0] else "user"
        name = group if kind == "group" else user
        raise ApiError(
            "unable to convert uid/gid chown string to host mapping: can't find"
            f" {kind[0]}id for {kind} {name}: no such {kind}: {name}"
        ) from None
    if not group and user.isdigit():
        return found.uid, found.uid
    return found.uid, found.gid


def _is_archive(found: Found) -> bool:
    info, data = found.items[0].info, found.items[0].data
    if found.is_dir or not info.isreg():
        return False
    if not data.startswith(_MAGICS) and data[257:262] != b"ustar":
        return False
    try:
        return any(True for _ in tarball.members(data))
    except ApiError:
        return False


async def _place(
    sys: Process, root: str, found: Found, target: str, ids: tuple[int, int], *, unpacks: bool
) -> None:
    """Put one source into the tree, by the rules of what the destination is already."""
    place = await _resolved(sys, root, target)
    status = await _status(sys, place)
    there = status is not None and status & S_IFMT == S_IFDIR
    if unpacks:
        await files.make(sys, place)
        await tarball.unpack_below(sys, found.items[0].data, root, place.removeprefix(root))
        return
    if found.is_dir:
        if status is not None and not there:
            raise ApiError(f"cannot copy to non-directory: {place}")
        if not there:
            await _make(sys, place, ids)
        packed = _archived(found.items[1:], ids)
        await tarball.unpack_below(sys, packed, root, place.removeprefix(root), keep_dirs=True)
        return
    name = posixpath.basename(found.path)
    if target.endswith("/") or there:
        directory = place
    else:
        directory, _, name = place.rpartition("/")
    await _make(sys, directory, ids)
    item = found.items[0]._replace(name=name)
    packed = _archived((item,), ids)
    await tarball.unpack_below(sys, packed, root, directory.removeprefix(root))


async def _make(sys: Process, path: str, ids: tuple[int, int]) -> None:
    """mkdir -p; what is new belongs to the owner that was asked for."""
    if await files.exists(sys, path):
        return
    await _make(sys, path.rpartition("/")[0], ids)
    await sys.call("mkdir", path, 0o755)
    await sys.call("lchown", path, *ids)


async def _resolved(sys: Process, root: str, target: str) -> str:
    """The destination below ``root``; the part that exists has its links followed there."""
    parts = [part for part in target.split("/") if part]
    for count in range(len(parts), -1, -1):
        try:
            place = await context.resolve(sys, root, "/".join(parts[:count]))
        except SysError:
            continue
        return "/".join([place, *parts[count:]])
    return "/".join([root, *parts])


async def _status(sys: Process, path: str) -> int | None:
    try:
        return (await sys.stat(path))["mode"]
    except SysError:
        return None


def _archived(items: tuple[Item, ...], ids: tuple[int, int]) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.mode, info.type, info.mtime = item.info.mode, item.info.type, item.info.mtime
            info.linkname, info.size = item.info.linkname, len(item.data)
            info.uid, info.gid = ids
            archive.addfile(info, BytesIO(item.data))
    return out.getvalue()
