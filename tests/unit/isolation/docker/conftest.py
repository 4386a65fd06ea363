import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engine_client import Client


@pytest.fixture(scope="module")
def engine() -> Client:
    """A machine with dockerd and busybox, one a module: tests use names of their own."""
    client = Client()
    client.pull()
    return client
