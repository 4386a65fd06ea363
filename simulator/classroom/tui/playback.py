"""A finished run as the screens need it: steps to walk along, worlds to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from simulator.classroom.tui.present.step import Step
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.kernel import Event, why
from simulator.machine.kernel.security import Check
from simulator.machine.state.store import World, Write
from simulator.machine.state.timeline import Timeline


@dataclass(frozen=True)
class Switch:
    """A mechanism that can be lifted; ``product`` is the product's own option for it, if any."""

    id: str
    title: str
    on: bool
    product: str = ""


@dataclass(frozen=True)
class Machine:
    """One simulated computer: its history and its kernel."""

    timeline: Timeline[Event]
    family: Family


@dataclass(frozen=True)
class Viewer:
    """Whose eyes a panel looks through: a task of one of the machines."""

    machine: int
    pid: Pid


@dataclass(frozen=True)
class Playback:
    """One scenario played on one technology.

    ``steps`` may be walked with a cursor from 0 (before anything) to ``len(steps)``; ``launched``
    is the cursor after which the sandbox stands and the program begins; ``start`` counts the events
    that each machine's timeline had before the first step.
    """

    scenario: str
    title: str
    question: str
    spec: str
    without: tuple[str, ...]
    steps: tuple[Step, ...]
    launched: int
    start: tuple[int, ...]
    machines: tuple[Machine, ...]
    host: Viewer
    guest: Viewer
    outcome: str
    stopped_by: str
    switches: tuple[Switch, ...] = ()
    engine: bool = False
    """Whether a Docker Engine runs on the host's machine."""
    machine: str = ""
    """The machine's name, where one program is shown on several."""

    def world(self, machine: int, cursor: int) -> World:
        """That machine as it stands at ``cursor``."""
        return self.machines[machine].timeline.at(self._events(cursor)[machine])

    def writes(self, machine: int, here: int, there: int) -> tuple[Write, ...]:
        """What changed on that machine between two cursors, whichever comes first."""
        low, high = sorted((self._events(here)[machine], self._events(there)[machine]))
        timeline = self.machines[machine].timeline
        return tuple(write for step in range(low + 1, high + 1) for write in timeline.diff(step))

    def history(self, machine: int, cursor: int) -> Iterator[Event]:
        """Every call of that machine until ``cursor``."""
        return islice(self.machines[machine].timeline.events, self._events(cursor)[machine])

    def asked(self, cursor: int) -> tuple[Check, ...]:
        """Who was asked in the call before ``cursor``, and what each said.

        Nobody in a line of many calls, each of which is a step of its own, nor on several machines.
        """
        step = self.steps[cursor - 1] if cursor > 0 else None
        below = self.steps[cursor] if cursor < len(self.steps) else None
        if step is None or (below is not None and below.depth > step.depth):
            return ()
        machine, *others = self.machines
        event = 0 if others else step.after[0]
        return why(machine.family, machine.timeline, event) if event else ()

    def _events(self, cursor: int) -> tuple[int, ...]:
        return self.steps[cursor - 1].after if cursor > 0 else self.start

    @property
    def label(self) -> str:
        """The technology with what was taken from it, as a person would type it; or the machine."""
        if self.machine:
            return self.machine
        return " ".join([self.spec, *(f"--without {name}" for name in self.without)])


def first_difference(one: Playback, other: Playback) -> int | None:
    """The first program entry that the two runs answered differently, or None."""
    for mine, theirs in zip(program(one), program(other), strict=False):
        if (mine.call, mine.compared) != (theirs.call, theirs.compared):
            return mine.number
    return None


def differing(one: Playback, other: Playback) -> frozenset[int]:
    """The positions (from 1) of ``one``'s steps that ``other`` answered differently."""
    theirs = {step.number: step for step in program(other)}
    return frozenset(
        position
        for position, step in enumerate(one.steps, start=1)
        if step.number is not None
        and (other_step := theirs.get(step.number)) is not None
        and step.compared != other_step.compared
    )


def reached(run: Playback, machine: int, event: int) -> int:
    """The first cursor at which that machine's ``event``, from 1, has happened."""
    standing = ((at, step.after[machine]) for at, step in enumerate(run.steps, start=1))
    places = [(count, -_depth(run, at), at) for at, count in standing if count >= event]
    return min(places)[2] if places else len(run.steps)


def _depth(run: Playback, at: int) -> int:
    """How deep inside a line of the program the step before that cursor is."""
    return run.steps[at - 1].depth


def program(run: Playback) -> tuple[Step, ...]:
    """The steps that are lines of the program, without the launch and the nested calls."""
    return tuple(step for step in run.steps if step.number is not None)
