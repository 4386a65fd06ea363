"""Each technology without each of its mechanisms: which wall holds which probe, and which is spare.

A mechanism that flips no probe is decoration, or a probe is missing. Where only lifting two
together flips an outcome there is defence in depth.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

import msgspec

from simulator.experiment.engine.judge import Question, judge
from simulator.experiment.engine.lifting import lifts
from simulator.experiment.engine.matrix import Asked, Cell, fill, parsed
from simulator.experiment.engine.openings import Openings, openings
from simulator.experiment.engine.pool import InProcess, spread
from simulator.experiment.engine.suspects import reached
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.technologies.registry import parse_spec


class Flip(msgspec.Struct, frozen=True):
    """Lifting ``lifted`` turns ``before`` into ``after``."""

    probe: str
    lifted: tuple[str, ...]
    before: Outcome
    after: Outcome


def flips(questions: Iterable[Question], spec: str, lifted: tuple[str, ...]) -> Iterator[Flip]:
    """The outcomes that lifting ``lifted`` changes, one by one as they are found.

    Probes that reach what the mechanism hides come first: who wants one flip finds it soon.
    """
    whole, less = parse_spec(spec), parse_spec(spec, lifted)
    mechanism = whole.get(lifted[0])
    hides = mechanism.about.hides if mechanism is not None else frozenset[str]()

    def likely(question: Question) -> bool:
        return not hides & reached(question, whole)

    for question in sorted(questions, key=likely):
        before, after = judge(question, whole).outcome, judge(question, less).outcome
        if Outcome.INCONCLUSIVE not in (before, after) and before is not after:
            yield Flip(question.id, lifted, before, after)


class Ablated(msgspec.Struct, frozen=True):
    """All of a technology's ablations.

    ``before`` are the outcomes with everything in place; ``cells`` mechanism x probe, one
    mechanism lifted at a time; ``idle`` the mechanisms that change no outcome, alone or together.
    """

    spec: str
    mechanisms: tuple[str, ...]
    before: dict[str, Outcome]
    cells: tuple[Cell, ...]
    openings: tuple[Openings, ...]
    idle: tuple[str, ...]


def ablated(questions: Sequence[Question], spec: str, pool: Executor | None = None) -> Ablated:
    """Every mechanism lifted from every probe, and what opens each probe that holds."""
    technology = parse_spec(spec)
    pool = pool or InProcess()
    whole = spread(pool, fill, _asked(questions, spec, ()))
    before = {cell.probe: cell.verdict.outcome for cell in whole}
    asked = [one for lifted in lifts(technology) for one in _asked(questions, spec, lifted)]
    cells = tuple(spread(pool, fill, asked))
    opened = tuple(spread(pool, _opened, [(question, spec) for question in questions]))
    useful = {cell.without[0] for cell in cells if cell.verdict.outcome is not before[cell.probe]}
    useful |= {name for one in opened for names in one.sets for name in names}
    idle = tuple(name for name in technology.ids if name not in useful)
    return Ablated(spec, technology.ids, before, cells, opened, idle)


def _opened(asked: tuple[Question, str]) -> Openings:
    question, spec = asked
    return openings(question, parsed(spec))


def _asked(questions: Sequence[Question], spec: str, lifted: tuple[str, ...]) -> list[Asked]:
    """Bare outcomes: who deserves credit for them is what is being asked."""
    return [Asked(question, spec, lifted, credit=False) for question in questions]
