"""The same program on several technologies, in lock-step: where do they part?"""

from collections.abc import Sequence

import msgspec

from simulator.experiment.engine.executor import MODERN, open_session
from simulator.experiment.probes.normalise import normalise
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.run import run
from simulator.experiment.probes.trace import Entry, Trace
from simulator.experiment.probes.world import World
from simulator.isolation.technologies.base import Technology


class Row(msgspec.Struct, frozen=True):
    """One step of the program: an entry for each technology, and whether all say the same."""

    step: int
    rep: int
    entries: tuple[Entry, ...]
    same: bool


class Comparison(msgspec.Struct, frozen=True):
    """The runs side by side; ``first`` is the first row that differs, None when none does."""

    specs: tuple[str, ...]
    rows: tuple[Row, ...]
    first: int | None


def traced(
    program: Program,
    world: World,
    technology: Technology,
    facts: frozenset[str] = MODERN,
) -> Trace:
    """``program`` on ``technology``. Raises ``HarnessError``."""
    return run(program, open_session(world, technology, facts))


def compare(program: Program, world: World, technologies: Sequence[Technology]) -> Comparison:
    """Run ``program`` on each; entries are compared as real runs are (``normalise``)."""
    traces = [traced(program, world, technology) for technology in technologies]
    return _beside(tuple(one.spec or one.id for one in technologies), traces)


def compare_hosts(program: Program, worlds: Sequence[World], technology: Technology) -> Comparison:
    """Run ``program`` on several machines; they are called by their host names."""
    traces = [traced(program, world, technology) for world in worlds]
    return _beside(tuple(world.hostname for world in worlds), traces)


def _beside(names: tuple[str, ...], traces: Sequence[Trace]) -> Comparison:
    plain = [normalise(trace) for trace in traces]
    rows = tuple(
        Row(
            entries[0].step,
            entries[0].rep,
            entries,
            all(one[number] == plain[0][number] for one in plain[1:]),
        )
        for number, entries in enumerate(zip(*(trace.entries for trace in traces), strict=True))
    )
    first = next((number for number, row in enumerate(rows) if not row.same), None)
    return Comparison(names, rows, first)
