"""JSON as Go's encoding/json reads it: a null leaves a field as it is."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

T = TypeVar("T")


def decode(content: bytes, kind: type[T]) -> T:
    """``content`` as ``kind``. Raises ``msgspec.MsgspecError``, ``RecursionError``."""
    told = msgspec.json.decode(content)
    if told is None:
        told = {}
    return msgspec.convert(_without_nulls(told, _described(kind)), kind, strict=True)


@cache
def _described(kind: type[Any]) -> inspect.Type:
    return inspect.type_info(kind)


def _without_nulls(value: Any, kind: inspect.Type) -> Any:
    """Without the nulls in places whose type has none."""
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
