"""Many probes on many technologies: cells, each with its verdict."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

import msgspec

from simulator.experiment.engine.credit import credited
from simulator.experiment.engine.judge import Question, judge
from simulator.experiment.engine.pool import CHUNK, InProcess, spread
from simulator.experiment.probes.verdict import Verdict
from simulator.isolation.technologies.registry import parse_spec


class Cell(msgspec.Struct, frozen=True):
    """One probe on one technology."""

    probe: str
    group: str
    spec: str
    without: tuple[str, ...]
    verdict: Verdict


class Asked(msgspec.Struct, frozen=True):
    """A cell to be filled; names only, so that it travels to another process.

    ``credit``: with what stopped the probe, where no refusal says so; that takes more runs.
    """

    question: Question
    spec: str
    without: tuple[str, ...] = ()
    credit: bool = True


_MANY_SPECS = 8
"""Technologies from which on a few processes are kept busy by one each."""

parsed = functools.lru_cache(maxsize=4096)(parse_spec)
"""One object for each SPEC: the caches of launches find it at once."""


def fill(asked: Asked) -> Cell:
    """Run and judge one cell. Raises ``SpecError`` or ``PlanError``."""
    technology = parsed(asked.spec, asked.without)
    question = asked.question
    if asked.credit:
        verdict = credited(question, technology, always=False).verdict
    else:
        verdict = judge(question, technology)
    return Cell(question.id, question.group, asked.spec, asked.without, verdict)


def chunk_for(questions: Sequence[Question], specs: Sequence[str]) -> int:
    """How many cells travel together: a whole technology's, when there are enough of those."""
    return max(CHUNK, len(questions)) if len(specs) >= _MANY_SPECS else CHUNK


def matrix(
    questions: Sequence[Question],
    specs: Iterable[str],
    pool: Executor | None = None,
) -> Iterator[Cell]:
    """Every question on every spec, technology by technology, in order."""
    listed = list(specs)
    for spec in listed:
        parse_spec(spec)
    asked = [Asked(question, spec) for spec in listed for question in questions]
    yield from spread(pool or InProcess(), fill, asked, chunk_for(questions, listed))
