"""From an argument's tree to the value that a call is given."""

from collections.abc import Mapping
from typing import cast

from simulator.experiment.probes.program import (
    DictOf,
    Expr,
    ListOf,
    Literal,
    Makedev,
    Or,
    Plus,
    Ref,
    Text,
    Times,
    TupleOf,
)
from simulator.machine.abi.call import Value
from simulator.machine.abi.i18n import gettext as _

MAX_VALUE = 1 << 20
"""The longest string or bytes that a program may build, in characters or bytes."""

MAX_NUMBER = (1 << 64) - 1
MIN_NUMBER = -(1 << 63)


class UnboundError(Exception):
    """A name has no value: the step that would have bound it failed or did not run."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class BadValueError(Exception):
    """A value that no system call takes, such as a sum of a number and a string."""


def makedev(major: int, minor: int) -> int:
    """A device number as glibc packs it: makedev(3)."""
    return (
        ((major & 0xFFFFF000) << 32)
        | ((major & 0xFFF) << 8)
        | ((minor & 0xFFFFFF00) << 12)
        | (minor & 0xFF)
    )


def evaluate(expr: Expr, names: Mapping[str, Value]) -> Value:
    """``expr`` with every name looked up; raise ``UnboundError`` or ``BadValueError``."""
    match expr:
        case Literal(value):
            return value
        case Ref(name):
            return _look_up(name, names)
        case Text(parts):
            return _checked("".join(_piece(part, names) for part in parts))
        case Plus(left, right):
            return _plus(evaluate(left, names), evaluate(right, names))
        case Times(left, right):
            return _times(evaluate(left, names), evaluate(right, names))
        case Or(left, right):
            return _number(evaluate(left, names)) | _number(evaluate(right, names))
        case TupleOf(items):
            return tuple(evaluate(item, names) for item in items)
        case ListOf(items):
            return [evaluate(item, names) for item in items]
        case DictOf(items):
            return cast("Value", {key: evaluate(item, names) for key, item in items})
        case Makedev(major, minor):
            return makedev(_number(evaluate(major, names)), _number(evaluate(minor, names)))


def _look_up(name: str, names: Mapping[str, Value]) -> Value:
    try:
        return names[name]
    except KeyError:
        raise UnboundError(name) from None


def _piece(part: Literal | Ref, names: Mapping[str, Value]) -> str:
    value = evaluate(part, names)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, int | str):
        return str(value)
    raise BadValueError(_("only a number or a string fits into an f-string"))


def _number(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise BadValueError(_("{value} is not a number").format(value=_short(value)))


def _plus(left: Value, right: Value) -> Value:
    if isinstance(left, int) and isinstance(right, int):
        return _checked(left + right)
    if isinstance(left, str) and isinstance(right, str):
        return _checked(left + right)
    if isinstance(left, bytes) and isinstance(right, bytes):
        return _checked(left + right)
    raise BadValueError(
        _("{left} + {right}: both must be numbers, strings or bytes").format(
            left=_short(left), right=_short(right)
        )
    )


def _times(left: Value, right: Value) -> Value:
    if isinstance(left, int) and isinstance(right, str | bytes):
        left, right = right, left
    if not isinstance(left, int | str | bytes) or not isinstance(right, int):
        raise BadValueError(
            _(
                "{left} * {right}: only a string, bytes or a number can be multiplied by a number"
            ).format(left=_short(left), right=_short(right))
        )
    if isinstance(left, int):
        return _checked(left * right)
    # Measured before it is built: "x" * 10**12 must cost nothing.
    if len(left) * right > MAX_VALUE:
        raise BadValueError(_too_long())
    return left * right


def _checked(value: int | str | bytes) -> Value:
    if isinstance(value, int):
        if not MIN_NUMBER <= value <= MAX_NUMBER:
            raise BadValueError(_("a number of more than 64 bits"))
    elif len(value) > MAX_VALUE:
        raise BadValueError(_too_long())
    return value


def _too_long() -> str:
    return _("a value of more than {limit} bytes; write a smaller one").format(limit=MAX_VALUE)


def _short(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
