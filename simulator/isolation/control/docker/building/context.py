"""What COPY and ADD copy from: the context that the client sent, or the tree of another image.

A checksum is of names, modes and bytes, never of times, so the cache holds as long as the content
(moby ``pkg/tarsum``, ``remotecontext``).
"""

import fnmatch
import hashlib
import posixpath
import tarfile
from typing import NamedTuple, Protocol

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest
from simulator.isolation.control.docker.building import ignore
from simulator.isolation.control.docker.images import tarball
from simulator.machine.abi.constants import O_CLOEXEC, O_PATH
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.servers import serving

_RESOLVE_IN_ROOT = 0x10
_WILD = "*?["


class Item(NamedTuple):
    """A file below what was found; ``name`` is relative to it, empty for itself."""

    name: str
    info: tarfile.TarInfo
    data: bytes


class Found(NamedTuple):
    """One source of a COPY: its path and everything below it, itself first."""

    path: str
    items: tuple[Item, ...]

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory, whose content is copied."""
        return self.items[0].info.isdir()

    @property
    def checksum(self) -> str:
        """``file:HEX`` or ``dir:HEX``."""
        whole = hashlib.sha256()
        for item in sorted(self.items, key=lambda item: item.name):
            if self.is_dir and not item.name:
                continue
            info = item.info
            name = item.name or posixpath.basename(self.path)
            head = (name, info.mode & 0o7777, info.type, info.linkname, len(item.data))
            whole.update(repr(head).encode() + item.data)
        return f"{'dir' if self.is_dir else 'file'}:{whole.hexdigest()}"


class Source(Protocol):
    """Something to copy from."""

    async def names(self, directory: str) -> list[str]:
        """Names in a directory, sorted; none when it is none."""
        ...

    async def get(self, path: str) -> Found | None:
        """What is at ``path``, with all below; None when nothing is."""
        ...


class Context:
    """The archive that came with the request."""

    def __init__(self, archive: bytes) -> None:
        self.files: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
        for info, data in tarball.members(archive):
            path = _clean(info.name)
            if info.islnk() and _clean(info.linkname) in self.files:
                info, data = self.files[_clean(info.linkname)]
            if path:
                self.files[path] = info, data

    def dockerfile(self, name: str) -> str:
        """The text of the Dockerfile; afterwards .dockerignore may hide it from COPY.

        Raises ``BadRequest`` when it is not there.
        """
        path = _clean(posixpath.normpath(name))
        if path.startswith("../"):
            raise BadRequest(f"forbidden path outside the build context: {name} ()")
        found = self.files.get(path)
        if found is None or not found[0].isreg():
            raise BadRequest(f"Cannot locate specified Dockerfile: {name}")
        kept = self.files.get(".dockerignore")
        if kept is not None:
            patterns = ignore.read(kept[1].decode("utf-8", "replace"))
            for hidden in (".dockerignore", path):
                if ignore.excluded(hidden, patterns):
                    self.files.pop(hidden, None)
        return found[1].decode("utf-8", "surrogateescape")

    async def names(self, directory: str) -> list[str]:
        """Names in a directory of the context."""
        head = f"{directory}/" if directory else ""
        inside = (path[len(head) :] for path in self.files if path.startswith(head))
        return sorted({path.partition("/")[0] for path in inside})

    async def get(self, path: str) -> Found | None:
        """A file or a tree of the context."""
        path = self._followed(path)
        below = [
            Item(name.removeprefix(path).lstrip("/"), info, data)
            for name, (info, data) in self.files.items()
            if not path or name == path or name.startswith(f"{path}/")
        ]
        below = [item for item in below if item.name or path]
        if path in self.files:
            return Found(path, tuple(sorted(below, key=lambda item: item.name)))
        if not below and path:
            return None
        return Found(path, (Item("", _directory(), b""), *below))

    def _followed(self, path: str) -> str:
        for _ in range(40):
            found = self.files.get(path)
            if found is None or not found[0].issym():
                break
            target = found[0].linkname
            above = "" if target.startswith("/") else posixpath.dirname(path)
            path = _clean(posixpath.normpath(posixpath.join("/", above, target.lstrip("/"))))
        return path


class Tree:
    """A directory of the daemon's machine: another image, put together."""

    def __init__(self, sys: Process, root: str) -> None:
        self.sys = sys
        self.root = root

    async def names(self, directory: str) -> list[str]:
        """Names in a directory of it."""
        try:
            return sorted(await self.sys.names(await resolve(self.sys, self.root, directory)))
        except (SysError, ApiError):
            return []

    async def get(self, path: str) -> Found | None:
        """A file or a tree of it."""
        try:
            place = await resolve(self.sys, self.root, path)
            packed = await tarball.pack(self.sys, place, "x")
        except SysError:
            return None
        items = [
            Item(_clean(info.name)[1:].lstrip("/"), info, data)
            for info, data in _without_links(packed)
        ]
        return Found(path, tuple(items)) if items else None


def _without_links(packed: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Members with each hard link as a file of its own."""
    seen: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    found: list[tuple[tarfile.TarInfo, bytes]] = []
    for info, data in tarball.members(packed):
        if info.islnk():
            first, data = seen[info.linkname]
            name, info = info.name, tarfile.TarInfo()
            info.name, info.mode, info.mtime = name, first.mode, first.mtime
            info.size = len(data)
        seen[info.name] = info, data
        found.append((info, data))
    return found


async def resolve(sys: Process, root: str, path: str) -> str:
    """Where ``path`` is when links are followed with ``root`` as /. Raises ``SysError``."""
    top = await sys.open(root, O_PATH | O_CLOEXEC)
    async with serving.Closing(sys, top):
        where = path.lstrip("/") or "."
        fd = await sys.value("openat2", top, where, (O_PATH | O_CLOEXEC, 0, _RESOLVE_IN_ROOT))
        place = await sys.readlink(f"/proc/self/fd/{fd}")
        await sys.close(fd)
        return place


async def find(source: Source, text: str, *, image: bool) -> list[Found]:
    """The sources that a word of COPY names. Raises ``BadRequest``."""
    path = posixpath.normpath(text.lstrip("/") or ".")
    if path == ".." or path.startswith("../"):
        raise BadRequest(f"forbidden path outside the build context: {text} ()")
    path = _clean(path)
    if any(char in path for char in _WILD):
        found = [await source.get(one) for one in await _matching(source, path)]
        return [one for one in found if one is not None]
    one = await source.get(path)
    if one is None:
        why = f"stat {path}: file does not exist"
        if not image:
            why = f"file not found in build context or excluded by .dockerignore: {why}"
        raise BadRequest(why)
    return [one]


async def _matching(source: Source, pattern: str) -> list[str]:
    above = [""]
    for part in pattern.split("/"):
        inside: list[str] = []
        for directory in above:
            names = await source.names(directory)
            fits = [name for name in names if fnmatch.fnmatchcase(name, part)]
            inside += [f"{directory}/{name}" if directory else name for name in fits]
        above = inside
    return above


def _clean(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _directory() -> tarfile.TarInfo:
    info = tarfile.TarInfo("")
    info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info
