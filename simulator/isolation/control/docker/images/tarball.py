"""Archives: a directory as a tar and back, by the daemon's own system calls.

The format is the library's (tarfile); whiteouts are translated between a layer's archive
(``.wh.name``) and overlayfs (a 0:0 character device, ``trusted.overlay.opaque``), as moby's
``archive_linux.go`` does.
"""

import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine.sync import Bell
from simulator.machine.abi.constants import (
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    CLONE_FILES,
    O_CLOEXEC,
    O_CREAT,
    O_EXCL,
    O_WRONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_OPAQUE_XATTR = "trusted.overlay.opaque"
_STATED = "VITRINA.size"
_SECOND = 1_000_000_000
MOST = 1 << 30
"""Bytes of all files of an archive: the disk of the simulated machine has room for no more."""
_KINDS = {
    S_IFREG: tarfile.REGTYPE,
    S_IFDIR: tarfile.DIRTYPE,
    S_IFLNK: tarfile.SYMTYPE,
    S_IFCHR: tarfile.CHRTYPE,
    S_IFBLK: tarfile.BLKTYPE,
    S_IFIFO: tarfile.FIFOTYPE,
}
_MODES = {value: key for key, value in _KINDS.items()}


class Entry(NamedTuple):
    """One member of an archive that is made here; ``hard`` names another member."""

    path: str
    mode: int
    content: bytes = b""
    target: str = ""
    hard: str = ""
    uid: int = 0
    gid: int = 0
    mtime: int = 0


def made(entries: Iterable[Entry], size: int = 0) -> bytes:
    """An archive of ``entries``; ``size``: how many bytes it is said to unpack to."""
    out = BytesIO()
    form = tarfile.PAX_FORMAT if size else tarfile.GNU_FORMAT
    stated = {_STATED: str(size)} if size else {}
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=stated) as archive:
        for one in entries:
            info = tarfile.TarInfo(one.path)
            info.mode, info.uid, info.gid = one.mode & 0o7777, one.uid, one.gid
            info.mtime = one.mtime
            if one.hard:
                info.type, info.linkname = tarfile.LNKTYPE, one.hard
            else:
                info.type, info.linkname = _KINDS[one.mode & S_IFMT], one.target
            info.size = len(one.content) if info.type == tarfile.REGTYPE else 0
            archive.addfile(info, BytesIO(one.content))
    return out.getvalue()


_MAGIC = 257
"""Where "ustar" stands in a header."""


def members(content: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Each member with its bytes; compressed archives too. Raises ``ApiError``.

    The last block may be cut off behind what is in it, as Go's reader has it: ``docker build -f``
    with a Dockerfile outside of its context sends that (docker/cli AddDockerfileToBuildContext()).
    """
    total, most = 0, len(content)
    plain = content[_MAGIC : _MAGIC + 5] == b"ustar"
    if plain:
        content += bytes(-most % tarfile.BLOCKSIZE)
    try:
        with tarfile.open(fileobj=BytesIO(content), mode="r:*") as archive:
            for info in archive:
                if plain and info.isreg() and info.offset_data + info.size > most:
                    raise _wrong("unexpected EOF")
                total += info.size if info.isreg() else 0
                if total > MOST:
                    raise _wrong(f"write /{info.name}: no space left on device")
                taken = archive.extractfile(info) if info.isreg() else None
                yield info, taken.read() if taken is not None else b""
    except (tarfile.TarError, EOFError, ValueError, OSError, zlib.error, lzma.LZMAError) as error:
        raise _wrong("archive/tar: invalid tar header") from error


def stated_size(content: bytes) -> int:
    """The size that an archive of the catalogue says it has; 0 when it says nothing.

    An image of the catalogue holds little, and is listed with the size of the one it stands for.
    """
    if _STATED.encode() not in content[:2048]:
        return 0
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        text = archive.pax_headers.get(_STATED, "")
    return int(text) if text.isdigit() else 0


def _wrong(what: str) -> ApiError:
    return ApiError(f"Error processing tar file(exit status 1): {what}")


async def unpack_below(
    sys: Process,
    content: bytes,
    root: str,
    dest: str = "",
    *,
    layer: bool = False,
    keep_dirs: bool = False,
) -> int:
    """``unpack`` into ``dest`` by a worker whose root is ``root``: no link leads out of it.

    moby's chrootarchive: a thread that shares everything but its root.
    """
    told: list[int | Exception] = []
    done = Bell()

    async def work(own: Process) -> int:
        try:
            await own.call("chroot", root)
            await own.call("chdir", "/")
            told.append(await unpack(own, content, dest, layer=layer, keep_dirs=keep_dirs))
        except Exception as error:  # for whoever waits
            told.append(error)
        await done.ring(own)
        return 0

    await sys.spawn(work, CLONE_FILES)
    await done.until(sys, lambda: bool(told))
    if isinstance(told[0], Exception):
        raise told[0]
    return told[0]


async def unpack(
    sys: Process, content: bytes, root: str, *, layer: bool = False, keep_dirs: bool = False
) -> int:
    """Put an archive's members below ``root``; the bytes of its files.

    ``layer``: whiteouts become overlayfs's. ``keep_dirs``: a member that is no directory does not
    replace one (``noOverwriteDirNonDir``). Raises ``ApiError`` for a path that leads outside, and
    for whatever the kernel refuses.
    """
    total = 0
    root = root.rstrip("/")
    times: list[tuple[str, int]] = []
    for info, data in members(content):
        path = posixpath.normpath(f"{root}/{info.name}" if root else "/" + info.name.lstrip("/"))
        if path != root and not path.startswith(f"{root}/"):
            raise _wrong(f'"{info.name}" is outside of "{root}"')
        try:
            if layer and await _whiteout(sys, path):
                continue
            total += await _place(sys, info, data, path, root, keep_dirs)
        except SysError as error:
            raise _wrong(f"{error.call} {path}: {error.message.lower()}") from None
        times.append((path, int(info.mtime)))
    for path, seconds in reversed(times):
        when = (seconds * _SECOND, seconds * _SECOND)
        await sys.succeeds("utimensat", AT_FDCWD, path, when, AT_SYMLINK_NOFOLLOW)
    return total


async def _whiteout(sys: Process, path: str) -> bool:
    above, _, name = path.rpartition("/")
    if name == OPAQUE:
        await sys.call("setxattr", above or "/", _OPAQUE_XATTR, b"y", 1, 0)
        return True
    if not name.startswith(WHITEOUT):
        return False
    await sys.call("mknod", f"{above}/{name.removeprefix(WHITEOUT)}", S_IFCHR, 0)
    return True


async def _place(
    sys: Process, info: tarfile.TarInfo, data: bytes, path: str, root: str, keep_dirs: bool
) -> int:
    above = path.rpartition("/")[0] or "/"
    if not await sys.succeeds("stat", above):
        await _parents(sys, above)
    mode = info.mode & 0o7777
    there = await _status(sys, path)
    is_dir = there is not None and there["mode"] & S_IFMT == S_IFDIR
    if is_dir and not info.isdir() and path in (root, "/"):
        return 0
    if info.isdir():
        if is_dir:
            await sys.call("chmod", path, mode)
            await sys.call("lchown", path, info.uid, info.gid)
            return 0
        if there is not None and keep_dirs:
            raise ApiError(f'cannot overwrite non-directory "{path}" with directory "{root}"')
    elif is_dir and keep_dirs:
        raise ApiError(f'cannot overwrite directory "{path}" with non-directory "{root}"')
    if there is not None:
        from simulator.isolation.control.docker.engine import files

        await files.remove(sys, path)
    if info.isdir():
        await sys.call("mkdir", path, mode)
    elif info.islnk():
        target = posixpath.normpath(f"{root}/{info.linkname.lstrip('/')}")
        if not target.startswith(f"{root}/"):
            raise _wrong(f'invalid hardlink "{target}" -> "{info.linkname}"')
        await sys.call("link", target, path)
        return 0
    elif info.issym():
        await sys.call("symlink", info.linkname, path)
    elif info.isreg():
        fd = await sys.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        await sys.write(fd, data)
        await sys.close(fd)
    elif info.type not in _MODES:
        raise _wrong(f"unhandled tar header type {info.type[0]}\n")
    else:
        device = info.devmajor << 8 | info.devminor
        await sys.call("mknod", path, _MODES[info.type] | mode, device)
    await sys.call("lchown", path, info.uid, info.gid)
    if not info.issym():
        await sys.call("chmod", path, mode)
    return len(data)


async def _parents(sys: Process, path: str) -> None:
    from simulator.isolation.control.docker.engine import files

    await files.make(sys, path)


async def _status(sys: Process, path: str) -> dict[str, int] | None:
    try:
        return await sys.lstat(path)
    except SysError:
        return None


def is_empty(content: bytes) -> bool:
    """Whether nothing is in an archive: such a layer counts for none (moby layer.IsEmpty())."""
    return not content.strip(b"\0")


async def pack(
    sys: Process, path: str, name: str = "", *, layer: bool = False, above: bool = True
) -> bytes:
    """An archive of what is at ``path``, called ``name`` in it (empty: its content alone).

    ``layer``: overlayfs's whiteouts become a layer's. ``above``: with the top directory itself.
    """
    entries: list[Entry] = []
    await _gather(sys, path, name, entries, {}, layer=layer, top=above)
    return made(entries)


async def _gather(
    sys: Process,
    path: str,
    name: str,
    entries: list[Entry],
    seen: dict[int, str],
    *,
    layer: bool,
    top: bool = True,
) -> None:
    status = await sys.lstat(path)
    kind = status["mode"] & S_IFMT
    mtime = status.get("mtime", 0) // _SECOND

    def add(path: str, content: bytes = b"", target: str = "", hard: str = "") -> None:
        ids = status["uid"], status["gid"]
        entries.append(Entry(path, status["mode"], content, target, hard, *ids, mtime))

    if layer and kind == S_IFCHR and status["rdev"] == 0:
        directory, slash, last = name.rpartition("/")
        entries.append(Entry(f"{directory}{slash}{WHITEOUT}{last}", S_IFREG | 0o600))
        return
    if kind == S_IFDIR:
        if top and name:
            add(f"{name}/")
        if layer and await _is_opaque(sys, path):
            entries.append(Entry(f"{name}/{OPAQUE}" if name else OPAQUE, S_IFREG | 0o600))
        for one in sorted(await sys.names(path)):
            inside = f"{name}/{one}" if name else one
            await _gather(sys, f"{path}/{one}", inside, entries, seen, layer=layer)
        return
    first = seen.setdefault(status["ino"], name) if status["nlink"] > 1 else name
    if first != name:
        add(name, hard=first)
        return
    content = await _content(sys, path) if kind == S_IFREG else b""
    target = await sys.readlink(path) if kind == S_IFLNK else ""
    if kind in _KINDS:  # a socket has no place in an archive
        add(name, content, target)


async def _content(sys: Process, path: str) -> bytes:
    """A whole file. Raises ``SysError``, which names it."""
    try:
        return await sys.slurp(path)
    except SysError as error:
        raise SysError(error.errno, f"{error.call} {path}") from None


async def _is_opaque(sys: Process, path: str) -> bool:
    try:
        return await sys.data("getxattr", path, _OPAQUE_XATTR, 16) == b"y"
    except SysError as error:
        return error.errno not in (Errno.ENODATA, Errno.EOPNOTSUPP)
