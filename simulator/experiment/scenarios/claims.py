"""What the literature says against what the model answers, over every claim there is.

Verdicts never read claims; this is the one place that puts the two side by side.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from enum import StrEnum

import msgspec

from simulator.experiment.engine.judge import judge
from simulator.experiment.engine.pool import InProcess, spread
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.schema import Claim, Scenario
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.registry import parse_spec


class Agreement(StrEnum):
    """How a claim and an answer stand to each other.

    ``agree_in_set``: the answer is a form of what is claimed (a thing "allowed in a narrowed form"
    that never reaches the host's, a refusal by a kernel that does not have the call at all).
    ``not_modelled``: there is no such technology here, or the run came to nothing.
    """

    AGREE = "agree"
    AGREE_IN_SET = "agree_in_set"
    DISAGREE = "disagree"
    NOT_MODELLED = "not_modelled"


_FORMS: dict[str, frozenset[Outcome]] = {
    "holds": frozenset({Outcome.NOT_APPLICABLE}),
    "leaks": frozenset({Outcome.LIMITED}),
    "limited": frozenset({Outcome.HOLDS, Outcome.GRANTED}),
    "granted": frozenset({Outcome.LEAKS, Outcome.LIMITED}),
    "not_applicable": frozenset({Outcome.HOLDS}),
}
"""Answers that are a form of each claimed outcome."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A claim about ``spec`` on ``probe`` with the model's answer, None where there is none."""

    probe: str
    spec: str
    claimed: str
    source: str
    verdict: Verdict | None
    agreement: Agreement


def compared(
    scenarios: Iterable[Scenario], specs: Iterable[str] = (), pool: Executor | None = None
) -> Iterator[Compared]:
    """Every claim of ``scenarios``, or only those about ``specs``, in order."""
    wanted = set(specs)
    asked = [
        (scenario, claim)
        for scenario in scenarios
        for claim in scenario.claims
        if not wanted or claim.technology in wanted
    ]
    yield from spread(pool or InProcess(), _compare, asked)


def _compare(asked: tuple[Scenario, Claim]) -> Compared:
    scenario, claim = asked
    try:
        verdict = judge(question(scenario), parse_spec(claim.technology))
    except SpecError:
        verdict = None
    return Compared(
        probe=scenario.id,
        spec=claim.technology,
        claimed=claim.outcome,
        source=claim.source,
        verdict=verdict,
        agreement=agreement(claim.outcome, verdict.outcome if verdict else None),
    )


def agreement(claimed: str, answered: Outcome | None) -> Agreement:
    """How ``answered`` stands to ``claimed``."""
    if answered is None or answered is Outcome.INCONCLUSIVE:
        return Agreement.NOT_MODELLED
    if answered.value == claimed:
        return Agreement.AGREE
    return Agreement.AGREE_IN_SET if answered in _FORMS[claimed] else Agreement.DISAGREE
