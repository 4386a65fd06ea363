"""Open real sessions: by SPEC, or for a technology as the executor of ``probes`` asks."""

import functools

from simulator.experiment.probes.executor import HarnessError
from simulator.experiment.probes.world import World
from simulator.experiment.real import host, pool, state
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.runtimes import RUNTIMES
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.session import RealSession
from simulator.experiment.real.spec import Spec, parse
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
    cleaned()
    if spec.technology == "docker":
        return _docker_session(world, spec, actors)
    launch = RUNTIMES[spec.technology](spec)
    machine = Machine(world)
    try:
        return RealSession(machine, launch, set(actors), lambda _clean: machine.close())
    except RealError as error:
        machine.close()
        raise HarnessError(str(error)) from error
    except BaseException:
        machine.close()
        raise


_REACHING = ("=host", "-v", "--volume", "--mount", "--device", "--cap-add", "--privileged")
"""Options by which a guest may change its host in ways that a look at the host does not show."""


def _docker_session(world: World, spec: Spec, actors: frozenset[str]) -> RealSession:
    """``docker run`` with the SPEC's own options on a machine with an engine."""
    lent = pool.acquire(world)
    confined = not any(word in option for option in spec.options for word in _REACHING)
    confined = confined and "--security-opt" not in spec.options
    try:
        return RealSession(
            lent.machine,
            lambda _machine, actor: lent.engine.run(spec.options, actor),
            set(actors),
            lambda clean: pool.release(lent, clean and confined),
        )
    except RealError as error:
        pool.release(lent, clean=False)
        raise HarnessError(str(error)) from error
    except BaseException:
        pool.release(lent, clean=False)
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
