"""Open a real session for a SPEC; the one door of this package."""

from simulator.experiment.probes.executor import HarnessError
from simulator.experiment.probes.world import World
from simulator.experiment.real.dockerd import docker
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.runtimes import RUNTIMES
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.session import RealSession
from simulator.experiment.real.spec import parse
from simulator.machine.abi.i18n import gettext as _

EVERYBODY = frozenset({"host", "guest", "neighbour"})


def open_session(world: World, spec_text: str, actors: frozenset[str] = EVERYBODY) -> RealSession:
    """A session on this machine's kernel; ``actors`` says who is needed (a container costs)."""
    spec = parse(spec_text)
    runtime = (RUNTIMES | {"docker": docker}).get(spec.technology)
    if runtime is None:
        raise RealError.not_here(
            _("{name} has no real counterpart in this tool").format(name=spec.technology)
        )
    launch = runtime(spec)
    machine = Machine(world)
    try:
        return RealSession(world, machine, launch, set(actors))
    except RealError as error:
        machine.close()
        raise HarnessError(str(error)) from error
    except BaseException:
        machine.close()
        raise
