"""JSON from strangers: what is not of the expected shape counts as absent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

EMPTY: Mapping[str, Any] = {}


def at(value: Any, *names: str) -> Any:
    """The value at a path of names, ``None`` when there is none."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Any]", value).get(name)
    return value


def text(value: Any) -> str:
    """A string, else an empty one."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> int:
    """A whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def strings(value: Any) -> list[str]:
    """The strings of a list."""
    return [one for one in items(value) if isinstance(one, str)]


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [cast("dict[str, Any]", one) for one in items(value) if isinstance(one, dict)]


def items(value: Any) -> Sequence[Any]:
    """A list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else ()


def pairs(value: Any) -> Iterator[tuple[str, str]]:
    """The members of an object whose values are strings or numbers, as strings."""
    if isinstance(value, dict):
        for name, one in cast("dict[str, Any]", value).items():
            if isinstance(one, (str, int, float)):
                yield name, str(one)
