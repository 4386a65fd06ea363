"""od, hexdump, xxd: bytes in digits (busybox ``od_bloaty.c``, ``hexdump.c``, ``hexdump_xxd.c``)."""

import re
from collections.abc import Iterator, Sequence

from simulator.machine.userland.options import Options, UsageError, parse, to_number
from simulator.machine.userland.process import Process
from simulator.machine.userland.programs.content import contents
from simulator.machine.userland.registry import enter

_ROW = 16
_NAMED = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_OD_LETTERS = {"c": "c", "x": "x2", "b": "o1", "o": "o2", "d": "u2", "h": "x2", "i": "d4",
               "s": "d2", "D": "u4", "O": "o4", "X": "x4", "l": "d8", "a": "a"}  # fmt: skip
_DIGITS = {("o", 1): 3, ("o", 2): 6, ("o", 4): 11, ("o", 8): 22, ("x", 1): 2, ("x", 2): 4,
           ("x", 4): 8, ("x", 8): 16, ("u", 1): 3, ("u", 2): 5, ("u", 4): 10, ("u", 8): 20,
           ("d", 1): 4, ("d", 2): 6, ("d", 4): 11, ("d", 8): 20}  # fmt: skip


async def _content(sys: Process, options: Options, skip: str, count: str) -> tuple[bytes, int, int]:
    """The bytes that are wanted, where they begin, and the status."""
    found = [one async for _, one in contents(sys, options.rest)]
    status = int(any(one is None for one in found))
    content = b"".join(one or b"" for one in found)
    first = to_number(skip, 0) if skip else 0
    content = content[first:]
    return (content[: to_number(count, 0)] if count else content), first, status


def _shown(byte: int) -> str:
    return _NAMED.get(byte) or (chr(byte) if 32 <= byte < 127 else f"{byte:03o}")


def _cells(row: bytes, form: str) -> str:
    """One row of od in a format such as ``x2``."""
    if form in ("c", "a"):
        return "".join(f" {_shown(byte):>3}" for byte in row)
    kind, size = form[0], int(form[1:] or 4)
    pieces = [row[at : at + size].ljust(size, b"\0") for at in range(0, len(row), size)]
    out = ""
    for piece in pieces:
        number = int.from_bytes(piece, "little", signed=kind == "d")
        width = _DIGITS[kind, size]
        letter = {"u": "d", "d": "d"}.get(kind, kind)
        fill = "" if kind in "ud" else "0"
        out += f" {number:{fill}{width}{letter}}"
    return out


@enter("od")
async def od(sys: Process, argv: Sequence[str]) -> int:
    """``od [-abcdhilosxvDOX] [-t TYPE] [-A RADIX] [-j SKIP] [-N COUNT] [FILE ...]``."""
    options = parse(argv, "abcdhilosxvDOXt:A:j:N:w::")
    forms = [_OD_LETTERS[letter] for letter in options.given if letter in _OD_LETTERS]
    for text in options.values.get("t", []):
        for kind, size in re.findall(r"([acdoux])([1248]?)", text):
            forms.append(kind if kind in "ac" else f"{kind}{size or 4}")
    content, first, status = await _content(sys, options, options.value("j"), options.value("N"))
    radix = options.value("A", "o")
    if radix not in ("d", "o", "x", "n"):
        raise UsageError(f"bad output address radix '{radix}' (must be [doxn])")

    def place(at: int) -> str:
        return "" if radix == "n" else f"{at:0{6 if radix == 'x' else 7}{radix}}"

    for at, row in _rows(content, every=options.has("v")):
        if row is None:
            await sys.out("*\n")
            continue
        for number, form in enumerate(forms or ["o2"]):
            head = place(first + at) if not number else " " * len(place(0))
            await sys.out(f"{head}{_cells(row, form)}\n")
    await sys.out(f"{place(first + len(content))}\n" if radix != "n" else "")
    return status


def _rows(content: bytes, *, every: bool) -> Iterator[tuple[int, bytes | None]]:
    """Each row with where it begins; unless ``every``, one None for all that repeat the last."""
    before = b""
    told = False
    for at in range(0, len(content), _ROW):
        row = content[at : at + _ROW]
        again = row == before and len(row) == _ROW and not every
        if not again:
            yield at, row
        elif not told:
            yield at, None
        before, told = row, again


def _canonical(at: int, row: bytes) -> str:
    halves = [" ".join(f"{byte:02x}" for byte in half) for half in (row[:8], row[8:])]
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
    return f"{at:08x}  {'  '.join(one for one in halves if one):<48}  |{text}|\n"


_HEX = {"b": (1, 3, "o", 3), "d": (2, 5, "d", 7), "o": (2, 6, "o", 7), "x": (2, 4, "x", 7)}


def _hex_row(at: int, row: bytes, letter: str) -> str:
    if letter == "c":
        cells = "".join(f" {_shown(byte):>3}" for byte in row)
        return f"{at:07x}{cells:<64}\n"
    if not letter:
        words = [row[n : n + 2].ljust(2, b"\0") for n in range(0, len(row), 2)]
        cells = "".join(f" {int.from_bytes(word, 'little'):04x}" for word in words)
        return f"{at:07x}{cells:<40}\n"
    size, digits, kind, width = _HEX[letter]
    pieces = [row[n : n + size].ljust(size, b"\0") for n in range(0, len(row), size)]
    numbers = [int.from_bytes(one, "little") for one in pieces]
    shown = [f"{number:0{digits}{kind}}" for number in numbers]
    cells = "".join(f" {one:>{width}}" for one in shown)
    return f"{at:07x}{cells:<{(width + 1) * (_ROW // size)}}\n"


@enter("hexdump")
async def hexdump(sys: Process, argv: Sequence[str]) -> int:
    """``hexdump [-bcCdoxv] [-n COUNT] [-s SKIP] [FILE ...]``."""
    options = parse(argv, "bcCdoxvn:s:e:f:R")
    for letter in ("e", "f", "R"):
        if options.has(letter):
            raise UsageError(f"-{letter} is not simulated")
    if options.has("s") and not options.rest:
        return await sys.complain("stdin: Illegal seek")
    content, first, status = await _content(sys, options, options.value("s"), options.value("n"))
    letter = next((one for one in options.given if one in "bcCdox"), "")
    for at, row in _rows(content, every=options.has("v")):
        if row is None:
            await sys.out("*\n")
            continue
        shown = _canonical(first + at, row) if letter == "C" else _hex_row(first + at, row, letter)
        await sys.out(shown)
    if content:
        width = 8 if letter == "C" else 7
        await sys.out(f"{first + len(content):0{width}x}\n")
    return status


@enter("xxd")
async def xxd(sys: Process, argv: Sequence[str]) -> int:
    """``xxd [-pr] [-c COLUMNS] [-g GROUP] [-l LENGTH] [-s SKIP] [FILE]``."""
    options = parse(argv, "c:g:l:o:s:prai")
    if options.has("r"):
        return await _back(sys, options)
    if options.has("s") and not options.rest:
        return await sys.complain("stdin: Illegal seek")
    content, first, status = await _content(sys, options, options.value("s"), options.value("l"))
    if options.has("p"):
        columns = to_number(options.value("c", "30"))
        rows = [content[at : at + columns].hex() for at in range(0, len(content), columns)]
        await sys.out("".join(f"{row}\n" for row in rows))
        return status
    columns, group = to_number(options.value("c", "16")), to_number(options.value("g", "2"))
    if not 0 < columns < 256:
        raise UsageError(f"number {columns} is not in 1..255 range")
    group = group or columns
    width = columns * 2 + -(-columns // group)
    for at in range(0, len(content), columns):
        row = content[at : at + columns]
        cells = " ".join(row[n : n + group].hex() for n in range(0, len(row), group))
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        await sys.out(f"{first + at:08x}: {cells:<{width}} {text}\n")
    return status


async def _back(sys: Process, options: Options) -> int:
    """Digits to bytes."""
    content, _first, status = await _content(sys, options, "", "")
    text = content.decode("ascii", "ignore")
    if not options.has("p"):
        text = "".join(
            re.split(r"  ", line.partition(":")[2], maxsplit=1)[0] for line in text.splitlines()
        )
    digits = re.sub(r"[^0-9a-fA-F]", "", text)
    await sys.write(1, bytes.fromhex(digits[: len(digits) // 2 * 2]))
    return status
