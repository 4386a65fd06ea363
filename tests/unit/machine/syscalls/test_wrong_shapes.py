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
        ("keyctl", (0, "x", 0)),
        ("getrandom", (1 << 40,)),
        ("getrandom", (-1,)),
        ("utimensat", (-100, "/", "NODENAME")),
        ("utimensat", (-100, "/", (1,))),
        ("utimensat", (-100, "/", {"a": 1})),
        ("sched_setparam", (0, "x")),
        ("sched_setparam", (0, ())),
        ("prctl", (1, {"field": 0})),
        ("process_vm_readv", (1, ["x"], [(0, 1)])),
        ("process_vm_readv", (1, [(1,)], [(0, 1)])),
        ("semtimedop", (0, [(0, 1, 0)], 1, ())),
        ("open_by_handle_at", (-100, (), 0)),
        ("open_by_handle_at", (-100, ("x", b"y"), 0)),
    ],
)
def test_a_structure_of_another_shape_is_not_guessed_about(
    machine: Machine, name: str, args: Any
) -> None:
    assert isinstance(machine.raw(name, *args), Silent)
