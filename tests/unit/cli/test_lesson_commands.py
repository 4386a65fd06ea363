"""Lessons and demonstrations on the command line, as a teacher's scripts call them."""

import json
from pathlib import Path

import pytest

from simulator.classroom.lessons.load import find
from simulator.cli import main


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main.run(["--lang", "en", *words])
    done = capsys.readouterr()
    return status, done.out, done.err


def test_a_task_in_the_shell_is_graded_with_what_each_line_came_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answer"
    path.write_text("docker run --name shop alpine echo hi\n", "utf-8")
    status, out, _err = call(capsys, "lesson", "grade", "130", str(path))
    assert status == 1
    assert "✗ $ docker ps -aq | wc -l" in out
    assert "$ docker run --name shop alpine echo hi\n    hi" in out
    path.write_text(find("130").front.challenge[0].solution, "utf-8")
    status, out, _err = call(capsys, "lesson", "grade", "130", str(path), "--json")
    assert (status, json.loads(out)["met"]) == (0, True)


def test_a_lesson_in_a_pipe_shows_its_options_and_no_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _err = call(capsys, "lesson", "start", "130")
    assert status == 0
    assert "- **b)** Only `/data/note`." in out
    assert "<details>" not in out


def test_a_teacher_sees_which_choice_is_so(capsys: pytest.CaptureFixture[str]) -> None:
    _status, out, _err = call(capsys, "lesson", "predict", "130", "--json")
    assert [(row["predict"], row["outcome"]) for row in json.loads(out)] == [
        ("dies", "b"),
        ("covered", "a"),
    ]


def test_a_demonstration_is_traced_by_its_id_and_needs_no_technology(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _err = call(capsys, "trace", "docker/run")
    assert (status, out, "") == call(capsys, "trace", "docker.run")
    assert status == 0
    assert "hello" in out
    status, _out, err = call(capsys, "trace", "hostname.set")
    assert status == 2
    assert "--on SPEC" in err
