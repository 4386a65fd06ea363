"""Times as Go writes them, from the kernel's clock."""

import re

from simulator.machine.abi.constants import CLOCK_REALTIME
from simulator.machine.userland.calendar import moment
from simulator.machine.userland.process import Process

SECOND = 1_000_000_000
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?"
)


async def now(sys: Process) -> int:
    """Nanoseconds since the epoch."""
    seconds, rest = await sys.data("clock_gettime", CLOCK_REALTIME)
    return seconds * SECOND + rest


def rfc3339(nanoseconds: int) -> str:
    """time.RFC3339Nano: ``2023-11-14T22:13:20.123456789Z``, without trailing zeros."""
    seconds, rest = divmod(nanoseconds, SECOND)
    text = moment(seconds).iso().replace(" ", "T")
    fraction = f".{rest:09}".rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"


def fixed(nanoseconds: int) -> str:
    """With all nine digits, as ``docker logs -t`` prints."""
    seconds, rest = divmod(nanoseconds, SECOND)
    return f"{moment(seconds).iso().replace(' ', 'T')}.{rest:09}Z"


def parse(text: str) -> int | None:
    """Nanoseconds of an RFC 3339 time, or of ``1234567890.123``; None for anything else."""
    number = re.fullmatch(r"(-?\d+)(?:\.(\d{1,9}))?", text)
    if number is not None:
        return int(number[1]) * SECOND + int((number[2] or "0").ljust(9, "0"))
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[at] or 0) for at in range(1, 7))
    seconds = _days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    zone = found[8]
    if zone and zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        seconds -= sign * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)
    return seconds * SECOND + int((found[7] or "0").ljust(9, "0"))


_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND}
_UNITS["h"] = 3600 * SECOND
_PIECE = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)"


def ago(text: str) -> int | None:
    """Nanoseconds of Go's time.ParseDuration(): ``1h30m``; None for anything else."""
    sign = -1 if text.startswith("-") else 1
    rest = text.removeprefix("-" if sign < 0 else "+")
    if not re.fullmatch(f"(?:{_PIECE})+", rest):
        return None
    return sign * sum(int(float(n) * _UNITS[unit]) for n, unit in re.findall(_PIECE, rest))


def _days(year: int, month: int, day: int) -> int:
    """Days since the epoch (Howard Hinnant's days_from_civil)."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def elapsed(nanoseconds: int) -> str:
    """units.HumanDuration: ``About a minute``, ``3 hours``."""
    seconds = nanoseconds // SECOND
    minutes, hours = seconds // 60, round(seconds / 3600)
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < 60:
        return f"{seconds} seconds"
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    if hours < 48:
        return f"{hours} hours"
    if hours < 24 * 7 * 2:
        return f"{hours // 24} days"
    if hours < 24 * 30 * 2:
        return f"{hours // 24 // 7} weeks"
    if hours < 24 * 365 * 2:
        return f"{hours // 24 // 30} months"
    return f"{hours // 24 // 365} years"


def duration(nanoseconds: int) -> str:
    """``1m30s``, ``1.5s``, ``300ms``: Go's time.Duration.String()."""
    for unit, size in (("ns", 1), ("\u00b5s", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{_decimal(nanoseconds, size)}{unit}" if nanoseconds else "0s"
    minutes, rest = divmod(nanoseconds, 60 * SECOND)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{text}{_decimal(rest, SECOND)}s"


def _decimal(number: int, unit: int) -> str:
    whole, part = divmod(number, unit)
    digits = str(part).zfill(len(str(unit)) - 1).rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)
