"""What if? A run taken up again from one of its steps, and a run with one wall less beside it."""

import msgspec

from simulator.experiment.engine.compare import Comparison, compare
from simulator.experiment.engine.session import SimSession
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.world import World
from simulator.isolation.technologies.base import Technology, without
from simulator.machine.kernel.kernel import Kernel


class Toggled(msgspec.Struct, frozen=True):
    """The run as it was and the run without a mechanism, aligned by step of the program.

    ``differs`` is the first entry that is not the same, None when the mechanism made no
    difference.
    """

    lifted: str
    comparison: Comparison

    @property
    def differs(self) -> int | None:
        """The first entry that is not the same."""
        return self.comparison.first


def branch(session: SimSession, steps: tuple[int, ...]) -> SimSession:
    """A session of its own that begins after ``steps`` events of each machine's timeline.

    The old one keeps its history: nothing is ever cut off. Programs in progress stay behind.
    """
    kernels = tuple(
        Kernel(kernel.family, kernel.timeline.branch(step))
        for kernel, step in zip(session.kernels, steps, strict=True)
    )
    return SimSession(session.world, session.technology, kernels, session.actors, session.daemons)


def toggle(program: Program, world: World, technology: Technology, mechanism: str) -> Toggled:
    """``program`` with and without ``mechanism``. Raises ``SpecError``, ``PlanError``."""
    less = without(technology, (mechanism,))
    return Toggled(mechanism, compare(program, world, (technology, less)))
