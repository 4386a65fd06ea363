"""grep, sort, uniq, cut, tr, xargs, od and strings in their common uses."""

import re
from collections.abc import Sequence

from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process
from simulator.machine.userland.programs.basic import become, unescape
from simulator.machine.userland.programs.content import contents
from simulator.machine.userland.registry import enter


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def regex(text: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern compiled. Raises ``UsageError`` for one that is none."""
    try:
        return re.compile(text, flags)
    except re.error:
        raise UsageError(f"bad regex '{text}'") from None


def basic_pattern(text: str) -> str:
    r"""A basic regular expression (``\(``, ``\|``) as an extended one."""
    out, at = "", 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            out += text[at + 1] if text[at + 1] in "(){}|+?" else text[at : at + 2]
            at += 2
            continue
        out += "\\" + char if char in "(){}|+?" else char
        at += 1
    return out


def posix_classes(text: str) -> str:
    """``[:alpha:]`` and its like as Python's re spells them."""
    for name, members in (
        ("alpha", "a-zA-Z"),
        ("digit", "0-9"),
        ("alnum", "a-zA-Z0-9"),
        ("space", r"\s"),
        ("upper", "A-Z"),
        ("lower", "a-z"),
        ("blank", " \t"),
    ):
        text = text.replace(f"[:{name}:]", members)
    return text


@enter("uniq")
async def uniq(sys: Process, argv: Sequence[str]) -> int:
    """uniq(1) with -c, -d, -u, -i."""
    options = parse(argv, "cduizf:s:w:")
    runs: list[tuple[str, int]] = []
    async for _, content in contents(sys, options.rest[:1]):
        if content is None:
            return 1
        for line in _text(content).splitlines():
            before = runs[-1][0] if runs else None
            same = before is not None and (
                before.lower() == line.lower() if options.has("i") else before == line
            )
            if same and before is not None:
                runs[-1] = (before, runs[-1][1] + 1)
            else:
                runs.append((line, 1))
    for line, count in runs:
        if (options.has("d") and count == 1) or (options.has("u") and count > 1):
            continue
        await sys.out(f"{count:7} {line}\n" if options.has("c") else f"{line}\n")
    return 0


@enter("cut")
async def cut(sys: Process, argv: Sequence[str]) -> int:
    """cut(1) with -d and -f, or -c."""
    options = parse(argv, "d:f:c:b:s")
    delimiter = options.value("d", "\t")
    by_field = options.has("f")
    ranges = _ranges(options.value("f") or options.value("c") or options.value("b"))
    status = 0
    async for _, content in contents(sys, options.rest):
        status |= content is None
        for line in _text(content or b"").splitlines():
            if by_field and delimiter not in line:
                await sys.out("" if options.has("s") else f"{line}\n")
                continue
            cells = line.split(delimiter) if by_field else list(line)
            chosen = [c for n, c in enumerate(cells, 1) if any(a <= n <= b for a, b in ranges)]
            await sys.out((delimiter if by_field else "").join(chosen) + "\n")
    return status


def _ranges(text: str) -> list[tuple[int, int]]:
    if not text:
        raise UsageError("expected a list of bytes, characters, or fields")
    found: list[tuple[int, int]] = []
    for piece in text.split(","):
        first, dash, last = piece.partition("-")
        low = to_number(first) if first else 1
        found.append((low, to_number(last) if last else (1 << 30 if dash else low)))
    for low, high in found:
        if high < low:
            raise UsageError(f"{high}<{low}")
    return found


@enter("tr")
async def tr(sys: Process, argv: Sequence[str]) -> int:
    """tr(1) with -d, -s and -c."""
    options = parse(argv, "dsc")
    if not options.rest or (len(options.rest) < 2 and not (options.has("d") or options.has("s"))):
        raise UsageError("missing operand")
    first = _set(options.rest[0])
    second = _set(options.rest[1]) if len(options.rest) > 1 else ""
    while block := await sys.read(0):
        text = block.decode("latin-1")
        if options.has("d"):
            text = "".join(c for c in text if (c in first) == options.has("c"))
        elif second:
            table = {c: second[min(place, len(second) - 1)] for place, c in enumerate(first)}
            if options.has("c"):
                text = "".join(c if c in first else second[-1] for c in text)
            else:
                text = "".join(table.get(c, c) for c in text)
        if options.has("s"):
            squeezed = "".join(map(re.escape, second or first))
            text = re.sub(rf"([{squeezed}])\1+", r"\1", text)
        await sys.write(1, text.encode("latin-1"))
    return 0


def _set(text: str) -> str:
    text = posix_classes(f"[{text}]")[1:-1] if "[:" in text else text
    text = unescape(text)[0].replace("\\s", " \t\n\r\f\v")
    out, at = "", 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            out += "".join(map(chr, range(ord(text[at]), ord(text[at + 2]) + 1)))
            at += 3
        else:
            out += text[at]
            at += 1
    return out


@enter("xargs")
async def xargs(sys: Process, argv: Sequence[str]) -> int:
    """xargs(1) with -n and -I."""
    options = parse(argv, "n:I:0rtP:", stop_early=True)
    content = _text(await sys.drain(0))
    words = content.split("\0")[:-1] if options.has("0") else content.split()
    command = options.rest or ["echo"]
    size = to_number(options.value("n", str(max(len(words), 1))))
    if options.has("I"):
        mark = options.value("I")
        lists = [[part.replace(mark, line) for part in command] for line in content.splitlines()]
    else:
        lists = [command + words[at : at + size] for at in range(0, len(words), size)]
        lists = lists or ([] if options.has("r") else [command])
    status = 0
    for words in lists:

        async def body(child: Process, words: list[str] = words) -> int:
            return await become(child, words)

        reply = await sys.call("wait4", await sys.spawn(body), 0)
        ended = reply.data if isinstance(reply.data, int) else 0
        if ended >> 8 in (126, 127):
            return ended >> 8
        if ended:
            status = 123
    return status


@enter("strings")
async def strings(sys: Process, argv: Sequence[str]) -> int:
    """strings(1)."""
    options = parse(argv, "fon:t:a")
    least = to_number(options.value("n", "4"))
    status = 0
    async for _, content in contents(sys, options.rest):
        status |= content is None
        for found in re.finditer(rb"[\x20-\x7e\t]{%d,}" % least, content or b""):
            await sys.write(1, found.group() + b"\n")
    return status
