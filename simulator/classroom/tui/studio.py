"""Where the screens get their runs: the one place of the TUI that knows the engine.

Importing it is cheap; the engine is loaded when something is first asked of it, so that the first
screen is there at once.
"""

import msgspec


class Technology(msgspec.Struct, frozen=True):
    """A technology as the home screen shows it."""

    name: str
    title: str
    year: int | None
    about: str = ""


class Offer(msgspec.Struct, frozen=True):
    """A scenario as the home screen shows it."""

    id: str
    group: str
    title: str
    question: str
    matters: str
    program: str


class Studio:
    pass
