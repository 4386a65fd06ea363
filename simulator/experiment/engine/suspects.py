"""What a probe reaches without any wall, and which walls may therefore matter to it.

A guess that orders a search: whether a wall does matter, only lifting it tells.
"""

import functools

import msgspec

from simulator.experiment.engine.judge import Answer, Question, answer, observed
from simulator.experiment.probes.observe import ATTACKER, Observation, numbered
from simulator.experiment.probes.oracles.common import walls_of
from simulator.experiment.probes.program import Filter, lineage
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.technologies import none
from simulator.isolation.technologies.base import Kernel, Technology, change


def suspects(
    question: Question,
    technology: Technology,
    given: Answer | None = None,
) -> set[str]:
    """Mechanisms that may matter to a probe: those that hide what it reaches without any, and
    those whose walls refuse it something now (in ``given``, when that was asked already).
    """
    kinds = reached(question, technology)
    if not kinds:
        return set(technology.ids)
    walls = _refusing(given or answer(question, technology))
    return {
        m.about.id for m in technology.mechanisms if m.about.hides & kinds or m.about.walls & walls
    }


def _refusing(given: Answer) -> set[str]:
    """Walls that said no to the guest."""
    attacks = numbered(given.case.main.trace, given.case.attackers)
    return {wall for _number, entry in attacks for wall in walls_of(entry)}


def reached(question: Question, technology: Technology) -> frozenset[str]:
    """Kinds of object that the probe gets at on the same kernel without any isolation."""
    if not question.program.on.asks(technology.id):
        return frozenset()
    return _reached(_everywhere(question), _bare(technology.kernel, technology.release))


def idle(question: Question, technology: Technology) -> bool:
    """Whether no wall can have any merit: the probe reaches nothing and holds without any."""
    bare = _bare(technology.kernel, technology.release)
    return not reached(question, technology) and _holds(_everywhere(question), bare)


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


@functools.lru_cache(maxsize=8)
def _seen(question: Question, bare: Technology) -> Observation:
    """What both questions below begin with."""
    return observed(question, bare)


@functools.lru_cache(maxsize=1024)
def _reached(question: Question, bare: Technology) -> frozenset[str]:
    """For a probe that asks every technology: one run for all of the same kernel."""
    run = _seen(question, bare)
    return frozenset(
        crossing.kind
        for _number, entry in numbered(run.trace, lineage(question.program, ATTACKER))
        for crossing in entry.crossings or ()
    )


@functools.lru_cache(maxsize=1024)
def _holds(question: Question, bare: Technology) -> bool:
    """For a probe that asks every technology: judged once for all of the same kernel."""
    given = answer(question, bare, main=_seen(question, bare))
    return given.verdict.outcome is Outcome.HOLDS
