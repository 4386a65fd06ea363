"""The machine that these tests run on."""

import pytest

from tests.unit.machine.kernel.grouped import Grouped


@pytest.fixture
def machine() -> Grouped:
    """A booted Linux with version 1 control groups and the unified hierarchy beside them."""
    return Grouped("hybrid")


@pytest.fixture
def unified() -> Grouped:
    """A booted Linux with version 2 control groups alone."""
    return Grouped("v2")
