"""Defence in depth: the smallest sets of mechanisms whose removal lets a probe through."""

import functools
from collections.abc import Callable

import msgspec

from simulator.experiment.engine.judge import Answer, Question, answer, judge
from simulator.experiment.engine.lifting import THROUGH, lifts
from simulator.experiment.engine.suspects import suspects
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.mechanisms.base import ROOT_SWITCH
from simulator.isolation.technologies.base import Technology, without

lifted_from = functools.lru_cache(maxsize=4096)(without)
"""One object for each technology with walls lifted: the caches of launches find it at once."""


class Openings(msgspec.Struct, frozen=True):
    """A probe's outcome and, where it holds, the smallest sets whose removal lets it through."""

    probe: str
    before: Outcome
    sets: tuple[tuple[str, ...], ...]


ENOUGH = 8
"""Sets after which the search for more ends."""


def openings(question: Question, technology: Technology) -> Openings:
    """The smallest sets of mechanisms that must all go before ``question`` gets through."""
    given = answer(question, technology)
    before = given.verdict.outcome
    sets = smallest(question, technology, given) if before is Outcome.HOLDS else ()
    return Openings(question.id, before, sets)


def smallest(
    question: Question,
    technology: Technology,
    given: Answer,
    enough: int = ENOUGH,
) -> tuple[tuple[str, ...], ...]:
    """Minimal sets (none contains another) of a probe that holds, ``given`` its answer.

    A set is found by lifting everything that may matter and restoring one mechanism after the
    other; the next ones without each of its members in turn (Reiter's hitting set tree).
    """
    tried: dict[frozenset[str], bool] = {frozenset(): False}

    def opens(kept: list[tuple[str, ...]]) -> bool:
        lifted = frozenset(name for names in kept for name in names)
        if lifted not in tried:
            order = tuple(name for name in (*technology.ids, "chroot") if name in lifted)
            less = lifted_from(technology, order)
            tried[lifted] = judge(question, less, given).outcome in THROUGH
        return tried[lifted]

    # A wall that is never asked, because another says no before it, is nobody's suspect: all are
    # lifted, and those that are none are restored first.
    mattering = suspects(question, technology, given)
    candidates = sorted(_candidates(technology), key=lambda lifted: lifted[0] in mattering)
    found: dict[frozenset[str], None] = {}
    todo = [candidates]
    seen = {frozenset(candidates)}
    while todo and len(found) < enough:
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
    return tuple(sorted((tuple(sorted(names)) for names in minimal), key=lambda it: (len(it), it)))


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
