"""What a learner is told about an answer."""

import pytest

from simulator.classroom.lessons.grading import grade, outcomes
from simulator.classroom.lessons.load import find
from simulator.classroom.lessons.schema import Predict
from simulator.machine.abi import i18n


@pytest.fixture(autouse=True)
def spanish():
    i18n.use("es")
    yield
    i18n.use("en")


def test_a_program_is_told_as_it_was_written_and_in_the_language_spoken():
    answer = """\
fd = guest.open("/", O_RDONLY)  # a word of mine
guest.chdir("..") * 3
guest$ echo hello; echo again
secret = guest.open(CANARY, O_RDONLY)
guest.read(secret, 64)
"""
    assert grade(find("020-chroot").front.challenge[0], answer).steps == (
        'fd = guest.open("/", O_RDONLY)  = 3',
        'guest.chdir("..") * 3  = 0',
        "guest$ echo hello; echo again\n    hello\n    again",
        "secret = guest.open(CANARY, O_RDONLY)  ENOENT  Nada tiene aquí ese nombre.",
        "guest.read(secret, 64)  omitido: nombre sin valor secret",
    )


def test_repetitions_that_came_out_otherwise_stand_apart():
    answer = 'guest.mkdir("/tmp/here", 0o755) * 3\n'
    first, *rest = grade(find("020-chroot").front.challenge[0], answer).steps
    assert first == 'guest.mkdir("/tmp/here", 0o755)  = 0'
    assert [one.startswith('guest.mkdir("/tmp/here", 0o755) * 2  EEXIST') for one in rest] == [True]


def test_a_prediction_names_the_walls_that_hold_together_where_none_does_alone():
    asked = Predict(id="nice", scenario="processes.priority-host", on=("docker", "chroot"))
    found = outcomes(asked)
    assert found["docker"].stopped_by is None
    assert found["docker"].held_by == "capabilities + pid-ns"
    assert found["chroot"].held_by == ""
