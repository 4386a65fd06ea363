"""Values as JSON: bytes, tuples and dicts keep their kind."""

from typing import Any, cast


def pack(value: Any) -> Any:
    """A value of the probe language as plain JSON."""
    if isinstance(value, bytes):
        return {"b": value.decode("latin-1")}
    if isinstance(value, tuple):
        return {"t": [pack(item) for item in cast("tuple[Any, ...]", value)]}
    if isinstance(value, list):
        return [pack(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        rows = cast("dict[Any, Any]", value).items()
        return {"m": [[pack(key), pack(item)] for key, item in rows]}
    return value


def unpack(value: Any) -> Any:
    """The value that ``pack`` was given."""
    if isinstance(value, list):
        return [unpack(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        wrapped = cast("dict[str, Any]", value)
        if "b" in wrapped:
            return wrapped["b"].encode("latin-1")
        if "t" in wrapped:
            return tuple(unpack(item) for item in wrapped["t"])
        return {unpack(key): unpack(item) for key, item in wrapped["m"]}
    return value
