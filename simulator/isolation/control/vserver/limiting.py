"""vlimit: limits of a context that runs. Source: src/vlimit.c."""

from collections.abc import Sequence
from typing import Any

from simulator.isolation.control.vserver import kernel
from simulator.isolation.control.vserver.small import Wrong, execute, xid_of
from simulator.isolation.technologies.options.vserver import PAGE, PAGES, RLIMITS
from simulator.machine.abi.constants import RLIM_INFINITY
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = (
    "Usage:  vlimit [--xid|-c <xid>] [-nd] [-a|--all] [[-MSH] --(<resource>|<nr>) <value>]*\n"
    "               [--dir <pathname> [--missingok]] [--] [<program> <args>*]\n"
)
_RESOURCES = (
    "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks",
    "", "msgqueue", "", "", "", "nsock", "openfd", "anon", "shmem", "semary", "nsems", "dentry",
)  # fmt: skip
"""By their numbers (RLIMIT_*, VC_VLIMIT_*)."""
_INFINITE = ("inf", "infinite")
_FAILED = 255


class _Asked:
    """The command line: what is set to what, and what is to be shown."""

    def __init__(self, words: list[str]) -> None:
        self.xid: dict[str, list[str]] = {}
        self.limits: dict[str, int] = {}
        self.shows = self.decimal = self.helps = self.missing_is_fine = False
        self.directory = ""
        while words and words[0].startswith("-"):
            word = words.pop(0)
            if word == "--":
                break
            name, equals, value = word.partition("=")
            if not self._switch(name):
                if not equals and not words:
                    raise Wrong(f"option '{name}' requires an argument")
                self._valued(name, value if equals else words.pop(0))
        self.command = words

    def _switch(self, name: str) -> bool:
        """Options without a value."""
        if name in ("-a", "--all"):
            self.shows = True
        elif name == "-d":
            self.decimal = True
        elif name == "--help":
            self.helps = True
        elif name == "--missingok":
            self.missing_is_fine = True
        elif name not in ("-n", "-M", "-S", "-H"):
            return False
        return True

    def _valued(self, name: str, value: str) -> None:
        if name in ("-c", "--xid"):
            self.xid["--xid"] = [value]
            return
        if name == "--dir":
            self.directory = value
            return
        resource = name.removeprefix("--")
        if resource.isdigit() and int(resource) < len(_RESOURCES):
            resource = _RESOURCES[int(resource)]
        if resource not in _RESOURCES or not resource:
            raise Wrong(f"unrecognized option '{name}'")
        number = parsed(value)
        if number is None:
            raise Wrong(f"Can not parse limit '{value}'")
        self.limits[resource] = number


def parsed(text: str) -> int | None:
    """vc_parseLimit(): a number in any base with k, m, K or M behind it, or ``inf``."""
    text = text.strip()
    if text.lower() in _INFINITE:
        return RLIM_INFINITY
    units = {"k": 1000, "m": 1000**2, "K": 1024, "M": 1024**2}
    try:
        return int(text.rstrip("kmKM") or "x", 0) * units.get(text[-1:], 1)
    except ValueError:
        return None


@enter("vlimit", collection=TOOLS)
async def vlimit(sys: Process, argv: Sequence[str]) -> int:
    """vlimit --xid N [--RESOURCE VALUE]... [--all]."""
    try:
        asked = _Asked(list(argv[1:]))
        if asked.helps:
            await sys.out(_USAGE)
            return 0
        xid = await xid_of(sys, asked.xid)
        if asked.directory:
            asked.limits = {**await _of_directory(sys, asked), **asked.limits}
        for resource, value in asked.limits.items():
            await _set(sys, xid, resource, value)
    except Wrong as error:
        more = "Try 'vlimit --help' for more information.\n" if "option" in str(error) else ""
        await sys.err(f"{error}\n{more}")
        return _FAILED
    if asked.shows:
        await _show(sys, xid, decimal=asked.decimal)
    return await execute(sys, asked.command)


async def _of_directory(sys: Process, asked: _Asked) -> dict[str, int]:
    """readFromDir(): NAME, or NAME.hard, for each resource."""
    path = asked.directory.rstrip("/")
    if not await sys.succeeds("stat", path):
        if asked.missing_is_fine:
            return {}
        raise Wrong(f"vlimit: fstat: {path}: No such file or directory")
    found: dict[str, int] = {}
    for resource in filter(None, _RESOURCES):
        for name in (resource, f"{resource}.hard"):
            text = await sys.text_or_empty(f"{path}/{name}")
            number = parsed(text) if text else None
            if text and number is None:
                raise Wrong(f"Invalid limit in '{path}/{name}'")
            if number is not None:
                found[resource] = number
    return found


async def _set(sys: Process, xid: int, resource: str, value: int) -> None:
    if resource not in RLIMITS:
        text = _("{name}: the simulated kernel lacks this parameter").format(name=resource)
        raise Wrong(f"vlimit: {text}")
    scale = PAGE if resource in PAGES and value != RLIM_INFINITY else 1
    limit = -1 if value == RLIM_INFINITY else value * scale
    try:
        data: dict[str, Any] = {"id": resource, "maximum": limit, "softlimit": limit}
        await kernel.command(sys, "set_rlimit", xid, data)
    except SysError as error:
        await sys.err(f"vc_set_rlimit(): {error.message}\n")


async def _show(sys: Process, xid: int, *, decimal: bool) -> None:
    """showAll(): the least, the soft and the hard limit of each that the kernel counts."""
    for resource in (one for one in _RESOURCES if one in RLIMITS):
        try:
            told = await kernel.ask(sys, "get_rlimit", xid, {"id": resource})
        except SysError as error:
            await sys.err(f"vc_get_rlimit(): {error.message}\n")
            continue
        scale = PAGE if resource in PAGES else 1
        shown = [
            "inf" if value < 0 else str(value // scale) if decimal else f"{value // scale:#x}"
            for value in (told["softlimit"], told["maximum"])
        ]
        # Columns 12, 32 and 52: each value stands two behind its place in the line's buffer.
        await sys.out(f"{resource.upper():<12}{'N/A':<20}{shown[0]:<20}{shown[1]}\n")
