"""What comes after the cursor, hidden: a class says what it expects before it sees it.

The wish is the application's, so that it holds from one run to the next.
"""

from typing import Any

from textual.screen import Screen

from simulator.classroom.tui.present.step import Step, Tone

VERDICT = "?"
"""Stands for a verdict before the end of the run."""

_WISH = "veiled"


def is_veiled(screen: Screen[Any]) -> bool:
    """Whether what comes is hidden."""
    return bool(getattr(_app(screen), _WISH, False))


def toggle(screen: Screen[Any]) -> None:
    """Hide what comes, or show it again."""
    setattr(_app(screen), _WISH, not is_veiled(screen))


def _app(screen: Screen[Any]) -> object:
    return screen.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def hidden(step: Step) -> Step:
    """``step`` without anything that tells how it will go."""
    return Step(
        number=step.number,
        actor=step.actor,
        call=step.call,
        outcome="",
        tone=Tone.HIDDEN,
        after=step.after,
        depth=step.depth,
    )
