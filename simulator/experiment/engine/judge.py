"""One question put to one technology: the runs that its oracle needs, then the verdict."""

from collections.abc import Callable

import msgspec

from simulator.experiment.engine.executor import open_session, open_twin
from simulator.experiment.engine.session import SimSession
from simulator.experiment.probes.observe import ATTACKER, Case, Observation, observe
from simulator.experiment.probes.oracles import NEEDS
from simulator.experiment.probes.oracles import judge as ask
from simulator.experiment.probes.program import Program, lineage, without
from simulator.experiment.probes.session import HarnessError
from simulator.experiment.probes.trace import Entry
from simulator.experiment.probes.verdict import Verdict
from simulator.experiment.probes.world import World
from simulator.isolation.technologies.base import Technology


class Question(msgspec.Struct, frozen=True, cache_hash=True):
    """A probe ready to be asked: a scenario with its world loaded."""

    id: str
    group: str
    world: World
    asks: str
    program: Program
    resource: str = ""


class Answer(msgspec.Struct, frozen=True):
    """A verdict with the runs that it was judged from."""

    verdict: Verdict
    case: Case


def judge(
    question: Question,
    technology: Technology,
    known: Answer | None = None,
) -> Verdict:
    """What the model answers; ``known`` as for ``answer``."""
    return answer(question, technology, known).verdict


def answer(
    question: Question,
    technology: Technology,
    known: Answer | None = None,
    main: Observation | None = None,
) -> Answer:
    """The verdict, and the main run with the runs beside it.

    ``known`` is the answer with more walls: where everybody saw the same as there, the runs that
    only say what that depends on would be the same too, and it is the answer here. ``main`` is what
    was ``observed`` before.
    """
    world, program = question.world, question.program
    needs = NEEDS.get(question.asks, frozenset())
    main = main or observed(question, technology)
    if known is not None and needs & _BESIDE and _saw(main) == _saw(known.case.main):
        return known
    case = Case(
        program=program,
        technology=technology.id,
        main=main,
        twin=_run(world, technology, program, opened=open_twin) if "twin" in needs else None,
        alone=_run(world, technology, _without_guest(program)) if "alone" in needs else None,
        resource=question.resource,
    )
    return Answer(ask(question.asks, case), case)


_BESIDE = frozenset({"twin", "alone"})
"""Runs whose difference from the main one is the answer."""


def _saw(run: Observation) -> tuple[Entry, ...]:
    """What all actors got to see."""
    return run.trace.entries


def observed(question: Question, technology: Technology) -> Observation:
    """The main run alone, for who only wants to see what was reached."""
    needs = NEEDS.get(question.asks, frozenset())
    return _run(question.world, technology, question.program, needs)


def _run(
    world: World,
    technology: Technology,
    program: Program,
    needs: frozenset[str] = frozenset(),
    *,
    opened: Callable[[World, Technology], SimSession] = open_session,
) -> Observation:
    if not program.on.asks(technology.id):
        return Observation()
    try:
        session = opened(world, technology)
    except HarnessError as error:
        return Observation(failure=str(error))
    return observe(program, session, state="state" in needs, uses="uses" in needs)


def _without_guest(program: Program) -> Program:
    return without(program, lineage(program, ATTACKER))
