"""nl, fold, paste, expand, base64, clear: small filters of text."""

import base64 as library
import binascii
from collections.abc import Sequence

from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process
from simulator.machine.userland.programs.content import contents
from simulator.machine.userland.registry import enter

_WIDTH = 80


async def _lines(sys: Process, paths: list[str]) -> tuple[list[str], int]:
    """All lines, without their ends, and the status."""
    found: list[str] = []
    status = 0
    async for _path, content in contents(sys, paths):
        if content is None:
            status = 1
            continue
        found += content.decode("utf-8", "surrogateescape").splitlines()
    return found, status


@enter("nl")
async def nl(sys: Process, argv: Sequence[str]) -> int:
    """nl(1): number the lines that are not empty, or with -ba all."""
    options = parse(argv, "b:i:s:v:w:n:")
    style = options.values.get("b", ["t"])[-1]
    number = to_number(options.values.get("v", ["1"])[-1])
    step = to_number(options.values.get("i", ["1"])[-1])
    width = to_number(options.values.get("w", ["6"])[-1])
    mark = options.values.get("s", ["\t"])[-1]
    lines, status = await _lines(sys, options.rest)
    out = ""
    for line in lines:
        if style == "a" or (style == "t" and line):
            out += f"{number:{width}}{mark}{line}\n"
            number += step
        else:
            out += f"{' ' * (width + len(mark))}{line}\n"
    await sys.out(out)
    return status


@enter("fold")
async def fold(sys: Process, argv: Sequence[str]) -> int:
    """fold(1): break lines at a width, with -s at a blank before it."""
    options = parse(argv, "bsw:")
    width = to_number(options.values.get("w", [str(_WIDTH)])[-1])
    if width <= 0:
        raise UsageError("illegal width value")
    lines, status = await _lines(sys, options.rest)
    out = ""
    for line in lines:
        while len(line) > width:
            cut = line.rfind(" ", 0, width) + 1 if options.has("s") else width
            cut = cut or width
            out += line[:cut] + "\n"
            line = line[cut:]
        out += line + "\n"
    await sys.out(out)
    return status


@enter("paste")
async def paste(sys: Process, argv: Sequence[str]) -> int:
    """paste(1): lines side by side, or with -s each file as one line."""
    options = parse(argv, "sd:")
    marks = options.values.get("d", ["\t"])[-1].replace("\\n", "\n").replace("\\t", "\t") or "\0"
    columns: list[list[str]] = []
    paths = options.rest or ["-"]
    for path in paths:
        if path == "-" and "-" in paths[: len(columns)]:
            continue
        column, status = await _lines(sys, [path])
        if status:
            return status
        shared = paths.count("-") if path == "-" else 1  # each takes the next line in turn
        columns += [column[at::shared] for at in range(shared)]
    if not options.has("s"):
        height = max(map(len, columns))
        rows = [[c[at] if at < len(c) else "" for c in columns] for at in range(height)]
    else:
        rows = columns
    out = ""
    for row in rows:
        for at, word in enumerate(row):
            out += word + (marks[at % len(marks)] if at < len(row) - 1 else "\n")
    await sys.out(out.replace("\0", ""))
    return 0


@enter("expand")
async def expand(sys: Process, argv: Sequence[str]) -> int:
    """expand(1): blanks for tabs."""
    options = parse(argv, "it:")
    width = to_number(options.values.get("t", ["8"])[-1])
    lines, status = await _lines(sys, options.rest)
    await sys.out("".join(line.expandtabs(width) + "\n" for line in lines))
    return status


@enter("base64")
async def base64(sys: Process, argv: Sequence[str]) -> int:
    """base64(1): 76 columns, or as -w says; -d the other way."""
    options = parse(argv, "dw:")
    width = to_number(options.values.get("w", ["76"])[-1])
    async for _path, content in contents(sys, options.rest[:1]):
        if content is None:
            return 1
        if options.has("d"):
            try:
                await sys.write(1, library.b64decode(b"".join(content.split()), validate=True))
            except binascii.Error:
                return await sys.complain("truncated input")
            continue
        text = library.b64encode(content).decode()
        step = width or len(text) or 1
        await sys.out("".join(text[at : at + step] + "\n" for at in range(0, len(text), step)))
    return 0


@enter("clear")
async def clear(sys: Process, argv: Sequence[str]) -> int:
    """clear(1): an empty screen."""
    del argv
    await sys.out("\033[H\033[J")
    return 0
