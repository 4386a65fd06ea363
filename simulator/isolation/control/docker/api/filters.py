"""The ``filters`` of lists and prunes: ``{"status": ["running"]}``. moby ``api/types/filters``."""

import re
from typing import Any, cast

import msgspec

from simulator.isolation.control.docker.api.errors import BadRequest

Filters = dict[str, list[str]]


def read(text: str, known: frozenset[str]) -> Filters:
    """The filters of a request. Raises ``BadRequest``."""
    if not text:
        return {}
    try:
        given = msgspec.json.decode(text.encode(), type=dict[str, Any])
    except msgspec.MsgspecError:
        raise BadRequest(f"invalid filter: invalid character in {text[:40]!r}") from None
    found: Filters = {}
    for key, values in given.items():
        if isinstance(values, dict):  # as the clients write it: {"status": {"running": true}}
            asked = cast("dict[str, Any]", values)
            values = [str(value) for value, wanted in asked.items() if wanted]
        if not isinstance(values, list):
            raise BadRequest(f"invalid filter '{key}'")
        if key not in known:
            raise BadRequest(f"invalid filter '{key}'")
        found[key] = [str(value) for value in cast("list[Any]", values)]
    return found


def labels(wanted: list[str], have: dict[str, str] | None) -> bool:
    """Whether every ``key`` or ``key=value`` is there."""
    for text in wanted:
        key, given, value = text.partition("=")
        if key not in (have or {}) or (given and (have or {})[key] != value):
            return False
    return True


def matches(wanted: list[str], text: str) -> bool:
    """Whether one of the regular expressions is found in ``text``, or none was given."""
    if not wanted:
        return True
    for one in wanted:
        try:
            if re.search(one, text):
                return True
        except re.error:
            if one in text:
                return True
    return False


def boolean(filters: Filters, name: str, default: bool) -> bool:
    """``dangling=true`` and its like. Raises ``BadRequest``."""
    values = filters.get(name)
    if not values:
        return default
    if values[-1].lower() in ("1", "true"):
        return True
    if values[-1].lower() in ("0", "false"):
        return False
    raise BadRequest(f"invalid filter '{name}={values}'")
