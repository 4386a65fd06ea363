"""JSON as Go's encoding/json reads it: a null leaves a field as it is."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

T = TypeVar("T")
_LARGEST = (1 << 63) - 1


def decode(content: bytes, kind: type[T]) -> T:
    """``content`` as ``kind``. Raises ``msgspec.MsgspecError``, ``RecursionError``."""
    told = msgspec.json.decode(content)
    if told is None:
        told = {}
    return msgspec.convert(_without_nulls(told, _described(kind)), kind, strict=True)


_GO = {"str": "string", "int": "int64", "array": "[]string", "object": "map[string]interface {}"}
"""Go's types by the names that msgspec has for what it expected."""
_KINDS = {"str": "string", "int": "number", "float": "number"}
_WRONG = re.compile(r"Expected `(\w+)(?: \| \w+)*`, got `(\w+)`(?: - at `(?:key in )?\$(.*)`)?")
_BAD = re.compile(r"JSON is malformed: .*\(byte (\d+)\)")


def worded(error: Exception, content: bytes, kind: type[Any]) -> str:
    """What is wrong with a body, as nearly as can be told in the words of Go's encoding/json."""
    text = str(error)
    if isinstance(error, RecursionError):
        return "exceeded max depth"
    if "truncated" in text:
        return "unexpected EOF"
    if (bad := _BAD.match(text)) is not None:
        at = content[int(bad[1]) : int(bad[1]) + 1].decode("latin-1")
        return f"invalid character {at!r} looking for beginning of value"
    found = _WRONG.match(text)
    if found is None:
        return text
    wanted, got, place = found[1], found[2], (found[3] or "").strip(".")
    owner = "HostConfig" if place.startswith("HostConfig.") else kind.__name__.strip("_")
    where = f"Go struct field {owner}.{place}" if place else "Go value"
    shown = _GO.get(wanted, wanted) if place else owner
    return f"json: cannot unmarshal {_KINDS.get(got, got)} into {where} of type {shown}"


@cache
def _described(kind: type[Any]) -> inspect.Type:
    return inspect.type_info(kind)


def _without_nulls(value: Any, kind: inspect.Type) -> Any:
    """Without the nulls in places whose type has none. Raises ``msgspec.ValidationError`` for a
    number that no int64 holds.
    """
    if isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
        raise msgspec.ValidationError(
            f"json: cannot unmarshal number {value} into Go value of type int64"
        )
    if isinstance(kind, inspect.UnionType):
        inner = [one for one in kind.types if isinstance(one, _INNER)]
        return _without_nulls(value, inner[0]) if len(inner) == 1 else value
    if isinstance(kind, inspect.StructType) and isinstance(value, dict):
        told: dict[str, Any] = dict(cast("Mapping[str, Any]", value))
        fields: dict[str, inspect.Type] = {field.encode_name: field.type for field in kind.fields}
        return {
            key: _without_nulls(one, fields[key]) if key in fields else one
            for key, one in told.items()
            if one is not None or key not in fields or _may_be_none(fields[key])
        }
    if isinstance(kind, inspect.DictType) and isinstance(value, dict):
        told = dict(cast("Mapping[str, Any]", value))
        return {key: _without_nulls(one, kind.value_type) for key, one in told.items()}
    if isinstance(kind, inspect.ListType) and isinstance(value, list):
        return [_without_nulls(one, kind.item_type) for one in cast("list[Any]", value)]
    return value


_INNER = (inspect.StructType, inspect.DictType, inspect.ListType)


def _may_be_none(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_may_be_none(one) for one in kind.types)
    return isinstance(kind, (inspect.NoneType, inspect.AnyType))
