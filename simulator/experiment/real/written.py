"""What calls write, as far as the two sides can be compared in it."""

from typing import Any, cast

import msgspec

from simulator.experiment.probes.normalise import normalise
from simulator.experiment.probes.trace import Entry, Trace
from simulator.experiment.real.outcome import of_a_root
from simulator.experiment.real.report import Row
from simulator.machine.abi.constants import S_IFDIR, S_IFMT


def plain(here: Trace, there: Trace) -> tuple[list[Any], list[Any]]:
    """What each entry's data comes to, comparably."""
    sides = (zip(normalise(one), one.entries, strict=True) for one in (here, there))
    one, other = ([_told(one.data, entry) for one, entry in side] for side in sides)
    return one, other


_QUIET_CALLS = """
uname statfs capget getsockopt times sysinfo clock_gettime gettimeofday getrandom getrusage
name_to_handle_at get_robust_list fstatfs sched_getaffinity
"""
_UNCOMPARED = frozenset(_QUIET_CALLS.split())
"""Calls whose data says which machine it is, or when."""

_OF_AN_IMAGE = frozenset({"bin", "boot", "lib", "lib64", "media", "opt", "sbin"})
"""Names in the root that one image has and another lacks."""
_OWN_NUMBERS = frozenset({"ino", "dev", "type", "blocks", "mnt_id", "cpid", "lpid"})


def _told(plain: Any, entry: Entry) -> Any:
    """A directory's size and link count are the file system's own, as are numbers of inodes."""
    if entry.call in _UNCOMPARED or not plain:
        return None  # nothing written and an empty text are the same
    raw: Any = entry.data
    if entry.call == "getdents64":
        names = set(plain) - _OF_AN_IMAGE if of_a_root(plain) else plain
        return sorted(names)  # in the order of the file system
    if not isinstance(raw, dict):
        return plain
    left_out = _OWN_NUMBERS
    if cast("dict[str, int]", raw).get("mode", 0) & S_IFMT == S_IFDIR:
        left_out |= {"size", "nlink"}
    return tuple(pair for pair in plain if pair[0] not in left_out)


def with_data(row: Row, here: Any, there: Any) -> Row:
    """A row that agrees but for what was written is a disagreement, too."""
    if row.kind != "agree" or here == there or row.model == "skipped":
        return row
    return msgspec.structs.replace(
        row, kind="unexplained", model=f"{row.model} {here}", real=f"{row.real} {there}"
    )
