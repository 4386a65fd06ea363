"""Interference: does the guest disturb a neighbour? The neighbour's trace with and without it."""

from simulator.experiment.probes.normalise import normalise
from simulator.experiment.probes.observe import VICTIM, Case, numbered, only
from simulator.experiment.probes.oracles.common import holds
from simulator.experiment.probes.program import lineage
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.i18n import N_


def judge(case: Case) -> Verdict:
    """``LEAKS`` when the neighbour's entries differ from those of a run without the guest."""
    victims = lineage(case.program, VICTIM)
    numbers = [number for number, _ in numbered(case.main.trace, victims)]
    if case.alone is None or not numbers:
        return Verdict(
            outcome=Outcome.INCONCLUSIVE,
            reason=N_("interference needs the neighbour's run without the guest"),
        )
    disturbed = normalise(only(case.main.trace, victims))
    alone = normalise(only(case.alone.trace, victims))
    differing = tuple(
        number
        for index, number in enumerate(numbers)
        if index >= len(alone) or disturbed[index] != alone[index]
    )
    if not differing:
        return holds(case)
    return Verdict(
        outcome=Outcome.LEAKS,
        evidence=differing,
        reason=N_("the neighbour's run differs because of the guest"),
    )
