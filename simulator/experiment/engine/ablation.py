"""Each technology without each of its mechanisms: which wall holds which probe, and which is spare.

A mechanism that flips no probe is decoration, or a probe is missing. Where only lifting two
together flips an outcome there is defence in depth.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

import msgspec

from simulator.experiment.engine.judge import Question
from simulator.experiment.engine.matrix import Asked, Cell, fill
from simulator.experiment.engine.pool import InProcess, spread
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import Technology, without
from simulator.isolation.technologies.registry import parse_spec

THROUGH = frozenset({Outcome.LEAKS, Outcome.LIMITED})


class Flip(msgspec.Struct, frozen=True):
    """Lifting ``lifted`` turns ``before`` into ``after``."""

    probe: str
    lifted: tuple[str, ...]
    before: Outcome
    after: Outcome


def lifts(technology: Technology) -> tuple[tuple[str, ...], ...]:
    """Every single mechanism, with those that cannot stand without it."""
    return tuple(_with_dependents(technology, name) for name in technology.ids)


def ablate(
    questions: Sequence[Question], spec: str, pool: Executor | None = None
) -> Iterator[Flip]:
    """Every outcome that lifting one mechanism changes."""
    technology = parse_spec(spec)
    pool = pool or InProcess()
    whole = {cell.probe: cell for cell in spread(pool, fill, _asked(questions, spec, ()))}
    for lifted in lifts(technology):
        for cell in spread(pool, fill, _asked(questions, spec, lifted)):
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


def _cells(
    question: Question,
    spec: str,
    lifted: Sequence[tuple[str, ...]],
    pool: Executor | None,
) -> Iterator[tuple[tuple[str, ...], Cell]]:
    asked = [Asked(question, spec, names) for names in lifted]
    yield from zip(lifted, spread(pool or InProcess(), fill, asked), strict=True)


def _asked(questions: Sequence[Question], spec: str, lifted: tuple[str, ...]) -> list[Asked]:
    return [Asked(question, spec, lifted) for question in questions]


def _through(cell: Cell) -> bool:
    return cell.verdict.outcome in THROUGH


def _with_dependents(technology: Technology, name: str) -> tuple[str, ...]:
    """``name``, and the mechanisms that need it."""
    lifted = [name]
    while True:
        try:
            without(technology, lifted)
        except PlanError:
            held = set(technology.ids) - set(lifted)
            lifted += [
                one.about.id
                for one in technology.mechanisms
                if one.about.id in held and one.about.needs & set(lifted)
            ]
            continue
        return tuple(lifted)
