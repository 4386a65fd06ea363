"""A call as strace(1) would print it: flags by their names, long buffers cut."""

import json
from collections.abc import Mapping

from simulator.machine.abi.call import Call, Value
from simulator.machine.abi.constants import BY_NAME, SIGNAL_NAMES

_LONGEST = 40

_ARGUMENTS: dict[tuple[str, int], str] = {
    ("open", 1): "O_",
    ("openat", 0): "AT_",
    ("openat", 2): "O_",
    ("mount", 3): "MS_",
    ("umount2", 1): "MNT_",
    ("unshare", 0): "CLONE_",
    ("setns", 1): "CLONE_",
    ("clone", 0): "CLONE_",
    ("prctl", 0): "PR_",
    ("socket", 0): "AF_",
    ("ptrace", 0): "PTRACE_",
    ("kill", 1): "SIG",
    ("keyctl", 0): "KEYCTL_",
}
"""Which names an argument's number is spelled with."""

_SINGLE = frozenset({"AT_", "PR_", "AF_", "PTRACE_", "KEYCTL_"})
"""Prefixes of plain numbers; the others are bits that add up."""

_FAMILIES: dict[str, tuple[tuple[str, int], ...]] = {
    prefix: tuple((name, number) for name, number in BY_NAME.items() if name.startswith(prefix))
    for prefix in {*_ARGUMENTS.values()}
}


def spell(call: Call) -> str:
    """``open("/etc/passwd", O_RDONLY)``."""
    words = [_argument(call.name, position, value) for position, value in enumerate(call.args)]
    return f"{call.name.lstrip('@')}({', '.join(words)})"


def _argument(name: str, position: int, value: Value) -> str:
    prefix = _ARGUMENTS.get((name, position))
    if prefix is not None and isinstance(value, int):
        if prefix == "SIG":
            return SIGNAL_NAMES.get(value, str(value))
        return _single(prefix, value) if prefix in _SINGLE else _bits(prefix, value)
    if isinstance(value, Mapping):
        return "{...}" if len(value) > 2 else repr(value)
    # A line break in a string must not break the line; quotes and backslashes as strace has them
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _single(prefix: str, value: int) -> str:
    return next((name for name, number in _FAMILIES[prefix] if number == value), str(value))


def _bits(prefix: str, value: int) -> str:
    if prefix == "O_":
        mode = ("O_RDONLY", "O_WRONLY", "O_RDWR", "3")[value & 3]
        return "|".join([mode, *_set(prefix, value & ~3)])
    return "|".join(_set(prefix, value)) or "0"


def _set(prefix: str, value: int) -> list[str]:
    """The names of the bits that are set; what has no name stays a number."""
    names: list[str] = []
    for name, number in sorted(_FAMILIES[prefix], key=lambda pair: -pair[1].bit_count()):
        if number and value & number == number:
            names.append(name)
            value &= ~number
    if prefix == "CLONE_" and value in SIGNAL_NAMES:
        return [*names, SIGNAL_NAMES[value]]
    return [*names, hex(value)] if value else names
