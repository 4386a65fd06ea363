"""The shape of a lesson: what its front matter says for the machine, and the parts of its text.

The front matter holds no prose and is the same in every language; the text holds no answers.
"""

from typing import Literal, TypeAlias

import msgspec

FORMAT = 1

Kind: TypeAlias = Literal["read", "predict", "steps", "question", "challenge"]
"""What a part of a lesson is; all but ``read`` name an exercise of the front matter."""


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """What a shell line comes to: its exit status, words in its output, words not in it.

    What is left out does not matter.
    """

    status: int | None = None
    says: str = ""
    lacks: str = ""

    def met(self, status: int | None, said: str) -> bool:
        """Whether a line with this exit status and output is as expected."""
        return (
            (self.status is None or self.status == status)
            and self.says in said
            and not (self.lacks and self.lacks in said)
        )


class Choice(Expect, frozen=True, kw_only=True):
    """An option of a prediction, by its letter in the text, and what it says of the line."""

    option: str


class Predict(msgspec.Struct, frozen=True, kw_only=True):
    """Say what will happen before you see it; no answer is in the file: the model gives it.

    Of a scenario that oracles judge: the outcome of ``scenario`` on each SPEC of ``on``. Of a
    demonstration: which of ``choices`` is so of its line number ``line``, counted from 0; exactly
    one must be.
    """

    id: str
    scenario: str
    on: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    line: int = 0
    choices: tuple[Choice, ...] = ()


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """A run to step through on the play screen."""

    id: str
    scenario: str
    on: str
    without: tuple[str, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question; ``misconceptions`` names the one behind each wrong option.

    ``right`` is a digest (``grading.digest``) of the right option's letter, so that the answer
    can't be read off the file.
    """

    id: str
    right: str
    misconceptions: tuple[tuple[str, str], ...]


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario, and the outcome that the learner's sandbox must have for it."""

    scenario: str
    outcome: Literal["holds", "leaks", "limited", "granted"]


class Check(Expect, frozen=True, kw_only=True):
    """A shell line of the host that is run when the learner's work is done; alone, it must succeed.

    ``run`` is given to the simulated shell; nothing outside the model ever runs it.
    """

    run: str


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """A task that the model judges.

    ``spec``: the learner writes a SPEC, from ``start``, that meets all ``goals``; it must begin
    with one of ``of``. ``program``: the learner writes a program, from ``start``, that gets
    ``outcome`` on the SPEC ``on``, as ``asks`` judges it. ``shell``: the learner writes lines for
    the host's shell; ``file``: the text of ``file``. Both begin in ``world`` after the shell lines
    of ``setup``, and what they leave behind must pass all ``checks``.
    """

    id: str
    kind: Literal["spec", "program", "shell", "file"]
    start: str
    solution: str
    of: tuple[str, ...] = ()
    goals: tuple[Goal, ...] = ()
    on: str = ""
    asks: str = ""
    resource: str = ""
    outcome: Literal["holds", "leaks"] = "leaks"
    world: str = "docker"
    setup: str = ""
    file: str = ""
    checks: tuple[Check, ...] = ()


class FrontMatter(msgspec.Struct, frozen=True, kw_only=True):
    """What a lesson says for the machine; ``needs`` are lessons to be done before it."""

    format: int
    id: str
    order: int
    minutes: int
    technologies: tuple[str, ...]
    needs: tuple[str, ...] = ()
    predict: tuple[Predict, ...] = ()
    steps: tuple[Steps, ...] = ()
    question: tuple[Question, ...] = ()
    challenge: tuple[Challenge, ...] = ()

    def exercise(self, kind: str, name: str) -> "Exercise | None":
        """The exercise that a part of the text names."""
        listed: tuple[Exercise, ...] = getattr(self, kind, ())
        return next((one for one in listed if one.id == name), None)


Exercise: TypeAlias = Predict | Steps | Question | Challenge


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a lesson's text: Markdown without what is shown only after an answer.

    ``options`` are a question's or a prediction's, by letter; ``told`` what each one is told when
    it is chosen; ``hints`` a challenge's, from the faintest.
    """

    kind: Kind
    name: str = ""
    heading: str = ""
    text: str
    line: int
    options: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    hints: tuple[str, ...] = ()


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """A lesson in one language. ``notes`` are its footnotes by label: sources and runs."""

    front: FrontMatter
    language: str
    title: str
    parts: tuple[Part, ...]
    notes: tuple[tuple[str, str], ...] = ()
    path: str = ""

    @property
    def id(self) -> str:
        """The file's name without its ending."""
        return self.front.id

    @property
    def exercises(self) -> tuple[Part, ...]:
        """The parts that ask something of the learner."""
        return tuple(part for part in self.parts if part.kind != "read")
