"""What every test begins with: English, and Hypothesis without a stopwatch."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(autouse=True)
def _machine_is_shared(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests of what a killed coordinator leaves have the machine to themselves; others share it.

    Whoever opens a session first sweeps up after all coordinators that are dead, also another
    worker's.
    """
    if request.node.get_closest_marker("real") is None or sys.platform == "win32":
        yield
        return
    import fcntl

    alone = request.node.get_closest_marker("alone") is not None
    with Path(tempfile.gettempdir(), f"vitrina-tests-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
