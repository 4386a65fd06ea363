"""One stop of the time line, as data for every widget: what was said and what came of it."""

from enum import Enum

import msgspec


class Tone(Enum):
    """How a step went, for colour *and* for a mark: colour alone tells nobody enough."""

    LAUNCH = "·"
    OK = "✓"
    REFUSED = "✗"
    LEAK = "!"
    GRANTED = "+"
    ASLEEP = "z"
    ENDED = "†"
    SKIPPED = "-"
    UNKNOWN = "?"
    HIDDEN = "░"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A launch step, a program line, or a call nested in a shell line.

    ``after`` counts the events that each machine's timeline has once it is done; ``number`` is the
    entry's number in the trace, from 0, and None for launch steps and nested calls.
    """

    number: int | None
    actor: str
    call: str
    outcome: str
    tone: Tone
    after: tuple[int, ...]
    depth: int = 0
    comment: str = ""
    mechanism: str = ""
    why: str = ""
    wall: str = ""
    cite: str = ""
    crossings: tuple[str, ...] = ()
    output: str = ""
    """What a shell line printed."""
    credit: tuple[str, ...] = ()
    """The mechanisms without which a refusal would have been an escape."""
    stoppers: tuple[str, ...] = ()
    """The mechanisms that would have stopped the crossings."""
    compared: str = ""
    """What came of it as two runs are compared by: without the numbers of pids and descriptors."""
    names: tuple[str, ...] = ()
    """What a refused call named: paths, mostly."""
    message: str = ""
    """What strerror(3) says of the refusal."""
    cause: "Step | None" = None
    """The refused call below a shell line that its output complains of."""


def cause(line: Step, below: tuple[Step, ...]) -> Step | None:
    """The refused call that a shell line's output complains of: what it named stands there, and
    the words for the error.
    """
    said = line.output.casefold()
    for one in below:
        complains = bool(one.message) and one.message.casefold() in said
        if complains and any(len(name) > 1 and name.casefold() in said for name in one.names):
            return one
    return None


def marks(steps: tuple[Step, ...]) -> tuple[tuple[str, Tone], ...]:
    """What a time line shows for each step that is not nested."""
    return tuple((step.tone.value, step.tone) for step in steps if step.depth == 0)


def next_stop(steps: tuple[Step, ...], cursor: int, direction: int, *, into: bool) -> int:
    """The cursor after one press: over nested calls, or ``into`` them.

    Cursor 0 stands before the first step; cursor n stands after step n.
    """
    stop = cursor + direction
    while not into and 0 < stop <= len(steps) and steps[stop - 1].depth > 0:
        stop += direction
    if stop > len(steps):
        return cursor
    return max(0, stop)


def last_stop(steps: tuple[Step, ...]) -> int:
    """The cursor after the last line: the calls inside it come before its end."""
    return next((at for at in range(len(steps), 0, -1) if steps[at - 1].depth == 0), 0)


def inside(steps: tuple[Step, ...], position: int) -> range:
    """The positions of the calls inside the line at ``position``, counted from 0."""
    end = position + 1
    while end < len(steps) and steps[end].depth > 0:
        end += 1
    return range(position + 1, end)


def line_of(steps: tuple[Step, ...], position: int) -> int:
    """The position of the line that the call at ``position`` is inside of, or is."""
    while position > 0 and steps[position].depth > 0:
        position -= 1
    return position


def numbered(steps: tuple[Step, ...], number: int) -> int | None:
    """The cursor that stands after the program's entry ``number``, or None."""
    for position, step in enumerate(steps, start=1):
        if step.number == number:
            return position
    return None


def statement(step: Step) -> tuple[str, str, str]:
    """The step as the probe language writes it, in three parts: what the result is bound to, the
    actor, and the rest: ``fd = ``, ``guest``, ``.open(CANARY, O_RDONLY)``.
    """
    if not step.actor:
        return "", "", step.call
    if step.call.startswith("$"):
        return "", step.actor, step.call
    name, bound, rest = step.call.partition(" = ")
    if bound and name.isidentifier():
        return f"{name} = ", step.actor, f".{rest}"
    return "", step.actor, f".{step.call}"
