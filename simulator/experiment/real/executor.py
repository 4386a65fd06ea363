"""Open real sessions: by SPEC, or for a technology as the executor of ``probes`` asks."""

import functools
from collections.abc import Sequence

from simulator.experiment.probes.executor import HarnessError
from simulator.experiment.probes.world import World
from simulator.experiment.real import host, pool, state
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Link
from simulator.experiment.real.products import PRODUCTS, request
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.session import Launch, RealSession
from simulator.isolation.technologies.base import Technology

EVERYBODY = frozenset({"host", "guest", "neighbour"})


@functools.cache
def cleaned() -> tuple[str, ...]:
    """What killed runs before this one had left behind and is gone now, a sentence each.

    The first real session of a process sweeps; whoever reports to a person prints these.
    """
    return tuple(state.sweep())


def open_session(
    world: World,
    spec: str,
    actors: frozenset[str] = EVERYBODY,
    *,
    lifted: Sequence[str] = (),
    fresh: bool = False,
) -> RealSession:
    """A session on this machine's kernel.

    ``actors`` says who is needed: a neighbour may cost a container. ``lifted``: without these
    mechanisms. ``fresh``: on a machine that no session had before. Raises ``RealError`` with
    *not here, because ...* when this machine can't, ``HarnessError`` when a launch fails.
    """
    reason = host.why_not(spec)
    if reason is not None:
        raise RealError.not_here(reason)
    cleaned()
    wanted = request(spec, lifted)
    product = PRODUCTS[wanted.technology.id]
    lent = pool.acquire(world, product.service, wanted.spec.text, fresh=fresh)
    try:
        launch = _again(product.launcher(wanted, lent), lent)
        return RealSession(
            lent.machine,
            launch,
            set(actors),
            lambda tenants: pool.release(lent, wanted.spec.text, tenants),
        )
    except RealError as error:
        lent.machine.close()
        raise HarnessError(str(error)) from error
    except BaseException:
        lent.machine.close()
        raise


def _again(launch: Launch, lent: pool.Host) -> Launch:
    """The sandbox that the machine already has for an actor, else a new one."""

    def launched(machine: Machine, actor: str) -> Link:
        return lent.tenants.pop(actor, None) or launch(machine, actor)

    return launched


class RealExecutor:
    """The real side of ``probes.executor.Executor``."""

    def open(self, world: World, technology: Technology) -> RealSession:
        """Launch ``technology`` on this machine's kernel; raises ``HarnessError``."""
        try:
            return open_session(world, technology.spec or technology.id, lifted=technology.removed)
        except RealError as error:
            raise HarnessError(str(error)) from error
