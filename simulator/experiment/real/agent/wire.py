"""Values as JSON: bytes, tuples and dicts keep their kind."""

from typing import Any


def pack(value: Any) -> Any:
    """A value of the probe language as plain JSON."""
    if isinstance(value, bytes):
        return {"b": value.decode("latin-1")}
    if isinstance(value, tuple):
        return {"t": [pack(item) for item in value]}
    if isinstance(value, list):
        return [pack(item) for item in value]
    if isinstance(value, dict):
        return {"m": [[pack(key), pack(item)] for key, item in value.items()]}
    return value


def unpack(value: Any) -> Any:
    """The value that ``pack`` was given."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if isinstance(value, dict):
        if "b" in value:
            return value["b"].encode("latin-1")
        if "t" in value:
            return tuple(unpack(item) for item in value["t"])
        return {unpack(key): unpack(item) for key, item in value["m"]}
    return value
