"""Tasks that are worked on in the host's shell or in a file, and lines that are foretold."""

import msgspec
import pytest

from simulator.classroom.lessons.grading import aims, came, grade, so
from simulator.classroom.lessons.schema import Challenge, Check, Choice, Expect, Predict
from simulator.classroom.lessons.shell import MAX_ANSWER, MAX_LINES

SHELL = Challenge(
    id="note",
    kind="shell",
    world="default",
    setup="mkdir /srv/work\n",
    start="true",
    solution="echo ours > /srv/work/note",
    checks=(
        Check(run="cat /srv/work/note", says="ours", lacks="theirs"),
        Check(run="ls /srv/work/other", status=1),
        Check(run="test -f /srv/work/note"),
    ),
)
FILE = msgspec.structs.replace(
    SHELL, kind="file", file="/srv/work/note", start="theirs", solution="ours", checks=SHELL.checks
)


def test_what_is_left_behind_must_pass_every_check() -> None:
    judged = grade(SHELL, SHELL.solution)
    assert judged.met
    assert judged.steps == ("$ echo ours > /srv/work/note",)
    missing = grade(SHELL, "echo one > /srv/work/other")
    assert [one.met for one in missing.results] == [False, False, False]
    assert "can't open" in came(missing.results[0])


def test_a_file_of_the_learners_is_written_as_it_stands() -> None:
    long = "ours\n" + 'x = "$(touch /srv/work/other)" # \\ ñ\n' * 200
    assert grade(FILE, long).met
    assert not grade(FILE, FILE.start).met


def test_an_answer_may_have_prompts_comments_and_long_lines() -> None:
    text = "# my try\n\nhost$ echo ours \\\n  > /srv/work/note\n"
    assert grade(SHELL, text).met


def test_one_answer_leaves_nothing_for_the_next() -> None:
    assert grade(SHELL, SHELL.solution).met
    assert not grade(SHELL, SHELL.start).met


@pytest.mark.parametrize(
    "answer", ["x" * (MAX_ANSWER + 1), "true\n" * (MAX_LINES + 1), "echo 'a\0b'", ""]
)
def test_an_answer_that_is_none_gets_one_line_or_is_unmet(answer: str) -> None:
    judged = grade(SHELL, answer)
    assert not judged.met
    assert "\n" not in judged.problem


def test_a_mistake_names_the_learners_own_line() -> None:
    assert grade(SHELL, "true\ntrue\necho \0").problem.startswith("line 3")


def test_a_line_that_never_ends_fails_its_check() -> None:
    reads = msgspec.structs.replace(SHELL, checks=(Check(run="cat /srv/pipe"),))
    judged = grade(reads, "mkfifo /srv/pipe")
    assert not judged.met
    assert "Blocked" in came(judged.results[0])


def test_a_learner_reads_what_will_be_checked() -> None:
    assert aims(SHELL) == (
        "$ cat /srv/work/note: says 'ours', doesn't say 'theirs'",
        "$ ls /srv/work/other: ends with 1",
        "$ test -f /srv/work/note: ends well",
    )


def test_what_is_left_out_of_an_expectation_does_not_matter() -> None:
    assert Expect().met(7, "anything")
    assert not Expect(status=0).met(None, "")
    assert Expect(status=1, says="no").met(1, "it says no")
    assert not Expect(lacks="no").met(0, "it says no")


def test_the_model_says_which_choice_is_so() -> None:
    asked = Predict(
        id="x",
        scenario="docker.run",
        line=1,
        choices=(
            Choice(option="a", says="hello"),
            Choice(option="b", status=125),
            Choice(option="c", lacks="hello"),
        ),
    )
    assert so(asked) == ("a",)
