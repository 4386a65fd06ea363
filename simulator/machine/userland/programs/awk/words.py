"""The words of an awk program."""

import re
from typing import NamedTuple

KEYWORDS = frozenset(
    ("BEGIN", "END", "break", "continue", "delete", "do", "else", "exit", "for", "func", "function",
     "getline", "if", "in", "next", "print", "printf", "return", "while")
)  # fmt: skip
FUNCTIONS = frozenset(
    ("and", "atan2", "close", "compl", "cos", "exp", "fflush", "gsub", "index", "int", "length",
     "log", "lshift", "match", "or", "rand", "rshift", "sin", "split", "sprintf", "sqrt", "srand",
     "sub", "substr", "system", "systime", "tolower", "toupper", "xor")
)  # fmt: skip
_TOKEN = re.compile(
    r"""[ \t\r]*(?:\\\r?\n[ \t\r]*)*(?P<comment>\#[^\n]*)?(?:
    (?P<newline>\n)|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    |(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<name>[A-Za-z_]\w*)
    |(?P<mark>\*\*=|\*\*|\+\+|--|[-+*/%^!=<>]=|&&|\|\||!~|>>|[-+*/%^!=<>|?:~$(){}\[\],;])|(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/((?:[^/\\\n\[]|\\.|\[\^?\]?(?:[^\]\\\n]|\\.)*\])*)/")
_OPERANDS = frozenset(("number", "string", "name", "regex", "builtin"))


class AwkError(Exception):
    """A program that is none, or that can't go on: ``cmd. line:1: Unexpected token``."""

    def __init__(self, what: str, line: int = 1) -> None:
        super().__init__(f"cmd. line:{line}: {what}")


class Token(NamedTuple):
    """``kind`` is a group of the pattern, ``keyword``, ``builtin``, ``call`` or ``regex``."""

    kind: str
    text: str
    line: int


def tokens(text: str) -> list[Token]:
    """The words of a program. Raises ``AwkError``."""
    found: list[Token] = []
    at, line = 0, 1
    while at <= len(text):
        start = re.compile(r"[ \t\r]*(?:\\\r?\n[ \t\r]*)*").match(text, at)
        begin = start.end() if start else at
        last = found[-1] if found else Token("newline", "", 1)
        divides = last.kind in _OPERANDS or last.text in (")", "]", "$", "++", "--")
        if text[begin : begin + 1] == "/" and not divides:
            regex = _REGEX.match(text, begin)
            if regex is None:
                raise AwkError("Unexpected token", line)
            found.append(Token("regex", regex[1], line))
            at = regex.end()
            continue
        one = _TOKEN.match(text, at)
        if one is None:
            ended = text[begin : begin + 1] == '"'
            raise AwkError("Unexpected end of string" if ended else "Unexpected token", line)
        at = one.end()
        if one["end"] is not None:
            return [*found, Token("newline", "\n", line), Token("end", "", line)]
        kind = one.lastgroup or ""
        word = one[kind]
        if kind == "name":
            kind = _kind_of(word, text[at : at + 1])
        found.append(Token(kind, word, line))
        line += one[0].count("\n")
    return found


def _kind_of(word: str, after: str) -> str:
    if word in KEYWORDS:
        return "keyword"
    if word in FUNCTIONS:
        return "builtin"
    return "call" if after == "(" else "name"


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unescaped(text: str) -> str:
    """A text between quotation marks."""

    def put(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 8) & 0xFF)
        return _ESCAPES.get(found[2], found[2] if found[2] in '"\\/' else f"\\{found[2]}")

    return re.sub(r"\\(?:([0-7]{1,3})|(.))", put, text, flags=re.DOTALL)
