"""The calls of the SDK, made to a real private dockerd: it answers what was recorded of it."""

import pytest

from tests.real.conftest import requires
from tests.unit.experiment.engine_api.sdk_calls import engines, suite

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("leak_check")]

ELSEWHERE = {
    "containers: run of no image": "the error of a resolver names ports",
    "streams: exec as no user": "whether runc's complaint comes before the stream ends is a race",
    "streams: exec with both streams mixed": "two pipes: which is read first is a race",
    "streams: logs' tail": "two pipes: what was written last is a race",
    "streams: exec a second time": "whether the complaint comes before the stream ends is a race",
    "streams: attach to what has ended": "the SDK loses what comes along with the head: a race",
}
"""Calls whose answer depends on the machine, or on who is faster in it."""


def test_a_real_engine_answers_what_was_recorded() -> None:
    requires("docker")
    with engines.real() as url:
        answers = suite.told(url)
    expected = suite.expected()
    differing = [
        f"{name}\n  recorded: {expected[name]['real']}\n  now:      {answer}"
        for name, answer in answers.items()
        if answer != expected[name]["real"] and name not in ELSEWHERE
    ]
    assert not differing, "\n".join(differing)
