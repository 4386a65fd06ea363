"""What both ways of carrying out a launch share: arguments filled in, steps that fall away."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from simulator.isolation.mechanisms.base import Fill, LaunchStep, Length
from simulator.machine.abi.call import Call

BIRTHS = ("clone", "fork")
"""The calls that make the sandbox's first process."""

_PLAIN: frozenset[type[Any]] = frozenset((int, str, type(None)))
"""Arguments that have nothing to be filled in."""


def filled(name: str, args: tuple[Any, ...], names: Mapping[str, int]) -> Call:
    """A step's call, with what earlier steps bound in place of its ``Fill`` arguments."""
    if _PLAIN.issuperset(map(type, args)):
        return Call(name, args)
    return Call(name, tuple([_value(arg, names) for arg in args]))


def depends(step: LaunchStep, skipped: Collection[str]) -> bool:
    """Whether ``step`` uses the result of one that failed and was passed over."""
    if not skipped:
        return False
    uses = {f"{{{name}}}" for name in skipped}
    return any(isinstance(arg, Fill) and arg.text in uses for arg in step.args)


def short(call: Call) -> str:
    """A call in one line of a message."""
    text = str(call)
    return text if len(text) <= 160 else f"{text[:157]}..."


def _value(arg: Any, names: Mapping[str, int]) -> Any:
    if type(arg) in _PLAIN:
        return arg
    match arg:
        case Fill(text, as_text):
            filled = text.format_map(names)
            lone = text.startswith("{") and text.endswith("}") and text.count("{") == 1
            return int(filled) if lone and not as_text else filled
        case Length(of):
            return len(str(_value(of, names)))
        case dict():
            given = cast("dict[str, Any]", arg)
            return {key: _value(item, names) for key, item in given.items()}
        case _:
            return arg
