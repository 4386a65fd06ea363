"""grep(1), as busybox's: patterns, what to print of the lines that match, and lines around them."""

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulator.machine.userland.options import Options, UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.text import basic_pattern, posix_classes, regex
from simulator.machine.userland.registry import enter

_LETTERS = "HhnlLoqsriEFwxvce:f:m:A:B:C:R"


@dataclass(frozen=True)
class _Asked:
    """What the options say. ``before`` and ``after`` count lines of context."""

    pattern: re.Pattern[str]
    options: Options
    names: bool
    before: int
    after: int
    most: int | None

    def has(self, letter: str) -> bool:
        """Whether an option was given."""
        return self.options.has(letter)

    def matches(self, line: str) -> bool:
        """Whether ``line`` is one to print."""
        return bool(self.pattern.search(line)) != self.has("v")


@enter("grep", "egrep", "fgrep")
async def grep(sys: Process, argv: Sequence[str]) -> int:
    """grep(1): 0 when something matched, 1 when nothing, 2 after an error."""
    options = parse(argv, _LETTERS)
    rest = list(options.rest)
    patterns = list(options.values.get("e", []))
    for path in options.values.get("f", []):
        patterns += (await sys.text(path)).splitlines()
    if not patterns and "f" not in options.values:
        if not rest:
            raise UsageError("no pattern")
        patterns = [rest.pop(0)]
    recursive = options.has("r") or options.has("R")
    paths = await _below(sys, rest) if recursive else rest
    names = (len(paths) > 1 or options.has("H")) and not options.has("h")
    try:
        compiled = _compiled(sys, options, patterns)
    except UsageError as error:
        await sys.complain(str(error))
        return 2
    asked = _Asked(compiled, options, names, *_numbers(options))
    found, failed = False, False
    for path in paths or ["-"]:
        lines = await _lines(sys, path, quiet=options.has("s"))
        if lines is None:
            failed = True
            continue
        hits = [at for at, line in enumerate(lines) if asked.matches(line)][: asked.most]
        found = found or bool(hits) != options.has("L")
        if not options.has("q"):
            await sys.out(_told(asked, path, lines, hits))
    return 2 if failed else int(not found)


def _compiled(sys: Process, options: Options, patterns: list[str]) -> re.Pattern[str]:
    fixed = options.has("F") or sys.name == "fgrep"
    extended = options.has("E") or sys.name == "egrep"
    spelled = [_spelled(p, fixed=fixed, extended=extended) for p in "\n".join(patterns).split("\n")]
    for one, given in zip(spelled, "\n".join(patterns).split("\n"), strict=True):
        try:
            re.compile(one)
        except re.error:
            raise UsageError(f"bad regex '{given}'") from None
    joined = "|".join(f"(?:{p})" for p in spelled) if patterns else "(?!)"
    joined = rf"\b(?:{joined})\b" if options.has("w") else joined
    joined = f"^(?:{joined})$" if options.has("x") else joined
    return regex(joined, re.IGNORECASE if options.has("i") else 0)


def _spelled(pattern: str, *, fixed: bool, extended: bool) -> str:
    if fixed:
        return re.escape(pattern)
    return posix_classes(pattern if extended else basic_pattern(pattern))


def _numbers(options: Options) -> tuple[int, int, int | None]:
    """Lines before, lines after, and how many matches are enough."""
    around = options.values.get("C", ["0"])[-1]
    before = options.values.get("B", [around])[-1]
    after = options.values.get("A", [around])[-1]
    most = options.values.get("m")
    return to_number(before), to_number(after), to_number(most[-1]) if most else None


def _told(asked: _Asked, path: str, lines: list[str], hits: list[int]) -> str:
    shown = path if path != "-" else "(standard input)"
    if asked.has("l") or asked.has("L"):
        return f"{shown}\n" if bool(hits) == asked.has("l") else ""
    if asked.has("c"):
        return f"{shown}:{len(hits)}\n" if asked.names else f"{len(hits)}\n"
    if asked.has("o"):
        return "".join(
            f"{_head(asked, shown, at, ':')}{match.group()}\n"
            for at in hits
            for match in asked.pattern.finditer(lines[at])
            if match.group()
        )
    out = ""
    matching = set(hits)
    for at in _with_context(asked, len(lines), hits):
        mark = ":" if at in matching else "-"
        out += "--\n" if at < 0 else f"{_head(asked, shown, at, mark)}{lines[at]}\n"
    return out


def _head(asked: _Asked, path: str, at: int, mark: str) -> str:
    name = f"{path}{mark}" if asked.names else ""
    return f"{name}{at + 1}{mark}" if asked.has("n") else name


def _with_context(asked: _Asked, count: int, hits: list[int]) -> Iterator[int]:
    """The places of the lines to print, in order; -1 between two groups that do not touch."""
    last = -1
    around = asked.before or asked.after
    for at, following in zip(hits, [*hits[1:], count], strict=False):
        first = max(at - asked.before, last + 1)
        if around and last >= 0 and first > last + 1:
            yield -1
        # What comes after a match is printed up to the next one, which prints its own
        end = min(at + asked.after, following - 1)
        yield from range(first, end + 1)
        last = max(last, end)


async def _lines(sys: Process, path: str, *, quiet: bool) -> list[str] | None:
    try:
        fd = 0 if path == "-" else await sys.open(path)
        content = b""
        while block := await sys.read(fd):
            content += block
        if fd:
            await sys.close(fd)
    except SysError as error:
        if not quiet:
            await sys.fault(path, error)
        return None
    text = content.decode("utf-8", "surrogateescape")
    return text.split("\n")[: None if content[-1:] not in (b"\n", b"") else -1]


async def _below(sys: Process, paths: list[str], *, named: bool = True) -> list[str]:
    """The files below, as grep(1) -r has it.

    A symbolic link is followed only where somebody ``named`` it; a device, a pipe or a socket that
    nobody named is skipped.
    """
    found: list[str] = []
    for path in paths or (["."] if named else []):
        try:
            kind = stat.S_IFMT((await sys.lstat(path))["mode"])
            if not named and kind not in (stat.S_IFREG, stat.S_IFDIR):
                continue
            names = await sys.names(path)
        except SysError:
            found.append(path)
            continue
        inside = [f"{path.rstrip('/')}/{name}" for name in sorted(names)]
        found += await _below(sys, inside, named=False)
    return found
