"""What every test begins with: English, and Hypothesis without a stopwatch."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from simulator.machine.abi import i18n

# A busy machine is slow to draw and to run; what is tested is never how fast.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for a real runtime comes first: in its pauses the other workers compute."""
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """A test that speaks Spanish leaves no Spanish behind."""
    i18n.use("en")
    yield
    i18n.use("en")
