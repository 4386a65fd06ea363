"""``vserver NAME build``: a directory of settings and a directory of files. scripts/vserver-build*.

Of the methods the model has those that need no network: ``skeleton`` and ``clone``. An image of the
model has no rc scripts, so what a new guest starts with is put into ``apps/init/cmd.start``.
"""

import itertools

from simulator.isolation.control import files
from simulator.isolation.control.vserver import config, kernel
from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.userland.process import Process, SysError

METHODS = ("apt-rpm", "yum", "urpmi", "rpm", "debootstrap", "template", "fai", "rsync", "legacy")
"""Those that fetch or install packages, which there are none of here."""
_DIRECTORIES = ("etc", "dev", "dev/pts", "proc", "tmp", "bin", "root", "var")
_NODES = (
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("ptmx", 5, 2),
)
"""distrib/defaults/devs."""
_WRITES = 0o1101
"""O_WRONLY | O_CREAT | O_TRUNC."""


async def main(sys: Process, name: str, words: list[str]) -> int:
    """vserver-build: ``-m skeleton|clone [--hostname H] [--interface I] [--context N] -- ...``."""
    values: dict[str, list[str]] = {}
    method, rest = "", []
    while words:
        word = words.pop(0)
        if word == "--":
            rest = words
            break
        if word in ("--force", "--keep", "--i-know-its-there"):
            values[word] = [""]
        elif word in ("-m", "-n", "--hostname", "--interface", "--context", "--flags",
                      "--rootdir", "--initstyle", "--netdev"):  # fmt: skip
            if not words:
                await sys.err(f"vserver-build: option '{word}' requires an argument\n")
                return 1
            values.setdefault(word, []).append(words.pop(0))
        else:
            await sys.err(f"vserver-build: unrecognized option '{word}'\n")
            return 1
    method = values.get("-m", [""])[-1]
    if not method:
        await sys.err("No build-method specified\n")
        return 1
    if method not in ("skeleton", "clone"):
        text = "is not in the model" if method in METHODS else "unknown"
        await sys.err(
            f"Unknown build-method '{method}'\n"
            if text == "unknown"
            else f"vserver-build: the method '{method}' needs a network and packages\n"
        )
        return 1
    return await _build(sys, name, method, values, rest)


async def _build(
    sys: Process, name: str, method: str, values: dict[str, list[str]], rest: list[str]
) -> int:
    confdir = f"{config.CONFDIR}/{name}"
    base = values.get("--rootdir", [config.DEFAULT_BASE])[-1]
    vdir = f"{base}/{name}"
    for path in (confdir, vdir):
        if await sys.succeeds("stat", path) and "--force" not in values:
            await sys.err(
                f"vserver-topdirectory '{path}' and/or configuration at '{confdir}'"
                " exist already; please try to use '--force', or remove them manually\n"
            )
            return 1
    if not await kernel.is_new(sys):
        await sys.err("vserver: this host has the tools of 2003: write a NAME.conf\n")
        return 1
    source = ""
    if method == "clone":
        given = dict(itertools.pairwise(rest))
        source = given.get("--source", "")
        if not source or not await config.is_directory(sys, source):
            await sys.err("vserver-build.clone: no or invalid --source given\n")
            return 1
    await _configure(sys, confdir, name, base, values)
    await _directories(sys, base)
    await sys.call("mkdir", vdir, 0o755)
    if source:
        await copy(sys, source, vdir)
    else:
        await _skeleton(sys, vdir)
    return 0


async def _directories(sys: Process, path: str) -> None:
    """mkdir -p, with the barrier that vserver-build sets on the directory of all guests."""
    if not await sys.succeeds("stat", path):
        await sys.call("mkdir", path, 0o755)
    barrier: Value = {"name": path, "flags": ["barrier"], "mask": ["barrier"]}
    await sys.succeeds("vserver", "VCMD_set_iattr", 0, barrier)


async def _configure(
    sys: Process, confdir: str, name: str, base: str, values: dict[str, list[str]]
) -> None:
    """vserver-setup.functions: one file for each setting."""
    number = values.get("--context", [""])[-1] or str(await _free_context(sys))
    files = {
        "name": name,
        "context": number,
        "vdirbase": base,
        "uts/nodename": values.get("--hostname", [name])[-1],
        "apps/init/style": values.get("--initstyle", ["sysv"])[-1],
        "apps/init/cmd.start": "/bin/sleep\n86400",
    }
    if "--flags" in values:
        files["flags"] = values["--flags"][-1].replace(",", "\n")
    for index, given in enumerate(values.get("--interface", [])):
        label, equals, value = given.rpartition("=")
        device, colon, address = value.rpartition(":")
        above = f"interfaces/{label if equals else index}"
        files[f"{above}/ip"] = address
        files[f"{above}/dev"] = device if colon else values.get("--netdev", ["dummy0"])[-1]
    for path, text in files.items():
        await write(sys, f"{confdir}/{path}", f"{text}\n")


async def _free_context(sys: Process) -> int:
    """A static number that no other guest has (vserver-build: 40000 and up)."""
    taken = {guest.context for guest in await config.configured(sys)}
    return next(number for number in range(40000, 49152) if number not in taken)


async def write(sys: Process, path: str, text: str) -> None:
    """A small file, and the directories above it."""
    above = path.rpartition("/")[0]
    made = ""
    for part in above.strip("/").split("/"):
        made += f"/{part}"
        if not await sys.succeeds("stat", made):
            await sys.call("mkdir", made, 0o755)
    await files.write(sys, path, text)


async def _skeleton(sys: Process, vdir: str) -> None:
    for name in _DIRECTORIES:
        await sys.call("mkdir", f"{vdir}/{name}", 0o755)
    await sys.call("chmod", f"{vdir}/tmp", 0o1777)
    for name, major, minor in _NODES:
        await sys.call("mknod", f"{vdir}/dev/{name}", S_IFCHR | 0o666, major << 8 | minor)


async def copy(sys: Process, source: str, target: str) -> None:
    """vclone(8): unified files are linked, all others copied."""
    for name in await sys.names(source):
        old, new = f"{source}/{name}", f"{target}/{name}"
        found = await sys.lstat(old)
        mode = found["mode"]
        match mode & S_IFMT:
            case x if x == S_IFDIR:
                await sys.call("mkdir", new, mode & 0o7777)
                await copy(sys, old, new)
            case x if x == S_IFLNK:
                await sys.call("symlink", await sys.readlink(old), new)
            case x if x in (S_IFCHR, S_IFBLK):
                await sys.succeeds("mknod", new, mode, found["rdev"])
            case x if x == S_IFREG:
                await _copy_file(sys, old, new, mode)
            case _:
                continue
        if mode & S_IFMT not in (S_IFLNK, S_IFREG):
            await sys.succeeds("chown", new, found["uid"], found["gid"])
            await sys.succeeds("chmod", new, mode & 0o7777)


async def _copy_file(sys: Process, old: str, new: str, mode: int) -> None:
    flags = (await kernel.ask(sys, "get_iattr", 0, {"name": old}))["flags"]
    if "iunlink" in flags and "immutable" in flags:
        await sys.call("link", old, new)
        return
    content = await sys.slurp(old)
    fd = await sys.value("open", new, _WRITES, mode & 0o7777)
    await sys.write(fd, content)
    await sys.close(fd)
    found = await sys.lstat(old)
    await sys.succeeds("chown", new, found["uid"], found["gid"])
    await sys.succeeds("chmod", new, mode & 0o7777)


async def remove(sys: Process, path: str) -> None:
    """rm -rf."""
    try:
        mode = (await sys.lstat(path))["mode"]
    except SysError:
        return
    if mode & S_IFMT == S_IFDIR:
        for name in await sys.names(path):
            await remove(sys, f"{path}/{name}")
        await sys.succeeds("rmdir", path)
        return
    await sys.succeeds("unlink", path)
