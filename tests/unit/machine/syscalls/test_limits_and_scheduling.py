"""Limits and priorities: getrlimit(2), prlimit(2), setpriority(2), sched(7), mlock(2)."""

import pytest

from simulator.machine.abi.constants import (
    MAP_ANONYMOUS,
    MAP_PRIVATE,
    MCL_CURRENT,
    PRIO_PGRP,
    PRIO_PROCESS,
    RLIM_INFINITY,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_MEMLOCK,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    SCHED_DEADLINE,
    SCHED_FIFO,
    SCHED_OTHER,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.boot import INIT
from tests.unit.machine.bare import Machine

MAP_POPULATE = 0x8000


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def user(machine: Machine) -> Pid:
    return machine.become(Pid(machine.do("fork")), 1000)


def test_a_limit_comes_back_as_it_was_set(machine: Machine) -> None:
    machine.do("setrlimit", RLIMIT_NOFILE, (10, 20))
    assert machine.data("getrlimit", RLIMIT_NOFILE) == (10, 20)


def test_the_soft_limit_stays_below_the_hard_one(machine: Machine) -> None:
    assert machine.do("setrlimit", RLIMIT_NOFILE, (30, 20)) == "EINVAL"


def test_a_hard_limit_is_raised_by_cap_sys_resource_alone(machine: Machine, user: Pid) -> None:
    machine.do("setrlimit", RLIMIT_CORE, (0, 0), pid=user)
    assert machine.do("setrlimit", RLIMIT_CORE, (0, 1), pid=user) == "EPERM"
    machine.do("setrlimit", RLIMIT_CORE, (0, 0))
    assert machine.do("setrlimit", RLIMIT_CORE, (0, 1)) == 0


def test_nofile_ends_at_nr_open_for_everybody(machine: Machine) -> None:
    assert machine.do("setrlimit", RLIMIT_NOFILE, (1, 1 << 21)) == "EPERM"


def test_no_such_limit_is_einval(machine: Machine) -> None:
    assert machine.do("getrlimit", 16) == "EINVAL"


def test_prlimit_of_another_user_is_eperm(machine: Machine, user: Pid) -> None:
    assert machine.do("prlimit64", INIT, RLIMIT_CORE, None, pid=user) == "EPERM"


def test_prlimit_tells_the_old_limit_and_sets_the_new(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    assert machine.data("prlimit64", child, RLIMIT_CORE, (0, 0)) == (0, RLIM_INFINITY)
    assert machine.data("getrlimit", RLIMIT_CORE, pid=child) == (0, 0)


def test_prlimit_of_nobody_is_esrch(machine: Machine) -> None:
    assert machine.do("prlimit64", 99999, RLIMIT_CORE, None) == "ESRCH"


def test_getpriority_is_20_minus_nice(machine: Machine) -> None:
    machine.do("setpriority", PRIO_PROCESS, 0, 5)
    assert machine.do("getpriority", PRIO_PROCESS, 0) == 15


def test_a_user_cannot_come_back_up(machine: Machine, user: Pid) -> None:
    assert machine.do("setpriority", PRIO_PROCESS, 0, 5, pid=user) == 0
    assert machine.do("setpriority", PRIO_PROCESS, 0, 0, pid=user) == "EACCES"


def test_rlimit_nice_leaves_room_to_come_up(machine: Machine) -> None:
    machine.do("setrlimit", RLIMIT_NICE, (20, 20))
    user = machine.become(Pid(machine.do("fork")), 1000)
    machine.do("setpriority", PRIO_PROCESS, 0, 5, pid=user)
    assert machine.do("setpriority", PRIO_PROCESS, 0, 0, pid=user) == 0


def test_another_users_priority_is_eperm(machine: Machine, user: Pid) -> None:
    assert machine.do("setpriority", PRIO_PROCESS, machine.pid, 5, pid=user) == "EPERM"


def test_no_such_kind_of_priority_is_einval(machine: Machine) -> None:
    assert machine.do("getpriority", 9, 0) == "EINVAL"


def test_real_time_needs_cap_sys_nice(machine: Machine, user: Pid) -> None:
    assert machine.do("sched_setscheduler", 0, SCHED_FIFO, 1) == 0
    assert machine.do("sched_getscheduler", 0) == SCHED_FIFO
    assert machine.do("sched_setscheduler", 0, SCHED_FIFO, 1, pid=user) == "EPERM"


@pytest.mark.parametrize(
    ("policy", "priority"), [(SCHED_FIFO, 0), (SCHED_FIFO, 100), (SCHED_OTHER, 1), (99, 0)]
)
def test_a_policy_has_its_own_priorities(machine: Machine, policy: int, priority: int) -> None:
    assert machine.do("sched_setscheduler", 0, policy, priority) == "EINVAL"


def test_deadlines_are_not_set_by_a_priority(machine: Machine) -> None:
    assert machine.do("sched_setscheduler", 0, SCHED_DEADLINE, 0) == "EINVAL"


def test_locking_all_memory_ends_at_rlimit_memlock(machine: Machine, user: Pid) -> None:
    assert machine.do("mlockall", MCL_CURRENT) == 0
    assert machine.do("mlockall", MCL_CURRENT, pid=user) == "ENOMEM"


def test_without_any_memlock_locking_is_eperm(machine: Machine, user: Pid) -> None:
    machine.do("setrlimit", RLIMIT_MEMLOCK, (0, 0), pid=user)
    assert machine.do("mlockall", MCL_CURRENT, pid=user) == "EPERM"


def test_an_address_space_ends_at_rlimit_as(machine: Machine) -> None:
    machine.do("setrlimit", RLIMIT_AS, (32 << 20, 32 << 20))
    flags = MAP_PRIVATE | MAP_ANONYMOUS
    assert machine.do("mmap", 0, 64 << 20, 3, flags, -1, 0) == "ENOMEM"


def test_only_touched_pages_are_charged(machine: Machine) -> None:
    flags = MAP_PRIVATE | MAP_ANONYMOUS
    machine.do("mmap", 0, 1 << 20, 3, flags, -1, 0)
    assert machine.task().memory == 0
    machine.do("mmap", 0, 1 << 20, 3, flags | MAP_POPULATE, -1, 0)
    assert machine.task().memory == 1 << 20


def test_a_map_of_nothing_is_einval(machine: Machine) -> None:
    assert machine.do("mmap", 0, 0, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == "EINVAL"


def test_a_group_is_made_nicer_but_for_those_who_may_not_be_changed(machine: Machine) -> None:
    leader, user = machine.fork(), machine.fork()
    machine.do("setpgid", leader, 0)
    machine.do("setpgid", user, leader)
    machine.do("setresuid", 1000, 1000, 1000, pid=user)
    assert machine.do("setpriority", PRIO_PGRP, leader, 7, pid=user) == "EPERM"
    assert [machine.do("getpriority", PRIO_PROCESS, one) for one in (leader, user)] == [20, 13]
