"""From a lesson's file to its parts; what the linter finds."""

import msgspec
import pytest

from simulator.classroom.lessons import check as linting
from simulator.classroom.lessons.grading import digest, grade, is_right
from simulator.classroom.lessons.load import load
from simulator.classroom.lessons.schema import Challenge, Goal
from simulator.classroom.lessons.sentences import sentences, unbound
from simulator.experiment.scenarios.structure import ScenarioError

FRONT = """\
+++
format = 1
id = "010-try"
order = 10
minutes = 5
technologies = ["chroot"]

[[question]]
id = "why"
right = "{right}"
misconceptions = {{ a = "chroot-drops-root", c = "chroot-hides-processes" }}

[[challenge]]
id = "close"
kind = "spec"
of = ["docker"]
start = "docker --pid=host"
solution = "docker"
goals = [{{ scenario = "processes.find-host", outcome = "holds" }}]
+++
"""

BODY = """
# A title

It is so.[^man]

<!-- vitrina: question why -->
## Why?

- **a)** one
- **b)** two,
  on two lines
- **c)** three

<details><summary>a</summary>No.</details>
<details><summary>b</summary>Yes.</details>
<details><summary>c</summary>No.</details>

<!-- vitrina: challenge close -->
## Close it

<details><summary>Hint</summary>Look at the option.</details>

[^man]: chroot(2)
"""


def write(tmp_path, body=BODY, front=FRONT, **change):
    folder = tmp_path / "en"
    folder.mkdir(exist_ok=True)
    path = folder / "010-try.md"
    right = change.pop("right", digest("010-try", "why", "b"))
    path.write_text(front.format(right=right) + body)
    return path


def mistakes(path):
    return [f"{one.place}: {one.message}" for one in linting.check([path])]


def test_parts_keep_answers_apart(tmp_path):
    lesson = load(write(tmp_path), "x", "en")
    read, question, challenge = lesson.parts
    assert (read.kind, question.name, challenge.kind) == ("read", "why", "challenge")
    assert question.options == (("a", "one"), ("b", "two, on two lines"), ("c", "three"))
    assert "Yes." not in question.text
    assert dict(question.told) == {"a": "No.", "b": "Yes.", "c": "No."}
    assert challenge.hints == ("Look at the option.",)
    assert lesson.notes == (("man", "chroot(2)"),)


RUN = "[^man]: `vitrina run processes.kill-host --on jail`: HOLDS, guest.kill = "


@pytest.mark.parametrize("note", ["[^man]: chroot(2)", f"{RUN}ESRCH"])
def test_a_sound_lesson_has_no_mistakes(tmp_path, note):
    assert mistakes(write(tmp_path, BODY.replace("[^man]: chroot(2)", note))) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("It is so.[^man]", "It is so. And this is too.[^man]", "without a source"),
        ("[^man]: chroot(2)", "[^man]: `vitrina run fs.chroot-escape --on chroot`: HOLDS", "gives"),
        ("[^man]: chroot(2)", f"{RUN}EPERM", "gives ESRCH"),
        ("[^man]: chroot(2)", "[^other]: chroot(2)", "there is not"),
        ("<details><summary>c</summary>No.</details>", "", "in order"),
        ("- **c)** three", "", "three options"),
        ("question why", "question whence", "stands 0 times"),
        ("Look at the option.", "  ", "hints"),
        ("# A title", "A title[^man]", "no title"),
    ],
)
def test_the_linter_finds(tmp_path, old, new, found):
    assert old in BODY
    assert any(found in one for one in mistakes(write(tmp_path, BODY.replace(old, new))))


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('solution = "docker"', 'solution = "docker --pid=host --cap-add KILL"', "not met by its"),
        ('start = "docker --pid=host"', 'start = "docker"', "met at the start"),
        ("processes.find-host", "processes.nobody", "no such scenario"),
        ('a = "chroot-drops-root"', 'a = "nonsense"', "no such misconception"),
        ('a = "chroot-drops-root"', 'b = "chroot-drops-root"', "each wrong option"),
        ('id = "010-try"', 'id = "010-other"', "the file's name"),
    ],
)
def test_the_linter_reads_the_front_matter(tmp_path, old, new, found):
    assert old in FRONT
    assert any(found in one for one in mistakes(write(tmp_path, front=FRONT.replace(old, new))))


@pytest.mark.parametrize(
    "source", ["", "# no front matter", "+++\nformat = 1\n", "+++\n= \n+++\n", "+++\n[[[[\n+++\n"]
)
def test_a_broken_file_is_one_clear_line(tmp_path, source):
    path = tmp_path / "010-bad.md"
    path.write_text(source)
    with pytest.raises(ScenarioError) as error:
        load(path, "lessons/en/010-bad.md", "en")
    assert str(error.value).startswith("lessons/en/010-bad.md")


def test_a_sentence_keeps_the_footnotes_behind_its_full_stop():
    assert sentences("One.[^a] Two, by chroot(2). Three?[^b]") == [
        "One.[^a]",
        "Two, by chroot(2).",
        "Three?[^b]",
    ]
    assert unbound("> Not this.\n\n# Nor this.\n\nThis. Why?\n") == ("This.",)


def test_only_the_right_option_is_right():
    quiz = load_quiz()
    assert [is_right("010-try", quiz, one) for one in "abc"] == [False, True, False]


def load_quiz():
    from simulator.classroom.lessons.schema import Question

    return Question(id="why", right=digest("010-try", "why", "b"), misconceptions=())


SPEC = Challenge(
    id="x",
    kind="spec",
    start="docker --pid=host",
    solution="docker",
    of=("docker",),
    goals=(Goal(scenario="processes.find-host", outcome="holds"),),
)


@pytest.mark.parametrize(
    ("answer", "met", "problem"),
    [
        ("docker", True, ""),
        ("  docker\n", True, ""),
        ("docker --pid=host", False, ""),
        ("sealed", False, "must begin with docker"),
        ("docker --no-such", False, "no-such"),
        ("", False, "empty"),
        ("docker '", False, "quotation"),
    ],
)
def test_a_spec_is_judged(answer, met, problem):
    judged = grade(SPEC, answer)
    assert judged.met is met
    assert problem in judged.problem


PROGRAM = msgspec.structs.replace(
    SPEC, kind="program", on="chroot", asks="secrecy", outcome="leaks", goals=()
)


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        ("fd = guest.open(CANARY, O_RDONLY)\nguest.read(fd, 64)", False),
        ("guest.mkdir('/d', 0o755)\nguest.chroot('/d')\nguest.chdir('..') * 9\nguest.chroot('.')\n"
         "fd = guest.open(CANARY, O_RDONLY)\nguest.read(fd, 64)", True),
        ("host.open(CANARY, O_RDONLY)", False),
        ("__import__('os').system('true')", False),
    ],
)  # fmt: skip
def test_a_program_is_judged_and_never_evaluated(answer, met):
    assert grade(PROGRAM, answer).met is met


def test_a_line_of_the_shell_is_told_with_what_it_printed():
    judged = grade(PROGRAM, "host$ echo one; echo two")
    assert judged.steps == ("host$ echo one; echo two\n    one\n    two",)


def test_what_the_operator_allowed_gets_through_too():
    asked = msgspec.structs.replace(
        SPEC, of=("jail",), goals=(Goal(scenario="network.host-address", outcome="leaks"),)
    )
    assert not grade(asked, "jail").met
    assert grade(asked, "jail ip4=inherit").met
