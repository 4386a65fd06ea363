"""diff(1), as busybox's: always unified (the differences themselves are the library's)."""

import difflib
import stat
from collections.abc import Sequence

from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_NO_NEWLINE = "\\ No newline at end of file\n"


@enter("diff")
async def diff(sys: Process, argv: Sequence[str]) -> int:
    """diff(1): 0 when alike, 1 when not, 2 after an error."""
    options = parse(argv, "abBdiNqrTstuwU:L:")
    if len(options.rest) != 2:
        raise UsageError("diff [-abBdiNqrTstw] [-L LABEL] [-U LINES] FILE1 FILE2")
    context = to_number(options.values["U"][-1]) if options.has("U") else 3
    try:
        old, new = options.rest
        return await _pair(sys, old, new, context, set(options.given))
    except SysError as error:
        await sys.err(f"diff: {error.message}\n")
        return 2


async def _is_directory(sys: Process, path: str) -> bool:
    return path != "-" and stat.S_ISDIR((await sys.stat(path))["mode"])


async def _pair(sys: Process, old: str, new: str, context: int, given: set[str]) -> int:
    try:
        kinds = [await _is_directory(sys, path) for path in (old, new)]
    except SysError as error:
        missing = new if await sys.succeeds("stat", old) else old
        await sys.fault(f"can't stat '{missing}'", error)
        return 2
    if all(kinds):
        return await _directories(sys, old, new, context, given)
    if kinds[0] != kinds[1]:
        name = (new if kinds[0] else old).rpartition("/")[2]
        old, new = (f"{old}/{name}", new) if kinds[0] else (old, f"{new}/{name}")
    return await _files(sys, old, new, context, given)


async def _directories(sys: Process, old: str, new: str, context: int, given: set[str]) -> int:
    status = 0
    before, after = sorted(await sys.names(old)), sorted(await sys.names(new))
    for name in sorted({*before, *after}):
        if name in before and name in after:
            left, right = f"{old}/{name}", f"{new}/{name}"
            if await _is_directory(sys, left) and "r" not in given:
                await sys.out(f"Common subdirectories: {left} and {right}\n")
                continue
            status |= await _pair(sys, left, right, context, given)
        else:
            await sys.out(f"Only in {old if name in before else new}: {name}\n")
            status = 1
    return status


async def _files(sys: Process, old: str, new: str, context: int, given: set[str]) -> int:
    texts = [(await _read(sys, path)).splitlines(keepends=True) for path in (old, new)]
    compared = [[_folded(line, given) for line in text] for text in texts]
    if compared[0] == compared[1]:
        if "s" in given:
            await sys.out(f"Files {old} and {new} are identical\n")
        return 0
    if "q" in given:
        await sys.out(f"Files {old} and {new} differ\n")
        return 1
    out = ""
    for line in difflib.unified_diff(texts[0], texts[1], old, new, n=context):
        # busybox gives the names without the times
        out += line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}"
    await sys.out(out)
    return 1


async def _read(sys: Process, path: str) -> str:
    content = await (sys.drain(0) if path == "-" else sys.slurp(path))
    return content.decode("utf-8", "surrogateescape")


def _folded(line: str, given: set[str]) -> str:
    line = line.lower() if "i" in given else line
    if "w" in given:
        return "".join(line.split())
    return " ".join(line.split()) if "b" in given else line
