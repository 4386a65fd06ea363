"""Integrity: may the guest change what is the host's? The host's state before and after."""

from simulator.experiment.probes.observe import Case, numbered
from simulator.experiment.probes.oracles.common import crossings, holds, through
from simulator.experiment.probes.trace import Status
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.i18n import N_

_CHANGING = frozenset({"write", "signal", "trace", "privilege", "exhaust"})


def judge(case: Case) -> Verdict:
    """``LEAKS`` when anything of the host's differs afterwards."""
    if not changed(case):
        return holds(case)
    found = crossings(case, _CHANGING)
    if found:
        return through(case, found, partly=False)
    acted = tuple(
        number
        for number, entry in numbered(case.main.trace, case.attackers)
        if entry.status is Status.RETURNED
    )
    return Verdict(
        outcome=Outcome.LEAKS,
        evidence=acted[-1:],
        reason=N_("something of the host's differs afterwards"),
    )


def changed(case: Case) -> tuple[str, ...]:
    """The names of the host's objects that are not as they were, sorted."""
    before, after = case.main.before, case.main.after
    if before == after:
        return ()
    return tuple(sorted({name for name, _digest in before.items() ^ after.items()}))
