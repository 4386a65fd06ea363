"""Calls that Linux 6.18 was asked by root and by nobody: each line is what both were told."""

from typing import Any

import pytest

from simulator.machine.abi.constants import (
    ADJ_OFFSET_READONLY,
    ADJ_OFFSET_SS_READ,
    AF_INET,
    AF_UNIX,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    RLIMIT_NOFILE,
    SOCK_DGRAM,
    SOCK_STREAM,
)
from simulator.machine.abi.ids import Pid
from tests.unit.machine.bare import Machine

SHORT = (0, 1000)
THREAD, TAI = 3, 11


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def nobody(machine: Machine) -> Pid:
    return machine.become(machine.fork(), 65534)


@pytest.mark.parametrize(
    ("name", "args", "root", "others"),
    [
        ("clock_settime", (CLOCK_PROCESS_CPUTIME_ID, SHORT), "EINVAL", "EINVAL"),
        ("clock_settime", (CLOCK_MONOTONIC, SHORT), "EINVAL", "EINVAL"),
        ("clock_settime", (CLOCK_REALTIME, (0, -1)), "EINVAL", "EINVAL"),
        ("clock_nanosleep", (CLOCK_REALTIME, 0, SHORT), 0, 0),
        ("clock_nanosleep", (TAI, 0, SHORT), 0, 0),
        ("clock_nanosleep", (THREAD, 0, SHORT), "EOPNOTSUPP", "EOPNOTSUPP"),
        ("clock_nanosleep", (CLOCK_MONOTONIC_RAW, 0, SHORT), "EOPNOTSUPP", "EOPNOTSUPP"),
        ("clock_nanosleep", (12, 0, SHORT), "EINVAL", "EINVAL"),
        ("adjtimex", ({"modes": 0},), 5, 5),
        ("adjtimex", ({"modes": ADJ_OFFSET_SS_READ},), 5, 5),
        ("adjtimex", ({"modes": 0x8000},), "EINVAL", "EINVAL"),
        ("adjtimex", ({"modes": ADJ_OFFSET_READONLY},), 5, "EPERM"),
        ("ioprio_set", (1, 0, 1 << 13), 0, "EPERM"),
        ("ioprio_set", (1, 0, 2 << 13), 0, 0),
        ("ioprio_set", (1, 0, 4 << 13), "EINVAL", "EINVAL"),
        ("ioprio_set", (1, 0, 8 << 13), 0, 0),
        ("ioprio_set", (1, 0, 1), "EINVAL", "EINVAL"),
        ("perf_event_open", ({}, 0, -1, -1, 0), 0, "EACCES"),
        ("perf_event_open", ({}, -1, -1, -1, 0), "EINVAL", "EACCES"),
        ("perf_event_open", ({}, -1, -1, 99, 0), "EBADF", "EACCES"),
        ("perf_event_open", ({}, 0, 999, -1, 0), "EINVAL", "EACCES"),
        ("perf_event_open", ({}, 999999, -1, -1, 0), "ESRCH", "EACCES"),
        ("perf_event_open", ({}, 0, -1, -1, 4), "EINVAL", "EACCES"),
        ("perf_event_open", ({}, 0, -1, -1, 1024), "EINVAL", "EINVAL"),
        ("landlock_restrict_self", (99, 0), "EBADF", "EPERM"),
        ("socketpair", (99, SOCK_STREAM, 0), "EAFNOSUPPORT", "EAFNOSUPPORT"),
        ("socketpair", (AF_INET, SOCK_STREAM, 0), "EOPNOTSUPP", "EOPNOTSUPP"),
        ("socketpair", (AF_UNIX, SOCK_STREAM, 2), "EPROTONOSUPPORT", "EPROTONOSUPPORT"),
    ],
)
def test_both_are_told(
    machine: Machine,
    nobody: Pid,
    name: str,
    args: tuple[Any, ...],
    root: int | str,
    others: int | str,
) -> None:
    assert machine.do(name, *args) == root
    assert machine.do(name, *args, pid=nobody) == others


def test_a_sleep_by_the_time_used_lasts_as_long_as_nothing_is_used(machine: Machine) -> None:
    assert machine.do("clock_nanosleep", CLOCK_PROCESS_CPUTIME_ID, 0, SHORT) == "Blocked"


def test_a_group_is_led_by_a_perf_event(machine: Machine) -> None:
    socket = machine.do("socket", AF_UNIX, SOCK_DGRAM, 0)
    leader = machine.do("perf_event_open", {}, 0, -1, -1, 0)
    assert machine.do("perf_event_open", {}, 0, -1, socket, 0) == "EBADF"
    assert machine.do("perf_event_open", {}, 0, -1, leader, 0) > leader


def test_accept_without_a_free_descriptor_does_not_wait(machine: Machine) -> None:
    """__sys_accept4_file() takes the descriptor first."""
    listening = machine.do("socket", AF_UNIX, SOCK_STREAM, 0)
    machine.do("bind", listening, "\0here")
    machine.do("listen", listening, 1)
    machine.do("setrlimit", RLIMIT_NOFILE, (listening + 1, 4096))
    assert machine.do("accept", listening) == "EMFILE"


def test_a_pair_of_sockets_takes_its_two_descriptors_first(machine: Machine) -> None:
    """__sys_socketpair(): even a family without pairs is refused only then."""
    for room, answer in ((1, "EMFILE"), (2, "EOPNOTSUPP")):
        machine.do("setrlimit", RLIMIT_NOFILE, (room, 4096))
        assert machine.do("socketpair", AF_INET, SOCK_STREAM, 0) == answer


def test_a_descriptor_of_something_else_is_no_ruleset(machine: Machine) -> None:
    socket = machine.do("socket", AF_UNIX, SOCK_STREAM, 0)
    assert machine.do("landlock_restrict_self", socket, 0) == "EBADFD"
