"""Open real sessions: by SPEC, or for a technology as the executor of ``probes`` asks."""

import functools
from collections.abc import Sequence

from simulator.experiment.probes.session import HarnessError
from simulator.experiment.probes.world import World
from simulator.experiment.real import host, pool, state
from simulator.experiment.real.calls import fork
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Link
from simulator.experiment.real.products import PRODUCTS, request
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.session import Left, RealSession
from simulator.experiment.real.tenants import Tenant

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
    inside: bool = False,
) -> RealSession:
    """A session on this machine's kernel.

    ``actors`` says who is needed: a neighbour may cost a container. ``lifted``: without these
    mechanisms. ``fresh``: on a machine that no session had before. ``inside``: a tenant is a child
    of its sandbox's first process, where it has a sandbox that can be lent on. Raises
    ``RealError`` with *not here, because ...* when this machine can't, ``HarnessError`` when a
    launch fails.
    """
    reason = host.why_not(spec)
    if reason is not None:
        raise RealError.not_here(reason)
    cleaned()
    wanted = request(spec, lifted)
    product = PRODUCTS[wanted.technology.id]
    lent = pool.acquire(world, product.service, wanted.kind, fresh=fresh)
    inside = inside and product.service != pool.Service()
    tenants: dict[str, Tenant] = {}

    def launched(machine: Machine, actor: str) -> Link:
        tenant = lent.tenants.pop(actor, None)
        if tenant is None:
            tenant = lent.launched(lambda: launch(machine, actor))
        elif not inside:
            tenant.bury()
        tenants[actor] = tenant
        tenant.sessions += 1
        return spawn(tenant.link) if inside else tenant.link

    def finish(left: Left) -> None:
        kept = {name: one for name, one in tenants.items() if inside or one.link in left.idle}
        # Who has no mounts of its own leaves those of its launch on the machine.
        apart = "mount-ns" not in lifted
        kept = kept if apart and (left.pure or (inside and left.passing)) else {}
        for name, tenant in tenants.items():
            if name not in kept:
                tenant.end()
        for link in left.idle if inside else ():
            # A child of the first process: the next session gets another one.
            link.kill()
            link.close()
        pool.release(lent, wanted.kind, kept, clean=left.pure and kept.keys() == tenants.keys())

    try:
        launch = product.launcher(wanted, lent)
        return RealSession(lent.machine, world, launched, set(actors), finish)
    except RealError as error:
        lent.machine.close()
        raise HarnessError(str(error)) from error
    except BaseException:
        lent.machine.close()
        raise


def spawn(first: Link) -> Link:
    """A child of a sandbox's first process."""
    answer, child = fork(first)
    if child is None:
        raise RealError.broken("fork", str(answer))
    return child
