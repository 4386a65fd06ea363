"""alarm(2): SIGALRM when so much time has passed, by virtual time."""

import pytest

from simulator.machine.abi.call import Executed
from simulator.machine.abi.constants import O_CREAT, O_WRONLY, SIG_IGN, SIGALRM
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.userland.registry import BUSYBOX
from tests.unit.machine.bare import Machine

SECOND = 1_000_000_000
PROGRAM = "/program"
HANDLER = 0x400000
"""Any address that is neither SIG_DFL nor SIG_IGN."""


@pytest.fixture
def machine() -> Machine:
    return Machine()


def pass_time(machine: Machine, seconds: float) -> int:
    """Let time pass; how much did at once."""
    return machine.kernel.advance(int(seconds * SECOND))


def test_what_an_earlier_alarm_had_left_is_told_and_never_as_nothing(machine: Machine) -> None:
    assert machine.do("alarm", 0) == 0
    assert machine.do("alarm", 10) == 0
    pass_time(machine, 3.2)
    assert machine.do("alarm", 20) == 7
    pass_time(machine, 19.9)
    assert machine.do("alarm", 0) == 1
    assert machine.do("alarm", 0) == 0


def test_without_a_handler_it_is_the_end(machine: Machine) -> None:
    child = machine.fork()
    machine.do("alarm", 2, pid=child)
    assert machine.do("pause", pid=child) == "Blocked"
    pass_time(machine, 2)
    assert machine.raw("waitpid", child, 0).data == SIGALRM


def test_a_handler_ends_a_sleep_at_the_alarms_time_and_not_at_the_sleeps(machine: Machine) -> None:
    machine.do("rt_sigaction", SIGALRM, HANDLER)
    start = clock.monotonic(machine.store)
    machine.do("alarm", 2)
    assert machine.do("nanosleep", (10, 0)) == "Blocked"
    assert pass_time(machine, 10) == 2 * SECOND
    assert machine.woken(machine.pid) == "EINTR"
    assert clock.monotonic(machine.store) - start == 2 * SECOND


def test_a_cancelled_or_ignored_alarm_disturbs_nobody(machine: Machine) -> None:
    machine.do("alarm", 2)
    machine.do("alarm", 0)
    assert pass_time(machine, 5) == 5 * SECOND
    machine.do("rt_sigaction", SIGALRM, SIG_IGN)
    machine.do("alarm", 1)
    pass_time(machine, 5)
    assert machine.task().state is TaskState.RUNNING


def test_a_child_has_no_alarm_and_a_new_program_keeps_it(machine: Machine) -> None:
    machine.do("alarm", 9)
    child = Pid(machine.do("fork"))
    assert machine.do("alarm", 0, pid=child) == 0
    fd = machine.do("open", PROGRAM, O_WRONLY | O_CREAT, 0o755)
    machine.do("write", fd, BUSYBOX, len(BUSYBOX))
    machine.do("close", fd)
    other = machine.fork()
    machine.do("alarm", 9, pid=other)
    assert isinstance(machine.raw("execve", PROGRAM, [PROGRAM], [], pid=other), Executed)
    pass_time(machine, 9)
    assert machine.store.row(Task, other).state is TaskState.ZOMBIE


def test_who_has_ended_holds_no_time_up(machine: Machine) -> None:
    child = machine.fork()
    machine.do("alarm", 1, pid=child)
    machine.do("exit", 0, pid=child)
    assert pass_time(machine, 5) == 5 * SECOND
