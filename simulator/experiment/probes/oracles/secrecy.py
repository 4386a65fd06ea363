"""Secrecy: may the guest learn the host's secret?

Noninterference (Goguen and Meseguer, 1982): in two worlds that differ only in the host's secret,
whatever the guest sees must be equal. Where it isn't, the secret got out, by whatever way.
"""

from simulator.experiment.probes.normalise import Compared, normalise
from simulator.experiment.probes.observation import Crossing
from simulator.experiment.probes.observe import Case, Observation, numbered, only
from simulator.experiment.probes.oracles.common import crossings, holds
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.i18n import N_

_READING = frozenset({"read", "connect", "trace", "privilege", "name"})


def judge(case: Case) -> Verdict:
    """``LEAKS`` where the guest's entries differ between the twin worlds."""
    if case.twin is None:
        return Verdict(
            outcome=Outcome.INCONCLUSIVE, reason=N_("secrecy needs a run in a twin world")
        )
    if case.again is None and case.main.trace == case.twin.trace:
        return holds(case)
    here = _seen(case, case.main)
    there = _seen(case, case.twin)
    noise = _noise(case, here)
    numbers = [number for number, _ in numbered(case.main.trace, case.attackers)]
    differing = tuple(
        number
        for index, number in enumerate(numbers)
        if index not in noise and (index >= len(there) or here[index] != there[index])
    )
    if not differing:
        return _noisy() if noise and len(noise) == len(numbers) else holds(case)
    granted = _granted(crossings(case, _READING), differing[0])
    return Verdict(
        outcome=Outcome.GRANTED if granted else Outcome.LEAKS,
        evidence=differing,
        reason=N_("an operator asked for this access")
        if granted
        else N_("what the guest saw depends on the host's secret"),
    )


def _seen(case: Case, observation: Observation) -> tuple[Compared, ...]:
    return normalise(only(observation.trace, case.attackers))


def _noise(case: Case, here: tuple[Compared, ...]) -> frozenset[int]:
    """Entries that differ between two runs in the same world: timers, load, addresses."""
    if case.again is None:
        return frozenset()
    again = _seen(case, case.again)
    return frozenset(
        index for index, entry in enumerate(here) if index >= len(again) or entry != again[index]
    )


def _granted(found: tuple[tuple[int, Crossing], ...], first: int) -> bool:
    """Whether every access up to the first differing entry was one that an operator granted."""
    before = [crossing for number, crossing in found if number <= first]
    return bool(before) and all(crossing.granted for crossing in before)


def _noisy() -> Verdict:
    return Verdict(
        outcome=Outcome.INCONCLUSIVE,
        reason=N_("two runs in the same world differ everywhere: nothing can be compared"),
    )
