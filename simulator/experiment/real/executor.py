"""Open real sessions: by SPEC, or for a technology as the executor of ``probes`` asks."""

import functools

from simulator.experiment.probes.executor import HarnessError
from simulator.experiment.probes.world import World
from simulator.experiment.real import host, state
from simulator.experiment.real.dockerd import docker
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.runtimes import RUNTIMES
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.session import RealSession
from simulator.experiment.real.spec import parse
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.i18n import gettext as _

EVERYBODY = frozenset({"host", "guest", "neighbour"})


@functools.cache
def cleaned() -> tuple[str, ...]:
    """What killed runs before this one had left behind and is gone now, a sentence each.

    The first real session of a process sweeps; whoever reports to a person prints these.
    """
    return tuple(state.sweep())


def open_session(world: World, spec_text: str, actors: frozenset[str] = EVERYBODY) -> RealSession:
    """A session on this machine's kernel.

    ``actors`` says who is needed: a neighbour may cost a container. Raises ``RealError`` with
    *not here, because ...* when this machine can't, ``HarnessError`` when a launch fails.
    """
    spec = parse(spec_text)
    reason = host.why_not(spec)
    if reason is not None:
        raise RealError.not_here(reason)
    runtime = (RUNTIMES | {"docker": docker})[spec.technology]
    launch = runtime(spec)
    cleaned()
    machine = Machine(world)
    try:
        return RealSession(world, machine, launch, set(actors))
    except RealError as error:
        machine.close()
        raise HarnessError(str(error)) from error
    except BaseException:
        machine.close()
        raise


class RealExecutor:
    """The real side of ``probes.executor.Executor``."""

    def open(self, world: World, technology: Technology) -> RealSession:
        """Launch ``technology`` on this machine's kernel; raises ``HarnessError``."""
        if technology.removed:
            raise HarnessError(
                _(
                    "{names}: a lifted mechanism has no switch in the real product; use the"
                    " product's own option instead"
                ).format(names=", ".join(technology.removed))
            )
        try:
            return open_session(world, technology.spec or technology.id)
        except RealError as error:
            raise HarnessError(str(error)) from error
