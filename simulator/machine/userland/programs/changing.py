"""mkdir, rmdir, rm, unlink, ln, mv, touch, mknod, mkfifo, truncate, chmod, chown, chgrp, mktemp."""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    AT_FDCWD,
    O_CREAT,
    O_EXCL,
    O_NONBLOCK,
    O_WRONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland import accounts, modes
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter


def is_dir(status: dict[str, int]) -> bool:
    """S_ISDIR()."""
    return status["mode"] & S_IFMT == S_IFDIR


async def is_directory(sys: Process, path: str) -> bool:
    """Whether ``path`` leads to a directory."""
    try:
        return is_dir(await sys.stat(path))
    except SysError:
        return False


def _need_operands(rest: list[str], count: int = 1) -> None:
    if len(rest) < count:
        raise UsageError("missing operand")


@enter("mkdir")
async def mkdir(sys: Process, argv: Sequence[str]) -> int:
    """mkdir(1) with -p and -m."""
    options = parse(argv, "pm:v", {"parents": "p", "mode": "m"})
    _need_operands(options.rest)
    mode = to_number(options.value("m", "777"), 8)
    status = 0
    for path in options.rest:
        status |= await _mkdir(sys, path, mode, parents=options.has("p"))
        if options.has("m"):
            await sys.succeeds("chmod", path, mode)
    return status


async def _mkdir(sys: Process, path: str, mode: int, *, parents: bool) -> int:
    names = path.split("/")
    places = ["/".join(names[: end + 1]) for end in range(len(names))] if parents else [path]
    for place in places:
        if not place:
            continue
        try:
            await sys.call("mkdir", place, mode if place == path else 0o777)
        except SysError as error:
            there = parents and error.errno in (Errno.EEXIST, Errno.EROFS)
            if there and await is_directory(sys, place):
                continue
            return await sys.complain(f"can't create directory '{place}': {error.message}")
    return 0


@enter("rmdir")
async def rmdir(sys: Process, argv: Sequence[str]) -> int:
    """rmdir(1)."""
    options = parse(argv, "p")
    _need_operands(options.rest)
    status = 0
    for path in options.rest:
        try:
            await sys.call("rmdir", path)
        except SysError as error:
            status = await sys.fault(f"'{path}'", error)
    return status


@enter("rm")
async def rm(sys: Process, argv: Sequence[str]) -> int:
    """rm(1) with -r and -f."""
    options = parse(argv, "rRfiv")
    if not options.rest and not options.has("f"):
        raise UsageError("missing operand")
    status = 0
    for path in options.rest:
        recursive = options.has("r") or options.has("R")
        status |= await _remove(sys, path, recursive=recursive, force=options.has("f"))
    return status


async def _remove(sys: Process, path: str, *, recursive: bool, force: bool) -> int:
    try:
        status = await sys.lstat(path)
    except SysError as error:
        if error.errno is Errno.ENOENT and force:
            return 0
        return await sys.complain(f"can't remove '{path}': {error.message}")
    call = "unlink"
    if is_dir(status):
        if not recursive:
            return await sys.complain(f"'{path}' is a directory")
        result = 0
        try:
            names = await sys.names(path)
        except SysError as error:
            return await sys.complain(f"can't open '{path}': {error.message}")
        for name in names:
            below = f"{path.rstrip('/')}/{name}"
            result |= await _remove(sys, below, recursive=True, force=force)
        if result:
            return result
        call = "rmdir"
    try:
        await sys.call(call, path)
    except SysError as error:
        return await sys.complain(f"can't remove '{path}': {error.message}")
    return 0


@enter("unlink")
async def unlink(sys: Process, argv: Sequence[str]) -> int:
    """unlink(1)."""
    if len(argv) != 2:
        raise UsageError("unlink FILE")
    try:
        await sys.call("unlink", argv[1])
    except SysError as error:
        return await sys.complain(f"can't remove file '{argv[1]}': {error.message}")
    return 0


async def target_of(sys: Process, source: str, target: str) -> str:
    """Where a file goes: into ``target`` when that is a directory."""
    if await is_directory(sys, target):
        return f"{target.rstrip('/')}/{source.rstrip('/').rpartition('/')[2]}"
    return target


@enter("ln", "link")
async def ln(sys: Process, argv: Sequence[str]) -> int:
    """ln(1) with -s and -f."""
    options = parse(argv, "sfnbS:vT")
    rest = options.rest if len(options.rest) > 1 else [*options.rest, "."]
    status = 0
    for source in rest[:-1]:
        target = rest[-1]
        if not options.has("n"):
            target = await target_of(sys, source, target)
        if options.has("f"):
            await sys.succeeds("unlink", target)
        try:
            await sys.call("symlink" if options.has("s") else "link", source, target)
        except SysError as error:
            status = await sys.fault(target, error)
    return status


@enter("mv")
async def mv(sys: Process, argv: Sequence[str]) -> int:
    """mv(1): rename(2), or copy and remove across filesystems."""
    from simulator.machine.userland.programs.copying import copy_tree

    options = parse(argv, "finvT")
    _need_operands(options.rest, 2)
    status = 0
    for source in options.rest[:-1]:
        target = await target_of(sys, source, options.rest[-1])
        try:
            await sys.call("rename", source, target)
        except SysError as error:
            if error.errno is not Errno.EXDEV:
                status = await sys.complain(f"can't rename '{source}': {error.message}")
                continue
            status |= await copy_tree(sys, source, target, recursive=True, preserve=True)
            if not status:
                status |= await _remove(sys, source, recursive=True, force=True)
    return status


@enter("touch")
async def touch(sys: Process, argv: Sequence[str]) -> int:
    """touch(1)."""
    options = parse(argv, "camhd:t:r:")
    status = 0
    for path in options.rest:
        try:
            await sys.call("utimensat", AT_FDCWD, path, None, 0)
        except SysError as error:
            if error.errno is not Errno.ENOENT or options.has("c"):
                status = await sys.fault(path, error)
                continue
            try:
                await sys.close(await sys.open(path, O_WRONLY | O_CREAT))
            except SysError as failure:
                status = await sys.fault(path, failure)
    return status


@enter("mknod")
async def mknod(sys: Process, argv: Sequence[str]) -> int:
    """mknod(1): b, c, u and p."""
    options = parse(argv, "m:")
    _need_operands(options.rest, 2)
    name, kind, *numbers = options.rest
    form = {"p": S_IFIFO, "b": S_IFBLK, "c": S_IFCHR, "u": S_IFCHR}.get(kind[:1], 0)
    if not form or (form != S_IFIFO and len(numbers) != 2):
        raise UsageError("mknod [-m MODE] NAME TYPE [MAJOR MINOR]")
    major, minor = map(to_number, numbers) if numbers else (0, 0)
    device = (major << 8) | (minor & 0xFF) | ((minor & ~0xFF) << 12)
    mode = to_number(options.value("m", "666"), 8)
    try:
        await sys.call("mknod", name, form | mode, device)
    except SysError as error:
        return await sys.fault(name, error)
    return 0


@enter("mkfifo")
async def mkfifo(sys: Process, argv: Sequence[str]) -> int:
    """mkfifo(1)."""
    options = parse(argv, "m:")
    _need_operands(options.rest)
    status = 0
    for path in options.rest:
        try:
            await sys.call("mknod", path, S_IFIFO | to_number(options.value("m", "666"), 8), 0)
        except SysError as error:
            status = await sys.fault(path, error)
    return status


@enter("mktemp")
async def mktemp(sys: Process, argv: Sequence[str]) -> int:
    """mktemp(1): names are counted, not drawn."""
    options = parse(argv, "dqtup:")
    base = options.rest[0] if options.rest else "/tmp/tmp.XXXXXX"
    stem = base.rstrip("X")
    width = len(base) - len(stem)
    for number in range(1000):
        path = f"{stem}{number:0{width}}"
        try:
            if options.has("d"):
                await sys.call("mkdir", path, 0o700)
            else:
                await sys.close(await sys.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600))
        except SysError as error:
            if error.errno is Errno.EEXIST:
                continue
            return await sys.complain(f"{base}: {error.message}")
        await sys.out(f"{path}\n")
        return 0
    return 1


@enter("truncate")
async def truncate(sys: Process, argv: Sequence[str]) -> int:
    """truncate(1) -s."""
    options = parse(argv, "cs:")
    text = options.value("s", "0")
    unit = {"K": 10, "M": 20, "G": 30, "T": 40}.get(text[-1].upper(), 0)
    size = to_number(text[:-1] if unit else text) << unit
    status = 0
    for path in options.rest:
        try:
            flags = O_WRONLY | O_NONBLOCK | (0 if options.has("c") else O_CREAT)
            fd = await sys.open(path, flags)
            await sys.call("ftruncate", fd, size)
            await sys.close(fd)
        except SysError as error:
            status = await sys.fault(path, error)
    return status


@enter("chmod")
async def chmod(sys: Process, argv: Sequence[str]) -> int:
    """chmod(1), octal or symbolic, with -R."""
    words = [argv[0], *(w for w in argv[1:] if w in ("-R", "-v", "-f", "-c"))]
    rest = [w for w in argv[1:] if w not in ("-R", "-v", "-f", "-c")]
    options = parse(words, "Rvfc")
    _need_operands(rest, 2)
    mask = await sys.value("umask", 0)
    await sys.call("umask", mask)
    status = 0
    for path in rest[1:]:
        status |= await _chmod(sys, rest[0], path, mask, recursive=options.has("R"))
    return status


async def _chmod(sys: Process, wish: str, path: str, mask: int, *, recursive: bool) -> int:
    try:
        status = await sys.stat(path)
        mode = modes.change(wish, status["mode"], directory=is_dir(status), umask=mask)
        if mode is None:
            raise UsageError(f"invalid mode '{wish}'")
        await sys.call("chmod", path, mode)
    except SysError as error:
        return await sys.fault(path, error)
    result = 0
    if recursive and is_dir(status):
        for name in await sys.names(path):
            result |= await _chmod(sys, wish, f"{path.rstrip('/')}/{name}", mask, recursive=True)
    return result


@enter("chown", "chgrp")
async def chown(sys: Process, argv: Sequence[str]) -> int:
    """chown(1) and chgrp(1) with -R and -h."""
    options = parse(argv, "RhvfcLHP")
    _need_operands(options.rest, 2)
    wish = f":{options.rest[0]}" if sys.name == "chgrp" else options.rest[0]
    owner, _, group = wish.replace(".", ":", 1).partition(":")
    uid, gid = await _uid(sys, owner), await _gid(sys, group)
    status = 0
    for path in options.rest[1:]:
        status |= await _chown(sys, path, uid, gid, options.has("h"), options.has("R"))
    return status


async def _uid(sys: Process, text: str) -> int:
    if not text or text.isdigit():
        return to_number(text) if text else -1
    user = await accounts.find_user(sys, text)
    if user is None:
        raise UsageError(f"unknown user {text}")
    return user.uid


async def _gid(sys: Process, text: str) -> int:
    if not text or text.isdigit():
        return to_number(text) if text else -1
    known = (await accounts.groups(sys)).get(text)
    if known is None:
        raise UsageError(f"unknown group {text}")
    return known[0]


async def _chown(sys: Process, path: str, uid: int, gid: int, link: bool, recursive: bool) -> int:
    try:
        status = await sys.lstat(path)
        is_link = status["mode"] & S_IFMT == S_IFLNK
        await sys.call("lchown" if link or (recursive and is_link) else "chown", path, uid, gid)
    except SysError as error:
        return await sys.fault(path, error)
    result = 0
    if recursive and is_dir(status):
        for name in await sys.names(path):
            result |= await _chown(sys, f"{path.rstrip('/')}/{name}", uid, gid, link, True)
    return result
