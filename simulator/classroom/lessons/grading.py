"""Judging what a learner answers: predictions and challenges by the model, questions by digest."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from simulator.classroom.lessons import shell
from simulator.classroom.lessons.schema import Challenge, Check, Expect, Predict
from simulator.classroom.lessons.schema import Question as Quiz
from simulator.experiment.engine.credit import credited
from simulator.experiment.engine.judge import Question, judge
from simulator.experiment.engine.judge import answer as reply
from simulator.experiment.probes.language import ProgramError, parse
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import STATUS_NAMES, Entry, Status
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find, load_world, words
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import SpecError, Technology
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was asked for, and whether it is so."""

    goal: str
    wanted: str
    got: str
    met: bool
    stopped_by: str = ""
    told: str = ""
    """Of a check: what a learner reads about it; else what is read is made of the outcomes."""


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge's results; ``problem`` is what is wrong with the answer itself.

    ``steps`` are a program's calls, each with what became of it.
    """

    results: tuple[Result, ...] = ()
    problem: str = ""
    steps: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether everything is as asked."""
        return not self.problem and bool(self.results) and all(one.met for one in self.results)


def digest(lesson: str, exercise: str, option: str) -> str:
    """What stands in a lesson for the right option: not to be read off, easy to check."""
    return hashlib.sha256(f"{lesson}/{exercise}/{option}".encode()).hexdigest()[:16]


def is_right(lesson: str, quiz: Quiz, option: str) -> bool:
    """Whether ``option`` is the right one."""
    return digest(lesson, quiz.id, option) == quiz.right


def outcomes(predict: Predict) -> dict[str, Verdict]:
    """What really happens on each SPEC that a prediction asks about; none of a demonstration."""
    if predict.choices:
        return {}
    asked = question(find(predict.scenario))
    found: dict[str, Verdict] = {}
    for spec in predict.on:
        technology = parse_spec(spec)
        lifted = [name for name in predict.without if name in technology.ids]
        found[spec] = _named(asked, parse_spec(spec, lifted))
    return found


def _named(asked: Question, technology: Technology) -> Verdict:
    """The verdict with whoever stopped it: one wall, or where none did alone, those that did."""
    verdict = credited(asked, technology, always=False).verdict
    if verdict.outcome is Outcome.HOLDS and not verdict.held_by:
        return credited(asked, technology).verdict
    return verdict


def shown(predict: Predict) -> shell.Said:
    """The line of a demonstration that a prediction is about, and what it came to."""
    return shell.demonstrated(predict.scenario)[predict.line]


def so(predict: Predict) -> tuple[str, ...]:
    """The letters of the choices that are so; the linter sees to it that there is one."""
    came = shown(predict)
    return tuple(one.option for one in predict.choices if one.met(came.status, came.output))


def grade(challenge: Challenge, answer: str) -> Grade:
    """Judge ``answer``. Nothing in it is evaluated outside the model, only parsed."""
    try:
        match challenge.kind:
            case "spec":
                return _grade_spec(challenge, " ".join(answer.split()))
            case "program":
                return _grade_program(challenge, answer)
            case "shell" | "file":
                return _grade_work(challenge, answer)
    except (SpecError, PlanError, ProgramError) as error:
        return Grade(problem=str(error))


def _grade_spec(challenge: Challenge, answer: str) -> Grade:
    technology = parse_spec(answer)
    if challenge.of and technology.id not in challenge.of:
        allowed = ", ".join(challenge.of)
        return Grade(problem=_("must begin with {allowed}").format(allowed=allowed))
    results: list[Result] = []
    for goal in challenge.goals:
        verdict = judge(question(find(goal.scenario)), technology)
        results.append(_result(goal.scenario, goal.outcome, verdict))
    return Grade(results=tuple(results))


def _grade_program(challenge: Challenge, answer: str) -> Grade:
    asked = Question(
        id=challenge.id,
        group="lesson",
        world=load_world(),
        asks=challenge.asks,
        program=parse(answer),
        resource=challenge.resource,
    )
    given = reply(asked, parse_spec(challenge.on))
    steps = tuple(_told(asked.program, given.case.main.trace.entries))
    return Grade(results=(_result(challenge.on, challenge.outcome, given.verdict),), steps=steps)


def _grade_work(challenge: Challenge, answer: str) -> Grade:
    done, after = shell.worked(challenge, answer)
    results = tuple(_checked(*pair) for pair in zip(challenge.checks, after, strict=True))
    return Grade(results=results, steps=tuple(map(_typed, done)))


def _checked(check: Check, said: shell.Said) -> Result:
    met = shell.passes(check, said)
    told = f"$ {said.line}" if met else _typed(said)
    return Result(goal=check.run, wanted=expected(check), got=said.output, met=met, told=told)


def _typed(said: shell.Said) -> str:
    """A line as a terminal shows it, with its exit status where that is not 0."""
    rows = (f"$ {said.line}", *said.output.rstrip("\n").splitlines()[-MAX_SHOWN:])
    ended = said.note if said.status is None else f"({said.status})" if said.status else ""
    return "\n    ".join((*rows, ended) if ended else rows)


_REPEAT = re.compile(r"\s*\*\s*\d+\s*$")

MAX_SHOWN = 12
"""How many lines of a line's output are shown: its last ones."""


def expected(wanted: Expect) -> str:
    """What a check or a choice expects, in words."""
    told: list[str] = []
    if wanted.says:
        told.append(_("says {words}").format(words=repr(wanted.says)))
    if wanted.lacks:
        told.append(_("doesn't say {words}").format(words=repr(wanted.lacks)))
    if wanted.status is not None:
        told.append(_("ends with {status}").format(status=wanted.status))
    return ", ".join(told) or _("ends well")


def _told(program: Program, entries: Iterable[Entry]) -> Iterator[str]:
    """Each line as it was written and what came of it; repetitions once, where they came the same.

    Below a shell line, what it printed.
    """
    for (number, came), same in groupby(entries, key=lambda one: (one.step, _came_to(one))):
        line, times = program.steps[number], len(list(same))
        said = _REPEAT.sub("", line.text.partition("#")[0] if line.comment else line.text).strip()
        said = f"{said} * {times}" if times > 1 else said
        yield said + came if line.kind == "shell" else f"{said}  {came}"


def _came_to(entry: Entry) -> str:
    if entry.status is Status.FAILED:
        why = f"  {_(entry.why)}" if entry.why else ""
        return f"{entry.errno}{why}"
    if entry.status is not Status.RETURNED:
        name = _(STATUS_NAMES[entry.status])
        return f"{name}: {entry.reason}" if entry.reason else name
    text = entry.data.decode("utf-8", "replace") if isinstance(entry.data, bytes) else ""
    if entry.call == "shell":
        return "".join(f"\n    {row}" for row in text.splitlines())
    return f"= {entry.value} {text!r}" if text else f"= {entry.value}"


_THROUGH = frozenset({Outcome.LEAKS, Outcome.LIMITED, Outcome.GRANTED})


def _result(goal: str, wanted: str, verdict: Verdict) -> Result:
    got = verdict.outcome
    met = got.name.lower() == wanted or (wanted == "leaks" and got in _THROUGH)
    return Result(
        goal=goal,
        wanted=wanted.upper(),
        got=got.name,
        met=met,
        stopped_by=verdict.stopped_by or "",
    )


SAID = {
    "LEAKS": N_("it gets through"),
    "HOLDS": N_("it does not get through"),
    "LIMITED": N_("it gets through, within limits"),
    "GRANTED": N_("it gets through because the operator allowed it"),
    "NOT_APPLICABLE": N_("there is nothing to ask here"),
    "INCONCLUSIVE": N_("the run says nothing"),
}
"""Outcomes as a learner predicts them."""


def asked_for(goal: str, outcome: str) -> str:
    """A goal as a learner reads it: the scenario's title, or the SPEC of a program."""
    return f"{words(goal).title}: {_(SAID[outcome.upper()])}"


def aims(challenge: Challenge) -> tuple[str, ...]:
    """What a challenge asks for, a line each."""
    match challenge.kind:
        case "spec":
            return tuple(asked_for(one.scenario, one.outcome) for one in challenge.goals)
        case "program":
            return (asked_for(challenge.on, challenge.outcome),)
        case "shell" | "file":
            return tuple(f"$ {one.run}: {expected(one)}" for one in challenge.checks)


def came(result: Result) -> str:
    """What came of a goal; where it is not met, what was wanted too."""
    if result.told:
        told = _("wanted: {wanted}").format(wanted=result.wanted)
        wanted = "" if result.met else f"\n    {told}"
        return result.told + wanted
    told = asked_for(result.goal, result.got)
    if result.stopped_by:
        by = _("stopped by {wall}").format(wall=result.stopped_by)
        told = f"{told} ({by})"
    if result.met:
        return told
    return _("{came}; wanted: {wanted}").format(came=told, wanted=_(SAID[result.wanted]))
