"""``--format``: Go's text/template as the docker client uses it.

Fields, variables, pipelines, ``if``, ``range``, ``with``, ``define``-less; the functions of the
package and those of docker/cli ``templates/templates.go``. Values are what JSON gives.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import msgspec

from simulator.isolation.control.docker.client.wire import ClientError

_ACTION = re.compile(r"\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)'|:=|[()|,=]|-?\d+(?:\.\d+)?|[^\s()|,=:]+)"""
)
_BLOCKS = ("if", "range", "with")


class _Text(NamedTuple):
    text: str


class _Print(NamedTuple):
    words: list[str]


class _Block(NamedTuple):
    kind: str
    words: list[str]
    body: list[Any]
    otherwise: list[Any]


def render(text: str, value: Any) -> str:
    """``text`` with ``value`` as its dot. Raises ``ClientError`` in Go's words."""
    tree = _Reader(text).read()
    return _Writer(value).nodes(tree, value)


def _wrong(what: str) -> ClientError:
    return ClientError(f"template parsing error: template: :1: {what}", 64)


class _Reader:
    """From the text to a tree."""

    def __init__(self, text: str) -> None:
        self.pieces = _pieces(text)
        self.at = 0

    def read(self) -> list[Any]:
        nodes, ending = self._until()
        if ending:
            raise _wrong(f"unexpected {{{{{' '.join(ending)}}}}}")
        return nodes

    def _until(self) -> tuple[list[Any], list[str]]:
        """The nodes up to an ``else`` or ``end``, and that one's words."""
        found: list[Any] = []
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            self.at += 1
            if isinstance(piece, str):
                found.append(_Text(piece))
                continue
            word = piece[0] if piece else ""
            if word in ("else", "end"):
                return found, piece
            if word in _BLOCKS:
                found.append(self._block(word, piece[1:]))
            elif piece:
                found.append(_Print(piece))
            else:
                raise _wrong("missing value for command")
        return found, []

    def _block(self, kind: str, words: list[str]) -> _Block:
        body, ending = self._until()
        otherwise: list[Any] = []
        if ending[:1] == ["else"]:
            if len(ending) > 2:  # else if: a block of its own that ends with the same end
                return _Block(kind, words, body, [self._block(ending[1], ending[2:])])
            otherwise, ending = self._until()
        if ending != ["end"]:
            raise _wrong("unexpected EOF")
        return _Block(kind, words, body, otherwise)


def _pieces(text: str) -> list[str | list[str]]:
    """Texts and the words of actions; ``{{-`` and ``-}}`` take the blanks beside them away."""
    found: list[str | list[str]] = []
    at, trim = 0, False
    for action in _ACTION.finditer(text):
        before = text[at : action.start()]
        before = before.lstrip() if trim else before
        found.append(before.rstrip() if action[1] else before)
        at, trim = action.end(), bool(action[3])
        if not action[2].startswith("/*"):
            found.append(_words(action[2]))
    rest = text[at:].lstrip() if trim else text[at:]
    if "{{" in rest:
        raise _wrong("unclosed action")
    return [*found, rest]


def _words(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _wrong(f'unexpected "{text[at]}" in operand')
        found.append(token[1])
        at = token.end()
    return found


class _Writer:
    """From the tree to the text."""

    def __init__(self, root: Any) -> None:
        self.variables: dict[str, Any] = {"$": root}

    def nodes(self, nodes: list[Any], dot: Any) -> str:
        return "".join(self._node(node, dot) for node in nodes)

    def _node(self, node: Any, dot: Any) -> str:
        match node:
            case _Text(text):
                return text
            case _Print(words):
                names, value = self._assigned(words, dot)
                for name in names:
                    self.variables[name] = value
                return "" if names else shown(value)
            case _:
                return self._block(cast("_Block", node), dot)

    def _assigned(self, words: list[str], dot: Any) -> tuple[list[str], Any]:
        """``$i, $x := pipeline``: the names and the value."""
        for sign in (":=", "="):
            if sign in words:
                at = words.index(sign)
                names = [word for word in words[:at] if word != ","]
                return names, self.pipeline(words[at + 1 :], dot)
        return [], self.pipeline(words, dot)

    def _block(self, node: _Block, dot: Any) -> str:
        kept = dict(self.variables)
        names, value = self._assigned(node.words, dot)
        out = self._range(node, names, value, dot) if node.kind == "range" else None
        if out is None:
            for name in names:
                self.variables[name] = value
            inner = value if node.kind == "with" and value else dot
            out = self.nodes(node.body if value else node.otherwise, inner)
        self.variables = kept
        return out

    def _range(self, node: _Block, names: list[str], value: Any, dot: Any) -> str:
        pairs: list[tuple[Any, Any]] = []
        if isinstance(value, dict):
            pairs = sorted(cast("dict[str, Any]", value).items())
        elif isinstance(value, list):
            pairs = list(enumerate(cast("list[Any]", value)))
        elif value is not None:
            raise _failed(f"range can't iterate over {shown(value)}")
        if not pairs:
            return self.nodes(node.otherwise, dot)
        out = ""
        for key, one in pairs:
            given = (key, one) if len(names) > 1 else (one,)
            self.variables.update(zip(names, given, strict=False))
            out += self.nodes(node.body, one)
        return out

    def pipeline(self, words: list[str], dot: Any) -> Any:
        """Commands with ``|`` between them: each one's value is the last argument of the next."""
        commands: list[list[str]] = [[]]
        depth = 0
        for word in words:
            depth += {"(": 1, ")": -1}.get(word, 0)
            if word == "|" and not depth:
                commands.append([])
            else:
                commands[-1].append(word)
        value: tuple[Any, ...] = ()
        for command in commands:
            if not command:
                raise _wrong("missing value for command")
            value = (self._command(command, dot, value),)
        return value[0]

    def _command(self, words: list[str], dot: Any, last: tuple[Any, ...]) -> Any:
        function = FUNCTIONS.get(words[0])
        if function is None:
            found = self._operands(words, dot)
            if len(found) > 1 or last:
                raise _wrong(f'function "{words[0]}" not defined')
            return found[0]
        try:
            return function(*self._operands(words[1:], dot), *last)
        except TypeError as error:
            raise _failed(f"error calling {words[0]}: {error}") from None

    def _operands(self, words: list[str], dot: Any) -> list[Any]:
        found: list[Any] = []
        at = 0
        while at < len(words):
            word = words[at]
            at += 1
            if word == "(":
                end = _closing(words, at)
                value = self.pipeline(words[at:end], dot)
                at = end + 1
                if at < len(words) and words[at].startswith("."):
                    value = _field(value, words[at])
                    at += 1
                found.append(value)
            else:
                found.append(self._operand(word, dot))
        return found

    def _operand(self, word: str, dot: Any) -> Any:
        if word.startswith("."):
            return _field(dot, word)
        if word.startswith("$"):
            name, mark, path = word.partition(".")
            if name not in self.variables:
                raise _wrong(f'undefined variable "{name}"')
            return _field(self.variables[name], mark + path)
        if word[0] in "\"`'":
            return word[1:-1] if word[0] == "`" else _unquoted(word)
        if word in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[word]
        try:
            return float(word) if "." in word else int(word)
        except ValueError:
            if word in FUNCTIONS:
                return FUNCTIONS[word]()
            raise _wrong(f'function "{word}" not defined') from None


def _unquoted(word: str) -> str:
    return word[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")


def _closing(words: list[str], at: int) -> int:
    depth = 1
    for number in range(at, len(words)):
        depth += {"(": 1, ")": -1}.get(words[number], 0)
        if not depth:
            return number
    raise _wrong("unclosed left paren")


def _failed(what: str) -> ClientError:
    return ClientError(f'template: :1:2: executing "" at <{what}>: {what}', 1)


def _field(value: Any, path: str) -> Any:
    for name in path.split("."):
        if not name:
            continue
        if not isinstance(value, dict) or name not in value:
            raise ClientError(
                f'template: :1:2: executing "" at <{path}>: map has no entry for key "{name}"', 1
            )
        value = cast("dict[str, Any]", value)[name]
    return value


def shown(value: Any) -> str:
    """As Go prints it with %v."""
    if value is None:
        return "<no value>"
    return _inner(value)


def _inner(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + " ".join(_inner(one) for one in cast("list[Any]", value)) + "]"
    if isinstance(value, dict):
        pairs = sorted(cast("dict[str, Any]", value).items())
        return "map[" + " ".join(f"{key}:{_inner(one)}" for key, one in pairs) + "]"
    return str(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(str(key))
        elif isinstance(value, (list, str)) and isinstance(key, int):
            if not 0 <= key < len(cast("list[Any]", value)):
                raise _failed(f"error calling index: reflect: slice index out of range: {key}")
            value = cast("list[Any]", value)[key]
        else:
            raise _failed("error calling index: index of untyped nil")
    return value


def _printf(text: str, *values: Any) -> str:
    given = iter(values)

    def put(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        value = next(given, "%!(MISSING)")
        form, kind = match[1], match[2]
        if kind in "vs":
            return f"%{form}s" % _inner(value)
        if kind == "q":
            return _json(_inner(value))
        return f"%{form}{kind}" % value

    return re.sub(r"%([-+ 0#]*\d*(?:\.\d+)?)([a-zA-Z%])", put, text)


def _length(value: Any) -> int:
    return len(value or ())


def _slice(value: Any, first: int = 0, last: int | None = None) -> Any:
    return value[first:last]


def _join(values: Any, mark: str) -> str:
    return mark.join(_inner(one) for one in values or ())


def _split(text: str, mark: str) -> list[str]:
    return text.split(mark)


def _pad(text: str, left: int, right: int) -> str:
    return " " * left + text + " " * right if text else text


def _truncate(text: str, size: int) -> str:
    return text[:size]


def _print(*values: Any) -> str:
    return "".join(map(_inner, values))


def _println(*values: Any) -> str:
    return " ".join(map(_inner, values)) + "\n"


def _cased(change: Callable[[str], str]) -> Callable[[Any], str]:
    def changed(value: Any) -> str:
        return change(_inner(value))

    return changed


def _both(*values: Any) -> Any:
    return next((value for value in values if not value), values[-1])


def _either(*values: Any) -> Any:
    return next((value for value in values if value), values[-1])


def _not(value: Any) -> bool:
    return not value


def _equal(one: Any, *others: Any) -> bool:
    return any(one == other for other in others)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": _json, "len": _length, "index": _index, "slice": _slice, "join": _join,
    "split": _split, "upper": _cased(str.upper), "lower": _cased(str.lower),
    "title": _cased(str.title), "pad": _pad, "truncate": _truncate, "println": _println,
    "print": _print, "printf": _printf, "and": _both, "or": _either, "not": _not, "eq": _equal,
    "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
"""text/template's own, and docker's."""
