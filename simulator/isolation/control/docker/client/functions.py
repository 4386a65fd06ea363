"""The functions of Go's text/template and those of docker/cli ``templates/templates.go``."""

import html
import operator
import re
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote_plus

import msgspec

from simulator.isolation.control.docker.client.wire import ClientError


class Wrong(ClientError):
    """A function can't do what it was asked; the template that asked says where."""


def shown(value: Any) -> str:
    """As Go prints it with %v."""
    if value is None:
        return "<no value>"
    return inner(value)


def inner(value: Any) -> str:
    """As Go prints what lies inside of another value."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + " ".join(inner(one) for one in cast("list[Any]", value)) + "]"
    if isinstance(value, dict):
        pairs = sorted(cast("dict[str, Any]", value).items())
        return "map[" + " ".join(f"{key}:{inner(one)}" for key, one in pairs) + "]"
    return str(value)


def as_json(value: Any) -> str:
    """encoding/json: ``<``, ``>`` and ``&`` are escaped, no function is shown."""
    if isinstance(value, dict):
        tree = cast("dict[str, Any]", value)
        value = {key: one for key, one in tree.items() if not callable(one)}
    text = msgspec.json.encode(value).decode()
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _index(value: Any, *keys: Any) -> Any:
    """A key that a mapping of texts lacks is an empty text, as its element type's zero."""
    for key in keys:
        if isinstance(value, dict):
            tree = cast("dict[str, Any]", value)
            texts = all(isinstance(one, str) for one in tree.values())
            value = tree.get(str(key), "" if texts else None)
        elif isinstance(value, (list, str)) and isinstance(key, int):
            if not 0 <= key < len(cast("list[Any]", value)):
                raise Wrong(f"error calling index: index out of range: {key}")
            value = cast("list[Any]", value)[key]
        elif value is None and isinstance(key, str):
            value = ""
        else:
            raise Wrong("error calling index: index of untyped nil")
    return value


def _printf(text: str, *values: Any) -> str:
    given = iter(values)

    def put(match: re.Match[str]) -> str:
        form, kind = match[1], match[2]
        if kind == "%":
            return "%"
        try:
            value = next(given)
        except StopIteration:
            return f"%!{kind}(MISSING)"
        return _formatted(form, kind, value)

    return re.sub(r"%([-+ 0#]*\d*(?:\.\d+)?)([a-zA-Z%])", put, text)


_TYPES = ((bool, "bool"), (int, "int"), (float, "float64"), (str, "string"))


def _named(value: Any) -> str:
    """The Go type of a value that JSON gave."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "interface {}")


def _formatted(form: str, kind: str, value: Any) -> str:
    """One verb; a value that does not suit it is named, as Go does."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    named = _named(value)
    whole = number and (isinstance(value, int) or value.is_integer())
    if kind in "vs" and (kind == "v" or isinstance(value, (str, list, dict))):
        return f"%{form}s" % inner(value)
    if kind == "q" and isinstance(value, str):
        return f"%{form}s" % as_json(value)
    if kind == "t" and isinstance(value, bool):
        return f"%{form}s" % inner(value)
    if kind == "T":
        return named
    if kind in "dxXoc" and whole:
        return f"%{form}{kind}" % int(value)
    if kind == "b" and whole:
        return f"{int(value):b}"
    if kind in "eEfFgG" and number:
        return f"%{form}{kind}" % value
    if kind in "xX" and isinstance(value, str):
        told = value.encode().hex()
        return told.upper() if kind == "X" else told
    return f"%!{kind}({named}={inner(value)})"


def _length(value: Any) -> int:
    return len(value or ())


def _slice(value: Any, first: int = 0, last: int | None = None) -> Any:
    return value[first:last]


def _join(values: Any, mark: str) -> str:
    return mark.join(inner(one) for one in values or ())


def _split(text: str, mark: str) -> list[str]:
    return text.split(mark)


def _pad(text: str, left: int, right: int) -> str:
    return " " * left + text + " " * right if text else text


def _truncate(text: str, size: int) -> str:
    return text[:size]


def _print(*values: Any) -> str:
    """Sprint(): a blank between two of which neither is a text."""
    out = ""
    for at, value in enumerate(values):
        if at and not isinstance(value, str) and not isinstance(values[at - 1], str):
            out += " "
        out += inner(value)
    return out


def _println(*values: Any) -> str:
    return " ".join(map(inner, values)) + "\n"


def _cased(change: Callable[[str], str]) -> Callable[[Any], str]:
    def changed(value: Any) -> str:
        return change(inner(value))

    return changed


def _both(*values: Any) -> Any:
    return next((value for value in values if not value), values[-1])


def _either(*values: Any) -> Any:
    return next((value for value in values if value), values[-1])


def _not(value: Any) -> bool:
    return not value


def _equal(one: Any, *others: Any) -> bool:
    return any(one == other for other in others)


def _html(value: Any) -> str:
    return html.escape(inner(value)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def _js(value: Any) -> str:
    text = inner(value)
    for char, told in (("\\", "\\\\"), ("'", "\\'"), ('"', '\\"'), ("\n", "\\u000A")):
        text = text.replace(char, told)
    return text


def _query(value: Any) -> str:
    return quote_plus(inner(value))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": as_json, "len": _length, "index": _index, "slice": _slice, "join": _join,
    "split": _split, "upper": _cased(str.upper), "lower": _cased(str.lower),
    "title": _cased(str.title), "pad": _pad, "truncate": _truncate, "println": _println,
    "print": _print,
    "html": _html, "js": _js, "urlquery": _query, "printf": _printf, "and": _both, "or": _either,
    "not": _not, "eq": _equal,
    "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
"""text/template's own, and docker's."""
