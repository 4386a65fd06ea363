"""Make a playback: run a scenario on the simulated kernel and note where each line's events lie."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from simulator.classroom.tui.playback import Machine, Playback, Switch, Viewer
from simulator.classroom.tui.present.crossed import crossed
from simulator.classroom.tui.present.engine.disk import Disk
from simulator.classroom.tui.present.spell import spell
from simulator.classroom.tui.present.step import Step, Tone, cause
from simulator.experiment.engine.credit import credited
from simulator.experiment.engine.executor import open_whole
from simulator.experiment.engine.judge import Question
from simulator.experiment.engine.session import SimSession, would_stop
from simulator.experiment.probes import run as interpreter
from simulator.experiment.probes.normalise import normalise
from simulator.experiment.probes.observation import Crossing
from simulator.experiment.probes.program import Literal
from simulator.experiment.probes.program import Step as Line
from simulator.experiment.probes.trace import STATUS_NAMES, Entry, Status, Trace
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.experiment.scenarios import load, moments
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.comments import told
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.registry import MECHANISMS, parse_spec
from simulator.machine.abi.call import (
    Blocked,
    Call,
    Data,
    Executed,
    Exited,
    Failed,
    Killed,
    Result,
    Returned,
    Silent,
)
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.kernel import Event

_TONES = {
    Status.BLOCKED: Tone.ASLEEP,
    Status.KILLED: Tone.ENDED,
    Status.EXECUTED: Tone.ENDED,
    Status.EXITED: Tone.ENDED,
    Status.SILENT: Tone.UNKNOWN,
    Status.SKIPPED: Tone.SKIPPED,
}

_REPEAT = re.compile(r"\s*\*\s*\d+$")


class _Recorder:
    """A session that notes how long each machine's history is after every line."""

    def __init__(self, session: SimSession) -> None:
        self._session = session
        self.spans: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    def lengths(self) -> tuple[int, ...]:
        return tuple(len(kernel.timeline) for kernel in self._session.kernels)

    def call(self, actor: str, call: Call) -> Result:
        before = self.lengths()
        result = self._session.call(actor, call)
        self.spans.append((before, self.lengths()))
        return result

    def shell(self, actor: str, line: str) -> Result:
        before = self.lengths()
        result = self._session.shell(actor, line)
        self.spans.append((before, self.lengths()))
        return result

    def fork(self, actor: str, child: str, call: Call) -> Result:
        before = self.lengths()
        result = self._session.fork(actor, child, call)
        self.spans.append((before, self.lengths()))
        return result


class _Matter(NamedTuple):
    """What is played: a scenario, or a program of a moment's own."""

    id: str
    title: str
    asks: str
    demonstrates: bool
    question: Question


def record(scenario_id: str, spec: str, without: tuple[str, ...] = ()) -> Playback:
    """Run ``scenario_id`` on ``spec`` less ``without``. Raises ``VitrinaError``."""
    scenario = load.find(scenario_id)
    words = load.words(scenario.id)
    matter = _Matter(
        scenario.id, words.title, words.asks, scenario.demonstrates, question(scenario)
    )
    return _record(matter, spec, without)


def record_moment(name: str, spec: str) -> Playback:
    """Run the moment called ``name`` on ``spec``. Raises ``VitrinaError``."""
    moment = moments.find_moment(name)
    if moment.scenario:
        return record(moment.scenario, spec)
    words = moments.moment_words(moment.id)
    return _record(_Matter("", words.title, words.why, True, moments.asked(moment)), spec, ())


def record_hosts(scenario_id: str, spec: str) -> tuple[Playback, ...]:
    """Run a demonstration on each of its machines; none when it names none."""
    scenario = load.find(scenario_id)
    words = load.words(scenario.id)
    runs: list[Playback] = []
    for name in scenario.hosts:
        world = load.load_world(name)
        asked = msgspec.structs.replace(question(scenario), world=world)
        matter = _Matter(scenario.id, words.title, words.asks, scenario.demonstrates, asked)
        runs.append(replace(_record(matter, spec, ()), machine=world.hostname))
    return tuple(runs)


def _record(matter: _Matter, spec: str, without: tuple[str, ...]) -> Playback:
    technology = parse_spec(spec, without)
    asked = matter.question
    session, launch = open_whole(asked.world, technology)
    recorder = _Recorder(session)
    guest = Viewer(*session.actors["guest"])
    launching = _launch_steps(session, launch)
    trace = interpreter.run(asked.program, recorder)  # pyright: ignore[reportArgumentType]
    verdict = None if matter.demonstrates else credited(asked, technology).verdict
    first = launch[0] - 1 if launch[0] else recorder.spans[0][0][0] if recorder.spans else 0
    begin = recorder.spans[0][0] if recorder.spans else recorder.lengths()
    played = _program_steps(asked.program.steps, trace, recorder.spans, session, verdict)
    return Playback(
        scenario=matter.id,
        title=matter.title,
        question=matter.asks,
        spec=spec,
        without=without,
        steps=(*launching, *(map(_unjudged, played) if matter.demonstrates else played)),
        launched=len(launching),
        start=(first, *begin[1:]),
        machines=tuple(Machine(k.timeline, k.family) for k in session.kernels),
        host=Viewer(*session.actors["host"]),
        guest=guest,
        outcome=_(verdict.outcome.name) if verdict is not None else "",
        stopped_by=verdict.held_by if verdict is not None else "",
        switches=_switches(spec, technology),
        engine=Disk(session.kernels[0].store).there,
    )


def _unjudged(step: Step) -> Step:
    """Of a demonstration: a daemon uses its containers' objects, and leaks nothing."""
    if step.tone is not Tone.LEAK:
        return step
    tone = Tone.REFUSED if step.cause else Tone.OK
    return msgspec.structs.replace(step, tone=tone, crossings=(), stoppers=())


def _switches(spec: str, technology: Technology) -> tuple[Switch, ...]:
    """Every mechanism that the SPEC has, and whether this run stands on it."""
    return tuple(
        Switch(m.about.id, m.about.title, m.about.id in technology.ids, m.about.real)
        for m in parse_spec(spec).mechanisms
    )


def _launch_steps(session: SimSession, launch: tuple[int, int]) -> tuple[Step, ...]:
    first, last = launch
    rest = tuple(len(kernel.timeline) for kernel in session.kernels[1:])
    events = session.kernels[0].timeline.events
    return tuple(
        Step(
            number=None,
            actor=event.actor,
            call=spell(event.call),
            outcome=_returned(event.result),
            tone=Tone.LAUNCH,
            after=(number, *rest),
            mechanism=_built_by(event.mechanism),
        )
        for number, event in enumerate(events[first - 1 : last], start=first)
        if first and not event.woken and not event.depth
    )


def _built_by(mechanisms: str) -> str:
    return ", ".join(
        f"{name} ({_(MECHANISMS[name].title)})" if name in MECHANISMS else name
        for name in mechanisms.split()
    )


def _program_steps(
    lines: Sequence[Line],
    trace: Trace,
    spans: list[tuple[tuple[int, ...], tuple[int, ...]]],
    session: SimSession,
    verdict: Verdict | None,
) -> Iterator[Step]:
    technology = session.technology
    credit = verdict.mechanisms if verdict and verdict.outcome is Outcome.HOLDS else ()
    evidence = verdict.evidence if verdict is not None else ()
    remaining = iter(spans)
    here = spans[0][0] if spans else tuple(len(kernel.timeline) for kernel in session.kernels)
    plain = normalise(trace)
    for number, entry in enumerate(trace.entries):
        before = here
        if not entry.skipped:
            before, here = next(remaining)
        line = lines[entry.step]
        decisive = number in evidence and entry.errno is not None
        shell = line.kind == "shell"
        nested = _nested_steps(entry.actor, session, before, here, technology) if shell else ()
        below = tuple(nested)
        told = _entry_step(number, entry, line, here, technology)
        behind = cause(told, below) if shell and entry.value else None
        yield msgspec.structs.replace(
            told,
            tone=Tone.REFUSED if behind and told.tone is Tone.OK else told.tone,
            credit=credit if decisive else (),
            compared=repr(plain[number]),
            cause=behind,
        )
        yield from below


def _entry_step(
    number: int, entry: Entry, line: Line, after: tuple[int, ...], technology: Technology
) -> Step:
    crossings = entry.crossings or ()
    return Step(
        number=number,
        actor=entry.actor,
        call=_said(line),
        outcome=_outcome(entry, line),
        output=_text(entry.data) if line.kind == "shell" else "",
        tone=_tone(entry),
        after=after,
        comment=told(line.comment) if entry.rep == 0 else "",
        why=entry.why or entry.reason,
        wall=entry.stopped_by or "",
        cite=entry.cite,
        crossings=tuple(dict.fromkeys(map(crossed, crossings))),
        stoppers=_stoppers(crossings, technology),
    )


def _said(line: Line) -> str:
    """The line as it was written, without its actor and its comment."""
    if isinstance(command := line.args[0] if line.kind == "shell" else None, Literal):
        return f"$ {command.value}"
    text = line.text.partition("#")[0] if line.comment else line.text
    said = text.replace(f"{line.actor}.", "", 1).strip()
    return _REPEAT.sub("", said) if line.repeat > 1 else said


def _outcome(entry: Entry, line: Line) -> str:
    if entry.errno is not None:
        return str(entry.errno)
    if entry.signal is not None:
        return entry.signal
    if entry.status is Status.RETURNED:
        return f"= {entry.value}{_data(entry.data) if line.kind == 'call' else ''}"
    return _(STATUS_NAMES[entry.status])


def _data(data: Data) -> str:
    if data is None:
        return ""
    if isinstance(data, dict):  # stat fields and the like: too many for one line
        return " {...}"
    return f" {_text(data)!r}"


def _text(data: Data) -> str:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data or "")


def _tone(entry: Entry) -> Tone:
    if entry.status is Status.FAILED:
        return Tone.REFUSED
    if entry.status is not Status.RETURNED:
        return _TONES[entry.status]
    return _reach(entry.crossings or ())


def _reach(crossings: tuple[Crossing, ...]) -> Tone:
    if any(not crossing.granted for crossing in crossings):
        return Tone.LEAK
    return Tone.GRANTED if crossings else Tone.OK


def _stoppers(crossings: tuple[Crossing, ...], technology: Technology) -> tuple[str, ...]:
    kinds = dict.fromkeys(c.kind for c in crossings if not c.granted)
    return tuple(dict.fromkeys(name for kind in kinds for name in would_stop(technology, kind)))


def _nested_steps(
    actor: str,
    session: SimSession,
    before: tuple[int, ...],
    after: tuple[int, ...],
    technology: Technology,
) -> Iterator[Step]:
    machine = session.actors[actor].machine
    events = session.kernels[machine].timeline.events[before[machine] : after[machine]]
    known = {event.pid: event.actor for event in events if event.actor}
    for number, event in enumerate(events, start=before[machine] + 1):
        place = tuple(number if m == machine else count for m, count in enumerate(after))
        who = event.actor or known.get(event.pid, actor)
        yield _nested_step(who, event, place, technology)


def _nested_step(actor: str, event: Event, after: tuple[int, ...], technology: Technology) -> Step:
    refusal = event.result.denial if isinstance(event.result, Failed) else None
    crossings = tuple(
        Crossing(
            kind=c.kind,
            name=c.name,
            owner=c.owner,
            operation=c.operation,  # pyright: ignore[reportArgumentType]
            granted=c.granted or c.kind in technology.shared,
        )
        for c in event.crossings
    )
    return Step(
        number=None,
        actor=actor,
        call=spell(event.call),
        outcome=_returned(event.result),
        tone=Tone.REFUSED if refusal else _reach(crossings),
        after=after,
        depth=max(1, event.depth),
        names=tuple(one for one in event.call.args if isinstance(one, str)) if refusal else (),
        message=refusal.errno.message if refusal else "",
        why=refusal.why if refusal else "",
        wall=refusal.wall if refusal else "",
        cite=refusal.cite if refusal else "",
        crossings=tuple(dict.fromkeys(map(crossed, crossings))),
        stoppers=_stoppers(crossings, technology),
    )


def _returned(result: Result) -> str:
    match result:
        case Returned():
            return f"= {result.value}"
        case Failed():
            return str(result.errno)
        case Exited():
            return _("exited")
        case Killed(signal):
            return signal
        case Blocked():
            return _("asleep")
        case Executed():
            return _("replaced by another program")
        case Silent():
            return _("the model is silent")
