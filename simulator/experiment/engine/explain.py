"""Why did a call end as it did? Every question the kernel asked, and which walls were missing."""

import msgspec

from simulator.experiment.engine.session import SimSession, would_stop
from simulator.machine.abi.call import Denial, Failed, Result
from simulator.machine.kernel.kernel import why
from simulator.machine.kernel.security import Check
from simulator.machine.kernel.trap import Crossing


class Reached(msgspec.Struct, frozen=True):
    """An access over a boundary, and the mechanisms not there that keep such objects away."""

    crossing: Crossing
    missing: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True):
    """About one event: its result, the checks in order, who refused, what was reached."""

    result: Result
    checks: tuple[Check, ...]
    denial: Denial | None
    reached: tuple[Reached, ...]


def explain(session: SimSession, step: int, machine: int = 0) -> Explanation:
    """Event ``step`` (from 1) of a machine's timeline, run once more with every check aloud."""
    kernel = session.kernels[machine]
    event = kernel.timeline.events[step - 1]
    return Explanation(
        result=event.result,
        checks=why(kernel.family, kernel.timeline, step),
        denial=event.result.denial if isinstance(event.result, Failed) else None,
        reached=tuple(
            Reached(crossing, would_stop(session.technology, crossing.kind))
            for crossing in event.crossings
        ),
    )
