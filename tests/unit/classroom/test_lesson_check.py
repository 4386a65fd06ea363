"""The linter of lessons: what it says of footnotes that name a run, and of exercises."""

from pathlib import Path

import pytest

from simulator.classroom.lessons.check import check
from simulator.classroom.lessons.load import find, misconceptions
from simulator.experiment.scenarios.structure import ScenarioError

LESSON = """+++
format = 1
id = "900-note"
order = 900
minutes = 1
technologies = []
+++

# A note

A sentence.[^one]

[^one]: {note}
"""


@pytest.mark.parametrize(
    ("note", "mistake"),
    [
        ("`vitrina compare --moment blind-host`", ""),
        ("`vitrina compare --moment blind-hosts`", "there is no moment"),
        ("`vitrina compare --moment blind-host` shows it", "must read"),
        ("`vitrina run hostname.set --on jail`: HOLDS", ""),
        ("`vitrina run hostname.set --on jail`: LEAKS", "says LEAKS, but the run gives HOLDS"),
        ("`vitrina run hostname.set`: HOLDS", "must read"),
        ("reboot(2)", ""),
        ("`vitrina trace docker.run`: line 1 = 0 `hello`; line 3 `exited 0`", ""),
        ("`vitrina trace docker.run`: línea 1 `hello` sin `exited`", ""),
        ("`vitrina trace docker.run`: line 1 = 1", "line 1 does not come to that"),
        ("`vitrina trace docker.run`: line 1 without `hello`", "does not come to that"),
        ("`vitrina trace docker.run`: line 99 = 0", "has no line 99"),
        ("`vitrina trace docker.run`: hello", "must read"),
        ("`vitrina trace docker.run`", "must read"),
        ("`vitrina trace docker.walk`: line 1 = 0", "no such scenario"),
        ("`vitrina trace hostname.set`: line 0 = 0", "no demonstration"),
    ],
)
def test_a_footnote_is_what_it_says(tmp_path: Path, note: str, mistake: str) -> None:
    path = tmp_path / "900-note.md"
    path.write_text(LESSON.format(note=note), "utf-8")
    found = [str(one) for one in check([path])]
    assert mistake in "".join(found)
    assert bool(found) == bool(mistake)


TASK = """+++
format = 1
id = "900-task"
order = 900
minutes = 1
technologies = []
{front}
+++

# A task

{text}
"""
PREDICT = """
[[predict]]
id = "line"
scenario = "docker.run"
line = {line}
choices = [{{ option = "a", says = "hello" }}, {{ option = "b", says = "{other}" }}]
"""
OPTIONS = "<!-- vitrina: predict line -->\n## What?\n\n- **a)** One.\n- **b)** Other.\n"
CHALLENGE = """
[[challenge]]
id = "do"
kind = "{kind}"
world = "{world}"
start = "true"
solution = "{solution}"
checks = [{checks}]
"""
HINT = (
    "<!-- vitrina: challenge do -->\n## Do\n\n<details><summary>1</summary>\n\nDo.\n\n</details>\n"
)
CHECK = '{ run = "ls /srv/new" }'


def task(**said: str) -> str:
    """A challenge as it should be, but for what is ``said``."""
    right = {"kind": "shell", "world": "default", "solution": "mkdir /srv/new", "checks": CHECK}
    return CHALLENGE.format(**(right | said))


@pytest.mark.parametrize(
    ("front", "text", "mistake"),
    [
        (PREDICT.format(line=1, other="exited"), OPTIONS, ""),
        (PREDICT.format(line=1, other="hell"), OPTIONS, "exactly one choice must be so"),
        (PREDICT.format(line=9, other="exited"), OPTIONS, "has no line 9"),
        (PREDICT.format(line=1, other="exited"), OPTIONS.replace("b)", "c)"), "other letters"),
        (PREDICT.format(line=1, other="x").replace("docker.run", "hostname.set"), OPTIONS, "'on'"),
        (task(), HINT, ""),
        (task(checks=""), HINT, "has no checks"),
        (task(kind="file"), HINT, "'file' is the path"),
        (task(world="nowhere"), HINT, "no such world"),
        (task(solution="true"), HINT, "is not met by its solution"),
        (task(checks='{ run = "ls /srv" }'), HINT, "is met at the start already"),
    ],
)
def test_an_exercise_can_be_done(tmp_path: Path, front: str, text: str, mistake: str) -> None:
    path = tmp_path / "900-task.md"
    path.write_text(TASK.format(front=front, text=text), "utf-8")
    found = [str(one) for one in check([path])]
    assert mistake in "".join(found)
    assert bool(found) == bool(mistake)


def test_a_lesson_of_ones_own_may_lie_anywhere_and_bring_its_misconceptions(tmp_path: Path) -> None:
    (tmp_path / "es").mkdir()
    (tmp_path / "strings").mkdir()
    path = tmp_path / "es" / "900-note.md"
    path.write_text(LESSON.format(note="reboot(2)"), "utf-8")
    (tmp_path / "strings" / "es.toml").write_text("[misconception]\nmine = 'Una idea.'\n", "utf-8")
    lesson = find(str(path))
    assert (lesson.id, lesson.language) == ("900-note", "es")
    assert misconceptions(lesson)["mine"] == "Una idea."
    assert "docker-maps-root" in misconceptions(lesson)
    (tmp_path / "strings" / "es.toml").write_text("misconception = 3", "utf-8")
    with pytest.raises(ScenarioError):
        misconceptions(lesson)
