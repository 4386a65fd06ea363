"""Word expansion: variables, substitutions, field splitting, pathnames (POSIX sh, 2.6)."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from simulator.machine.userland.shell import arithmetic, pattern
from simulator.machine.userland.shell.state import DEFAULT_IFS, ExitShell, Shell
from simulator.machine.userland.shell.syntax import (
    Arithmetic,
    Literal,
    Part,
    Substitution,
    Variable,
    Word,
)

Run = Callable[[Shell, str], Awaitable[str]]
"""Runs a command substitution's script and gives what it printed."""

MEMORY = 4 * 1024 * 1024
"""Characters that one expansion may hold, fields counted too: what a shell's heap is here. A loop
that doubles a variable ends as with BusyBox (``bb_die_memory_exhausted``): one line, status 1."""


PIECE = 64
"""Characters that a field weighs beside its own, as its node in a list of arguments does."""


class Piece(NamedTuple):
    """Text after expansion. ``split``: it came from an unquoted expansion."""

    text: str
    quoted: bool
    split: bool = False
    boundary: bool = False
    """A field ends before it: between the arguments of ``"$@"``."""


async def fields(shell: Shell, words: tuple[Word, ...], run: Run) -> list[str]:
    """The arguments that ``words`` expand to."""
    found: list[str] = []
    held = 0
    for word in words:
        if len(word) == 1 and isinstance(word[0], Literal) and (text := _as_it_is(word[0])):
            found.append(text)
            held += len(text) + PIECE
            await _afford(shell, held)
            continue
        pieces = await _pieces(shell, word, run)
        held += _size(pieces)
        await _afford(shell, held)
        for field in _split(pieces, shell.variables.get("IFS", DEFAULT_IFS)):
            found += await _pathnames(shell, field)
    return found


def _as_it_is(part: Literal) -> str:
    """A whole word that expands to itself; empty for any other."""
    text = part.text
    if part.quoted or (text[:1] != "~" and not pattern.has_wildcards(text)):
        return text
    return ""


async def one(shell: Shell, word: Word, run: Run) -> str:
    """The text that ``word`` expands to, unsplit: a value, a redirection's target."""
    return "".join(
        (" " if piece.boundary else "") + piece.text for piece in await _pieces(shell, word, run)
    )


async def as_pattern(shell: Shell, word: Word, run: Run) -> str:
    """``word`` as a pattern: what is quoted matches only itself."""
    return "".join(
        pattern.escape(piece.text) if piece.quoted else piece.text
        for piece in await _pieces(shell, word, run)
    )


async def _pieces(shell: Shell, word: Word, run: Run) -> list[Piece]:
    found: list[Piece] = []
    held = 0
    for index, part in enumerate(word):
        if isinstance(part, Literal):
            text = part.text
            if not index and not part.quoted and text.startswith("~"):
                text = _tilde(shell, text)
            found.append(Piece(text, part.quoted))
        else:
            found += (new := await _expanded(shell, part, run))
            held += _size(new)
            await _afford(shell, held)
    return found


def _size(pieces: list[Piece]) -> int:
    return sum(len(piece.text) + PIECE for piece in pieces)


async def _afford(shell: Shell, held: int) -> None:
    if held > MEMORY:
        await shell.sys.err(f"{shell.name}: out of memory\n")
        raise ExitShell(1, fault=True)


def _tilde(shell: Shell, text: str) -> str:
    user, slash, rest = text[1:].partition("/")
    home = shell.variables.get("HOME")
    return home + slash + rest if not user and home is not None else text


async def _expanded(shell: Shell, part: Part, run: Run) -> list[Piece]:
    if isinstance(part, Substitution):
        text = (await run(shell, part.script)).rstrip("\n")
        return [Piece(text, part.quoted, split=not part.quoted)]
    if isinstance(part, Arithmetic):
        text = await one(shell, part.expression, run)
        value = arithmetic.evaluate(text, shell.get, shell.put)
        return [Piece(str(value), part.quoted, split=not part.quoted)]
    assert isinstance(part, Variable)
    return await _variable(shell, part, run)


async def _variable(shell: Shell, part: Variable, run: Run) -> list[Piece]:
    if part.name in ("@", "*") and not part.op:
        return _arguments(shell, part)
    value = _value(shell, part.name)
    if part.op == "length":
        return [Piece(str(len(value or "")), part.quoted)]
    if value is None and "u" in shell.options and not part.op:
        await shell.sys.err(f"{shell.name}: {part.name}: parameter not set\n")
        raise ExitShell(2, fault=True)
    if part.op in ("#", "##", "%", "%%"):
        match = await as_pattern(shell, part.word, run)
        return [Piece(_trim(value or "", part.op, match), part.quoted, split=not part.quoted)]
    if part.op in ("/", "//", ":"):
        text = await _changed(shell, part, value or "", run)
        return [Piece(text, part.quoted, split=not part.quoted)]
    if part.op:
        missing = value is None or (part.op.startswith(":") and not value)
        chosen = await _conditional(shell, part, run, missing=missing)
        if chosen is not None:
            return chosen
        value = _value(shell, part.name)
    return [Piece(value or "", part.quoted, split=not part.quoted)]


async def _changed(shell: Shell, part: Variable, value: str, run: Run) -> str:
    """A piece of the value, or the value with what matches replaced (ash's subevalvar())."""
    if part.op != ":":
        match = await as_pattern(shell, part.word, run)
        text = await one(shell, part.more or (), run)
        return pattern.replaced(match, value, text, everywhere=part.op == "//")
    bounds: list[int | None] = []
    for word in (part.word, part.more):
        expression = None if word is None else await one(shell, word, run)
        bounds.append(
            None if expression is None
            else arithmetic.evaluate(expression or "0", shell.get, shell.put)
        )  # fmt: skip
    begin, length = bounds[0] or 0, bounds[1]
    begin = max(0, len(value) + begin) if begin < 0 else begin
    end = len(value) if length is None else begin + length if length >= 0 else len(value) + length
    return value[begin : max(begin, end)]


async def _conditional(
    shell: Shell, part: Variable, run: Run, *, missing: bool
) -> list[Piece] | None:
    """What ``${name-word}`` and its like give instead of the value; None for the value."""
    operator = part.op[-1]
    if operator == "+":
        return [] if missing else await _pieces(shell, part.word, run)
    if not missing:
        return None
    if operator == "-":
        pieces = await _pieces(shell, part.word, run)
        return [piece._replace(split=not piece.quoted and not part.quoted) for piece in pieces]
    text = await one(shell, part.word, run)
    if operator == "=":
        shell.put(part.name, text)
        return None
    empty = "parameter not set" if len(part.op) == 1 else "parameter null or not set"
    await shell.sys.err(f"{shell.name}: {part.name}: {text or empty}\n")
    raise ExitShell(2, fault=True)


def _arguments(shell: Shell, part: Variable) -> list[Piece]:
    if part.name == "*" and part.quoted:
        ifs = shell.variables.get("IFS", DEFAULT_IFS)
        return [Piece((ifs[:1]).join(shell.arguments), quoted=True)]
    return [
        Piece(argument, part.quoted, split=not part.quoted, boundary=index > 0)
        for index, argument in enumerate(shell.arguments)
    ]


def _value(shell: Shell, name: str) -> str | None:
    if name.isdigit():
        number = int(name)
        if not number:
            return shell.name
        return shell.arguments[number - 1] if number <= len(shell.arguments) else None
    match name:
        case "?":
            return str(shell.status)
        case "$":
            return str(shell.pid)
        case "!":
            return str(shell.background) if shell.background else ""
        case "#":
            return str(len(shell.arguments))
        case "-":
            return "".join(sorted(shell.options))
        case "@" | "*":
            return " ".join(shell.arguments) if shell.arguments else None
        case _:
            return shell.variables.get(name)


def _trim(value: str, operator: str, match: str) -> str:
    """``value`` without its shortest (doubled: longest) matching beginning or end."""
    lengths = range(len(value) + 1)
    longest = len(operator) == 2
    for length in reversed(lengths) if longest else lengths:
        if operator[0] == "#" and pattern.matches(match, value[:length]):
            return value[length:]
        cut = len(value) - length
        if operator[0] == "%" and pattern.matches(match, value[cut:]):
            return value[:cut]
    return value


def _split(pieces: list[Piece], ifs: str) -> list[list[Piece]]:
    """Fields: pieces cut at IFS characters of unquoted expansions."""
    found: list[list[Piece]] = []
    current: list[Piece] | None = None
    for piece in pieces:
        if piece.boundary:
            found.append(current or [])
            current = None
        if not piece.split:
            if piece.text or piece.quoted:
                current = [*(current or []), piece]
            continue
        chunk = ""
        for char in piece.text:
            if char not in ifs:
                chunk += char
                continue
            if chunk:
                current = [*(current or []), Piece(chunk, piece.quoted)]
                chunk = ""
            if current is not None or not char.isspace():
                found.append(current or [])
                current = None
        if chunk:
            current = [*(current or []), Piece(chunk, piece.quoted)]
    if current is not None:
        found.append(current)
    return found


async def _pathnames(shell: Shell, field: list[Piece]) -> list[str]:
    plain = "".join(piece.text for piece in field)
    if "f" in shell.options or all(piece.quoted for piece in field):
        return [plain]
    text = "".join(pattern.escape(p.text) if p.quoted else p.text for p in field)
    if not pattern.has_wildcards(text):
        return [plain]
    return await pattern.expand(shell.sys, text) or [plain]
