"""Oracles: each judges one kind of question from traces, and knows no technology.

``judge`` is the one entry: what is the same for every oracle (a broken apparatus, a question that
does not apply) is answered here.
"""

from collections.abc import Callable
from typing import TypeAlias

from simulator.experiment.probes.observe import Case
from simulator.experiment.probes.oracles import (
    authority,
    budget,
    integrity,
    interference,
    secrecy,
    visibility,
)
from simulator.experiment.probes.oracles.common import absent_call, not_asked, unsound
from simulator.experiment.probes.verdict import Outcome, Verdict

Oracle: TypeAlias = Callable[[Case], Verdict]

ORACLES: dict[str, Oracle] = {
    "secrecy": secrecy.judge,
    "integrity": integrity.judge,
    "visibility": visibility.judge,
    "interference": interference.judge,
    "budget": budget.judge,
    "authority": authority.judge,
}
"""What a scenario's ``asks`` may name."""

NEEDS: dict[str, frozenset[str]] = {
    "secrecy": frozenset({"twin"}),
    "integrity": frozenset({"state"}),
    "interference": frozenset({"alone"}),
    "budget": frozenset({"uses"}),
}
"""What an oracle needs besides the main run: another run (``twin``, ``alone``), the host's
``state`` before and after, what the guest ``uses`` in the end. A real executor adds ``again``."""

_THROUGH = (Outcome.LEAKS, Outcome.LIMITED, Outcome.GRANTED)


def judge(asks: str, case: Case) -> Verdict:
    """The verdict of oracle ``asks`` (a key of ``ORACLES``) on ``case``."""
    refused = not_asked(case.program, case.technology) or unsound(case)
    if refused is not None:
        return refused
    verdict = ORACLES[asks](case)
    if verdict.outcome in _THROUGH:
        return verdict
    # What got through did so whatever else is missing; a wall is only proved by a call that exists.
    return absent_call(case) or verdict
