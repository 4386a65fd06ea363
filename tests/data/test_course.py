"""The course: sound in both languages; a challenge is unmet at first and met by its solution."""

import pytest

from simulator.classroom.lessons.check import check
from simulator.classroom.lessons.grading import grade
from simulator.classroom.lessons.load import load_all
from simulator.machine.abi.i18n import LANGUAGES

pytestmark = pytest.mark.xdist_group("demonstrations")  # the lessons' footnotes name their runs
CHALLENGES = [
    pytest.param(one, id=f"{lesson.id}-{one.id}")
    for lesson in load_all("en")
    for one in lesson.front.challenge
]


def test_the_linter_finds_nothing():
    assert [str(mistake) for mistake in check()] == []


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_a_challenge_is_unmet_at_its_start_and_met_by_its_solution(challenge):
    assert not grade(challenge, challenge.start).met
    assert grade(challenge, challenge.solution).met


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lesson_asks_before_it_shows(language):
    for lesson in load_all(language):
        kinds = [part.kind for part in lesson.exercises]
        assert "predict" in kinds, lesson.id
        assert kinds.index("predict") < kinds.index("steps"), lesson.id
        assert kinds.count("question") >= 1, lesson.id
        assert kinds.count("challenge") >= 1, lesson.id
