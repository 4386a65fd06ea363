"""``--since`` and ``--until`` as the client sends them: moby ``api/types/time/timestamp.go``."""

import re

from simulator.isolation.control.docker.client.wire import ClientError
from simulator.isolation.control.docker.engine import times

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9,
          "h": 3600 * 10**9}  # fmt: skip
_PIECE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def stamp(text: str, now: int) -> str:
    """A time or a duration before ``now`` (nanoseconds) as seconds of the epoch.

    Raises ``ClientError``.
    """
    sign = -1 if text.startswith("-") else 1
    rest = text.lstrip("+-")
    pieces = _PIECE.findall(rest)
    if rest and "".join(number + unit for number, unit in pieces) == rest:
        before = sum(float(number) * _UNITS[unit] for number, unit in pieces)
        return _seconds(now - sign * int(before))
    found = times.parse(text)
    if found is None:
        raise ClientError(f'failed to parse value as time or duration: "{text}"', 1)
    return _seconds(found)


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds // times.SECOND}.{nanoseconds % times.SECOND:09}"
