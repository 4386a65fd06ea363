"""Over three hundred calls of the Docker SDK: ours answers what a real dockerd was recorded to."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.experiment.engine_api.sdk_calls import engines, suite

pytestmark = pytest.mark.xdist_group("sdk_calls")  # one engine for all of them

EXPECTED = suite.expected()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place: Path = tmp_path_factory.mktemp("engine") / "docker.sock"
    with engines.ours(place) as url:
        return suite.told(url)


def test_every_call_was_recorded() -> None:
    assert {name for name, _action in suite.every()} == set(EXPECTED)
    assert len(EXPECTED) >= 300


def test_where_ours_differs_a_reason_is_written_down() -> None:
    differing = {name: one["why"] for name, one in EXPECTED.items() if "ours" in one}
    assert all(differing.values()), [name for name, why in differing.items() if not why]
    assert len(EXPECTED) - len(differing) >= 270


@pytest.mark.parametrize("name", [name for name, _action in suite.every()])
def test_the_sdk_is_answered_as_by_a_real_engine(name: str, answers: dict[str, Any]) -> None:
    one = EXPECTED[name]
    assert answers[name] == one.get("ours", one["real"])
