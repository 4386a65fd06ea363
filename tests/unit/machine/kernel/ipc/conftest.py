"""The machine that these tests run on."""

import pytest

from tests.unit.machine.kernel.networked import Machine


@pytest.fixture
def machine() -> Machine:
    """A booted Linux with loopback up."""
    return Machine()
