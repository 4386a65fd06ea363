"""What every builtin is, and how one is misused."""

from collections.abc import Awaitable, Callable

from simulator.machine.userland.shell.state import Shell

RunText = Callable[[Shell, str], Awaitable[int]]
Builtin = Callable[[Shell, list[str], RunText], Awaitable[int]]


class BuiltinError(Exception):
    """A builtin was misused; ``str(error)`` follows its name."""


def number(text: str) -> int:
    """A decimal number. ``BuiltinError``."""
    if not text.isdigit():
        raise BuiltinError(f"Illegal number: {text}")
    return int(text)
