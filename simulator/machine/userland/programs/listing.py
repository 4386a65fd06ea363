"""ls(1), in busybox's columns."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from simulator.machine.abi.constants import S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT
from simulator.machine.userland import calendar, modes
from simulator.machine.userland.accounts import Names
from simulator.machine.userland.options import Options, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_HALF_YEAR = 365 * 86_400 // 2


class Entry(NamedTuple):
    """A file to be listed: how it is shown, where it is, what lstat(2) said."""

    name: str
    path: str
    status: dict[str, int]


@enter("ls")
async def ls(sys: Process, argv: Sequence[str]) -> int:
    """List files and directories; 1 when one can't be looked at."""
    options = parse(argv, "1AaCdFhHiLlnpRrSstxegkZuUcv", {"all": "a", "color": "1"})
    listing = _Listing(sys, options)
    files: list[Entry] = []
    directories: list[Entry] = []
    for path in options.rest or ["."]:
        entry = await listing.look(path, path, follow=not options.has("l"))
        if entry is not None:
            is_directory = entry.status["mode"] & S_IFMT == S_IFDIR and not options.has("d")
            (directories if is_directory else files).append(entry)
    await listing.show(files)
    many = len(options.rest) > 1 or options.has("R")
    for number, directory in enumerate(listing.ordered(directories)):
        await listing.directory(directory, title=many, first=not (number or files))
    return listing.status


class _Listing:
    """One run of ls: its options and what went wrong so far."""

    def __init__(self, sys: Process, options: Options) -> None:
        self.sys = sys
        self.options = options
        self.names = Names(sys)
        self.status = 0
        self.now: int | None = None

    async def look(self, name: str, path: str, *, follow: bool = False) -> Entry | None:
        """lstat(2), or stat(2) for what the command line names; None after a complaint."""
        follow = (follow or self.options.has("L")) and not self.options.has("d")
        try:
            return Entry(name, path, await self.sys.data("stat" if follow else "lstat", path))
        except SysError as error:
            if follow:
                try:
                    return Entry(name, path, await self.sys.lstat(path))
                except SysError:
                    pass
            self.status = await self.sys.fault(path, error)
            return None

    def ordered(self, entries: list[Entry]) -> list[Entry]:
        """By name, time (-t) or size (-S); -r turns it round."""
        entries = sorted(entries, key=lambda entry: entry.name)
        if self.options.has("t"):
            entries.sort(key=lambda entry: -entry.status.get("mtime", 0))
        if self.options.has("S"):
            entries.sort(key=lambda entry: -entry.status["size"])
        return entries[::-1] if self.options.has("r") else entries

    async def directory(self, entry: Entry, *, title: bool, first: bool) -> None:
        """A directory's content, with its name above it where there are several."""
        if title:
            await self.sys.out(("" if first else "\n") + f"{entry.path}:\n")
        try:
            opened = await self.sys.open_directory(entry.path)
        except SysError as error:
            self.status = await self.sys.fault(f"can't open '{entry.path}'", error)
            return
        names = [name for name in await self.sys.entries(opened) if self._wanted(name)]
        if self.options.has("a"):
            names += [".", ".."]
        prefix = entry.path.rstrip("/") + "/"
        entries = [e for name in names if (e := await self.look(name, prefix + name)) is not None]
        await self.sys.close(opened)
        if self.options.has("l") or self.options.has("s"):
            await self.sys.out(f"total {sum(map(_blocks, entries)) // 2}\n")
        await self.show(entries)
        if self.options.has("R"):
            for below in self.ordered(entries):
                if below.status["mode"] & S_IFMT == S_IFDIR and below.name not in (".", ".."):
                    await self.directory(below, title=True, first=False)

    def _wanted(self, name: str) -> bool:
        return not name.startswith(".") or self.options.has("a") or self.options.has("A")

    async def show(self, entries: list[Entry]) -> None:
        """One line for each file."""
        for entry in self.ordered(entries):
            await self.sys.out(await self.line(entry) + "\n")

    async def line(self, entry: Entry) -> str:
        """A file's line, long or short."""
        status, options = entry.status, self.options
        out = f"{status['ino']:7} " if options.has("i") else ""
        if options.has("s"):
            out += f"{_blocks(entry) // 2:6} "
        if options.has("l") or options.has("n") or options.has("g"):
            out += await self._long(status)
        out += entry.name + self._mark(status)
        if options.has("l") and status["mode"] & S_IFMT == S_IFLNK:
            try:
                out += f" -> {await self.sys.readlink(entry.path)}"
            except SysError as error:
                self.status = await self.sys.fault(f"{entry.path}: cannot read link", error)
        return out

    async def _long(self, status: dict[str, int]) -> str:
        mode = status["mode"]
        if self.options.has("n"):
            owner, group = str(status["uid"]), str(status["gid"])
        else:
            owner = await self.names.user(status["uid"])
            group = await self.names.group(status["gid"])
        if mode & S_IFMT in (S_IFBLK, S_IFCHR):
            size = f"{status['rdev'] >> 8 & 0xFFF:4}, {status['rdev'] & 0xFF:3}"
        elif self.options.has("h"):
            size = f"{human(status['size']):>9}"
        else:
            size = f"{status['size']:9}"
        date = await self._date(status.get("mtime", 0))
        return (
            f"{modes.letters(mode)} {status['nlink']:4} {owner[:8]:<8} {group[:8]:<8} "
            f"{size} {date} "
        )

    async def _date(self, nanoseconds: int) -> str:
        if self.now is None:
            self.now = cast("tuple[int, int]", await self.sys.data("clock_gettime", 0))[0]
        seconds = nanoseconds // 1_000_000_000
        when = calendar.moment(seconds)
        day = f"{calendar.MONTHS[when.month - 1]} {when.day:2}"
        if -60 <= self.now - seconds < _HALF_YEAR:
            return f"{day} {when.hour:02}:{when.minute:02}"
        return f"{day}  {when.year}"

    def _mark(self, status: dict[str, int]) -> str:
        kind = status["mode"] & S_IFMT
        if kind == S_IFDIR and (self.options.has("F") or self.options.has("p")):
            return "/"
        if not self.options.has("F"):
            return ""
        if kind == S_IFLNK:
            return "@"
        marks = {0o010000: "|", 0o140000: "="}
        return marks.get(kind, "*" if status["mode"] & 0o111 else "")


def _blocks(entry: Entry) -> int:
    """512-byte blocks, by the size when stat(2) does not say."""
    size, kind = entry.status["size"], entry.status["mode"] & S_IFMT
    if kind == S_IFDIR:
        whole = size // 4096 * 8
    else:
        whole = (size + 4095) // 4096 * 8 if kind != S_IFLNK else 0
    return entry.status.get("blocks", whole)


def human(size: int) -> str:
    """A size with one decimal and a unit: 1.5K."""
    if size < 1024:
        return str(size)
    value = float(size)
    for unit in "KMGTPE":
        value /= 1024
        if value < 1024 or unit == "E":
            return f"{value:.1f}{unit}"
    return str(size)
