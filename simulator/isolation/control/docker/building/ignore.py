"""``.dockerignore``: which files of a directory are no part of the context.

moby ``patternmatcher``: one pattern a line, ``!`` takes back, the last that fits decides.
"""

import posixpath
import re
from collections.abc import Sequence


def read(text: str) -> tuple[str, ...]:
    """The patterns of a file (``ignorefile.ReadAll``)."""
    found: list[str] = []
    for number, line in enumerate(text.splitlines()):
        bare = (line.removeprefix("\ufeff") if not number else line).strip()
        if not bare or bare.startswith("#"):
            continue
        inverted = bare.startswith("!")
        path = posixpath.normpath(bare.removeprefix("!").strip())
        path = path.lstrip("/") or "/"
        found.append(f"!{path}" if inverted else path)
    return tuple(found)


def excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether ``path``, relative to the context, is left out."""
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    out = False
    for pattern in patterns:
        inverted = pattern.startswith("!")
        if inverted != out:
            continue
        expression = _expression(pattern.removeprefix("!"))
        if any(expression.fullmatch(one) for one in above):
            out = not inverted
    return out


def _expression(pattern: str) -> re.Pattern[str]:
    made, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
                made += "(?:.*/)?"
            else:
                made += ".*"
            continue
        if char == "*":
            made += "[^/]*"
        elif char == "?":
            made += "[^/]"
        elif char == "[" and "]" in pattern[at + 1 :]:
            end = pattern.index("]", at + 1)
            made += pattern[at : end + 1]
            at = end
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            made += re.escape(pattern[at])
        else:
            made += re.escape(char)
        at += 1
    try:
        return re.compile(made)
    except re.error:
        return re.compile(re.escape(pattern))
