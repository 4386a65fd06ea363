"""Runs that oracles judge: a trace with the host's state around it, and the runs beside it."""

import msgspec

from simulator.experiment.probes.observation import Fingerprint, Use
from simulator.experiment.probes.program import Program, lineage
from simulator.experiment.probes.run import run
from simulator.experiment.probes.session import HarnessError, Session
from simulator.experiment.probes.trace import Entry, Trace

ATTACKER = "guest"
VICTIM = "neighbour"

_UNSEEN: Fingerprint = {}


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One run: its trace and, if asked for, the host before and after and what the guest held at
    the end.

    ``failure`` says how the apparatus failed; nothing else counts then.
    """

    trace: Trace = Trace()
    before: Fingerprint = {}
    after: Fingerprint = {}
    uses: tuple[Use, ...] = ()
    failure: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an oracle is given. Which extra runs it needs: ``oracles.NEEDS``.

    ``twin``: the same program where only the host's secret differs. ``again``: the main run once
    more, whose differences are noise (real kernels). ``alone``: the program without the guest's
    steps. ``resource`` is what a budget probe asks about.
    """

    program: Program
    technology: str
    main: Observation
    twin: Observation | None = None
    again: Observation | None = None
    alone: Observation | None = None
    resource: str = ""

    @property
    def attackers(self) -> frozenset[str]:
        """The guest and its children."""
        return lineage(self.program, ATTACKER)


def observe(
    program: Program, session: Session, *, state: bool = True, uses: bool = True
) -> Observation:
    """Run ``program``; with ``state``, look at the host before and after it; with ``uses``, at what
    the guest holds when it ends.

    A broken apparatus is noted, not raised.
    """
    try:
        before = session.fingerprint() if state else _UNSEEN
        trace = run(program, session)
        after = session.fingerprint() if state else _UNSEEN
        held = session.uses() if uses else ()
        return Observation(trace=trace, before=before, after=after, uses=held)
    except HarnessError as error:
        return Observation(failure=str(error))


def numbered(trace: Trace, actors: frozenset[str]) -> tuple[tuple[int, Entry], ...]:
    """The entries of ``actors`` with their numbers in ``trace``."""
    return tuple(
        (number, entry) for number, entry in enumerate(trace.entries) if entry.actor in actors
    )


def only(trace: Trace, actors: frozenset[str]) -> Trace:
    """``trace`` as ``actors`` saw it; steps are counted by line, so that programs may differ."""
    return Trace(
        tuple(
            msgspec.structs.replace(entry, step=entry.line)
            for entry in trace.entries
            if entry.actor in actors
        ),
        trace.constants,
    )
