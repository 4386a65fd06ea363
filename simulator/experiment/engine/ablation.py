"""Each technology without each of its mechanisms: which wall holds which probe, and which is spare.

A mechanism that flips no probe is decoration, or a probe is missing. Where only lifting two
together flips an outcome there is defence in depth.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor

import msgspec

from simulator.experiment.engine.credit import reached, suspects
from simulator.experiment.engine.judge import Question, answer, judge
from simulator.experiment.engine.lifting import THROUGH, lifts
from simulator.experiment.engine.matrix import Asked, Cell, fill, parsed
from simulator.experiment.engine.pool import InProcess, spread
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.mechanisms.base import ROOT_SWITCH
from simulator.isolation.technologies.base import Technology
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


class Openings(msgspec.Struct, frozen=True):
    """A probe's outcome and, where it holds, the smallest sets whose removal lets it through."""

    probe: str
    before: Outcome
    sets: tuple[tuple[str, ...], ...]


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


ENOUGH = 8
"""Sets after which the search for more ends."""


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
    return openings(*asked)


def openings(question: Question, spec: str) -> Openings:
    """The smallest sets of mechanisms that must all go before ``question`` gets through.

    Minimal: no set contains another. A set is found by lifting everything that may matter and
    restoring one mechanism after the other; the next ones without each of its members in turn
    (Reiter's hitting set tree).
    """
    technology = parsed(spec)
    given = answer(question, technology)
    before = given.verdict.outcome
    if before is not Outcome.HOLDS:
        return Openings(question.id, before, ())
    tried: dict[frozenset[str], bool] = {frozenset(): False}

    def opens(kept: list[tuple[str, ...]]) -> bool:
        lifted = frozenset(name for names in kept for name in names)
        if lifted not in tried:
            order = tuple(name for name in (*technology.ids, "chroot") if name in lifted)
            tried[lifted] = judge(question, parsed(spec, order), known=given).outcome in THROUGH
        return tried[lifted]

    # A wall that is never asked, because another says no before it, is nobody's suspect: all are
    # lifted, and those that are none are restored first.
    mattering = suspects(question, technology, given=given)
    candidates = sorted(_candidates(technology), key=lambda lifted: lifted[0] in mattering)
    found: dict[frozenset[str], None] = {}
    todo = [candidates]
    seen = {frozenset(candidates)}
    while todo and len(found) < ENOUGH:
        listed = todo.pop(0)
        if not opens(listed):
            continue
        needed = _shrunk(listed, mattering, opens)
        found[frozenset(name for names in needed for name in names)] = None
        for one in needed:
            fewer = [names for names in listed if names != one]
            if frozenset(fewer) not in seen:
                seen.add(frozenset(fewer))
                todo.append(fewer)
    minimal = [one for one in found if not any(other < one for other in found)]
    return Openings(
        question.id,
        before,
        tuple(sorted((tuple(sorted(names)) for names in minimal), key=lambda it: (len(it), it))),
    )


def _shrunk(
    listed: list[tuple[str, ...]],
    mattering: set[str],
    opens: Callable[[list[tuple[str, ...]]], bool],
) -> list[tuple[str, ...]]:
    """A part of ``listed`` that opens too, and of which nothing can be spared.

    Most can be spared together, so many are restored at once, and halved where that closes it.
    """
    needed = listed
    spare = [one for one in listed if one[0] not in mattering]
    todo = [[one for one in listed if one[0] in mattering], spare]
    while todo:
        part = todo.pop()
        fewer = [names for names in needed if names not in part]
        if part and opens(fewer):
            needed = fewer
        elif len(part) > 1:
            half = len(part) // 2
            todo += [part[half:], part[:half]]
    return needed


def _candidates(technology: Technology) -> list[tuple[str, ...]]:
    """What to lift, one by one: the plain chroot that stands in for a root switch comes last."""
    listed = list(lifts(technology))
    switches = [m for m in technology.mechanisms if m.about.role == ROOT_SWITCH]
    if switches and all(m.about.id != "chroot" for m in switches):
        listed.append(("chroot",))
    return listed


def _asked(questions: Sequence[Question], spec: str, lifted: tuple[str, ...]) -> list[Asked]:
    """Bare outcomes: who deserves credit for them is what is being asked."""
    return [Asked(question, spec, lifted, credit=False) for question in questions]
