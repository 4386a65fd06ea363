"""Differential search: programs that nobody wrote, in the model and on this machine's kernel.

Hypothesis draws programs, each runs in the model and in a scratch sandbox; the first disagreement
is shrunk to a smallest program and kept as a regression probe, ``tests/real/regressions/*.probe``.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import Trace
from simulator.experiment.real import facts
from simulator.experiment.real.generate import programs
from simulator.experiment.real.report import Row
from simulator.experiment.real.trace import real_trace
from simulator.experiment.real.verify import Job, compare, known
from simulator.machine.abi.errors import VitrinaError

Model = Callable[[str, Program], Trace]


class Disagreement(AssertionError):
    """The two sides part; the rows say where."""


class Tally(msgspec.Struct):
    """What a search did."""

    programs: int = 0
    calls: int = 0
    found: int = 0


def differing(model: Model, spec: str, text: str, tally: Tally) -> list[Row]:
    """Rows that nobody can explain, believed only when a fresh machine says the same."""
    program = parse(text, "search")
    job = Job(model, _unused, known(), facts.gather())
    tally.programs += 1
    here = model(spec, program)
    for fresh in (False, True):
        there = real_trace(program, spec, fresh=fresh)
        rows = compare(job, spec, "search", here, there)
        tally.calls += 0 if fresh else len(rows)
        bad = [row for row in rows if row.kind == "unexplained"]
        if not bad:
            return []
    return bad


def _unused(_spec: str, _program: Program, _fresh: bool) -> Trace:
    return Trace()


def search(
    model: Model, spec: str, subjects: tuple[str, ...], seconds: float, seed: int, tally: Tally
) -> str | None:
    """Draw programs until ``seconds`` are over; the smallest one that differs, or ``None``."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    deadline = time.monotonic() + seconds
    smallest: list[str] = []

    @seeded(seed)
    @settings(
        max_examples=100_000,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    @given(programs(subjects))
    def agree(text: str) -> None:
        if time.monotonic() > deadline and not smallest:
            raise _Over
        try:
            bad = differing(model, spec, text, tally)
        except VitrinaError:
            return
        if bad:
            smallest[:] = [text, *(f"# {row.call}: {row.model} / {row.real}" for row in bad)]
            raise Disagreement(text)

    try:
        agree()
    except _Over:
        return None
    except Disagreement:
        return smallest[0] + "\n".join(smallest[1:]) + "\n"
    return None


class _Over(BaseException):
    """The time is over; not an error that Hypothesis should shrink."""


def keep(directory: Path, spec: str, text: str) -> Path:
    """Save a program as a regression probe, named by its content."""
    directory.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(f"{spec}\n{text}".encode()).hexdigest()[:10]
    path = directory / f"{name}.probe"
    path.write_text(f"# spec: {spec}\n{text}")
    return path
