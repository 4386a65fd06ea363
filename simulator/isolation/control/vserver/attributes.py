"""setattr, showattr, vunify and vhashify: flags of files, and files that guests share.

Source: src/{setattr,showattr,vunify,vhashify}.c.
"""

import hashlib
from collections.abc import Sequence

from simulator.isolation.control.vserver import build, config, kernel
from simulator.machine.abi.constants import S_IFDIR, S_IFMT, S_IFREG
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

WORDS = {
    "iunlink": ("immutable", "iunlink"),
    "iunlink-but-not-immutable": ("iunlink",),
    "immutable": ("immutable",),
    "barrier": ("barrier",),
    "admin": ("admin",),
    "watch": ("watch",),
    "hide": ("hide",),
}
"""setattr's options and the flags that each stands for."""
_LETTERS = (("admin", "a"), ("watch", "w"), ("hide", "h"), ("barrier", "b"), ("iunlink", "u"),
            ("immutable", "i"))  # fmt: skip
_HASH_ROOT = "/etc/vservers/.hash"
_KEPT = ("etc", "dev", "proc", "tmp", "root", "home", "var")
"""Directories whose files a guest configures for itself (vunify-exclude)."""


@enter("setattr", collection=TOOLS)
async def setattr_(sys: Process, argv: Sequence[str]) -> int:
    """setattr [-Rx] [--[~](iunlink|admin|watch|hide|barrier|immutable...)]* [--] FILE+."""
    mask: list[str] = []
    value: list[str] = []
    recursive = False
    words = list(argv[1:])
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        if word.strip("-") in ("R", "x", "Rx", "xR") and not word.startswith("--"):
            recursive |= "R" in word
            continue
        flags = WORDS.get(word.removeprefix("--").lstrip("~!"))
        if flags is None or not word.startswith("--"):
            await sys.err(f"setattr: unrecognized option '{word}'\n")
            await sys.err("Try 'setattr --help' for more information.\n")
            return 1
        mask += flags
        value = [one for one in value if one not in flags]
        if word[2] not in "~!":
            value += flags
    if not words:
        await sys.err("No filename given; use '--help' for more information\n")
        return 1
    status = 0
    for name in words:
        status |= await _set(sys, name, value, mask, recursive=recursive)
    return status


async def _set(
    sys: Process, name: str, value: list[str], mask: list[str], *, recursive: bool
) -> int:
    try:
        await kernel.command(sys, "set_iattr", 0, {"name": name, "flags": value, "mask": mask})
        status = 0
    except SysError as error:
        await sys.err(f"{name}: {error.message}\n")
        status = 1
    if recursive and await config.is_directory(sys, name):
        for inner in await sys.names(name):
            status |= await _set(sys, f"{name}/{inner}", value, mask, recursive=True)
    return status


@enter("showattr", collection=TOOLS)
async def showattr(sys: Process, argv: Sequence[str]) -> int:
    """showattr [-Radx] [--] FILE*: one letter a flag, a capital for one that is set."""
    letters = "".join(word[1:] for word in argv[1:] if word.startswith("-") and word != "--")
    names = [word for word in argv[1:] if not word.startswith("-")] or ["."]
    status = 0
    for name in names:
        listed = [name]
        if await config.is_directory(sys, name) and "d" not in letters:
            inner = [one for one in await sys.names(name) if "a" in letters or one[0] != "."]
            listed = [f"{name.rstrip('/')}/{one}" for one in sorted(inner)]
        for one in listed:
            status |= await _show(sys, one)
    return status


async def _show(sys: Process, name: str) -> int:
    try:
        told = await kernel.ask(sys, "get_iattr", 0, {"name": name})
    except SysError as error:
        await sys.err(f"vc_get_iattr(): {error.message}\n")
        await sys.out(f"ERR       {name}\n")
        return 1
    shown = "".join(
        letter.upper() if word in told["flags"] else letter if word in told["mask"] else "-"
        for word, letter in _LETTERS
    )
    await sys.out(f"{shown:<10}{name}\n")
    return 0


@enter("vunify", collection=TOOLS)
async def vunify(sys: Process, argv: Sequence[str]) -> int:
    """vunify [-Rnv] VSERVER REFERENCE...: link what is the same, with iunlink on it."""
    names = [word for word in argv[1:] if not word.startswith("-")]
    verbose = any(word.startswith("-") and "v" in word for word in argv[1:])
    reverse = "-R" in argv[1:]
    guests = [await config.find(sys, name) for name in names]
    missing = next((n for n, g in zip(names, guests, strict=True) if g is None), None)
    if missing is not None or not guests:
        await sys.err(f"vunify: no such vserver '{missing or ''}'\n")
        return 1
    first, *others = [guest for guest in guests if guest is not None]
    if reverse:
        return await _apart(sys, first.vdir, verbose=verbose)
    references = [guest.vdir for guest in others] or await _reference(sys, first)
    for reference in references:
        await _link_same(sys, first.vdir, reference, verbose=verbose)
    return 0


async def _reference(sys: Process, guest: config.Guest) -> list[str]:
    """``apps/vunify/refserver.NN``: here a file with the reference's name."""
    name = (await sys.text_or_empty(f"{guest.confdir}/apps/vunify/refserver.00")).strip()
    found = await config.find(sys, name) if name else None
    return [found.vdir] if found is not None else []


async def _files(sys: Process, top: str, below: str = "") -> list[str]:
    """Regular files that are no guest's own business, relative to ``top``."""
    found: list[str] = []
    for name in sorted(await sys.names(f"{top}/{below}")):
        inner = f"{below}/{name}" if below else name
        if inner in _KEPT:
            continue
        mode = (await sys.lstat(f"{top}/{inner}"))["mode"]
        if mode & S_IFMT == S_IFDIR:
            found += await _files(sys, top, inner)
        elif mode & S_IFMT == S_IFREG:
            found.append(inner)
    return found


async def _link_same(sys: Process, mine: str, reference: str, *, verbose: bool) -> None:
    for name in await _files(sys, mine):
        old, new = f"{reference}/{name}", f"{mine}/{name}"
        try:
            same = await _is_same(sys, old, new)
        except SysError:
            continue
        if not same:
            continue
        await kernel.command(sys, "set_iattr", 0, _unified(old))
        await sys.call("unlink", new)
        await sys.call("link", old, new)
        if verbose:
            await sys.out(f"unifying '/{name}' (from {reference})\n")


def _unified(name: str) -> dict[str, object]:
    flags = ["immutable", "iunlink"]
    return {"name": name, "flags": flags, "mask": flags}


async def _is_same(sys: Process, old: str, new: str) -> bool:
    """Owner, mode, size and content are equal, and it isn't one file already."""
    one, two = await sys.lstat(old), await sys.lstat(new)
    if one["ino"] == two["ino"]:
        return False
    keys = ("mode", "uid", "gid", "size")
    if any(one[key] != two[key] for key in keys):
        return False
    return await sys.slurp(old) == await sys.slurp(new)


async def _apart(sys: Process, vdir: str, *, verbose: bool) -> int:
    """vunify -R: each file its own again."""
    for name in await _files(sys, vdir):
        path = f"{vdir}/{name}"
        found = await sys.lstat(path)
        if found["nlink"] < 2:
            continue
        content = await sys.slurp(path)
        await sys.call("unlink", path)
        await build.write(sys, path, content.decode("utf-8", "surrogateescape"))
        await sys.call("chmod", path, found["mode"] & 0o7777)
        if verbose:
            await sys.out(f"de-unifying '/{name}'\n")
    return 0


@enter("vhashify", collection=TOOLS)
async def vhashify(sys: Process, argv: Sequence[str]) -> int:
    """vhashify VSERVER: a store of files by their content, which guests' files are linked to."""
    names = [word for word in argv[1:] if not word.startswith("-")]
    guest = await config.find(sys, names[0]) if names else None
    if guest is None:
        await sys.err("vhashify: no vserver given, or none of this name\n")
        return 1
    for name in await _files(sys, guest.vdir):
        path = f"{guest.vdir}/{name}"
        found = await sys.lstat(path)
        told = f"{found['mode']}:{found['uid']}:{found['gid']}:".encode()
        digest = hashlib.sha1(told + await sys.slurp(path), usedforsecurity=False).hexdigest()
        kept = f"{_HASH_ROOT}/{digest[:2]}/{digest[2:]}"
        if await sys.succeeds("stat", kept):
            if (await sys.lstat(kept))["ino"] != found["ino"]:
                await sys.call("unlink", path)
                await sys.call("link", kept, path)
            continue
        for above in (_HASH_ROOT, f"{_HASH_ROOT}/{digest[:2]}"):
            if not await sys.succeeds("stat", above):
                await sys.call("mkdir", above, 0o700)
        await sys.call("link", path, kept)
        await kernel.command(sys, "set_iattr", 0, _unified(kept))
    return 0
