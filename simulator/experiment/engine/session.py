"""A session on a simulated kernel: ``probes.session.Session`` over ``Kernel.call``."""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from simulator.experiment.engine import fingerprint as prints
from simulator.experiment.engine import usage
from simulator.experiment.probes.constants import ACTOR_PIDS, plain_constants
from simulator.experiment.probes.observation import (
    Crossing,
    Extra,
    Fingerprint,
    Nested,
    Operation,
    Use,
)
from simulator.experiment.probes.world import World
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.call import (
    Blocked,
    Call,
    Denial,
    Executed,
    Failed,
    Result,
    Returned,
    Silent,
    Value,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.kernel import Event, Kernel
from simulator.machine.kernel.task import Sleeper, Task, TaskState
from simulator.machine.kernel.usermode import Helper
from simulator.machine.userland.conversation import Conversation
from simulator.machine.userland.line import run_line
from simulator.machine.userland.runtime import GapError, Userland

_ROUNDS = 100_000
"""Turns of all programs after which one of them is taken to run for ever."""


class Actor(NamedTuple):
    """Who acts: a task of one of the session's machines."""

    machine: int
    pid: Pid


class SimSession:
    """One world with a sandbox in it. ``kernels`` are its machines, the host's first."""

    def __init__(
        self,
        world: World,
        technology: Technology,
        kernels: Sequence[Kernel],
        actors: Mapping[str, Actor],
        daemons: Mapping[str, Pid],
        units: Mapping[Pid, str] | None = None,
        state: Callable[[], Mapping[str, str]] | None = None,
        constants: Mapping[str, Value] | None = None,
    ) -> None:
        self.world = world
        self.technology = technology
        self.kernels = tuple(kernels)
        self.actors = dict(actors)
        self.daemons = daemons
        self._units = dict(units or {})
        self._serving = False
        self._state = state
        self._lands: dict[int, Userland] = {}
        self._extra = Extra()
        self._constants = constants or all_constants(world, actors, daemons)
        self._began = clock.monotonic(self.kernels[0].store)

    def call(self, actor: str, call: Call) -> Result:
        """One system call; what it crossed and whose it is: ``extra``."""
        self._start_units()
        who = self.actors[actor]
        kernel = self.kernels[who.machine]
        mark = len(kernel.timeline)
        result = kernel.call(who.pid, call, actor=actor)
        if isinstance(result, Executed):
            self._run_program(who)
        elif self._serving or kernel.store.count(Helper):
            self._settle(who.machine)
        self._note(kernel, who, mark)
        return result

    def _land(self, machine: int) -> Userland:
        """What runs the programs of one machine."""
        land = self._lands.get(machine)
        if land is None:
            land = self._lands[machine] = Userland(self.kernels[machine])
        return land

    def _run_program(self, who: Actor) -> None:
        """The program that execve(2) put in the actor's place, as far as it gets."""
        land = self._land(who.machine)
        try:
            land.start(who.pid)
            while land.round():
                continue
        except GapError:
            land.end((who.pid,))

    def _start_units(self) -> None:
        """The host's daemons begin their programs when the session does anything at all."""
        if not self._units:
            return
        land = self._land(0)
        for pid, name in self._units.items():
            land.start(pid, actor=name)
        self._units.clear()
        self._serving = True
        self._settle(0)

    def _settle(self, machine: int) -> None:
        """Let programs go on until each waits for something."""
        land = self._land(machine)
        for _ in range(_ROUNDS):
            if not land.round():
                return

    def shell(self, actor: str, line: str) -> Result:
        """A child of ``actor`` runs the line; its calls are nested in ``extra``."""
        self._start_units()
        who = self.actors[actor]
        kernel = self.kernels[who.machine]
        mark = len(kernel.timeline)
        done = run_line(kernel, who.pid, line, land=self._land(who.machine), actor=actor)
        self._note(kernel, who, mark, nested=True)
        if done.errno is not None:
            return Failed(Denial(done.errno))
        if done.silent is not None:
            return Silent(done.silent, done.output)
        if done.blocked is not None:
            return Blocked(done.blocked, done.output)
        return Returned(done.status, done.output)

    def run_for(self, machine: int, nanoseconds: int) -> None:
        """Let time pass on one machine; programs in the background go on."""
        if nanoseconds > 0:
            with contextlib.suppress(GapError):
                self._land(machine).run_for(nanoseconds)

    def converse(self, actor: str) -> Conversation:
        """An interactive shell, a child of ``actor``, that keeps its state from line to line."""
        self._start_units()
        who = self.actors[actor]
        land = self._land(who.machine)
        land.actor = actor
        return Conversation(land, who.pid)

    def fork(self, actor: str, child: str, call: Call) -> Result:
        """A fork(2) whose child becomes an actor."""
        who = self.actors[actor]
        kernel = self.kernels[who.machine]
        mark = len(kernel.store.journal)
        result = self.call(actor, call)
        if isinstance(result, Returned) and child:
            for write in kernel.store.journal[mark:]:
                if write.table is Task and write.old is None:
                    self.actors[child] = Actor(who.machine, Pid(cast("int", write.key)))
                    break
        return result

    def asleep(self, actor: str) -> bool:
        """In a call that has not returned, or stopped by a signal."""
        who = self.actors[actor]
        store = self.kernels[who.machine].store
        task = store.get(Task, who.pid)
        stopped = task is not None and task.state is TaskState.STOPPED
        return stopped or store.get(Sleeper, who.pid) is not None

    def alive(self, actor: str) -> bool:
        """Neither gone nor a zombie."""
        who = self.actors[actor]
        task = self.kernels[who.machine].store.get(Task, who.pid)
        return task is not None and task.state is not TaskState.ZOMBIE

    def constants(self) -> Mapping[str, Value]:
        """The world constants."""
        return self._constants

    def extra(self) -> Extra:
        """About the last call."""
        return self._extra

    def fingerprint(self) -> Fingerprint:
        """The host's objects, each with a digest."""
        if self._state is None:
            return prints.fingerprint(self.kernels[0])
        return prints.changed(self._state(), self.kernels[0])

    def uses(self) -> tuple[Use, ...]:
        """What the guest holds now."""
        who = self.actors["guest"]
        return usage.uses(
            self.kernels[who.machine], who.pid, alone=who.machine > 0, began=self._began
        )

    def close(self) -> None:
        """Nothing outlives a branch."""

    def _note(self, kernel: Kernel, who: Actor, mark: int, *, nested: bool = False) -> None:
        task = kernel.store.get(Task, who.pid)
        events = [event for event in kernel.timeline.events[mark:] if not event.woken]
        if not nested and len(events) == 1 and not events[0].crossings:  # nearly always
            self._extra = Extra(domain=_whose((), task), crossings=())
            return
        crossings = tuple(
            [
                self._crossing(event, number)
                for event in events
                if event.crossings
                for number in range(len(event.crossings))
            ]
        )
        calls = tuple(Nested(call=e.call, result=e.result) for e in events) if nested else ()
        self._extra = Extra(
            domain=_whose(crossings, task),
            nested=calls,
            crossings=crossings,
        )

    def _crossing(self, event: Event, number: int) -> Crossing:
        """What the kernel saw, with the operator's wishes and the missing wall added."""
        seen = event.crossings[number]
        return Crossing(
            kind=seen.kind,
            name=seen.name,
            owner=seen.owner,
            operation=cast("Operation", seen.operation),
            granted=seen.granted or seen.kind in self.technology.shared,
            would_stop=" ".join(would_stop(self.technology, seen.kind)),
        )


def all_constants(
    world: World, actors: Mapping[str, Actor], daemons: Mapping[str, Pid]
) -> dict[str, Value]:
    """The world constants of a session, those that name processes too."""
    found = plain_constants(world)
    if world.daemon is not None:
        found["HOST_PID"] = daemons[world.daemon.name]
    return found | {
        name: actors[actor].pid for actor, name in ACTOR_PIDS.items() if actor in actors
    }


def _whose(crossings: tuple[Crossing, ...], task: Task | None) -> str:
    """Whose object the call used: another's, if it crossed over, else the caller's own domain."""
    if crossings:
        return crossings[0].owner
    return task.domain if task is not None else ""


@functools.lru_cache(maxsize=4096)
def would_stop(technology: Technology, kind: str) -> tuple[str, ...]:
    """Mechanisms that keep this kind of object from a sandbox and that ``technology`` lacks."""
    from simulator.isolation.technologies.registry import MECHANISMS

    present = frozenset(technology.ids)
    return tuple(
        about.id
        for about in MECHANISMS.values()
        if kind in about.hides
        and about.id not in present
        and about.family in ("posix", technology.kernel)
    )
