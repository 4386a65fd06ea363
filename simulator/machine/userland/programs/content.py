"""cat, tac, head, tail, wc, tee, rev, cmp, md5sum's like: programs about files' content."""

import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from simulator.machine.abi.constants import (
    O_APPEND,
    O_CREAT,
    O_TRUNC,
    O_WRONLY,
    S_IFMT,
    S_IFREG,
    SEEK_CUR,
)
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import HELD, Process, SysError
from simulator.machine.userland.registry import enter


@enter("cat")
async def cat(sys: Process, argv: Sequence[str]) -> int:
    """cat(1): copy files to standard output; 1 when one can't be read."""
    options = parse(argv, "nbvteAu")
    status, number = 0, 0
    for path in options.rest or ["-"]:
        fd = await opened(sys, path)
        if fd is None:
            status = 1
            continue
        while True:
            try:
                block = await sys.read(fd)
            except SysError as error:
                status = await sys.fault("read error", error)
                break
            if not block:
                break
            if options.has("n"):
                number, block = _numbered(block, number)
            await sys.write(1, block)
        if fd:
            await sys.close(fd)
    return status


def _numbered(block: bytes, number: int) -> tuple[int, bytes]:
    out = b""
    for line in block.splitlines(keepends=True):
        number += 1
        out += f"{number:6}\t".encode() + line
    return number, out


_PLAIN = frozenset(("cmp", "cut", "head", "nl", "paste", "rev", "sed", "sort", "strings", "tac",
                    "wc"))  # fmt: skip
"""Programs that name a file they can't open and say no more (bb_simple_perror_msg())."""


async def opened(sys: Process, path: str) -> int | None:
    """A descriptor to read ``path`` (``-``: standard input), or None after a complaint."""
    if path == "-":
        return 0
    try:
        return await sys.open(path)
    except SysError as error:
        await sys.fault(path if sys.name in _PLAIN else f"can't open '{path}'", error)
        return None


async def contents(sys: Process, paths: list[str]) -> AsyncIterator[tuple[str, bytes | None]]:
    """Each path with its whole content; None after a complaint."""
    for path in paths or ["-"]:
        fd = await opened(sys, path)
        if fd is None:
            yield path, None
            continue
        blocks: list[bytes] = []
        held = 0
        try:
            while block := await sys.read(fd):
                blocks.append(block)
                held += len(block)
                if held > HELD:
                    raise UsageError("out of memory")
        except SysError as error:
            await sys.fault(f"{path}", error)
            yield path, None
            continue
        if fd:
            await sys.close(fd)
        yield path, b"".join(blocks)


@enter("tac")
async def tac(sys: Process, argv: Sequence[str]) -> int:
    """tac(1): lines last first."""
    status = 0
    async for _, content in contents(sys, list(argv[1:])):
        if content is None:
            status = 1
            continue
        await sys.write(1, b"".join(reversed(content.splitlines(keepends=True))))
    return status


@enter("rev")
async def rev(sys: Process, argv: Sequence[str]) -> int:
    """rev(1): each line backwards."""
    status = 0
    async for _, content in contents(sys, list(argv[1:])):
        status |= content is None
        for line in (content or b"").splitlines():
            await sys.write(1, line[::-1] + b"\n")
    return status


@enter("head")
async def head(sys: Process, argv: Sequence[str]) -> int:
    """head(1) with -n and -c; stops reading when it has enough."""
    words = [argv[0]]
    for word in argv[1:]:
        old = word[:1] == "-" and word[1:].isdigit() and words[-1] not in ("-n", "-c")
        words.append(f"-n{word[1:]}" if old else word)
    options = parse(words, "n:c:qv")
    count = _count(options.value("c") or options.value("n", "10"))
    paths = options.rest or ["-"]
    status = 0
    for number, path in enumerate(paths):
        fd = await opened(sys, path)
        if fd is None:
            status = 1
            continue
        if len(paths) > 1 and not options.has("q"):
            await sys.out(("\n" if number else "") + f"==> {path} <==\n")
        await _head_of(sys, fd, count, by_bytes=options.has("c"))
        if fd:
            await sys.close(fd)
    return status


def _count(text: str) -> int:
    units = {"b": 512, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
    number = text[:-1] if text[-1:].lower() in units else text
    if not number.lstrip("+-").isdigit():
        raise UsageError(f"invalid number '{text}'")
    return to_number(number) * units.get(text[-1:].lower(), 1)


async def _head_of(sys: Process, fd: int, count: int, *, by_bytes: bool) -> None:
    if count < 0:  # all but the last ones
        content = b""
        while block := await sys.read(fd):
            content += block
            if len(content) > HELD:
                raise UsageError("out of memory")
        parts = (
            [content[at : at + 1] for at in range(len(content))]
            if by_bytes
            else (content.splitlines(keepends=True))
        )
        await sys.write(1, b"".join(parts[:count]))
        return
    while count > 0:
        try:
            block = await sys.read(fd, min(count, 65536) if by_bytes else 65536)
        except SysError as error:
            await sys.fault("read error", error)
            return
        if not block:
            return
        if by_bytes:
            count -= len(block)
        else:
            lines = block.split(b"\n")
            if len(lines) > count:
                block = b"\n".join(lines[:count]) + b"\n"
            count -= len(lines) - 1
        await sys.write(1, block)


@enter("tail")
async def tail(sys: Process, argv: Sequence[str]) -> int:
    """tail(1) with -n, -c and -f, which looks again every second, as busybox does."""
    words = [argv[0], *(f"-n{w[1:]}" if w[1:].isdigit() and w[0] == "-" else w for w in argv[1:])]
    options = parse(words, "n:c:qfFs:")
    text = options.value("c") or options.value("n", "10")
    wish = _Tail(abs(_count(text)), text.startswith("+"), options.has("c"))
    paths = options.rest or ["-"]
    status = 0
    followed: list[int] = []
    for path in paths:
        fd = await opened(sys, path)
        if fd is None:
            status = 1
            continue
        followed.append(fd)
        if len(paths) > 1 and not options.has("q"):
            await sys.out(("\n" if len(followed) > 1 else "") + f"==> {path} <==\n")
        try:
            await _end_of(sys, fd, wish)
        except SysError as error:
            status = await sys.fault("read error", error)
    while followed and (options.has("f") or options.has("F")):
        await sys.call("nanosleep", (1, 0))
        await sys.pause()
        for fd in followed:
            while block := await sys.read(fd):
                await sys.write(1, block)
    return status


class _Tail(NamedTuple):
    """How much: ``most`` lines (or bytes) before the end, or from that one on."""

    most: int
    from_start: bool
    by_bytes: bool

    def units(self, block: bytes) -> int:
        """How many bytes, or ends of lines, a block holds."""
        return len(block) if self.by_bytes else block.count(b"\n")


async def _end_of(sys: Process, fd: int, wish: _Tail) -> None:
    """Read to the end; only what may still be wanted is held."""
    kept: deque[bytes] = deque()
    held = wanted = 0
    skipping = max(wish.most - 1, 0) if wish.from_start else 0
    while block := await sys.read(fd):
        if wish.from_start:
            block, skipping = _skipped(block, skipping, wish.by_bytes)
            await sys.write(1, block)
            continue
        kept.append(block)
        held += len(block)
        wanted += wish.units(block)
        while len(kept) > 1 and wanted - wish.units(kept[0]) > wish.most:
            first = kept.popleft()
            held, wanted = held - len(first), wanted - wish.units(first)
        if held > HELD:
            raise UsageError("out of memory")
    content = b"".join(kept)
    if wish.by_bytes:
        await sys.write(1, content[max(len(content) - wish.most, 0) :])
        return
    lines = content.splitlines(keepends=True)
    await sys.write(1, b"".join(lines[max(len(lines) - wish.most, 0) :]))


def _skipped(block: bytes, count: int, by_bytes: bool) -> tuple[bytes, int]:
    """The block without its first ``count`` units, and how many are still to be left out."""
    if by_bytes:
        return block[count:], max(count - len(block), 0)
    while count and block:
        _line, end, block = block.partition(b"\n")
        count -= bool(end)
    return block, count


@enter("wc")
async def wc(sys: Process, argv: Sequence[str]) -> int:
    """wc(1): lines, words and bytes."""
    options = parse(argv, "lwcmL")
    letters = [letter for letter in "lwcL" if options.has(letter)] or list("lwc")
    width = 9 if len(letters) > 1 or len(options.rest) > 1 else 0
    totals = dict.fromkeys(letters, 0)
    status = 0
    for path in options.rest or ["-"]:
        fd = await opened(sys, path)
        if fd is None:
            status = 1
            continue
        try:
            counts = await _count_all(sys, fd, letters)
        except SysError as error:
            status = await sys.fault(path, error)
            continue
        for letter in letters:
            totals[letter] += counts[letter]
        await sys.out(_counted([counts[letter] for letter in letters], path, width))
    if len(options.rest) > 1:
        await sys.out(_counted(list(totals.values()), "total", width))
    return status


async def _count_all(sys: Process, fd: int, letters: list[str]) -> dict[str, int]:
    """Lines, words, bytes from ``fd`` to its end; a file's bytes alone are in its inode."""
    facts: dict[str, int] = await sys.data("fstat", fd)
    if letters == ["c"] and facts["mode"] & S_IFMT == S_IFREG and facts["size"]:
        return {"c": facts["size"] - await sys.value("lseek", fd, 0, SEEK_CUR)}
    counts = dict.fromkeys("lwcL", 0)
    inside, length = False, 0
    while block := await sys.read(fd):
        words = len(block.split())
        joined = inside and not block[:1].isspace()
        counts["l"] += block.count(b"\n")
        for number, line in enumerate(block.split(b"\n")):
            length = len(line) + (0 if number else length)
            counts["L"] = max(counts["L"], length)
        counts["w"] += words - (1 if joined and words else 0)
        counts["c"] += len(block)
        inside = not block[-1:].isspace()
    return counts


def _counted(counts: list[int], name: str, width: int) -> str:
    shown = f" {name}" if name != "-" else ""
    return " ".join(f"{count:{width}}" for count in counts) + f"{shown}\n"


@enter("tee")
async def tee(sys: Process, argv: Sequence[str]) -> int:
    """tee(1)."""
    options = parse(argv, "ai")
    flags = O_WRONLY | O_CREAT | (O_APPEND if options.has("a") else O_TRUNC)
    targets, status = [1], 0
    for path in options.rest:
        try:
            targets.append(await sys.open(path, flags))
        except SysError as error:
            status = await sys.fault(path, error)
    while block := await sys.read(0):
        for fd in targets:
            try:
                await sys.write(fd, block)
            except SysError as error:
                status = await sys.fault("write error", error)
    return status


def _digest(name: str) -> Callable[[Process, Sequence[str]], object]:
    async def main(sys: Process, argv: Sequence[str]) -> int:
        status = 0
        for path in argv[1:] or ["-"]:
            fd = await opened(sys, path)
            if fd is None:
                status = 1
                continue
            sum_ = hashlib.new(name)
            try:
                while block := await sys.read(fd):
                    sum_.update(block)
            except SysError as error:
                status = await sys.fault(path, error)
                continue
            await sys.out(f"{sum_.hexdigest()}  {path}\n")
        return status

    return main


for _name in ("md5", "sha1", "sha256", "sha512"):
    enter(f"{_name}sum")(_digest(_name))  # pyright: ignore[reportArgumentType]


@enter("cmp")
async def cmp(sys: Process, argv: Sequence[str]) -> int:
    """cmp(1): 0 when two files are equal."""
    options = parse(argv, "sl")
    pair = [content async for _, content in contents(sys, options.rest[:2])]
    if len(pair) < 2 or pair[0] is None or pair[1] is None:
        return 2
    one, other = pair[0], pair[1]
    if one == other:
        return 0
    if not options.has("s"):
        shorter = min(len(one), len(other))
        at = next((at for at in range(shorter) if one[at] != other[at]), shorter)
        if at == shorter:
            name = options.rest[0 if len(one) < len(other) else 1]
            await sys.err(f"cmp: EOF on {name}\n")
        else:
            line = one[:at].count(b"\n") + 1
            first, second = options.rest[:2]
            await sys.out(f"{first} {second} differ: char {at + 1}, line {line}\n")
    return 1
