"""Signals by name and number, as kill(1) and trap take them."""

from simulator.machine.abi.constants import SIGNAL_NAMES

_NUMBERS = {name.removeprefix("SIG"): number for number, name in SIGNAL_NAMES.items()}


def number(text: str) -> int | None:
    """``9``, ``KILL`` or ``SIGKILL`` as a number, or None."""
    if text.isdigit():
        return int(text) if int(text) <= 64 else None
    return _NUMBERS.get(text.upper().removeprefix("SIG"))


def name(signal: int) -> str:
    """The name without SIG; the number when it has none."""
    return SIGNAL_NAMES.get(signal, str(signal)).removeprefix("SIG")


def translated(text: str) -> str:
    """The name of a number, or of a status that a signal left; the number of a name."""
    if text.isdigit():
        return name(int(text) & 0x7F)
    return str(number(text) or 0)


def listing() -> str:
    """What ``kill -l`` prints."""
    return "".join(f"{number:2}) {name.removeprefix('SIG')}\n" for number, name in _ordered())


def _ordered() -> list[tuple[int, str]]:
    return sorted(SIGNAL_NAMES.items())
