"""apt-get, apk and pip without an index: what Dockerfiles in the wild begin with.

A package that stands for programs of this room brings them; of any other its name is noted, in the
place where the real tool notes it, so that layers, caches and sizes of a build behave.
"""

import json
import re
from collections.abc import Mapping, Sequence

from simulator.machine.abi.constants import O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_WRONLY
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter

_BRINGS: dict[str, tuple[str, ...]] = {
    "apache2-utils": ("htpasswd",), "bash": ("bash",), "curl": ("curl",),
    "bind-tools": ("dig",), "bind9-dnsutils": ("dig",), "dnsutils": ("dig",), "git": ("git",),
    "default-mysql-client": ("mysql", "mysqladmin"), "mysql-client": ("mysql", "mysqladmin"),
    "netcat-openbsd": ("nc",), "nginx": ("nginx",), "nodejs": ("node",), "npm": ("npm",),
    "postgresql-client": ("psql", "pg_isready"), "py3-pip": ("pip",), "python3": ("python3",),
    "python3-pip": ("pip",), "redis": ("redis-server", "redis-cli"),
    "redis-tools": ("redis-cli",), "wget": ("wget",), "yarn": ("yarn",),
}  # fmt: skip
"""Packages that bring programs of this room."""
_SCRIPTS = {"nodemon": ("nodemon",)}
_COMMANDS = {"flask": ("flask",), "gunicorn": ("gunicorn",), "uvicorn": ("uvicorn",),
             "fastapi": ("fastapi", "uvicorn")}  # fmt: skip
"""Libraries of languages that bring programs of this room."""
_KNOWN = frozenset(
    ("build-essential", "build-base", "ca-certificates", "cmake", "cowsay", "file", "fortune",
     "g++", "gcc", "gnupg", "htop", "iproute2", "iputils-ping", "jq", "less", "libffi-dev",
     "libpq-dev", "linux-headers", "lsb-release", "make", "man-db", "musl-dev", "nano", "neovim",
     "net-tools", "openssh-client", "openssl", "openssl-dev", "postgresql-dev", "procps",
     "python3-dev", "python3-venv", "rsync", "software-properties-common", "sudo", "tar", "tini",
     "tree", "tzdata", "unzip", "vim", "xz-utils", "zip", "zlib1g-dev")
)  # fmt: skip
"""Packages that are only noted."""
_NAME = re.compile(r"[A-Za-z0-9@][A-Za-z0-9._/@+-]*")


async def _make(sys: Process, path: str) -> None:
    if path and not await sys.succeeds("stat", path):
        await _make(sys, path.rpartition("/")[0])
        await sys.succeeds("mkdir", path, 0o755)


async def note(sys: Process, path: str, text: str, *, more: bool = False) -> None:
    """Write a file, or add to it with ``more``; directories above it are made."""
    await _make(sys, path.rpartition("/")[0])
    flags = O_WRONLY | O_CREAT | (O_APPEND if more else O_TRUNC)
    fd = await sys.open(path, flags, 0o644)
    await sys.write(fd, text.encode())
    await sys.close(fd)


async def _bring(
    sys: Process,
    package: str,
    place: str = "/usr/bin",
    known: Mapping[str, tuple[str, ...]] = _BRINGS,
) -> None:
    """Put a package's programs into ``place``: made of the very file that runs now."""
    if package not in known:
        return
    await _make(sys, place)
    content = await sys.slurp("/proc/self/exe")
    for name in known[package]:
        try:
            fd = await sys.open(f"{place}/{name}", O_WRONLY | O_CREAT | O_EXCL, 0o755)
        except SysError:
            continue
        await sys.write(fd, content)
        await sys.close(fd)


def _words(argv: Sequence[str]) -> list[str]:
    return [word for word in argv[1:] if not word.startswith("-")]


@enter("apt-get", "apt", collection=IMAGES)
async def apt(sys: Process, argv: Sequence[str]) -> int:
    """``apt-get update``, ``install``, ``remove``, ``clean``, ``upgrade``."""
    command, *packages = _words(argv) or [""]
    if command == "update":
        lists = "/var/lib/apt/lists"
        await note(sys, f"{lists}/deb.debian.org_dists_stable_main_Packages", "simulated\n")
        await sys.out("Get:1 http://deb.debian.org/debian stable InRelease [151 kB]\n"
                      "Reading package lists...\n")  # fmt: skip
        return 0
    if command in ("clean", "autoclean", "autoremove", "upgrade", "dist-upgrade"):
        await sys.out("Reading package lists...\n0 upgraded, 0 newly installed, 0 to remove and"
                      " 0 not upgraded.\n")  # fmt: skip
        return 0
    if command not in ("install", "remove", "purge"):
        await sys.err(f"E: Invalid operation {command}\n")
        return 100
    await sys.out("Reading package lists...\nBuilding dependency tree...\n")
    if not await _names(sys, "/var/lib/apt/lists"):
        await sys.err(f"E: Unable to locate package {packages[0]}\n" if packages else "")
        return 100 if packages else 0
    if command == "install":
        return await _apt_install(sys, [one.partition("=")[0] for one in packages])
    return 0


async def _names(sys: Process, path: str) -> list[str]:
    try:
        return await sys.names(path)
    except SysError:
        return []


async def _apt_install(sys: Process, packages: list[str]) -> int:
    unknown = [one for one in packages if one not in _BRINGS and one not in _KNOWN]
    for one in unknown:
        await sys.err(f"E: Unable to locate package {one}\n")
    if unknown:
        return 100
    await sys.out("The following NEW packages will be installed:\n  " + " ".join(packages) + "\n")
    for one in packages:
        await sys.out(f"Setting up {one} (simulated) ...\n")
        await note(sys, f"/var/lib/dpkg/info/{one}.list", "/.\n")
        await _bring(sys, one)
    return 0


@enter("dpkg", collection=IMAGES)
async def dpkg(sys: Process, argv: Sequence[str]) -> int:
    """``dpkg -l``: what was installed; ``--print-architecture``."""
    if "--print-architecture" in argv:
        machine = str((await sys.data("uname"))["machine"])
        await sys.out({"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine) + "\n")
        return 0
    for name in sorted(await _names(sys, "/var/lib/dpkg/info")):
        await sys.out(f"ii  {name.removesuffix('.list'):<30} simulated\n")
    return 0


@enter("apk", collection=IMAGES)
async def apk(sys: Process, argv: Sequence[str]) -> int:
    """``apk add``, ``del``, ``update``, ``info``."""
    command, *packages = _words(argv) or [""]
    if command in ("update", "upgrade"):
        await sys.out("OK: 24000 distinct packages available\n")
        return 0
    if command == "info":
        await sys.out(await sys.text_or_empty("/etc/apk/world"))
        return 0
    if command == "del":
        return 0
    if command != "add":
        await sys.err(f"apk: '{command}' is not an apk command\n")
        return 1
    wanted = [re.split("[=<>~]", one)[0] for one in packages if not one.startswith(".")]
    unknown = [one for one in wanted if one not in _BRINGS and one not in _KNOWN]
    if unknown:
        await sys.err("ERROR: unable to select packages:\n")
        for one in unknown:
            await sys.err(f"  {one} (no such package):\n    required by: world[{one}]\n")
        return len(unknown)
    for number, one in enumerate(wanted, 1):
        await sys.out(f"({number}/{len(wanted)}) Installing {one} (simulated)\n")
        await note(sys, "/etc/apk/world", f"{one}\n", more=True)
        await _bring(sys, one)
    await sys.out(f"OK: {8 + 3 * len(wanted)} MiB in {14 + len(wanted)} packages\n")
    return 0


@enter("pip", collection=IMAGES)
async def pip(sys: Process, argv: Sequence[str]) -> int:
    """``pip install [-r FILE] NAME ...``, ``list``, ``freeze``, ``--version``."""
    place = "/usr/local/lib/python3/site-packages"
    if "--version" in argv:
        await sys.out(f"pip 24.3.1 from {place}/pip\n")
        return 0
    command, *names = _words(argv) or [""]
    if command in ("list", "freeze"):
        for one in sorted(await _names(sys, place)):
            await sys.out(one.removesuffix(".dist-info").replace("-", "==") + "\n")
        return 0
    if command != "install":
        await sys.err(f'ERROR: unknown command "{command}"\n')
        return 1
    words = list(argv)
    for flag in ("-r", "--requirement"):
        if flag in words[:-1]:
            path = words[words.index(flag) + 1]
            names = [one for one in names if one != path]
            try:
                text = await sys.text(path)
            except SysError:
                await sys.err(f"ERROR: Could not open requirements file: [Errno 2] No such file"
                              f" or directory: '{path}'\n")  # fmt: skip
                return 1
            lines = [line.partition("#")[0].strip() for line in text.splitlines()]
            names += [line for line in lines if line]
    made: list[str] = []
    for one in names:
        parts = re.split(r"[\[<>=!~; ]+", one, maxsplit=1)
        if not _NAME.fullmatch(parts[0]) or parts[0] == ".":
            continue
        pinned = re.search(r"==\s*([\w.]+)", one)
        made.append(f"{parts[0]}-{pinned[1] if pinned else '1.0.0'}")
        await sys.out(f"Collecting {one} (simulated)\n")
        await note(sys, f"{place}/{made[-1]}.dist-info", f"Name: {parts[0]}\n")
        await _bring(sys, parts[0].lower(), "/usr/local/bin", _COMMANDS)
    if made:
        await sys.out(f"Successfully installed {' '.join(made)}\n")
    return 0


async def modules(sys: Process, names: Sequence[str], *, every: bool) -> int | None:
    """Note what package.json and ``names`` ask for in node_modules: how many, None for no JSON.

    ``every``: what only a developer needs, too.
    """
    try:
        told = json.loads(await sys.text_or_empty("package.json") or "{}")
        wanted = [*names, *told.get("dependencies", {})]
        wanted += [*told.get("devDependencies", {})] if every else []
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    where = (await sys.data("getcwd", 4096)) or "/"
    above = str(where).rstrip("/") if isinstance(where, str) else "."
    for one in wanted:
        if _NAME.fullmatch(one):
            text = f'{{"name": "{one}"}}\n'
            await note(sys, f"{above}/node_modules/{one}/package.json", text)
        await _bring(sys, one, f"{above}/node_modules/.bin", _SCRIPTS)
    return len(wanted)
