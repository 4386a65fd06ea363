"""vzlist(8): containers, those that run or all. Source: vzctl src/vzlist.c."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from simulator.isolation.control import files
from simulator.isolation.control.openvz import config, state
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.technologies.options.openvz import BYTES, PAGES, PIECES
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

DEFAULT = "ctid,numproc,status,ip,hostname"
BY_NAME = "smart_name,numproc,status,ip,hostname"
_LONG = {
    "all": "a", "stopped": "S", "no-header": "H", "no-trim": "t", "name": "n", "output": "o",
    "sort": "s", "list": "L", "hostname": "h", "name_filter": "N", "json": "j",
}  # fmt: skip
_RESOURCES = PAGES | BYTES | PIECES
_COLUMNS = {"": 1, ".m": 2, ".b": 3, ".l": 4, ".f": 5}
"""held, maxheld, barrier, limit, failcnt: their places in /proc/user_beancounters."""


class Row(NamedTuple):
    """What is known of one container."""

    veid: int
    container: Container | None
    running: bool
    processes: int
    addresses: tuple[str, ...]
    counters: Mapping[str, tuple[str, ...]]
    status: str

    def conf(self, name: str) -> str:
        """A value of its file, or ``-``."""
        return (self.container.get(name) if self.container is not None else "") or "-"


class Field(NamedTuple):
    """A column: its heading, its format, its value."""

    heading: str
    width: int
    value: Callable[[Row], str]


def _conf(name: str, part: int | None = None) -> Callable[[Row], str]:
    """A value of the container's file, or its part before (0) or after (1) the colon."""

    def value(row: Row) -> str:
        text = row.conf(name)
        return text if part is None else text.split(":")[-1 if part else 0]

    return value


def _ctid(row: Row) -> str:
    return str(row.veid)


def _smart_name(row: Row) -> str:
    name = row.conf("NAME")
    return _ctid(row) if name == "-" else name


def _status(row: Row) -> str:
    return row.status


def _ip(row: Row) -> str:
    own = " ".join(row.addresses) if row.running else row.conf("IP_ADDRESS")
    return own or "-"


FIELDS: dict[str, Field] = {
    "ctid": Field("CTID", 10, _ctid),
    "veid": Field("CTID", 10, _ctid),
    "vpsid": Field("CTID", 10, _ctid),
    "private": Field("PRIVATE", -32, _conf("VE_PRIVATE")),
    "root": Field("ROOT", -32, _conf("VE_ROOT")),
    "origin_sample": Field("ORIGIN_SAMPLE", 32, _conf("ORIGIN_SAMPLE")),
    "hostname": Field("HOSTNAME", -32, _conf("HOSTNAME")),
    "name": Field("NAME", -32, _conf("NAME")),
    "smart_name": Field("SMARTNAME", 10, _smart_name),
    "description": Field("DESCRIPTION", -32, _conf("DESCRIPTION")),
    "ostemplate": Field("OSTEMPLATE", -32, _conf("OSTEMPLATE")),
    "ip": Field("IP_ADDR", -15, _ip),
    "status": Field("STATUS", -9, _status),
    "cpuunits": Field("CPUUNI", 7, _conf("CPUUNITS")),
    "cpulimit": Field("CPULIM", 7, _conf("CPULIMIT")),
    "diskspace.s": Field("DSPACE.S", 10, _conf("DISKSPACE", 0)),
    "diskspace.h": Field("DSPACE.H", 10, _conf("DISKSPACE", 1)),
    "onboot": Field("ONBOOT", 6, _conf("ONBOOT")),
    "features": Field("FEATURES", -15, _conf("FEATURES")),
    "capability": Field("CAPABILITY", -15, _conf("CAPABILITY")),
}


def field(name: str) -> Field | None:
    """The column called ``name``; those of beancounters are made by their names."""
    if name in FIELDS:
        return FIELDS[name]
    base, dot, letter = name.partition(".")
    place = _COLUMNS.get(f"{dot}{letter}")
    if base not in _RESOURCES or place is None:
        return None
    heading = "NPROC" if base == "numproc" else base.upper()
    suffix = f".{letter.upper()}" if letter else ""

    def value(row: Row) -> str:
        found = row.counters.get(base)
        return "-" if found is None else found[place]

    return Field(heading + suffix, 10, value)


@enter("vzlist", collection=TOOLS)
async def vzlist(sys: Process, argv: Sequence[str]) -> int:
    """The status is 1 for wrong usage, and for numbers of which no container is known."""
    try:
        options = parse(argv, "aSHtn1jo:s:Lh:N:d:", _LONG)
    except UsageError as error:
        return await sys.complain(str(error))
    if options.has("L"):
        await sys.out("".join(f"{name}\n" for name in (*FIELDS, *sorted(_RESOURCES))))
        return 0
    default = BY_NAME if options.has("n") else DEFAULT
    names = "ctid" if options.has("1") else options.value("o", default)
    wide = options.has("j") and not options.has("o")
    chosen = _SHOWN if wide else names.split(",")
    fields: list[Field] = []
    for name in chosen:
        found = field(name)
        if found is None:
            await sys.err(f"Unknown field: {name}\n")
            return 1
        fields.append(found)
    order = options.value("s", "ctid")
    key = field(order.removeprefix("-"))
    if key is None:
        await sys.err(f"Invalid sort field name: {order.removeprefix('-')}\n")
        return 1
    strange = next((word for word in options.rest if not word.isdigit()), None)
    if strange is not None:
        await sys.err(f"CT ID {strange} is invalid.\n")
        return 1
    rows = await _rows(sys)
    wanted = {int(word) for word in options.rest if word.isdigit()}
    if wanted:
        rows = [row for row in rows if row.veid in wanted]
    elif options.has("S"):
        rows = [row for row in rows if not row.running]
    elif not options.has("a"):
        rows = [row for row in rows if row.running]
    for letter, name in (("h", "hostname"), ("N", "name")):
        pattern = options.value(letter)
        if pattern:
            value = FIELDS[name].value
            rows = [row for row in rows if fnmatch.fnmatchcase(value(row), pattern)]
    if not rows:
        await sys.err("Container(s) not found\n")
        return 1
    if key.heading != "CTID":
        rows.sort(key=key.value)
    if order.startswith("-"):
        rows.reverse()
    if options.has("j"):
        await sys.out(_json(list(zip(chosen, fields, strict=True)), rows))
        return 0
    if not (options.has("H") or options.has("1")):
        await sys.out(_line(fields, [one.heading for one in fields]))
    for row in rows:
        await sys.out(_line(fields, [one.value(row) for one in fields]))
    return 0


def _line(fields: list[Field], words: list[str]) -> str:
    """Words longer than their column are cut, and of addresses one is shown: not in the last."""
    cells: list[str] = []
    for place, (one, word) in enumerate(zip(fields, words, strict=True)):
        if place < len(fields) - 1 and one.width < 0:
            word = (word.partition(" ")[0] if one.heading == "IP_ADDR" else word)[: -one.width]
        cells.append(word.ljust(-one.width) if one.width < 0 else word.rjust(one.width))
    return " ".join(cells).rstrip() + "\n"


_SHOWN = [name for name in FIELDS if name not in ("veid", "vpsid")]
"""What -j tells of each where no fields are named; beancounters are left out."""
_LISTS = frozenset(("ip", "features", "capability"))
_NUMBERS = frozenset(("diskspace", "ctid", "veid", "vpsid", "cpuunits", "cpulimit"))


def _json(fields: list[tuple[str, Field]], rows: list[Row]) -> str:
    """print_one_ve_json(): an object for each container, a field a line."""
    objects: list[str] = []
    for row in rows:
        lines = [f'    "{name}": {_value(name, one.value(row))}' for name, one in fields]
        objects.append("  {\n" + ",\n".join(lines) + "\n  }")
    return "[\n" + ",\n".join(objects) + "\n]\n"


def _value(name: str, word: str) -> str:
    absent = word == "-"
    if name in _LISTS:
        words = [] if absent else word.split()
        return "[" + ", ".join(f'"{one}"' for one in words) + "]"
    if absent:
        return "null"
    counted = name.partition(".")[0] in _NUMBERS | _RESOURCES
    return word if counted and word.isdigit() else f'"{word}"'


async def _rows(sys: Process) -> list[Row]:
    running = await state.numbers(sys)
    told = await sys.text_or_empty("/proc/bc/resources")
    counters = _counters(told or await sys.text_or_empty("/proc/user_beancounters"))
    rows: list[Row] = []
    for veid in sorted({*running, *await config.known(sys)}):
        container = await config.load(sys, veid)
        count, addresses = running.get(veid, (0, ()))
        if veid in running:
            word = "running"
        elif container is None or not await files.exists(sys, container.private):
            word = "stopped"
        elif await files.exists(sys, container.dump):
            word = "suspended"
        else:
            word = "mounted" if await state.is_mounted(sys, container) else "stopped"
        mine = counters.get(veid, {})
        rows.append(Row(veid, container, veid in running, count, addresses, mine, word))
    return rows


def _counters(text: str) -> dict[int, dict[str, tuple[str, ...]]]:
    """Such a table: by container, by resource, the words of its line."""
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    current: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines()[2:]:
        words = line.split()
        if words and words[0].endswith(":"):
            current = found.setdefault(int(words.pop(0)[:-1]), {})
        if words:
            current[words[0]] = tuple(words)
    return found
