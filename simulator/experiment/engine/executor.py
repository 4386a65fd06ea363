"""The simulated executor: sessions on a kernel of our own, branched from one launch each.

A world is booted and a sandbox launched once per (world, technology); every probe, twin run and
ablation gets a branch of that timeline, so it costs a copy of the tables.
"""

import functools
import itertools
from collections.abc import Callable, Mapping

import msgspec

from simulator.experiment.engine import launch as launching
from simulator.experiment.engine import worlds
from simulator.experiment.engine.fingerprint import changed, fingerprint
from simulator.experiment.engine.launches import Launches, Tenant
from simulator.experiment.engine.session import Actor, SimSession, all_constants
from simulator.experiment.engine.twins import Differing, carried, differing
from simulator.experiment.probes.session import HarnessError
from simulator.experiment.probes.world import World, twin
from simulator.isolation.technologies import none, sealed
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.base import plan as planned
from simulator.machine.abi import i18n
from simulator.machine.abi.call import Value
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.state.store import Store
from simulator.machine.state.timeline import Timeline

MODERN = frozenset({"cgroup2"})
"""The facts of the model's own machine: control groups of version 2, no AppArmor."""

plan = functools.lru_cache(maxsize=1024)(planned)
"""Two worlds that differ in their secret are launched into by the same steps."""

SEPARATE = sealed.TECHNOLOGY.ids[0]


class Ready(msgspec.Struct, frozen=True, eq=False):
    """Launched and waiting: the timelines of its machines, and who lives where.

    ``launch`` are the events of the guest's launch, from 1, on the first machine, where all of its
    history is on one timeline (else 0); ``units`` the
    daemons on it whose programs a session starts.
    """

    machines: tuple[Kernel, ...]
    actors: Mapping[str, Actor]
    daemons: Mapping[str, Pid]
    launch: tuple[int, int]
    units: Mapping[Pid, str]
    state: Callable[[], Mapping[str, str]] | None = None
    """The fingerprint of the host as it stands, computed when first asked for."""
    constants: Mapping[str, Value] | None = None
    """The world constants, the same for all sessions that begin here."""
    lineage: tuple[Kernel, ...] = ()
    """In whose journals all is that the launches wrote, where they share a boot with others."""


def open_session(
    world: World, technology: Technology, facts: frozenset[str] = MODERN
) -> SimSession:
    """A session branched from the cached launch. Raises ``HarnessError``."""
    ready = _ready(world, technology, facts.union(world.facts), i18n.language())
    return _session(world, technology, ready)


def open_twin(world: World, technology: Technology, facts: frozenset[str] = MODERN) -> SimSession:
    """The same in the twin of ``world``. Raises ``HarnessError``."""
    ready = _twin(world, technology, facts.union(world.facts), i18n.language())
    return _session(twin(world), technology, ready)


def _session(world: World, technology: Technology, ready: Ready | HarnessError) -> SimSession:
    if isinstance(ready, HarnessError):
        raise type(ready)(*ready.args)
    branches = tuple(
        Kernel(kernel.family, kernel.timeline.branch(len(kernel.timeline)))
        for kernel in ready.machines
    )
    return SimSession(
        world,
        technology,
        branches,
        ready.actors,
        ready.daemons,
        ready.units,
        ready.state,
        ready.constants,
    )


def open_whole(
    world: World, technology: Technology, facts: frozenset[str] = MODERN
) -> tuple[SimSession, tuple[int, int]]:
    """A session whose timeline holds the boot and the launch too, and the launch's events.

    For screens that let a person step through the building of the sandbox.
    """
    ready = prepare(world, technology, facts.union(world.facts))
    session = SimSession(
        world, technology, ready.machines, ready.actors, ready.daemons, ready.units
    )
    return session, ready.launch


@functools.lru_cache(maxsize=1024)
def _ready(
    world: World, technology: Technology, facts: frozenset[str], language: str
) -> Ready | HarnessError:
    """Launched, or what was said in ``language`` when the launch failed: that is tried once too."""
    del language
    site = _site(technology)
    booted, launches = _booted(world, site, facts)
    try:
        if SEPARATE in technology.ids:
            ready, lineage = _apart(world, technology, facts, _branch(booted)), ()
        else:
            tenants = _tenants(world, technology, facts)
            grown = launches.launched(tenants)
            born = zip(tenants, grown.born, strict=True)
            actors = _actors(booted) | {name: Actor(0, pid) for (name, _), pid in born}
            ready = Ready((grown.kernel,), actors, booted.daemons, (0, 0), booted.units)
            lineage = grown.lineage
    except HarnessError as error:
        return error.with_traceback(None)

    @functools.cache
    def state() -> Mapping[str, str]:
        return changed(_fingerprint(world, site, facts), ready.machines[0], lineage)

    constants = all_constants(world, ready.actors, ready.daemons)
    return msgspec.structs.replace(ready, state=state, constants=constants, lineage=lineage)


@functools.lru_cache(maxsize=1024)
def _twin(
    world: World, technology: Technology, facts: frozenset[str], language: str
) -> Ready | HarnessError:
    """``_ready`` of the twin world, without a launch of its own where none is needed."""
    other, site = twin(world), _site(technology)
    ready = _ready(world, technology, facts, language)
    if isinstance(ready, HarnessError):
        return ready
    if SEPARATE in technology.ids:
        return _ready(other, technology, facts, language)
    fields = _differing(world, site, facts)
    kernel = ready.machines[0]
    written = itertools.chain.from_iterable(one.store.journal for one in ready.lineage)
    moved = None if fields is None else carried(kernel.store.tables, fields, written, world.secret)
    if moved is None:
        return _ready(other, technology, facts, language)
    return msgspec.structs.replace(
        ready,
        machines=(Kernel(kernel.family, Timeline(Store(moved), keyframe=moved)),),
        state=None,
        constants=all_constants(other, ready.actors, ready.daemons),
    )


@functools.lru_cache(maxsize=64)
def _differing(world: World, site: Technology, facts: frozenset[str]) -> Differing | None:
    here, there = _booted(world, site, facts)[0], _booted(twin(world), site, facts)[0]
    return differing(here.kernel.store.tables, there.kernel.store.tables)


@functools.lru_cache(maxsize=64)
def _fingerprint(world: World, site: Technology, facts: frozenset[str]) -> Mapping[str, str]:
    """Of the host before anything is launched: a launch changes few of its rows."""
    return fingerprint(_booted(world, site, facts)[0].kernel)


def _branch(machine: worlds.Machine) -> worlds.Machine:
    """The same machine on a timeline of its own."""
    kernel = machine.kernel
    return machine._replace(
        kernel=Kernel(kernel.family, kernel.timeline.branch(len(kernel.timeline)))
    )


def prepare(world: World, technology: Technology, facts: frozenset[str]) -> Ready:
    """Boot and launch, all on one timeline."""
    machine = worlds.build(world, technology, facts)
    if SEPARATE in technology.ids:
        return _apart(world, technology, facts, machine)
    kernel, runtime = machine.kernel, machine.actors["runtime"]
    actors = _actors(machine)
    events: list[tuple[int, int]] = []
    for name, steps in _tenants(world, technology, facts):
        sandbox = launching.launch(kernel, runtime, name, steps)
        actors[name] = Actor(0, sandbox.pid)
        events.append((sandbox.first, sandbox.last))
    return Ready((kernel,), actors, machine.daemons, events[0], machine.units)


@functools.lru_cache(maxsize=64)
def _booted(
    world: World, site: Technology, facts: frozenset[str]
) -> tuple[worlds.Machine, Launches]:
    """A machine, and all that is launched on it: that begins alike for many technologies."""
    machine = worlds.build(world, site, facts)
    return machine, Launches(machine.kernel, machine.actors["runtime"])


def _site(technology: Technology) -> Technology:
    """What of ``technology`` its host depends on: technologies that agree in it share a boot."""
    return Technology(
        id="",
        title="",
        kernel=technology.kernel,
        release=technology.release,
        image=technology.image,
        neighbour_in_sandbox=technology.neighbour_in_sandbox,
        launcher=technology.launcher,
    )


def forget() -> None:
    """Boot and launch anew whatever is asked for next."""
    for known in (_ready, _twin, _booted, _differing, _fingerprint):
        known.cache_clear()


def _actors(machine: worlds.Machine) -> dict[str, Actor]:
    """Those that are there before anything is launched."""
    return {name: Actor(0, pid) for name, pid in machine.actors.items()}


def _tenants(world: World, technology: Technology, facts: frozenset[str]) -> tuple[Tenant, ...]:
    """The guest first, and the neighbour as the technology has it."""
    guest = ("guest", plan(technology, "guest", 1, facts))
    if not world.neighbour:
        return (guest,)
    sandboxed = technology if technology.neighbour_in_sandbox else _bare(technology)
    return guest, ("neighbour", plan(sandboxed, "neighbour", 2, facts))


@functools.lru_cache(maxsize=1024)
def alike(world: World, one: Technology, other: Technology, facts: frozenset[str] = MODERN) -> bool:
    """Whether both are launched by the same steps here: then every run is the same on both."""
    if _site(one) != _site(other) or (SEPARATE in one.ids) != (SEPARATE in other.ids):
        return False
    facts = facts.union(world.facts)
    return _tenants(world, one, facts) == _tenants(world, other, facts)


def _bare(technology: Technology) -> Technology:
    """A process of the same machine, of whatever family that is."""
    return change(none.TECHNOLOGY, kernel=technology.kernel)


def _apart(
    world: World, technology: Technology, facts: frozenset[str], machine: worlds.Machine
) -> Ready:
    """One more machine for each tenant, with nothing of the host's on it."""
    kernels: list[Kernel] = [machine.kernel]
    actors = _actors(machine)
    for tenant in worlds.TENANTS:
        own = worlds.build(worlds.tenant_of(world, tenant), technology, facts)
        runtime = own.actors["runtime"]
        born = launching.launch(own.kernel, runtime, "host", plan(_bare(technology), "host"))
        actors[tenant] = Actor(len(kernels), born.pid)
        kernels.append(own.kernel)
    return Ready(tuple(kernels), actors, machine.daemons, (0, 0), machine.units)
