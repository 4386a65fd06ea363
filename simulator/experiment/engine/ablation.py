"""Each technology without each of its mechanisms: which wall holds which probe, and which is spare.

A mechanism that flips no probe is decoration, or a probe is missing. Where only lifting two
together flips an outcome there is defence in depth.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

import msgspec

from simulator.experiment.engine.judge import Question, judge
from simulator.experiment.engine.lifting import THROUGH, lifts
from simulator.experiment.engine.matrix import Asked, Cell
from simulator.experiment.engine.pool import InProcess, spread
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.technologies.registry import parse_spec


class Flip(msgspec.Struct, frozen=True):
    """Lifting ``lifted`` turns ``before`` into ``after``."""

    probe: str
    lifted: tuple[str, ...]
    before: Outcome
    after: Outcome


def ablate(
    questions: Sequence[Question], spec: str, pool: Executor | None = None
) -> Iterator[Flip]:
    """Every outcome that lifting one mechanism changes."""
    technology = parse_spec(spec)
    pool = pool or InProcess()
    whole = {cell.probe: cell for cell in spread(pool, _fill, _asked(questions, spec, ()))}
    for lifted in lifts(technology):
        for cell in spread(pool, _fill, _asked(questions, spec, lifted)):
            before = whole[cell.probe].verdict.outcome
            if cell.verdict.outcome is not before:
                yield Flip(cell.probe, lifted, before, cell.verdict.outcome)


def pairs(
    question: Question, spec: str, pool: Executor | None = None
) -> tuple[tuple[str, ...], ...]:
    """Pairs of mechanisms that must both go before ``question`` gets through."""
    technology = parse_spec(spec)
    single = lifts(technology)
    alone = {lifted for lifted, cell in _cells(question, spec, single, pool) if _through(cell)}
    both = [
        tuple(dict.fromkeys((*one, *other)))
        for index, one in enumerate(single)
        for other in single[index + 1 :]
        if one not in alone and other not in alone
    ]
    return tuple(lifted for lifted, cell in _cells(question, spec, both, pool) if _through(cell))


def _fill(asked: Asked) -> Cell:
    """The bare outcome: who deserves credit for it is what is being asked."""
    question = asked.question
    verdict = judge(question, parse_spec(asked.spec, asked.without))
    return Cell(question.id, question.group, asked.spec, asked.without, verdict)


def _cells(
    question: Question,
    spec: str,
    lifted: Sequence[tuple[str, ...]],
    pool: Executor | None,
) -> Iterator[tuple[tuple[str, ...], Cell]]:
    asked = [Asked(question, spec, names) for names in lifted]
    yield from zip(lifted, spread(pool or InProcess(), _fill, asked), strict=True)


def _asked(questions: Sequence[Question], spec: str, lifted: tuple[str, ...]) -> list[Asked]:
    return [Asked(question, spec, lifted) for question in questions]


def _through(cell: Cell) -> bool:
    return cell.verdict.outcome in THROUGH
