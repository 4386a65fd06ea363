"""Which single switch would close each leak of a sandbox: tried one by one, none assumed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor

import msgspec

from simulator.experiment.engine.judge import Question, judge
from simulator.experiment.engine.lifting import THROUGH
from simulator.experiment.engine.pool import InProcess, spread
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.registry import parse_spec

OPEN = THROUGH | {Outcome.GRANTED}
"""What an attacker gets something out of, also what an option hands out on purpose."""


class Trial(msgspec.Struct, frozen=True):
    """One question on one SPEC; it travels to another process."""

    question: Question
    spec: str


class Door(msgspec.Struct, frozen=True):
    """A probe that gets through. ``switches``: each closes it by itself."""

    probe: str
    group: str
    outcome: Outcome
    switches: tuple[str, ...]


def doors(
    questions: Sequence[Question],
    spec: str,
    switches: Mapping[str, str],
    pool: Executor | None = None,
    told: Callable[[int], None] | None = None,
) -> list[Door]:
    """Every probe that gets through ``spec``, with the switches that close it.

    ``switches`` are SPECs by what a person would do; one that can't be launched is passed over.
    ``told`` hears how many trials one more step was.
    """
    workers = pool or InProcess()
    parse_spec(spec)
    usable = {name: one for name, one in switches.items() if _launches(one)}
    first = _outcomes(workers, [Trial(one, spec) for one in questions], told)
    through = [(one, out) for one, out in zip(questions, first, strict=True) if out in OPEN]
    trials = [Trial(one, other) for one, _out in through for other in usable.values()]
    answers = iter(_outcomes(workers, trials, told))
    found: list[Door] = []
    for question, outcome in through:
        closing = tuple(name for name in usable if _closes(next(answers)))
        found.append(Door(question.id, question.group, outcome, closing))
    return found


def _closes(outcome: Outcome) -> bool:
    """A question that can't be answered, or not asked, is no wall."""
    return outcome is Outcome.HOLDS


def _outcomes(
    workers: Executor, trials: Iterable[Trial], told: Callable[[int], None] | None
) -> list[Outcome]:
    found: list[Outcome] = []
    for outcome in spread(workers, outcome_of, list(trials)):
        found.append(outcome)
        if told is not None:
            told(1)
    return found


def outcome_of(trial: Trial) -> Outcome:
    """What the model answers."""
    return judge(trial.question, parse_spec(trial.spec)).outcome


def _launches(spec: str) -> bool:
    try:
        parse_spec(spec)
    except (SpecError, PlanError):
        return False
    return True
