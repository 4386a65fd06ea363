"""tar, gzip, gunzip, zcat: archives of the simulated files; the formats are the library's."""

import fnmatch
import gzip as library
import posixpath
import stat
import tarfile
import zlib
from collections.abc import Sequence
from io import BytesIO

from simulator.machine.abi.constants import O_CREAT, O_EXCL, O_TRUNC, O_WRONLY
from simulator.machine.userland.calendar import strftime
from simulator.machine.userland.modes import letters
from simulator.machine.userland.options import Options, UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_SECOND = 1_000_000_000
_REPLACE = O_WRONLY | O_CREAT | O_TRUNC
_NEW = O_WRONLY | O_CREAT | O_EXCL
_LETTERS = "ctxvzjJaOopkmhhf:C:X:T:"
_LONG = {
    "create": "c", "extract": "x", "get": "x", "list": "t", "file": "f", "directory": "C",
    "gzip": "z", "verbose": "v", "to-stdout": "O", "numeric-owner": "o",
    "same-permissions": "p", "exclude": "E", "strip-components": "S",
}  # fmt: skip
_KINDS = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}


@enter("tar")
async def tar(sys: Process, argv: Sequence[str]) -> int:
    """tar(1): -c, -t or -x, by -f's archive or the standard streams."""
    words = list(argv)
    if len(words) > 1 and not words[1].startswith("-"):
        words = _old_style(words)
    options = parse(words, _LETTERS + "E:S:", _LONG)
    asked = [letter for letter in "ctx" if options.has(letter)]
    if len(asked) != 1:
        raise UsageError("tar c|x|t [-zvopO] [-f TARFILE] [-C DIR] [FILE]...")
    file = options.values.get("f", ["-"])[-1]
    try:
        if asked == ["c"]:
            return await _create(sys, options, file)
        content = await (sys.drain(0) if file == "-" else sys.slurp(file))
    except SysError as error:
        return await sys.complain(f"can't open '{file}': {error.message}")
    try:
        with tarfile.open(fileobj=BytesIO(content), mode="r:*") as archive:
            if options.has("C"):
                await sys.call("chdir", options.values["C"][-1])
            return await _read(sys, options, archive, asked == ["x"])
    except SysError as error:
        return await sys.complain(f"can't change directory to '{options.values['C'][-1]}':"
                                  f" {error.message}")  # fmt: skip
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        return await sys.complain("invalid tar magic" if len(content) >= 512 else "short read")


def _old_style(words: list[str]) -> list[str]:
    """``tar xzf a.tar b`` as ``tar -x -z -f a.tar b``: values follow in the letters' order."""
    rest = words[2:]
    made = [words[0]]
    for letter in words[1]:
        made.append(f"-{letter}")
        if f"{letter}:" in _LETTERS:
            if not rest:
                raise UsageError(f"option requires an argument -- '{letter}'")
            made.append(rest.pop(0))
    return made + rest


async def _create(sys: Process, options: Options, file: str) -> int:
    out = BytesIO()
    fd = 1
    if file != "-":
        fd = await sys.value("open", file, _REPLACE, 0o666)
        kept = await sys.data("fstat", fd)
    else:
        kept = None
    if options.has("C"):
        await sys.call("chdir", options.values["C"][-1])
    paths = list(options.rest)
    if not paths:
        return await sys.complain("empty archive")
    status = 0
    skipped = options.values.get("E", [])
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in paths:
            if path.startswith("/"):
                await sys.err("tar: removing leading '/' from member names\n")
            status |= await _add(sys, archive, path, options.has("v"), skipped, kept)
    content = out.getvalue()
    await sys.write(fd, library.compress(content, mtime=0) if options.has("z") else content)
    if fd != 1:
        await sys.close(fd)
    if status:
        await sys.err("tar: error exit delayed from previous errors\n")
    return status


async def _add(
    sys: Process,
    archive: tarfile.TarFile,
    path: str,
    verbose: bool,
    skipped: list[str],
    itself: dict[str, int] | None,
) -> int:
    if any(fnmatch.fnmatch(path, one) or fnmatch.fnmatch(posixpath.basename(path), one)
           for one in skipped):  # fmt: skip
        return 0
    try:
        status = await sys.lstat(path)
    except SysError as error:
        return await sys.fault(path, error)
    if itself is not None and status["ino"] == itself["ino"] and status["dev"] == itself["dev"]:
        await sys.err(f"tar: {path}: file is the archive; skipping\n")
        return 0
    kind = stat.S_IFMT(status["mode"])
    if kind not in _KINDS:
        return 0
    info = tarfile.TarInfo(path.lstrip("/") or ".")
    info.type, info.mode = _KINDS[kind], status["mode"] & 0o7777
    info.uid, info.gid = status["uid"], status["gid"]
    info.mtime = status.get("mtime", 0) // _SECOND
    content = b""
    if kind == stat.S_IFREG:
        content = await sys.slurp(path)
        info.size = len(content)
    elif kind == stat.S_IFLNK:
        info.linkname = await sys.readlink(path)
    if verbose:
        await sys.out(f"{info.name}{'/' if info.isdir() else ''}\n")
    archive.addfile(info, BytesIO(content))
    failed = 0
    if kind == stat.S_IFDIR:
        for name in sorted(await sys.names(path)):
            inside = f"{path.rstrip('/')}/{name}"
            failed |= await _add(sys, archive, inside, verbose, skipped, itself)
    return failed


async def _read(sys: Process, options: Options, archive: tarfile.TarFile, extract: bool) -> int:
    wanted = [name.rstrip("/") for name in options.rest]
    seen: set[str] = set()
    for info in archive:
        name = info.name
        hit = next((w for w in wanted if name == w or name.startswith(f"{w}/")), None)
        if wanted and hit is None:
            continue
        seen.add(hit or "")
        shown = f"{name}{'/' if info.isdir() else ''}"
        if not extract:
            await sys.out(f"{_long(info, shown) if options.has('v') else shown}\n")
            continue
        if options.has("v"):
            await (sys.err if options.has("O") else sys.out)(f"{shown}\n")
        taken = archive.extractfile(info) if info.isreg() else None
        content = taken.read() if taken is not None else b""
        if options.has("O"):
            await sys.write(1, content)
            continue
        if ".." in name.split("/"):
            return await sys.complain(f"name with '..' skipped: '{name}'")
        parts = [part for part in name.split("/") if part]
        info.name = "/".join(parts[to_number(options.value("S", "0")) :])
        if not info.name:
            continue
        try:
            await _extract(sys, info, content)
        except SysError as error:
            return await sys.complain(f"can't open '{name}': {error.message}")
    missing = [name for name in wanted if name not in seen]
    for name in missing:
        await sys.complain(f"{name}: not found in archive")
    return int(bool(missing))


async def _extract(sys: Process, info: tarfile.TarInfo, content: bytes) -> None:
    path = info.name.lstrip("/")
    await _above(sys, path)
    if info.isdir():
        if not await sys.succeeds("mkdir", path, info.mode):
            await sys.succeeds("chmod", path, info.mode)
    else:
        await sys.succeeds("unlink", path)
        if info.issym():
            await sys.call("symlink", info.linkname, path)
        elif info.islnk():
            await sys.call("link", info.linkname, path)
            return
        elif info.isreg():
            fd = await sys.value("open", path, _REPLACE, info.mode)
            await sys.write(fd, content)
            await sys.close(fd)
        else:
            kind = {value: key for key, value in _KINDS.items()}[info.type]
            device = info.devmajor << 8 | info.devminor
            await sys.call("mknod", path, kind | info.mode, device)
    if await sys.value("geteuid") == 0:
        await sys.call("lchown", path, info.uid, info.gid)
    if not info.issym():
        await sys.succeeds("chmod", path, info.mode)


async def _above(sys: Process, path: str) -> None:
    above = posixpath.dirname(path)
    if above and not await sys.succeeds("stat", above):
        await _above(sys, above)
        await sys.call("mkdir", above, 0o777)


def _long(info: tarfile.TarInfo, shown: str) -> str:
    kind = next(key for key, value in _KINDS.items() if value in (info.type, tarfile.REGTYPE))
    kind = {value: key for key, value in _KINDS.items()}.get(info.type, kind)
    owner = f"{info.uname or info.uid}/{info.gname or info.gid}"
    when = strftime("%Y-%m-%d %H:%M:%S", int(info.mtime))
    link = f" -> {info.linkname}" if info.linkname else ""
    return f"{letters(kind | info.mode)} {owner} {info.size:9} {when} {shown}{link}"


@enter("gzip", "gunzip", "zcat")
async def gzip(sys: Process, argv: Sequence[str]) -> int:
    """gzip(1), gunzip(1), zcat(1)."""
    options = parse(argv, "cdfkvtq123456789n")
    down = options.has("d") or sys.name in ("gunzip", "zcat")
    out = options.has("c") or sys.name == "zcat"
    if not options.rest or options.rest == ["-"]:
        content = await _turned(sys, await sys.drain(0), down)
        if content is None:
            return 1
        await sys.write(1, content)
        return 0
    status = 0
    for path in options.rest:
        status |= await _file(sys, path, down, out, options.has("k"), options.has("f"))
    return status


async def _file(sys: Process, path: str, down: bool, out: bool, keep: bool, force: bool) -> int:
    try:
        content = await sys.slurp(path)
    except SysError as error:
        return await sys.fault(path, error)
    target = path.removesuffix(".gz").removesuffix(".tgz") if down else f"{path}.gz"
    if path.endswith(".tgz") and down:
        target += ".tar"
    if not out and target == path:
        return await sys.complain(f"{path}: unknown suffix - ignored")
    turned = await _turned(sys, content, down)
    if turned is None:
        return 1
    if out:
        await sys.write(1, turned)
        return 0
    status = await sys.stat(path)
    try:
        fd = await sys.value("open", target, _REPLACE if force else _NEW, status["mode"] & 0o777)
    except SysError as error:
        return await sys.complain(f"can't open '{target}': {error.message}")
    await sys.write(fd, turned)
    await sys.close(fd)
    if not keep:
        await sys.call("unlink", path)
    return 0


async def _turned(sys: Process, content: bytes, down: bool) -> bytes | None:
    if not down:
        return library.compress(content, mtime=0)
    try:
        return library.decompress(content)
    except EOFError:
        await sys.complain("corrupted data" if content else "unexpected end of file")
    except (OSError, zlib.error):
        await sys.complain("invalid magic")
    return None
