"""Dates from seconds since the epoch, in UTC: the model never asks the real clock or calendar."""

import re
from collections.abc import Mapping
from typing import NamedTuple

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
_DAY = 86_400


class Moment(NamedTuple):
    """A point in time, as gmtime(3) splits it."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    weekday: str

    def iso(self) -> str:
        """``2023-11-14 22:13:20``."""
        date = f"{self.year:04}-{self.month:02}-{self.day:02}"
        return f"{date} {self.hour:02}:{self.minute:02}:{self.second:02}"

    def ctime(self) -> str:
        """``Tue Nov 14 22:13:20 UTC 2023``, as date(1) prints."""
        clock = f"{self.hour:02}:{self.minute:02}:{self.second:02}"
        return f"{self.weekday} {MONTHS[self.month - 1]} {self.day:2} {clock} UTC {self.year}"


def moment(seconds: int) -> Moment:
    """``seconds`` since 1970-01-01 00:00 UTC (Howard Hinnant's civil_from_days)."""
    days, rest = divmod(seconds, _DAY)
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    return Moment(year, month, day, hour, minute, second, DAYS[days % 7])


def strftime(form: str, seconds: int) -> str:
    """The common conversions of strftime(3)."""
    now = moment(seconds)
    pieces = {
        "Y": f"{now.year:04}",
        "m": f"{now.month:02}",
        "d": f"{now.day:02}",
        "e": f"{now.day:2}",
        "H": f"{now.hour:02}",
        "M": f"{now.minute:02}",
        "S": f"{now.second:02}",
        "a": now.weekday,
        "b": MONTHS[now.month - 1],
        "Z": "UTC",
        "z": "+0000",
        "s": str(seconds),
        "n": "\n",
        "t": "\t",
        "%": "%",
        "F": now.iso()[:10],
        "T": now.iso()[11:],
        "R": now.iso()[11:16],
        "y": f"{now.year % 100:02}",
        "c": now.ctime().replace(" UTC", ""),
    }
    return filled(form, pieces)


def filled(form: str, pieces: Mapping[str, str]) -> str:
    """``form`` with what ``pieces`` has for each ``%x``; one that it has not stays as it is."""
    return re.sub("%(.)", lambda found: pieces.get(found[1], found[0]), form, flags=re.DOTALL)
