"""The ``filters`` of lists and prunes: ``{"status": ["running"]}``. moby ``api/types/filters``."""

import re
from typing import Any, NamedTuple, cast

import msgspec

from simulator.isolation.control.docker.api.errors import BadRequest
from simulator.isolation.control.docker.engine import times
from simulator.machine.userland.process import Process

Filters = dict[str, list[str]]


def read(text: str, known: frozenset[str] | None) -> Filters:
    """The filters of a request; without ``known``, any. Raises ``BadRequest``."""
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
        if known is not None and key not in known:
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
    """``dangling=true`` and its like (GetBoolOrDefault()). Raises ``BadRequest``."""
    if name not in filters:
        return default
    values = filters[name]
    yes, no = {"1", "true"} & set(values), {"0", "false"} & set(values)
    if bool(yes) == bool(no):
        raise BadRequest(f"invalid filter '{name}=[{' '.join(values)}]'")
    return bool(yes)


class Prune(NamedTuple):
    """What a prune takes: by labels, and by the time before which it was made, in nanoseconds."""

    given: Filters
    until: int | None

    def takes(self, have: dict[str, str] | None, made: int | None = None) -> bool:
        """Whether it takes something with these labels, made then."""
        if self.until is not None and made is not None and made > self.until:
            return False
        spared = "label!" in self.given and labels(self.given["label!"], have)
        return labels(self.given.get("label", []), have) and not spared


async def of_prune(sys: Process, text: str, *more: str) -> Prune:
    """The filters of a prune; ``more`` are those that only it has. Raises ``BadRequest``.

    moby ``daemon/prune.go`` (getUntilFromPruneFilters(), matchLabels()).
    """
    given = read(text, frozenset(("label", "label!", *more)))
    asked = given.get("until", [])
    if not asked:
        return Prune(given, None)
    if len(asked) > 1:
        raise BadRequest("more than one until filter specified")
    ago = times.ago(asked[0])
    until = await times.now(sys) - ago if ago is not None else times.parse(asked[0])
    if until is None:
        raise BadRequest(f'failed to parse value as time or duration: "{asked[0]}"')
    return Prune(given, until)
