"""Resources over time: a scenario runs for so many seconds, and somebody looks at intervals.

What is looked at is what every owner had of the processors, of the disk and of memory, and how many
tasks it has. Looking changes nothing: the same run without it has the same history.
"""

from collections.abc import Mapping

import msgspec

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.judge import Question
from simulator.experiment.engine.session import SimSession
from simulator.experiment.probes.run import run
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.constants import SIGKILL
from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.kernel import clock
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.resource import load, memory, processors
from simulator.machine.kernel.resource.demand import Account, account
from simulator.machine.kernel.task import Task, TaskState

SECOND = 1_000_000_000
INTERVAL = SECOND // 10
DOMAINS = ("guest", "neighbour", "host")
"""Whose curves are drawn, in this order."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner had in the interval that ends here.

    ``cpu`` is in processors (1.0 is all of one), ``waiting`` tasks that could have run and did not,
    ``memory`` bytes held, ``read`` and ``written`` bytes a second, ``tasks`` a count.
    """

    cpu: float = 0.0
    waiting: float = 0.0
    memory: int = 0
    read: int = 0
    written: int = 0
    tasks: int = 0


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look: ``at`` in seconds from the start, ``step`` the events on the timeline by then."""

    at: float
    step: int
    domains: Mapping[str, Reading]
    load: float = 0.0


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth a word on the way: the kernel killed ``name`` of ``domain``."""

    at: float
    domain: str
    name: str


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """A run as curves. ``seconds`` and ``interval`` are virtual time, in seconds."""

    scenario: str
    spec: str
    seconds: float
    interval: float
    processors: int
    memory: int
    samples: tuple[Sample, ...]
    marks: tuple[Mark, ...] = ()

    def domains(self) -> tuple[str, ...]:
        """Owners of which there is anything to draw."""
        return tuple(
            name for name in DOMAINS if any(name in sample.domains for sample in self.samples)
        )

    def values(self, domain: str, what: str) -> list[float]:
        """One curve: field ``what`` of the readings of ``domain``, sample by sample."""
        empty = Reading()
        return [float(getattr(one.domains.get(domain, empty), what)) for one in self.samples]


class _Watcher:
    """Looks at one machine; ``whose`` is the name for what is its host's, on a tenant's own."""

    def __init__(self, kernel: Kernel, whose: str, every: int) -> None:
        self.kernel = kernel
        self.whose = whose
        self.began = clock.monotonic(kernel.store)
        self.before: dict[str, Account] = {}
        self.seen = len(kernel.store.journal)
        self.at = self.began
        self.samples: list[Sample] = []
        self.marks: list[Mark] = []
        kernel.pulse = (every, self.look)
        self.look(kernel)

    def look(self, kernel: Kernel) -> None:
        """Write down what every owner had since the last time; the first time, how it begins."""
        now = clock.monotonic(kernel.store)
        passed = now - self.at
        if passed <= 0 and self.samples:
            return
        readings = {self._name(name): self._reading(name, passed) for name in DOMAINS}
        kept = {name: one for name, one in readings.items() if one.tasks or one.cpu}
        self.samples.append(
            Sample(
                at=(now - self.began) / SECOND,
                step=len(kernel.timeline),
                domains=kept,
                load=round(load.averages(kernel.store)[0], 2),
            )
        )
        self._find_killed(now)
        self.at = now

    def _name(self, domain: str) -> str:
        return self.whose if domain == HOST and self.whose else domain

    def _reading(self, domain: str, passed: int) -> Reading:
        store = self.kernel.store
        now = account(store, ("domain", Domain(domain)))
        before, passed = self.before.get(domain, now), max(1, passed)
        self.before[domain] = now
        alive = [
            task
            for task in store.all(Task)
            if task.domain == domain and task.state is not TaskState.ZOMBIE
        ]
        return Reading(
            cpu=round((now.ran - before.ran) / passed, 3),
            waiting=round((now.waited - before.waited) / passed, 3),
            memory=memory.held(alive),
            read=(now.read - before.read) * SECOND // passed,
            written=(now.written - before.written) * SECOND // passed,
            tasks=len(alive),
        )

    def _find_killed(self, now: int) -> None:
        """Tasks that the kernel ended for want of memory: they were sent SIGKILL by nobody."""
        journal = self.kernel.store.journal
        for write in journal[self.seen :]:
            old, new = write.old, write.new
            if isinstance(old, Task) and isinstance(new, Task) and old.memory > new.memory:
                ended = new.state is TaskState.ZOMBIE and old.state is not TaskState.ZOMBIE
                if ended and new.exit_status == SIGKILL:
                    at = (now - self.began) / SECOND
                    self.marks.append(Mark(at=at, domain=self._name(old.domain), name=old.comm))
        self.seen = len(journal)


def curves(
    question: Question,
    technology: Technology,
    spec: str,
    *,
    seconds: float | None = None,
    interval: int = INTERVAL,
) -> Curves:
    """``question``'s program on ``technology``, looked at every ``interval`` nanoseconds.

    ``seconds`` None is as long as the program takes; more than that, its background programs run
    on. Raises ``HarnessError``.
    """
    session = open_session(question.world, technology)
    watchers = _watch(session, interval)
    run(question.program, session)
    if seconds is not None:
        for number, watcher in enumerate(watchers):
            passed = clock.monotonic(watcher.kernel.store) - watcher.began
            session.run_for(number, round(seconds * SECOND) - passed)
    samples = _together([watcher.samples for watcher in watchers])
    if seconds is not None:
        samples = tuple(one for one in samples if one.at <= seconds)
    store = session.kernels[0].store
    return Curves(
        scenario=question.id,
        spec=spec,
        seconds=samples[-1].at if samples else 0.0,
        interval=interval / SECOND,
        processors=processors.count(store),
        memory=memory.total(store),
        samples=samples,
        marks=tuple(mark for watcher in watchers for mark in watcher.marks),
    )


def _watch(session: SimSession, interval: int) -> list[_Watcher]:
    tenants = {who.machine: name for name, who in session.actors.items() if who.machine}
    return [
        _Watcher(kernel, tenants.get(number, ""), interval)
        for number, kernel in enumerate(session.kernels)
    ]


def _together(runs: list[list[Sample]]) -> tuple[Sample, ...]:
    """Samples of several machines at the same instant are one."""
    found: dict[float, Sample] = {}
    for samples in runs:
        for one in samples:
            known = found.get(one.at)
            if known is None:
                found[one.at] = one
            else:
                both = {**known.domains, **one.domains}
                found[one.at] = msgspec.structs.replace(known, domains=both)
    return tuple(found[at] for at in sorted(found))
