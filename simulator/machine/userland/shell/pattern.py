"""Patterns of names: ``*``, ``?`` and ``[...]`` (glob(7)), and the files that match one."""

import re
from functools import lru_cache

from simulator.machine.userland.process import Process, SysError

SPECIAL = "*?["


def has_wildcards(pattern: str) -> bool:
    """Whether an unescaped wildcard stands in ``pattern`` (a backslash escapes).

    A ``[`` that nothing closes before the name ends is none (dash's expmeta()): the command ``[``
    reads no directory.
    """
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif char in "*?" or (char == "[" and _bracket_end(pattern, at + 1) > 0):
            return True
        at += 1
    return False


def escape(text: str) -> str:
    """``text`` as a pattern that matches only itself."""
    return "".join("\\" + char if char in SPECIAL + "\\" else char for char in text)


def unescape(pattern: str) -> str:
    """``pattern`` without its backslashes."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


def replaced(pattern: str, value: str, text: str, *, everywhere: bool) -> str:
    """``value`` with ``text`` for the first part that matches, the longest there, or for all."""
    out, at = "", 0
    while at < len(value):
        ends = range(len(value), at, -1)
        end = next((end for end in ends if matches(pattern, value[at:end])), at)
        if end == at:
            out, at = out + value[at], at + 1
            continue
        out, at = out + text, end
        if not everywhere:
            break
    return out + value[at:]


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """``pattern`` as a regular expression that must match a whole text."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out += ".*"
        elif char == "?":
            out += "."
        elif char == "\\" and at < len(pattern):
            out += re.escape(pattern[at])
            at += 1
        elif char == "[" and (end := _bracket_end(pattern, at)) > 0:
            out += _bracket(pattern[at:end])
            at = end + 1
        else:
            out += re.escape(char)
    return re.compile(out, re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` matches."""
    return compiled(pattern).fullmatch(text) is not None


def _bracket_end(pattern: str, at: int) -> int:
    start = at + 1 if pattern[at : at + 1] in ("!", "^") else at
    return pattern.find("]", start + 1)


def _bracket(inner: str) -> str:
    negated = inner[:1] in ("!", "^")
    body = inner[1:] if negated else inner
    body = body.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
    for name, expansion in (("alpha", "a-zA-Z"), ("digit", "0-9"), ("alnum", "a-zA-Z0-9")):
        body = body.replace(f"\\[:{name}:", expansion)
    return f"[{'^' if negated else ''}{body}]"


async def expand(sys: Process, pattern: str) -> list[str]:
    """The paths that match ``pattern``, sorted; none when nothing does."""
    absolute = pattern.startswith("/")
    found = ["/" if absolute else ""]
    pieces = [piece for piece in pattern.split("/") if piece]
    for index, piece in enumerate(pieces):
        last = index == len(pieces) - 1
        found = [path for base in found for path in await _step(sys, base, piece, last=last)]
    if pattern.endswith("/") and pieces:
        found = [path + "/" for path in found]
    return sorted(found)


async def _step(sys: Process, base: str, piece: str, *, last: bool) -> list[str]:
    prefix = base if base in ("", "/") else base + "/"
    if not has_wildcards(piece):
        path = prefix + unescape(piece)
        return [path] if not last or await sys.succeeds("lstat", path) else []
    try:
        names = await sys.names(base or ".")
    except SysError:
        return []
    return [
        prefix + name
        for name in sorted(names)
        if matches(piece, name) and (not name.startswith(".") or piece.startswith("."))
    ]
