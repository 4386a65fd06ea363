"""``--format``: Go's text/template as the docker client uses it.

Fields, variables, pipelines, ``if``, ``range``, ``with``, ``define``-less; the functions of the
package and those of docker/cli ``templates/templates.go``. Values are what JSON gives.
"""

import re
from typing import Any, NamedTuple, cast

from simulator.isolation.control.docker.client.functions import FUNCTIONS, Wrong, shown
from simulator.isolation.control.docker.client.wire import ClientError

_ACTION = re.compile(r"\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)'|:=|[()|,=]|-?\d+(?:\.\d+)?|[^\s()|,=:]+)"""
)
_BLOCKS = ("if", "range", "with")


_NONE = {"break": "outside {{range}}", "continue": "outside {{range}}"}
_WIDEST = 20
_LISTS = frozenset(
    ("Aliases", "Args", "Binds", "CapAdd", "CapDrop", "Cmd", "DNSNames", "DeviceRequests",
     "Devices", "Dns", "DnsOptions", "DnsSearch", "Entrypoint", "Env", "ExecIDs", "ExtraHosts",
     "GroupAdd", "Links", "Mounts", "OnBuild", "RepoDigests", "RepoTags", "SecurityOpt", "Shell",
     "Ulimits", "VolumesFrom")
)  # fmt: skip
_MAPS = frozenset(
    ("Annotations", "Config", "DriverOpts", "ExposedPorts", "Labels", "Networks", "Options",
     "PortBindings", "Ports", "StorageOpt", "Sysctls", "Tmpfs", "Volumes")
)  # fmt: skip
"""Fields of the API's types that are lists and mappings: nil is printed as an empty one."""


class Word(str):
    """A word of an action, and where it begins in the template."""

    at: int = 0


class Row(dict[str, Any]):
    """A row of a list: the client's formatter context, whose Go type is called ``go``."""

    go = "formatter.SubContext"


class _Loop(Exception):
    """``break`` or ``continue``, and what was written before it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.out = ""


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
        self.ranges = 0

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
                self.ranges += word == "range"
                found.append(self._block(word, piece[1:]))
                self.ranges -= word == "range"
            elif word in _NONE and not self.ranges:
                raise _wrong(f"{{{{{word}}}}} {_NONE[word]}")
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
            found.append(_words(action[2], action.start(2)))
    rest = text[at:].lstrip() if trim else text[at:]
    if "{{" in rest:
        raise _wrong("unclosed action")
    return [*found, rest]


def _words(text: str, start: int) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _wrong(f'unexpected "{text[at]}" in operand')
        word = Word(token[1])
        word.at = start + token.start(1)
        found.append(word)
        at = token.end()
    return found


class _Writer:
    """From the tree to the text."""

    def __init__(self, root: Any) -> None:
        self.variables: dict[str, Any] = {"$": root}

    def nodes(self, nodes: list[Any], dot: Any) -> str:
        out = ""
        for node in nodes:
            try:
                out += self._node(node, dot)
            except _Loop as loop:
                loop.out = out + loop.out
                raise
        return out

    def _node(self, node: Any, dot: Any) -> str:
        match node:
            case _Text(text):
                return text
            case _Print(["break" | "continue" as kind]):
                raise _Loop(kind)
            case _Print([str() as word]) if word.startswith("."):
                return shown(_typed(word, self.pipeline([word], dot)))
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
            raise _failed(f"range can't iterate over {shown(value)}", node.words)
        if not pairs:
            return self.nodes(node.otherwise, dot)
        out = ""
        for key, one in pairs:
            given = (key, one) if len(names) > 1 else (one,)
            self.variables.update(zip(names, given, strict=False))
            try:
                out += self.nodes(node.body, one)
            except _Loop as loop:
                out += loop.out
                if loop.kind == "break":
                    break
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
            if callable(found[0]):
                return found[0](*found[1:], *last)
            if len(found) > 1 or last:
                if words[0].startswith("."):
                    last_name = words[0].rpartition(".")[2]
                    told = f"{last_name} has arguments but cannot be invoked as function"
                    raise _failed(told, words)
                raise _wrong(f'function "{words[0]}" not defined')
            return found[0]
        try:
            return function(*self._operands(words[1:], dot), *last)
        except Wrong as error:
            raise _failed(str(error), words) from None
        except (TypeError, ValueError, AttributeError) as error:
            raise _failed(f"error calling {words[0]}: {error}", words) from None

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
            return _field(self.variables[name], mark + path, word)
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


def _failed(what: str, words: list[str]) -> ClientError:
    """What went wrong while it was carried out, at the first of ``words``."""
    at = getattr(words[0], "at", 2) if words else 2
    place = " ".join(words)
    place = place if len(place) <= _WIDEST else f"{place[:_WIDEST]}..."
    return ClientError(f'template: :1:{at}: executing "" at <{place}>: {what}', 1)


def _field(value: Any, path: str, word: str = "") -> Any:
    at = getattr(word or path, "at", 2)
    parts = [name for name in path.split(".") if name]
    if len(parts) > 1 and path.startswith("."):
        at += len(parts[0]) + 1
    for name in parts:
        if isinstance(value, dict) and name in value:
            value = cast("dict[str, Any]", value)[name]
            continue
        if isinstance(value, Row):
            what = f"can't evaluate field {name} in type *{value.go}"
        elif isinstance(value, dict):
            what = f'map has no entry for key "{name}"'
        elif value is None:
            what = f"nil pointer evaluating interface {{}}.{name}"
        else:
            what = f"can't evaluate field {name} in type interface {{}}"
        place = word or path
        place = place if len(place) <= _WIDEST else f"{place[:_WIDEST]}..."
        raise ClientError(f'template: :1:{at}: executing "" at <{place}>: {what}', 1)
    return value


def _typed(word: str, value: Any) -> Any:
    """A nil of a field whose type is known is an empty list or mapping."""
    name = word.rpartition(".")[2]
    if value is None:
        return [] if name in _LISTS else {} if name in _MAPS else None
    return value() if callable(value) else value
