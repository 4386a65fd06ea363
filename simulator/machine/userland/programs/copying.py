"""cp, install-like copying, stat, readlink, realpath, basename, dirname, find, du, which."""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    O_CREAT,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    X_OK,
)
from simulator.machine.userland import calendar, modes
from simulator.machine.userland.accounts import Names
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.changing import is_dir, target_of
from simulator.machine.userland.registry import enter

_KINDS = {
    S_IFREG: "regular file",
    S_IFDIR: "directory",
    S_IFLNK: "symbolic link",
    S_IFCHR: "character special file",
    S_IFBLK: "block special file",
    S_IFIFO: "fifo",
    S_IFSOCK: "socket",
}


@enter("cp")
async def cp(sys: Process, argv: Sequence[str]) -> int:
    """cp(1) with -r, -a, -p, -f."""
    options = parse(argv, "rRapfdLPHivlsuTt:")
    if len(options.rest) < 2:
        raise UsageError("missing operand")
    every = options.has("a")
    status = 0
    for source in options.rest[:-1]:
        status |= await copy_tree(
            sys,
            source,
            await target_of(sys, source, options.rest[-1]),
            recursive=every or options.has("r") or options.has("R"),
            preserve=every or options.has("p"),
        )
    return status


async def copy_tree(
    sys: Process, source: str, target: str, *, recursive: bool, preserve: bool
) -> int:
    """Copy a file, or with ``recursive`` a tree; links stay links then."""
    try:
        status = await (sys.lstat(source) if recursive else sys.stat(source))
    except SysError as error:
        return await sys.complain(f"can't stat '{source}': {error.message}")
    kind = status["mode"] & S_IFMT
    if kind == S_IFDIR and not recursive:
        return await sys.complain(f"omitting directory '{source}'")
    try:
        result = 0
        if kind == S_IFDIR:
            result = await _copy_directory(sys, source, target, status, preserve=preserve)
        elif kind == S_IFLNK:
            await sys.call("symlink", await sys.readlink(source), target)
        elif kind in (S_IFIFO, S_IFBLK, S_IFCHR) and recursive:
            await sys.call("mknod", target, status["mode"], status["rdev"])
        else:
            result = await _copy_file(sys, source, target, status["mode"])
    except SysError as error:
        return await sys.complain(f"can't create '{target}': {error.message}")
    if preserve and not result:
        await sys.succeeds("lchown", target, status["uid"], status["gid"])
        if kind != S_IFLNK:
            await sys.succeeds("chmod", target, status["mode"] & 0o7777)
    return result


async def _copy_directory(
    sys: Process, source: str, target: str, status: dict[str, int], *, preserve: bool
) -> int:
    await sys.succeeds("mkdir", target, status["mode"] & 0o777 | 0o700)
    result = 0
    for name in await sys.names(source):
        below, above = f"{target.rstrip('/')}/{name}", f"{source.rstrip('/')}/{name}"
        result |= await copy_tree(sys, above, below, recursive=True, preserve=preserve)
    return result


async def _copy_file(sys: Process, source: str, target: str, mode: int) -> int:
    try:
        reading = await sys.open(source, O_RDONLY)
    except SysError as error:
        return await sys.complain(f"can't open '{source}': {error.message}")
    writing = await sys.open(target, O_WRONLY | O_CREAT | O_TRUNC, mode & 0o777)
    while block := await sys.read(reading):
        await sys.write(writing, block)
    await sys.close(reading)
    await sys.close(writing)
    return 0


@enter("stat")
async def stat(sys: Process, argv: Sequence[str]) -> int:
    """stat(1), with -c and -L."""
    options = parse(argv, "Lc:ft")
    names, status = Names(sys), 0
    for path in options.rest:
        try:
            facts = await sys.data("stat" if options.has("L") else "lstat", path)
        except SysError as error:
            status = await sys.complain(f"can't stat '{path}': {error.message}")
            continue
        pieces = await _pieces(sys, path, facts, names)
        form = options.value("c")
        await sys.out(calendar.filled(form, pieces) + "\n" if form else _full(path, facts, pieces))
    return status


async def _pieces(sys: Process, path: str, facts: dict[str, int], names: Names) -> dict[str, str]:
    kind = _KINDS.get(facts["mode"] & S_IFMT, "file")
    if kind == "regular file" and not facts["size"]:
        kind = "regular empty file"
    shown = path
    if facts["mode"] & S_IFMT == S_IFLNK:
        shown = f"'{path}' -> '{await sys.readlink(path)}'"
    when = calendar.moment(facts.get("mtime", 0) // 1_000_000_000).iso() + ".000000000 +0000"
    return {
        "n": path,
        "N": shown,
        "a": f"{facts['mode'] & 0o7777:o}",
        "A": modes.letters(facts["mode"]),
        "F": kind,
        "s": str(facts["size"]),
        "u": str(facts["uid"]),
        "g": str(facts["gid"]),
        "U": await names.known_user(facts["uid"]) or "UNKNOWN",
        "G": await names.known_group(facts["gid"]) or "UNKNOWN",
        "i": str(facts["ino"]),
        "h": str(facts["nlink"]),
        "d": str(facts["dev"]),
        "D": f"{facts['dev']:x}",
        "t": f"{facts['rdev'] >> 8 & 0xFFF:x}",
        "T": f"{facts['rdev'] & 0xFF:x}",
        "f": f"{facts['mode']:x}",
        "b": str((facts["size"] + 511) // 512),
        "B": "512",
        "o": "4096",
        "y": when,
        "Y": str(facts.get("mtime", 0) // 1_000_000_000),
        "%": "%",
    }


def _full(path: str, facts: dict[str, int], pieces: dict[str, str]) -> str:
    del path
    device = f"{facts['dev']:x}h/{facts['dev']}d"
    times = "".join(f"{name}: {pieces['y']}\n" for name in ("Access", "Modify", "Change"))
    return (
        f"  File: {pieces['N']}\n"
        f"  Size: {pieces['s']:<10}\tBlocks: {pieces['b']:<10} IO Block: 4096   {pieces['F']}\n"
        f"Device: {device}\tInode: {pieces['i']:<10}  Links: {pieces['h']}\n"
        f"Access: ({facts['mode'] & 0o7777:04o}/{pieces['A']})  "
        f"Uid: ({pieces['u']:>5}/{pieces['U']:>8})   Gid: ({pieces['g']:>5}/{pieces['G']:>8})\n"
        f"{times}"
    )


@enter("readlink")
async def readlink(sys: Process, argv: Sequence[str]) -> int:
    """readlink(1), with -f; 1, without a word, for what is no link."""
    options = parse(argv, "fnvqse")
    status = 0
    for path in options.rest:
        try:
            text = await (_resolved(sys, path) if options.has("f") else sys.readlink(path))
        except SysError:
            status = 1
            continue
        await sys.out(text + ("" if options.has("n") else "\n"))
    return status


@enter("realpath")
async def realpath(sys: Process, argv: Sequence[str]) -> int:
    """realpath(1)."""
    status = 0
    for path in argv[1:]:
        try:
            await sys.out(await _resolved(sys, path) + "\n")
        except SysError as error:
            status = await sys.fault(path, error)
    return status


async def _resolved(sys: Process, path: str) -> str:
    """Let the kernel walk it: what /proc/self/fd says of an O_PATH descriptor."""
    fd = await sys.open(path, 0o10000000)
    text = await sys.readlink(f"/proc/self/fd/{fd}")
    await sys.close(fd)
    return text


@enter("basename")
async def basename(sys: Process, argv: Sequence[str]) -> int:
    """basename(1)."""
    if len(argv) < 2:
        raise UsageError("missing operand")
    name = argv[1].rstrip("/").rpartition("/")[2] or "/"
    if len(argv) > 2 and name != argv[2]:
        name = name.removesuffix(argv[2])
    await sys.out(f"{name}\n")
    return 0


@enter("dirname")
async def dirname(sys: Process, argv: Sequence[str]) -> int:
    """dirname(1)."""
    if len(argv) < 2:
        raise UsageError("missing operand")
    above, slash, _ = argv[1].rstrip("/").rpartition("/")
    await sys.out((above.rstrip("/") or ("/" if slash else ".")) + "\n")
    return 0


@enter("which")
async def which(sys: Process, argv: Sequence[str]) -> int:
    """which(1)."""
    path, status = sys.env.get("PATH", "/sbin:/usr/sbin:/bin:/usr/bin"), 0
    for name in argv[1:]:
        for place in [""] if "/" in name else path.split(":"):
            full = f"{place}/{name}" if place else name
            if await sys.succeeds("access", full, X_OK):
                await sys.out(f"{full}\n")
                break
        else:
            status = 1
    return status


@enter("du")
async def du(sys: Process, argv: Sequence[str]) -> int:
    """du(1) with -s, in kB."""
    options = parse(argv, "shkmaxcHLd:")
    for path in options.rest or ["."]:
        await _sum(sys, path, show=not options.has("s"), top=True)
    return 0


async def _sum(sys: Process, path: str, *, show: bool, top: bool) -> int:
    try:
        status = await sys.lstat(path)
    except SysError as error:
        await sys.fault(path, error)
        return 0
    total = (status["size"] + 4095) // 4096 * 4
    if is_dir(status):
        try:
            names = await sys.names(path)
        except SysError as error:
            await sys.fault(f"can't open '{path}'", error)
            names = []
        for name in names:
            total += await _sum(sys, f"{path.rstrip('/')}/{name}", show=show, top=False)
    if top or (show and is_dir(status)):
        await sys.out(f"{total}\t{path}\n")
    return total
