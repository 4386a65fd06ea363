"""sort(1): by whole lines or by keys (busybox ``coreutils/sort.c``)."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process
from simulator.machine.userland.programs.content import contents
from simulator.machine.userland.registry import enter

_NUMBER = re.compile(r"\s*[-+]?\d*(?:\.\d+)?")
_KEY = re.compile(r"(\d+)(?:\.(\d+))?([bdfginrMhV]*)(?:,(\d+)(?:\.(\d+))?([bdfginrMhV]*))?")
_HUMAN = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


class _Key(NamedTuple):
    """``-k START[.OFS][OPTS][,END[.OFS][OPTS]]``; columns are counted from 1, 0 is the end."""

    first: int
    offset: int
    last: int
    stop: int
    letters: str


def _key(text: str) -> _Key:
    found = _KEY.fullmatch(text)
    if found is None or found[1] == "0":
        raise UsageError("bad field specification")
    letters = found[3] + (found[6] or "")
    return _Key(int(found[1]), int(found[2] or 1), int(found[4] or 0), int(found[5] or 0), letters)


def _part(line: str, key: _Key, separator: str) -> str:
    """What of a line a key names; without a separator a field begins with its blanks."""
    cells = line.split(separator) if separator else re.findall(r"\s*\S+", line)
    chosen = cells[key.first - 1 : key.last or None]
    if chosen and key.last and key.stop and len(cells) >= key.last:
        chosen[-1] = chosen[-1][: key.stop]
    if chosen and key.offset > 1:
        chosen[0] = chosen[0][key.offset - 1 :]
    return (separator or "").join(chosen)


def _measure(letters: str) -> Callable[[str], Any]:
    """What lines are compared by."""

    def number(text: str) -> float:
        found = _NUMBER.match(text)
        try:
            return float(found[0]) if found else 0.0
        except ValueError:
            return 0.0

    def human(text: str) -> float:
        found = re.match(r"\s*(-?\d+(?:\.\d+)?)([KMGTPE]?)", text)
        return float(found[1]) * 1024 ** _HUMAN[found[2]] if found else 0.0

    def version(text: str) -> list[tuple[int, int, str]]:
        return [(1, int(one), "") if one.isdigit() else (0, 0, one)
                for one in re.findall(r"\d+|\D+", text)]  # fmt: skip

    def folded(text: str) -> str:
        text = text.lstrip() if "b" in letters else text
        if "d" in letters:
            text = re.sub(r"[^A-Za-z0-9 \t]", "", text)
        return text.upper() if "f" in letters else text

    if "n" in letters or "g" in letters:
        return number
    return human if "h" in letters else version if "V" in letters else folded


def arranged(lines: list[str], options: Options) -> list[str]:
    """The lines in order."""
    overall = "".join(letter for letter in "nrbfdghV" if options.has(letter))
    keys = [_key(text) for text in options.values.get("k", [])]
    separator = options.value("t")
    if not options.has("s"):
        lines = sorted(lines, reverse="r" in overall)
    if not keys:
        return sorted(lines, key=_measure(overall), reverse="r" in overall)
    for key in reversed(keys):
        letters = key.letters or overall
        measure = _measure(letters)

        def by(line: str, key: _Key = key, measure: Callable[[str], Any] = measure) -> Any:
            return measure(_part(line, key, separator))

        lines = sorted(lines, key=by, reverse="r" in letters)
    return lines


@enter("sort")
async def sort(sys: Process, argv: Sequence[str]) -> int:
    """``sort [-nrughVfdbsczu] [-k KEY] [-t CHAR] [-o FILE] [FILE ...]``; 2 for a mistake."""
    try:
        options = parse(argv, "nrubfk:t:o:hcszgVdiM")
    except UsageError as error:
        await sys.complain(str(error))
        return 2
    lines: list[str] = []
    end = "\0" if options.has("z") else "\n"
    async for _, content in contents(sys, options.rest):
        if content is None:
            return 2
        text = content.decode("utf-8", "surrogateescape")
        lines += text.removesuffix(end).split(end) if text else []
    if options.has("c"):
        for number in range(1, len(lines)):
            if arranged(lines[number - 1 : number + 1], options) != lines[number - 1 : number + 1]:
                await sys.err(f"Check line {number}\n")
                return 1
        return 0
    lines = arranged(lines, options)
    if options.has("u"):
        lines = list(dict.fromkeys(lines))
    told = "".join(f"{line}{end}" for line in lines)
    if not options.has("o"):
        await sys.out(told)
        return 0
    fd = await sys.open(options.value("o"), O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    await sys.write(fd, told.encode("utf-8", "surrogateescape"))
    await sys.close(fd)
    return 0
