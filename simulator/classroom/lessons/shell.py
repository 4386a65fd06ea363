"""Running shell lines for a lesson: a demonstration's, and a learner's with the checks after them.

Everything runs on the simulated kernel: lines are text for the simulated shell, and a learner's
file is a file of the simulated disk.
"""

import functools

import msgspec

from simulator.classroom.lessons.schema import Challenge, Check
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import ProgramError, parse
from simulator.experiment.probes.trace import Entry, Status
from simulator.experiment.scenarios.load import find, load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _

SPEC = "none"
"""Where they run: the host is what is looked at, and nothing stands around it."""

MAX_ANSWER = 20_000
MAX_LINES = 60
_PROMPT = "host$ "


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A shell line and what it came to; ``status`` is None when it never ended."""

    line: str
    status: int | None
    output: str
    note: str = ""


@functools.lru_cache(maxsize=128)
def demonstrated(scenario: str) -> tuple[Said, ...]:
    """Each line of a demonstration, in order. Raises ``ScenarioError``."""
    shown = find(scenario)
    trace = traced(shown.program, load_world(shown.world), parse_spec(SPEC))
    return tuple(map(_said, trace.entries))


@functools.lru_cache(maxsize=128)
def worked(challenge: Challenge, answer: str) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """What ``answer`` came to, line by line, and what each check after it came to.

    Raises ``ProgramError`` for an answer that is none.
    """
    before = [row for row in _lines(challenge.setup) if row]
    own = _placed(challenge.file, answer) if challenge.kind == "file" else _own(answer)
    after = [_PROMPT + check.run for check in challenge.checks]
    program = parse("\n".join((*before, *own, *after)))
    entries = traced(program, load_world(challenge.world), parse_spec(SPEC)).entries
    first, last = len(before), len(entries) - len(after)
    done = () if challenge.kind == "file" else tuple(map(_said, entries[first:last]))
    return done, tuple(map(_said, entries[last:]))


def passes(check: Check, said: Said) -> bool:
    """Whether a check is passed; one that expects nothing wants success."""
    bare = check.status is None and not check.says and not check.lacks
    if said.status is None:
        return False
    return said.status == 0 if bare else check.met(said.status, said.output)


def _lines(text: str) -> list[str]:
    """A shell text row by row as the probe language has it; comments and empty rows are empty."""
    rows = (row.strip().removeprefix("host$").strip() for row in text.split("\n"))
    return ["" if row.startswith("#") or not row else _PROMPT + row for row in rows]


def _own(answer: str) -> list[str]:
    rows = _lines(_bounded(answer).replace("\\\n", " "))
    if len(parse("\n".join(rows)).steps) > MAX_LINES:  # alone first: errors name their own line
        raise ProgramError(_("more than {limit} lines").format(limit=MAX_LINES), MAX_LINES + 1)
    return rows


def _placed(path: str, answer: str) -> list[str]:
    """The calls that write ``answer`` to ``path`` of the simulated disk."""
    text = _bounded(answer).strip("\n").encode() + b"\n"
    pieces = [text[at : at + 1000] for at in range(0, len(text), 1000)]
    writes = [f"host.write(placed, {piece!r}, {len(piece)})" for piece in pieces]
    opened = f"placed = host.open({path!r}, O_WRONLY | O_CREAT | O_TRUNC, 0o644)"
    return [opened, *writes, "host.close(placed)"]


def _bounded(answer: str) -> str:
    if len(answer) > MAX_ANSWER:
        raise ProgramError(_("more than {limit} characters").format(limit=MAX_ANSWER), 1)
    return answer.replace("\r\n", "\n")


def _said(entry: Entry) -> Said:
    line = str(entry.args[0]) if entry.call == "shell" else entry.call
    output = entry.data.decode("utf-8", "replace") if isinstance(entry.data, bytes) else ""
    ended = entry.status is Status.RETURNED and isinstance(entry.value, int)
    return Said(
        line=line,
        status=entry.value if ended and isinstance(entry.value, int) else None,
        output=output,
        note="" if ended else str(entry.note or entry.status.name),
    )
