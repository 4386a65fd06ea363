"""jail.conf(5): blocks, wildcards, variables, lists. Source: usr.sbin/jail/jailparse.y, config.c"""

import fnmatch
import re
from typing import NamedTuple

import msgspec

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/|(?P<punct>\+=|[=;,{}])
    |"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<word>(?:[^\s=;,{}"'+\#]|\+(?!=))+)""",
    re.VERBOSE | re.DOTALL,
)
_INCLUDE = ".include"
_VARIABLE = re.compile(r"\$(?:\{([\w.]+)\}|(\w+))")


class ConfError(Exception):
    """A file that can't be read, as jail(8) says it: ``file line 3: word: syntax error``."""


class Token(NamedTuple):
    """``kind`` is punct, word, double or single."""

    kind: str
    text: str
    line: int


class Setting(NamedTuple):
    """One statement: ``values`` are (text, whether variables in it are replaced)."""

    name: str
    values: tuple[tuple[str, bool], ...]
    adds: bool


class Block(msgspec.Struct):
    """Statements for the jails whose name matches ``pattern``; the file's own are for ``*``."""

    pattern: str
    settings: list[Setting] = []
    named: bool = True
    include: str = ""
    """Instead of all that: another file, or a pattern of several, stands here."""


def _tokens(text: str, path: str) -> list[Token]:
    found: list[Token] = []
    at, joins, line, counted = 0, False, 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        line, counted = line + text.count("\n", counted, at), at
        if match is None:
            kind = "string" if text[at] in "'\"" else ""
            raise ConfError(
                f"{path} line {line}: "
                + (f"unterminated {kind}" if kind else f"{text[at]}: syntax error")
            )
        if match.lastgroup:
            token = Token(match.lastgroup, match[match.lastgroup], line)
            if joins and {found[-1].kind, token.kind} <= {"word", "double"}:
                found[-1] = Token("double", found[-1].text + token.text, line)
            else:
                found.append(token)
        joins = match.lastgroup not in (None, "punct")
        at = match.end()
    return found


def parse(text: str, path: str) -> list[Block]:
    """The blocks of a file in order. Raises ``ConfError``."""
    tokens = _tokens(text, path)
    blocks = [Block("*", [], named=False)]
    current, inside = blocks[0], False
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.text == "}" and token.kind == "punct" and inside:
            current, inside = Block("*", [], named=False), False
            blocks.append(current)
            at += 1
            continue
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.kind == "punct":
            raise _wrong(path, token)
        if (token.kind, token.text) == ("word", _INCLUDE) and not inside:
            at = _included(tokens, at + 1, blocks, path)
            current = Block("*", [], named=False)
            blocks.append(current)
            continue
        if following is None or following.kind != "punct":
            raise _wrong(path, following)
        if following.text == "{":
            if inside:
                raise _wrong(path, following)
            inside = True
            current = Block(token.text, [], named=token.text != "*")
            blocks.append(current)
            at += 2
            continue
        at = _statement(tokens, at, current, path)
    if inside:
        raise _wrong(path, None)
    return blocks


def _included(tokens: list[Token], at: int, blocks: list[Block], path: str) -> int:
    """``.include "pattern";``: where the next statement begins."""
    for token in tokens[at : at + 1]:
        if token.kind == "punct":
            raise _wrong(path, token)
        end = tokens[at + 1] if at + 1 < len(tokens) else None
        if end is None or (end.kind, end.text) != ("punct", ";"):
            raise _wrong(path, end)
        blocks.append(Block("", [], named=False, include=token.text))
        return at + 2
    raise _wrong(path, None)


def _wrong(path: str, token: Token | None) -> ConfError:
    """yyerror(): at which word the file is no jail.conf any more."""
    if token is None:
        return ConfError(f"{path}: unexpected EOF")
    return ConfError(f"{path} line {token.line}: {token.text}: syntax error")


def _statement(tokens: list[Token], at: int, block: Block, path: str) -> int:
    """``name;``, ``name = value, value;`` or ``name += value;``: where the next one begins."""
    name, sign = tokens[at], tokens[at + 1]
    if sign.text == ";":
        block.settings.append(Setting(name.text, (), adds=False))
        return at + 2
    if sign.text not in ("=", "+="):
        raise _wrong(path, sign)
    values: list[tuple[str, bool]] = []
    at += 2
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "punct":
            raise _wrong(path, token)
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        after = following.text if following is not None and following.kind == "punct" else ""
        if after not in (",", ";"):
            raise _wrong(path, following)
        values.append((token.text, token.kind != "single"))
        if after == ",":
            at += 2
            continue
        block.settings.append(Setting(name.text, tuple(values), adds=sign.text == "+="))
        return at + 2
    raise _wrong(path, None)


def names(blocks: list[Block]) -> list[str]:
    """The jails that the file defines, in order."""
    found = [one.pattern for one in blocks if one.named and not set(one.pattern) & set("*?[")]
    return list(dict.fromkeys(found))


def settings(blocks: list[Block], name: str) -> dict[str, list[str]]:
    """Every parameter of jail ``name``; a bare one has no values. Raises ``ConfError``."""
    raw: dict[str, list[tuple[str, bool]]] = {"name": [(name, False)]}
    for block in blocks:
        if block.include or not fnmatch.fnmatchcase(name, block.pattern):
            continue
        for one in block.settings:
            before = raw.get(one.name, []) if one.adds else []
            raw[one.name] = [*before, *one.values]
    return {
        key: [_filled(key, text, raw) if replaced else text for text, replaced in values]
        for key, values in raw.items()
        if not key.startswith("$")
    }


def _filled(key: str, text: str, raw: dict[str, list[tuple[str, bool]]], depth: int = 0) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        found = raw.get(f"${name}", raw.get(name))
        if not found:
            raise ConfError(f'{key}: variable "{name}" not found')
        if depth > 8:
            raise ConfError(f"{name}: variable loop")
        return ",".join(_filled(key, one, raw, depth + 1) for one, _replaced in found)

    return _VARIABLE.sub(value, text)
