"""Whose merit is it that a probe held? Lift one wall after the other and see which one lets it by.

Often nothing says no: behind pivot_root(2) the host's file simply has no name. Then no refusal
names a wall, and only taking walls away tells which one it was. The likeliest, which hide what the
same probe reaches where there is no isolation at all, are lifted first.
"""

import functools
import itertools

import msgspec

from simulator.experiment.engine.executor import MODERN
from simulator.experiment.engine.judge import Answer, Question, answer, judge, observed
from simulator.experiment.engine.lifting import THROUGH, lifts
from simulator.experiment.probes.observe import ATTACKER, numbered
from simulator.experiment.probes.oracles.common import walls_of
from simulator.experiment.probes.program import Filter, lineage
from simulator.experiment.probes.trace import Status
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.mechanisms.base import ROOT_SWITCH
from simulator.isolation.technologies import none
from simulator.isolation.technologies.base import Kernel, Technology, change, without

_without = functools.lru_cache(maxsize=1024)(without)
"""One object for each technology with a wall lifted: the caches of launches find it at once."""


def credited(
    question: Question,
    technology: Technology,
    facts: frozenset[str] = MODERN,
    *,
    always: bool = True,
) -> Answer:
    """The answer, with the mechanisms that it hangs on and, where none refused, by name.

    Not ``always``: only where no refusal says who stopped it, and only the first of them.
    """
    given = answer(question, technology, facts)
    verdict = given.verdict
    if verdict.outcome is not Outcome.HOLDS or (verdict.stopped_by and not always):
        return given
    mechanisms: tuple[str, ...] = ()
    enough = None if always else 1
    if not _idle(question, technology, facts):
        mechanisms = tuple(_decisive(question, technology, given, facts, enough))
    stopped_by = verdict.stopped_by or (mechanisms[0] if mechanisms else None)
    return Answer(
        msgspec.structs.replace(
            verdict,
            mechanisms=mechanisms,
            stopped_by=stopped_by,
            evidence=verdict.evidence or _last_failure(given),
        ),
        given.case,
    )


def _decisive(
    question: Question,
    technology: Technology,
    given: Answer,
    facts: frozenset[str],
    enough: int | None,
) -> list[str]:
    """Which mechanisms, each lifted alone, let the probe through; at most ``enough``.

    The likeliest are lifted first. One that takes another decisive one with it has no merit of
    its own.
    """
    guarding = _guarding(question, technology)
    hiding = suspects(question, technology, facts, given)

    def likelihood(lifted: tuple[str, ...]) -> tuple[bool, bool, int]:
        return (lifted[0] not in guarding, lifted[0] not in hiding, len(lifted))

    found: list[str] = []
    for lifted in sorted(lifts(technology), key=likelihood):
        if set(lifted) & set(found):
            continue
        if judge(question, _without(technology, lifted), facts, given).outcome in THROUGH:
            found.append(lifted[0])
            if len(found) == enough:
                break
    return found or _root_switch(question, technology, facts, enough)


_KINDS = {"ipc": {"shm", "sem", "msg"}, "cpu-share": {"cpu"}, "io-share": {"io"}}
"""The kinds of object that a resource is made of, where they are called otherwise."""


def _guarding(question: Question, technology: Technology) -> set[str]:
    """Mechanisms that keep from the sandbox what ``question`` would use up: the likeliest."""
    kinds = _KINDS.get(question.resource, {question.resource})
    return {m.about.id for m in technology.mechanisms if m.about.hides & kinds}


def _root_switch(
    question: Question, technology: Technology, facts: frozenset[str], enough: int | None
) -> list[str]:
    """Where another way to the same root takes over from the one lifted: lift both."""
    switches = {m.about.id for m in technology.mechanisms if m.about.role == ROOT_SWITCH}
    opening = (
        lifted[0]
        for lifted in lifts(technology)
        if lifted[0] in switches
        and judge(question, _without(technology, (*lifted, "chroot")), facts).outcome in THROUGH
    )
    return list(itertools.islice(opening, enough))


def suspects(
    question: Question,
    technology: Technology,
    facts: frozenset[str] = MODERN,
    given: Answer | None = None,
) -> set[str]:
    """Mechanisms that may matter to a probe: those that hide what it reaches without any, and
    those whose walls refuse it something now (in ``given``, when that was asked already).
    """
    kinds = reached(question, technology, facts)
    if not kinds:
        return set(technology.ids)
    walls = _refusing(given or answer(question, technology, facts))
    return {
        m.about.id for m in technology.mechanisms if m.about.hides & kinds or m.about.walls & walls
    }


def _refusing(given: Answer) -> set[str]:
    """Walls that said no to the guest."""
    attacks = numbered(given.case.main.trace, given.case.attackers)
    return {wall for _number, entry in attacks for wall in walls_of(entry)}


def reached(
    question: Question, technology: Technology, facts: frozenset[str] = MODERN
) -> frozenset[str]:
    """Kinds of object that the probe gets at on the same kernel without any isolation."""
    if not question.program.on.asks(technology.id):
        return frozenset()
    return _reached(_everywhere(question), _bare(technology.kernel, technology.release), facts)


def _idle(question: Question, technology: Technology, facts: frozenset[str]) -> bool:
    """Whether no wall can have any merit: the probe reaches nothing and holds without any."""
    bare = _bare(technology.kernel, technology.release)
    return not reached(question, technology, facts) and _holds(_everywhere(question), bare, facts)


@functools.lru_cache(maxsize=1024)
def _everywhere(question: Question) -> Question:
    """The question put to every technology: one object, whose hash is computed once."""
    if question.program.on == Filter():
        return question
    program = msgspec.structs.replace(question.program, on=Filter())
    return msgspec.structs.replace(question, program=program)


@functools.cache
def _bare(kernel: Kernel, release: str) -> Technology:
    """No isolation at all on a kernel."""
    return change(none.TECHNOLOGY, kernel=kernel, release=release)


@functools.lru_cache(maxsize=1024)
def _reached(question: Question, bare: Technology, facts: frozenset[str]) -> frozenset[str]:
    """For a probe that asks every technology: one run for all of the same kernel."""
    run = observed(question, bare, facts)
    return frozenset(
        crossing.kind
        for _number, entry in numbered(run.trace, lineage(question.program, ATTACKER))
        for crossing in entry.crossings or ()
    )


@functools.lru_cache(maxsize=1024)
def _holds(question: Question, bare: Technology, facts: frozenset[str]) -> bool:
    """For a probe that asks every technology: judged once for all of the same kernel."""
    return judge(question, bare, facts).outcome is Outcome.HOLDS


def _last_failure(given: Answer) -> tuple[int, ...]:
    failed = [
        number
        for number, entry in numbered(given.case.main.trace, given.case.attackers)
        if entry.status is Status.FAILED
    ]
    return tuple(failed[-1:])
