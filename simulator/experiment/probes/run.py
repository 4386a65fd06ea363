"""The one interpreter of probe programs, for a simulated kernel and a real one alike."""

from collections.abc import Mapping
from typing import assert_never

from msgspec import structs

from simulator.experiment.probes.classes import value_class
from simulator.experiment.probes.constants import ACTOR_PIDS
from simulator.experiment.probes.observation import Extra
from simulator.experiment.probes.program import ACTORS, Literal, Program, Step
from simulator.experiment.probes.session import Session
from simulator.experiment.probes.trace import Entry, Status, Trace
from simulator.experiment.probes.values import BadValueError, UnboundError, evaluate
from simulator.machine.abi.call import (
    Blocked,
    Call,
    Executed,
    Exited,
    Failed,
    Killed,
    Result,
    Returned,
    Silent,
    Value,
)
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.i18n import gettext as _


class _Names(dict[str, Value]):
    """What names stand for: what the run has bound, else an actor's pid, a constant, a flag."""

    def __init__(self, constants: Mapping[str, Value]) -> None:
        super().__init__()
        self._constants = constants

    def __missing__(self, name: str) -> Value:
        constant = self._constants.get(ACTOR_PIDS.get(name, name))
        return BY_NAME[name] if constant is None else constant


class _Run:
    """What an interpreter remembers between lines: names, and who is gone or asleep."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.constants = session.constants()
        self.gone: dict[str, str] = {}
        self.actors: set[str] = set(ACTORS)
        self.names = _Names(self.constants)


class Runner:
    """Runs programs one after another in one session: names and actors live on."""

    def __init__(self, session: Session) -> None:
        self._state = _Run(session)

    def go(self, program: Program) -> Trace:
        """The program's own entries, its steps counted from 0. ``HarnessError`` propagates."""
        entries: list[Entry] = []
        for number, step in enumerate(program.steps):
            _forget(step, self._state)
            for rep in range(step.repeat):
                entries.append(_once(step, number, rep, self._state))
        return Trace(tuple(entries), self._state.constants)


def run(program: Program, session: Session) -> Trace:
    """Run ``program`` line by line; a failure never stops it. ``HarnessError`` propagates."""
    return Runner(session).go(program)


def _forget(step: Step, state: _Run) -> None:
    """A name keeps no value from an earlier step when its own step fails."""
    for name in step.binds:
        state.names.pop(name, None)
        if step.forks:
            state.actors.discard(name)
            state.gone.pop(name, None)


def _once(step: Step, number: int, rep: int, state: _Run) -> Entry:
    reason = _unable(step.actor, state)
    if reason:
        return _skipped(step, number, rep, reason)
    try:
        names = state.names
        args = tuple(
            [arg.value if type(arg) is Literal else evaluate(arg, names) for arg in step.args]
        )
    except UnboundError as error:
        reason = _("unbound name {name}").format(name=error.name)
        return _skipped(step, number, rep, reason)
    except BadValueError as error:
        return _skipped(step, number, rep, str(error))
    result = _perform(step, args, state)
    _remember(step, result, state)
    return entry_of(step, number, rep, args, result, state.session.extra())


def _unable(actor: str, state: _Run) -> str:
    """Why ``actor`` can't act now; empty when it can."""
    if actor not in state.actors:
        return _("{actor} was never born").format(actor=actor)
    if actor in state.gone:
        return state.gone[actor]
    if not state.session.alive(actor):
        state.gone[actor] = _("{actor} is dead").format(actor=actor)
        return state.gone[actor]
    if state.session.asleep(actor):
        return _("{actor} is asleep").format(actor=actor)
    return ""


def _perform(step: Step, args: tuple[Value, ...], state: _Run) -> Result:
    if step.kind == "shell":
        return state.session.shell(step.actor, str(args[0]))
    call = Call(step.call, args)
    if step.forks:
        return state.session.fork(step.actor, step.binds[0] if step.binds else "", call)
    return state.session.call(step.actor, call)


def _remember(step: Step, result: Result, state: _Run) -> None:
    match result:
        case Returned():
            _bind(step, result, state)
        case Executed():
            state.gone[step.actor] = _("{actor} runs another program").format(actor=step.actor)
        case Killed() | Exited() if step.kind == "call":
            state.gone[step.actor] = _("{actor} is dead").format(actor=step.actor)
        case _:
            pass


def _bind(step: Step, result: Returned, state: _Run) -> None:
    if len(step.binds) == 1:
        state.names[step.binds[0]] = result.value
        if step.forks:
            state.actors.add(step.binds[0])
            state.gone.pop(step.binds[0], None)
    elif step.binds and isinstance(result.data, tuple | list):
        # Parts that the call did not give stay unbound; their later use says so.
        for name, part in zip(step.binds, result.data, strict=False):
            state.names[name] = part


def _skipped(step: Step, number: int, rep: int, reason: str) -> Entry:
    return Entry(
        step=number,
        line=step.line,
        rep=rep,
        actor=step.actor,
        call=step.call,
        status=Status.SKIPPED,
        note=f"Skipped: {reason}",
    )


def entry_of(
    step: Step, number: int, rep: int, args: tuple[Value, ...], result: Result, extra: Extra
) -> Entry:
    """The trace's line for one call and its result."""
    entry = Entry(
        step=number,
        line=step.line,
        rep=rep,
        actor=step.actor,
        call=step.call,
        args=args,
        status=Status.RETURNED,
        value_class=value_class(step.call, args),
        domain=extra.domain or None,
        crossings=extra.crossings,
        nested=extra.nested,
        note=extra.note,
    )
    return _with_result(entry, result)


def _with_result(entry: Entry, result: Result) -> Entry:
    match result:
        case Returned(value, data):
            return structs.replace(entry, value=value, data=data)
        case Failed(denial):
            return structs.replace(
                entry,
                status=Status.FAILED,
                value=-1,
                errno=denial.errno,
                stopped_by=None if denial.wall == "none" else denial.wall,
                why=denial.why,
                cite=denial.cite,
            )
        case Blocked(on):
            return structs.replace(entry, status=Status.BLOCKED, note=_noted("Blocked", on))
        case Killed(signal):
            return structs.replace(
                entry, status=Status.KILLED, signal=signal, note=_noted("Killed", signal)
            )
        case Executed():
            return structs.replace(entry, status=Status.EXECUTED, note="Executed")
        case Exited(status):
            return structs.replace(entry, status=Status.EXITED, note=_noted("Exited", str(status)))
        case Silent(note):
            return structs.replace(entry, status=Status.SILENT, note=_noted("Silent", note))
        case _:
            assert_never(result)


def _noted(word: str, detail: str) -> str:
    return f"{word}: {detail}" if detail else word
