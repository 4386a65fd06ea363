"""What oracles share: who was refused, what crossed, and when no judgement is possible."""

from collections.abc import Iterable

from simulator.experiment.probes.observation import Crossing
from simulator.experiment.probes.observe import Case, numbered
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import Entry, Status
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.call import Failed
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_

RELEASE_WALL = "kernel-release"
"""Not a wall of isolation: this kernel does not have the call yet."""


def not_asked(program: Program, technology: str) -> Verdict | None:
    """``NOT_APPLICABLE`` when the program's ``# on:`` line leaves ``technology`` out."""
    if program.on.asks(technology):
        return None
    reason = N_("the probe does not ask this technology")
    return Verdict(outcome=Outcome.NOT_APPLICABLE, reason=reason)


def unsound(case: Case) -> Verdict | None:
    """``INCONCLUSIVE`` when the apparatus failed or the guest never got to act."""
    for observation in (case.main, case.twin, case.again, case.alone):
        if observation is not None and observation.failure:
            return Verdict(outcome=Outcome.INCONCLUSIVE, reason=observation.failure)
    attacks = [entry for _, entry in numbered(case.main.trace, case.attackers)]
    if not attacks or all(entry.skipped for entry in attacks):
        return Verdict(
            outcome=Outcome.INCONCLUSIVE, reason=N_("the guest made no call in this run")
        )
    return None


def absent_call(case: Case) -> Verdict | None:
    """No judgement on a run that lacks a call: the guest's, or another actor's preparation."""
    for number, entry in enumerate(case.main.trace.entries):
        missing = entry.errno is Errno.ENOSYS and entry.stopped_by in (None, RELEASE_WALL)
        if not missing and entry.status is not Status.SILENT:
            continue
        if entry.actor in case.attackers:
            return Verdict(
                outcome=Outcome.NOT_APPLICABLE,
                evidence=(number,),
                reason=N_("this kernel does not have the call"),
            )
        return Verdict(
            outcome=Outcome.INCONCLUSIVE,
            evidence=(number,),
            reason=N_("another actor of this probe lacks a call: nothing was put to the test"),
        )
    return None


def last_wall(case: Case) -> tuple[int | None, str | None]:
    """The entry and the wall of the guest's last refusal by a wall."""
    for number, entry in reversed(numbered(case.main.trace, case.attackers)):
        walls = [wall for wall in walls_of(entry) if wall != RELEASE_WALL]
        if walls:
            return number, walls[-1]
    return None, None


def walls_of(entry: Entry) -> Iterable[str]:
    """Walls that refused ``entry`` or, for a shell line, calls nested in it; in order."""
    for nested in entry.nested:
        if isinstance(nested.result, Failed) and nested.result.denial.wall != "none":
            yield nested.result.denial.wall
    if entry.stopped_by is not None:
        yield entry.stopped_by


def crossings(case: Case, operations: frozenset[str]) -> tuple[tuple[int, Crossing], ...]:
    """The guest's accesses to others' objects by one of ``operations``, with entry numbers."""
    return tuple(
        (number, crossing)
        for number, entry in numbered(case.main.trace, case.attackers)
        for crossing in entry.crossings or ()
        if crossing.operation in operations
    )


def holds(case: Case) -> Verdict:
    """``HOLDS``, stopped by the guest's last refusal if there was one."""
    number, wall = last_wall(case)
    evidence = () if number is None else (number,)
    return Verdict(
        outcome=Outcome.HOLDS,
        evidence=evidence,
        stopped_by=wall,
        reason=N_("this probe did not get through"),
    )


def through(case: Case, found: tuple[tuple[int, Crossing], ...], *, partly: bool) -> Verdict:
    """The verdict on crossings: granted, a leak, or (if ``partly`` may be) limited by a wall."""
    reached = tuple(pair for pair in found if not pair[1].granted)
    if not reached:
        return Verdict(
            outcome=Outcome.GRANTED,
            evidence=_numbers(found),
            reason=N_("an operator asked for this access"),
        )
    _, wall = last_wall(case)
    if partly and wall is not None:
        return Verdict(
            outcome=Outcome.LIMITED,
            evidence=_numbers(reached),
            stopped_by=wall,
            reason=N_("some of it got through, and a wall refused the rest"),
        )
    return Verdict(
        outcome=Outcome.LEAKS,
        evidence=_numbers(reached),
        reason=N_("the guest reached what is not its own"),
    )


def _numbers(found: tuple[tuple[int, Crossing], ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(number for number, _ in found))
