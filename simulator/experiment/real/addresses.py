"""The agent's own memory: no number of a program may be an address in it.

A program may pass bare addresses, and some calls write to them or unmap them. What its own calls
mapped is its affair; the rest is the interpreter that makes the calls, which nobody watches.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, cast

from simulator.machine.abi.call import Call, Result, Returned, Value
from simulator.machine.abi.i18n import N_

Area: TypeAlias = tuple[int, int]
"""First address, and the one behind the last."""

_MAPPING = {"mmap", "shmat"}
_ELSEWHERE = {"process_vm_readv": (), "ptrace": (3,), "process_vm_writev": ()}
"""Calls whose addresses are another process's, but for these arguments."""

_RANGES = {"munmap", "mprotect"}
"""Calls that mean as many bytes as their second argument says."""

_LOWEST = 1 << 32
"""Below it there are no programs that the kernel puts where it likes (ET_DYN)."""

_PAGE = 4096


class Addresses:
    """What programs of a session have mapped, by process."""

    def __init__(self) -> None:
        self._made: dict[int, list[Area]] = {}

    def refusal(self, pid: int, call: Call) -> str | None:
        """Why a call must not be made with these numbers, or ``None``."""
        meant = [area for area in _meant(call) if area[1] > _LOWEST]
        if not meant:
            return None
        made = self._made.get(pid, [])
        for low, high in _areas(pid):
            for first, end in meant:
                if first < high and low < end and not _within(low, high, made):
                    return N_("an address of the agent's own memory is not for a program")
        return None

    def note(self, pid: int, call: Call, result: Result) -> None:
        """Remember what the call mapped."""
        if call.name not in _MAPPING or not isinstance(result, Returned):
            return
        start = result.value
        found = next((area for area in _areas(pid) if area[0] <= start < area[1]), None)
        if found is not None:
            size = call.args[1] if call.name == "mmap" and len(call.args) > 1 else None
            end = start + -(-size // _PAGE) * _PAGE if isinstance(size, int) else found[1]
            self._made.setdefault(pid, []).append((start, end))

    def forked(self, parent: int, child: int) -> None:
        """A child has what its parent has."""
        self._made[child] = list(self._made.get(parent, []))


def _within(low: int, high: int, made: list[Area]) -> bool:
    """Whether all of an area was mapped by programs, perhaps by several calls."""
    for first, end in sorted(made):
        if first <= low < end:
            low = end
    return low >= high


def _meant(call: Call) -> Iterator[Area]:
    """Addresses that the call's numbers could be."""
    if call.name in _RANGES:
        start, size = (*(arg if isinstance(arg, int) else 0 for arg in call.args[:2]), 0, 0)[:2]
        yield (start, start + max(size, 1))
        return
    kept = _ELSEWHERE.get(call.name)
    for place, arg in enumerate(call.args):
        if kept is None or place in kept:
            yield from _numbers(arg)


def _numbers(value: Value) -> Iterator[Area]:
    if isinstance(value, int):
        first = value & (1 << 64) - 1
        yield (first, first + 1)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, dict):
        for one in cast("dict[Value, Value]", value).values():
            yield from _numbers(one)


def _areas(pid: int) -> list[Area]:
    """What the process has mapped: proc_pid_maps(5)."""
    found: list[Area] = []
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        low, _dash, high = line.split()[0].partition("-")
        found.append((int(low, 16), int(high, 16)))
    return found
