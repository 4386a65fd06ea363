"""awk's values: numbers (float), texts (str), texts of the input, and nothing (None)."""

import math
import re
from typing import Any, TypeAlias

_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_HEX = re.compile(r"\s*[-+]?0[xX][0-9a-fA-F]+")
_FORM = re.compile(r"%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlLqjzt]*(.)", re.DOTALL)
_LARGEST = 1 << 53
_WIDEST = 1 << 16


class Input(str):
    """A text that was read: it is compared as a number where it looks like one."""


Value: TypeAlias = Any
"""A float, a str, an ``Input``, or None."""


def number(value: Value) -> float:
    """The number that a value begins with; 0 for none."""
    if isinstance(value, float):
        return value
    if hexadecimal := _HEX.match(value or ""):
        return float(int(hexadecimal[0], 16))
    found = _NUMBER.match(value or "")
    try:
        return float(found[0]) if found else 0.0
    except ValueError:
        return 0.0


def text(value: Value, form: str = "%.6g") -> str:
    """A value as a text: whole numbers without a point, others by CONVFMT or OFMT."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        if value.is_integer() and abs(value) < _LARGEST:
            return str(int(value))
        return printf(form, [value])
    return str(value or "")


def looks_numeric(value: Value) -> bool:
    """Whether it takes part in a comparison as a number."""
    if value is None or isinstance(value, float):
        return True
    return isinstance(value, Input) and re.fullmatch(rf"{_NUMBER.pattern}\s*", value) is not None


def truth(value: Value) -> bool:
    """What a condition makes of it."""
    if isinstance(value, float):
        return bool(value)
    if isinstance(value, Input) and looks_numeric(value):
        return number(value) != 0
    return bool(value)


def compared(left: Value, right: Value, form: str) -> int:
    """-1, 0 or 1: as numbers where both are some, else as texts."""
    if looks_numeric(left) and looks_numeric(right):
        a, b = number(left), number(right)
        return (a > b) - (a < b)
    one, other = text(left, form), text(right, form)
    return (one > other) - (one < other)


def printf(form: str, values: list[Value]) -> str:
    """sprintf(); what is missing counts as nothing."""
    given = iter(values)

    def count(star: str) -> str:
        if star != "*":
            return star
        return str(int(number(next(given, None))))

    def put(found: re.Match[str]) -> str:
        if found[4] == "%":
            return "%"
        flags, width = found[1], count(found[2])
        precision = None if found[3] is None else count(found[3])
        if any(
            one.lstrip("-").isdigit() and int(one) > _WIDEST for one in (width, precision or "")
        ):
            return ""
        tail = "" if precision is None else f".{precision}"
        return _one(f"%{flags}{width}", tail, found[4], next(given, None))

    return _FORM.sub(put, form)


def _one(head: str, tail: str, kind: str, value: Value) -> str:
    if kind in "di":
        return f"{head}{tail}d" % _whole(value)
    if kind in "ouxX":
        return f"{head}{tail}{'d' if kind == 'u' else kind}" % _whole(value)
    if kind in "eEfFgGaA":
        return f"{head}{tail}{kind}" % number(value)
    if kind == "c":
        if isinstance(value, float):
            return f"{head}s" % chr(int(value) & 0xFF)
        return f"{head}s" % (value or "")[:1]
    if kind == "s":
        return f"{head}{tail}s" % text(value)
    return f"{head}{tail}{kind}"


def _whole(value: Value) -> int:
    told = number(value)
    return int(told) if math.isfinite(told) else 0
