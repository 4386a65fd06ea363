"""Timing two things in turns, so that whatever else the machine does hits both."""

import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 15


@dataclass(frozen=True)
class Ratio:
    """How dear ``ours`` is against ``theirs``; both in microseconds a call."""

    name: str
    ours: float
    theirs: float
    at_most: float | None = None
    """The ratio that an issue asks for; None: only for information."""

    @property
    def value(self) -> float:
        """Ours over theirs: below 1 the model is cheaper."""
        return self.ours / self.theirs

    def __str__(self) -> str:
        wanted = f"  (at most {self.at_most:g}x)" if self.at_most is not None else ""
        missed = "  MISSED" if self.at_most is not None and self.value > self.at_most else ""
        return (
            f"{self.name:<42} {self.ours:>12.2f} us {self.theirs:>14.2f} us "
            f"{self.value:>10.4f}x{wanted}{missed}"
        )


@dataclass(frozen=True)
class Budget:
    """One measured number against the most that an issue allows (None: for information)."""

    name: str
    value: float
    unit: str
    at_most: float | None = None

    def __str__(self) -> str:
        wanted = "" if self.at_most is None else f"  (at most {self.at_most:g} {self.unit})"
        missed = "  MISSED" if self.at_most is not None and self.value > self.at_most else ""
        return f"{self.name:<42} {self.value:>12.2f} {self.unit}{wanted}{missed}"


def per_call(action: Callable[[], object], times: int) -> float:
    """Microseconds that one of ``times`` calls takes."""
    start = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - start) / times * 1e6


def compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    times: int,
    times_theirs: int | None = None,
    rounds: int = ROUNDS,
    at_most: float | None = None,
) -> Ratio:
    """The best of ``rounds`` turns each: whatever else the machine does only adds to them."""
    mine: list[float] = []
    other: list[float] = []
    for _ in range(rounds):
        mine.append(per_call(ours, times))
        other.append(per_call(theirs, times_theirs or times))
    return Ratio(name, min(mine), min(other), at_most)
