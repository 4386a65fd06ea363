"""Where the screens get their runs: the one place of the TUI that knows the engine.

Importing it is cheap; the engine is loaded when something is first asked of it, so that the first
screen is there at once.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.classroom.tui.playback import Playback
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

if TYPE_CHECKING:
    from simulator.classroom.lessons.grading import Grade
    from simulator.classroom.lessons.progress import Progress
    from simulator.classroom.lessons.schema import Challenge, Lesson, Predict, Question
    from simulator.classroom.lessons.shell import Said
    from simulator.experiment.engine.curves import Curves
    from simulator.experiment.engine.flow import Line
    from simulator.experiment.probes.verdict import Verdict


class Technology(msgspec.Struct, frozen=True):
    """A technology as the home screen shows it."""

    name: str
    title: str
    year: int | None
    about: str = ""


class Offer(msgspec.Struct, frozen=True):
    """A scenario as the home screen shows it."""

    id: str
    group: str
    title: str
    question: str
    matters: str


class Found(msgspec.Struct, frozen=True):
    """A cell of the matrix: the outcome's name, and the wall that stopped the probe."""

    outcome: str
    stopped_by: str = ""


class Surprise(msgspec.Struct, frozen=True):
    """A moment: ``on`` are the SPECs that answer its program differently."""

    id: str
    number: int
    title: str
    why: str
    on: tuple[str, ...]
    program: str


def _program(text: str) -> str:
    from simulator.experiment.scenarios.comments import told_text

    return told_text(text.strip())


class Studio:
    """Everything the screens can ask for. Bad requests raise ``VitrinaError``.

    ``remarks`` are lines that somebody should read once; ``found`` are the cells of the matrix that
    were asked so far, by probe and SPEC.
    """

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self.found: dict[tuple[str, str], Found] = {}
        self.theme = ""
        """The colours that were chosen last, by the name of their theme."""

    def technologies(self) -> tuple[Technology, ...]:
        """Those that can be played on: the bare machine, then by year, then the sealed one."""
        from simulator.isolation.technologies.registry import TECHNOLOGIES

        shown = [
            Technology(name, _(t.title), t.year or None, _(t.about))
            for name, t in TECHNOLOGIES.items()
        ]
        return tuple(sorted(shown, key=_place))

    def names(self) -> tuple[str, ...]:
        """The technologies' names, for completion."""
        return tuple(technology.name for technology in self.technologies())

    def wrong_spec(self, typed: str) -> str:
        """What is wrong with a SPEC, in one line; nothing when it can be played on."""
        from simulator.isolation.technologies.registry import parse_spec

        try:
            parse_spec(typed)
        except VitrinaError as error:
            return str(error)
        return ""

    def offers(self) -> tuple[Offer, ...]:
        """The scenarios in the order of their subjects, in the language now spoken."""
        from simulator.experiment.scenarios import load

        return tuple(
            Offer(
                scenario,
                load.words(f"group.{group}").title,
                (words := load.words(scenario)).title,
                words.asks,
                words.why,
            )
            for group, scenario in load.listed()
        )

    def probes(self) -> tuple[Offer, ...]:
        """The scenarios that ask something."""
        from simulator.experiment.scenarios.schema import DEMONSTRATIONS

        return tuple(one for one in self.offers() if one.id.partition(".")[0] not in DEMONSTRATIONS)

    def find(self, probe: str, spec: str) -> Found:
        """What the model answers, asked once and kept in ``found``."""
        from simulator.experiment.engine.judge import judge
        from simulator.experiment.engine.matrix import parsed
        from simulator.experiment.scenarios.ask import question
        from simulator.experiment.scenarios.load import find

        if (probe, spec) not in self.found:
            verdict = judge(question(find(probe)), parsed(spec, ()))
            self.found[probe, spec] = Found(verdict.outcome.name, verdict.held_by)
        return self.found[probe, spec]

    def moments(self) -> tuple[Surprise, ...]:
        """The moments in their order, in the language now spoken."""
        from simulator.experiment.scenarios import load
        from simulator.experiment.scenarios.moments import load_moments, moment_words

        return tuple(
            Surprise(
                one.id,
                one.number,
                (words := moment_words(one.id)).title,
                words.why,
                one.on,
                _program(load.find(one.scenario).text if one.scenario else one.program),
            )
            for one in load_moments()
        )

    def play_moment(self, name: str, spec: str) -> Playback:
        """Run a moment's program on one of its technologies."""
        from simulator.classroom.tui import recording

        return recording.record_moment(name, spec)

    def program(self, scenario: str) -> str:
        """The text of one scenario's program."""
        from simulator.experiment.scenarios.load import find

        return _program(find(scenario).text)

    def play(self, scenario: str, spec: str, without: tuple[str, ...] = ()) -> Playback:
        """Run ``scenario`` on ``spec`` less the mechanisms ``without``."""
        from simulator.classroom.tui import recording

        return recording.record(scenario, spec, without)

    def stage(self, scenario: str, spec: str) -> str:
        """Where a scenario is played when ``spec`` was chosen for all: a demonstration needs its
        own host, and no walls around it.
        """
        from simulator.experiment.scenarios.schema import DEMONSTRATIONS

        return "none" if scenario.partition(".")[0] in DEMONSTRATIONS else spec

    def play_hosts(self, scenario: str, spec: str) -> tuple[Playback, ...]:
        """Run a demonstration on each of the machines that it names; none when it names none."""
        from simulator.classroom.tui import recording

        return recording.record_hosts(scenario, spec)

    def flow(self, scenario: str, spec: str, without: tuple[str, ...] = ()) -> "list[Line]":
        """Who reached whose objects in that run, and what a wall kept away."""
        from simulator.experiment.engine import flow
        from simulator.experiment.scenarios.ask import question
        from simulator.experiment.scenarios.load import find
        from simulator.isolation.technologies.registry import parse_spec

        return flow.lines(flow.accesses(question(find(scenario)), parse_spec(spec, without)))

    def curves(self, scenario: str, spec: str, without: tuple[str, ...] = ()) -> "Curves":
        """What that run took of the machine over virtual time."""
        from simulator.experiment.engine.curves import curves
        from simulator.experiment.scenarios.ask import question
        from simulator.experiment.scenarios.load import find
        from simulator.isolation.technologies.registry import parse_spec

        label = " ".join([spec, *(f"--without {name}" for name in without)])
        return curves(question(find(scenario)), parse_spec(spec, without), label)

    def course(self) -> "tuple[Lesson, ...]":
        """The lessons in the language now spoken."""
        from simulator.classroom.lessons import load

        return load.course()

    def lesson(self, name: str) -> "Lesson":
        """One lesson: of the course, or in a file of somebody's own."""
        from simulator.classroom.lessons import load

        return load.find(name)

    def progress(self) -> "Progress":
        """How far the learner is; a broken file is set aside, and ``remarks`` says so."""
        from simulator.classroom.lessons import progress

        told, remark = progress.read()
        if remark:
            self.remarks.append(remark)
        return told

    def keep(self, told: "Progress") -> None:
        """Save it, with the colours as they were last chosen."""
        from simulator.classroom.lessons import progress

        progress.write(msgspec.structs.replace(told, theme=self.theme or told.theme))

    def kept_theme(self) -> str:
        """The colours that were chosen another time; nothing if none were, or it can't be read."""
        try:
            self.theme = self.progress().theme
        except VitrinaError as error:
            self.remarks.append(str(error))
        return self.theme

    def keep_theme(self, theme: str) -> None:
        """For the next time."""
        if theme != self.theme:
            self.theme = theme
            self.keep(self.progress())

    def outcomes(self, predict: "Predict") -> "dict[str, Verdict]":
        """What really happens where a prediction is asked for."""
        from simulator.classroom.lessons import grading

        return grading.outcomes(predict)

    def shown(self, predict: "Predict") -> "tuple[Said, tuple[str, ...]]":
        """The line of a demonstration that a prediction is about, and the choices that are so."""
        from simulator.classroom.lessons import grading

        return grading.shown(predict), grading.so(predict)

    def is_right(self, lesson: str, quiz: "Question", option: str) -> bool:
        """Whether it is the right option."""
        from simulator.classroom.lessons import grading

        return grading.is_right(lesson, quiz, option)

    def grade(self, challenge: "Challenge", answer: str) -> "Grade":
        """Judge an answer to a challenge."""
        from simulator.classroom.lessons import grading

        return grading.grade(challenge, answer)

    def misconceptions(self, lesson: "Lesson") -> dict[str, str]:
        """Each misconception in one sentence, by id."""
        from simulator.classroom.lessons import load

        return load.misconceptions(lesson)


_CONTROLS = {"none": -1, "sealed": 9999}
"""The two controls stand at the ends of the line: they belong to no year."""


def _place(technology: Technology) -> tuple[int, str]:
    return _CONTROLS.get(technology.name, technology.year or 0), technology.name
