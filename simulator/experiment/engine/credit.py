"""Whose merit is it that a probe held? Lift one wall after the other and see which one lets it by.

Often nothing says no: behind pivot_root(2) the host's file simply has no name. Then no refusal
names a wall, and only taking walls away tells which one it was. The likeliest, which hide what the
same probe reaches where there is no isolation at all, are lifted first.
"""

import itertools

import msgspec

from simulator.experiment.engine.executor import alike
from simulator.experiment.engine.judge import Answer, Question, answer, judge
from simulator.experiment.engine.lifting import THROUGH, lifts
from simulator.experiment.engine.openings import lifted_from, smallest
from simulator.experiment.engine.suspects import idle, suspects
from simulator.experiment.probes.observe import numbered
from simulator.experiment.probes.trace import Status
from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.mechanisms.base import ROOT_SWITCH
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.i18n import N_

SETS = 3
"""How many sets of walls that hold together are told."""


def credited(
    question: Question,
    technology: Technology,
    *,
    always: bool = True,
) -> Answer:
    """The answer, with the mechanisms that it hangs on and, where none refused, by name.

    Where it hangs on none alone, with those that hold it together, among them the plain chroot
    that stands in for a lifted root switch. Not ``always``: only where no refusal says who stopped
    it, and only the first that it hangs on.
    """
    given = answer(question, technology)
    verdict = given.verdict
    if verdict.outcome is not Outcome.HOLDS or (verdict.stopped_by and not always):
        return given
    mechanisms: tuple[str, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    reason = verdict.reason
    if idle(question, technology):
        reason = N_("without any wall this probe does not get through here either")
    else:
        enough = None if always else 1
        mechanisms = tuple(_decisive(question, technology, given, enough))
        if always and not mechanisms:
            together = smallest(question, technology, given, SETS)
    stopped_by = verdict.stopped_by or (mechanisms[0] if mechanisms else None)
    return Answer(
        msgspec.structs.replace(
            verdict,
            mechanisms=mechanisms,
            together=together,
            reason=reason,
            stopped_by=stopped_by,
            evidence=verdict.evidence or _last_failure(given),
        ),
        given.case,
    )


def _decisive(
    question: Question,
    technology: Technology,
    given: Answer,
    enough: int | None,
) -> list[str]:
    """Which mechanisms, each lifted alone, let the probe through; at most ``enough``.

    The likeliest are lifted first. One that takes another decisive one with it has no merit of
    its own.
    """
    guarding = _guarding(question, technology)
    hiding = suspects(question, technology, given)

    def likelihood(lifted: tuple[str, ...]) -> tuple[bool, bool, int]:
        return (lifted[0] not in guarding, lifted[0] not in hiding, len(lifted))

    found: list[str] = []
    for lifted in sorted(lifts(technology), key=likelihood):
        less = lifted_from(technology, lifted)
        if set(lifted) & set(found) or alike(question.world, technology, less):
            continue
        if judge(question, less, given).outcome in THROUGH:
            found.append(lifted[0])
            if len(found) == enough:
                break
    return found or _root_switch(question, technology, given, enough)


_KINDS = {"ipc": {"shm", "sem", "msg"}, "cpu-share": {"cpu"}, "io-share": {"io"}}
"""The kinds of object that a resource is made of, where they are called otherwise."""


def _guarding(question: Question, technology: Technology) -> set[str]:
    """Mechanisms that keep from the sandbox what ``question`` would use up: the likeliest."""
    kinds = _KINDS.get(question.resource, {question.resource})
    return {m.about.id for m in technology.mechanisms if m.about.hides & kinds}


def _root_switch(
    question: Question, technology: Technology, given: Answer, enough: int | None
) -> list[str]:
    """Where another way to the same root takes over from the one lifted: lift both."""
    switches = {m.about.id for m in technology.mechanisms if m.about.role == ROOT_SWITCH}
    opening = (
        lifted[0]
        for lifted in lifts(technology)
        if lifted[0] in switches
        and judge(question, lifted_from(technology, (*lifted, "chroot")), given).outcome in THROUGH
    )
    return list(itertools.islice(opening, enough))


def _last_failure(given: Answer) -> tuple[int, ...]:
    failed = [
        number
        for number, entry in numbered(given.case.main.trace, given.case.attackers)
        if entry.status is Status.FAILED
    ]
    return tuple(failed[-1:])
