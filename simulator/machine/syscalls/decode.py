"""Arguments that C passes by address and a probe writes out: structures, vectors, lists."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from simulator.machine.kernel.trap import NotModelled


def structure(value: Any, what: str) -> dict[str, Any]:
    """A structure written as a dict of its fields."""
    if not isinstance(value, dict):
        raise NotModelled(f"{what} is written as a dict of its fields")
    return cast("dict[str, Any]", value)


def need_numbers(fields: Mapping[str, Any], names: Iterable[str], what: str) -> None:
    """Those of a structure's fields that are numbers."""
    for name in names:
        if not isinstance(fields.get(name, 0), int):
            raise NotModelled(f"{name} of {what} is a number")


def sequence(value: Any, what: str) -> list[Any]:
    """A list or tuple; NULL is an empty one."""
    if value is None or value == 0:
        return []
    if not isinstance(value, (list, tuple)):
        raise NotModelled(f"{what} is written as a list")
    return list(cast("list[Any]", value))


def number(value: Any, what: str) -> int:
    """What is written as a number."""
    if not isinstance(value, int):
        raise NotModelled(f"{what} is a number")
    return value


def numbers(value: Any, what: str) -> list[int]:
    """A list of numbers."""
    items = sequence(value, what)
    if not all(isinstance(item, int) for item in items):
        raise NotModelled(f"{what} is a list of numbers")
    return items


def words(value: Any, what: str) -> tuple[str, ...]:
    """A vector of strings, ended by NULL; an environment may also be a dict."""
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return tuple(f"{key}={content}" for key, content in pairs.items())
    return tuple(text(word) for word in sequence(value, what) if word is not None)


def text(value: Any) -> str:
    """A string that may come as bytes."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def signed(value: int) -> int:
    """A C ``int``: the low 32 bits, with their sign."""
    low = number(value, "a C int") & 0xFFFFFFFF
    return low - (1 << 32) if low & 0x80000000 else low
