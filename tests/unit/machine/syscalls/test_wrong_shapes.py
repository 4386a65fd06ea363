"""A structure of another shape in a program's text is said to be silent: no traceback, no errno."""

from typing import Any

import pytest

from simulator.machine.abi.call import Silent
from simulator.machine.families.linux import LINUX
from tests.unit.machine.bare import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine(LINUX)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("semop", (0, [("a", 1, 2)])),
        ("semop", (0, [(0, 1)])),
        ("semop", (0, [7])),
        ("msgsnd", (0, (1,), 5, 0)),
        ("adjtimex", ({"modes": "x"},)),
        ("openat2", (-100, "/", ("a", "b", "c"))),
        ("seccomp", (1, 0, [1, 2])),
        ("seccomp", (1, 0, [("a", 0, 0, 0)])),
        ("mount_setattr", (-100, "/", 0, {"attr_set": "x"})),
    ],
)
def test_a_structure_of_another_shape_is_not_guessed_about(
    machine: Machine, name: str, args: Any
) -> None:
    assert isinstance(machine.raw(name, *args), Silent)
