"""One run of a program on this machine's kernel, from the machine that it takes to its trace."""

from collections.abc import Sequence

from simulator.experiment.probes.program import Program, names_in
from simulator.experiment.probes.run import run
from simulator.experiment.probes.trace import Trace
from simulator.experiment.probes.world import World
from simulator.experiment.real.executor import open_session
from simulator.experiment.real.purity import anywhere


def actors_of(program: Program) -> frozenset[str]:
    """Actors that a program moves or whose pid it names."""
    moved = {step.actor for step in program.steps}
    named = {name for step in program.steps for arg in step.args for name in names_in(arg)}
    if any(name == "neighbour" or name.startswith("NEIGHBOUR_") for name in named):
        moved.add("neighbour")
    return frozenset(moved & {"guest", "neighbour"}) | {"host", "guest"}


def real_trace(
    program: Program,
    spec: str,
    world: World,
    *,
    lifted: Sequence[str] = (),
    fresh: bool = False,
) -> Trace:
    """One run of ``program`` on this machine's kernel; see ``open_session``."""
    session = open_session(
        world,
        spec,
        actors_of(program),
        lifted=lifted,
        fresh=fresh,
        inside=not fresh and anywhere(program),
    )
    try:
        return run(program, session)
    finally:
        session.close()
