"""Signals: who may send them, what they do, who is beyond them. kill(2), signal(7)."""

import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWPID,
    CLONE_NEWUSER,
    RLIMIT_CORE,
    SIG_BLOCK,
    SIG_IGN,
    SIG_UNBLOCK,
    SIGABRT,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGSTOP,
    SIGTERM,
    SIGTSTP,
    SIGUSR1,
    WUNTRACED,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.task import Task, TaskState
from tests.unit.machine.bare import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine()


def child(machine: Machine) -> Pid:
    return Pid(machine.do("fork"))


def test_a_signal_without_a_handler_ends_its_target(machine: Machine) -> None:
    target = child(machine)
    machine.do("kill", target, SIGTERM)
    assert machine.raw("waitpid", target, 0).data == SIGTERM


def test_killing_oneself_is_the_end_of_the_call(machine: Machine) -> None:
    assert machine.do("kill", machine.pid, SIGTERM) == "SIGTERM"


def test_an_ignored_signal_does_nothing(machine: Machine) -> None:
    machine.do("rt_sigaction", SIGTERM, SIG_IGN)
    assert machine.do("kill", machine.pid, SIGTERM) == 0


def test_sigkill_cannot_be_ignored(machine: Machine) -> None:
    assert machine.do("rt_sigaction", SIGKILL, SIG_IGN) == "EINVAL"


def test_a_blocked_signal_waits_until_it_is_unblocked(machine: Machine) -> None:
    machine.do("rt_sigprocmask", SIG_BLOCK, [SIGTERM])
    machine.do("kill", machine.pid, SIGTERM)
    assert machine.data("rt_sigpending") == [SIGTERM]
    assert machine.do("rt_sigprocmask", SIG_UNBLOCK, [SIGTERM]) == "SIGTERM"


def test_sigkill_cannot_be_blocked(machine: Machine) -> None:
    machine.do("rt_sigprocmask", SIG_BLOCK, [SIGKILL])
    assert machine.do("kill", machine.pid, SIGKILL) == "SIGKILL"


def test_a_handler_interrupts_a_sleeping_call(machine: Machine) -> None:
    target = child(machine)
    machine.do("rt_sigaction", SIGUSR1, 4096, pid=target)
    assert machine.do("pause", pid=target) == "Blocked"
    machine.do("kill", target, SIGUSR1)
    assert machine.woken(target) == "EINTR"


def test_a_stopped_process_goes_on_after_sigcont(machine: Machine) -> None:
    target = child(machine)
    assert machine.do("kill", target, SIGSTOP, pid=target) == "Blocked"
    machine.do("kill", target, SIGCONT)
    assert machine.woken(target) == 0


def test_a_call_of_a_stopped_process_begins_after_sigcont(machine: Machine) -> None:
    target = child(machine)
    machine.do("kill", target, SIGSTOP)
    assert machine.do("getpid", pid=target) == "Blocked"
    machine.do("kill", target, SIGCONT)
    assert machine.woken(target) == target


def test_a_stop_is_told_once_to_who_asks_for_it(machine: Machine) -> None:
    target = child(machine)
    machine.do("kill", target, SIGSTOP)
    assert machine.raw("waitpid", target, WUNTRACED).data == SIGSTOP << 8 | 0x7F
    assert machine.do("waitpid", target, WUNTRACED | 1) == 0


def test_sigkill_ends_a_stopped_process(machine: Machine) -> None:
    target = child(machine)
    machine.do("kill", target, SIGSTOP)
    machine.do("kill", target, SIGKILL)
    assert machine.store.row(Task, target).state is TaskState.ZOMBIE


def test_signal_0_only_asks(machine: Machine) -> None:
    assert machine.do("kill", child(machine), 0) == 0


def test_nobody_is_esrch(machine: Machine) -> None:
    assert machine.do("kill", 99999, SIGTERM) == "ESRCH"


def test_no_such_signal_is_einval(machine: Machine) -> None:
    assert machine.do("kill", child(machine), 65) == "EINVAL"


def test_another_users_process_is_eperm(machine: Machine) -> None:
    user = machine.become(child(machine), 1000)
    assert machine.do("kill", machine.pid, SIGTERM, pid=user) == "EPERM"


def test_the_same_user_may_signal(machine: Machine) -> None:
    user, other = machine.become(child(machine), 1000), machine.become(child(machine), 1000)
    assert machine.do("kill", other, SIGTERM, pid=user) == 0


def test_sigcont_passes_within_a_session(machine: Machine) -> None:
    user = machine.become(child(machine), 1000)
    assert machine.do("kill", machine.pid, SIGCONT, pid=user) == 0


def test_cap_kill_in_a_user_namespace_ends_at_its_border(machine: Machine) -> None:
    target = machine.become(child(machine), 1001)
    user = machine.become(child(machine), 1000)
    inside = Pid(machine.do("clone", CLONE_NEWUSER, pid=user))
    assert machine.do("kill", target, SIGTERM, pid=inside) == "EPERM"


def test_a_process_outside_the_pid_namespace_is_esrch(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    assert machine.do("kill", machine.pid, SIGTERM, pid=init) == "ESRCH"


def test_init_does_not_die_of_its_own_namespace(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    machine.do("kill", 1, SIGKILL, pid=init)
    assert machine.store.row(Task, init).state is not TaskState.ZOMBIE


def test_init_ignores_sigterm_from_above(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    machine.do("kill", init, SIGTERM)
    assert machine.store.row(Task, init).state is not TaskState.ZOMBIE


def test_init_dies_of_sigkill_from_above(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    machine.do("kill", init, SIGKILL)
    assert machine.store.row(Task, init).state is TaskState.ZOMBIE


def test_nothing_kills_the_machines_init(machine: Machine) -> None:
    machine.do("kill", INIT, SIGKILL)
    assert machine.store.row(Task, INIT).state is not TaskState.ZOMBIE


def test_kill_minus_1_spares_the_caller_and_init(machine: Machine) -> None:
    target = child(machine)
    assert machine.do("kill", -1, SIGTERM) == 0
    assert machine.store.row(Task, target).state is TaskState.ZOMBIE
    assert machine.do("getpid") == machine.pid


def test_a_group_is_signalled_together(machine: Machine) -> None:
    leader = child(machine)
    machine.do("setpgid", leader, 0)
    member = Pid(machine.do("fork", pid=leader))
    machine.do("kill", -leader, SIGTERM)
    assert machine.store.row(Task, member).state is TaskState.ZOMBIE


def test_an_empty_group_is_esrch(machine: Machine) -> None:
    assert machine.do("kill", -99999, SIGTERM) == "ESRCH"


def test_a_core_is_dumped_only_within_its_limit(machine: Machine) -> None:
    small, large = child(machine), child(machine)
    machine.do("setrlimit", RLIMIT_CORE, (1 << 20, 1 << 20), pid=large)
    for target in (small, large):
        machine.do("kill", target, SIGABRT)
    assert machine.raw("waitpid", small, 0).data == SIGABRT
    assert machine.raw("waitpid", large, 0).data == SIGABRT | 0x80


def test_sigchld_by_itself_ends_nobody(machine: Machine) -> None:
    assert machine.do("kill", machine.pid, SIGCHLD) == 0


def test_a_pidfd_outlives_its_process(machine: Machine) -> None:
    target = child(machine)
    fd = machine.do("pidfd_open", target, 0)
    machine.do("kill", target, SIGKILL)
    machine.do("waitpid", target, 0)
    assert machine.do("pidfd_send_signal", fd, 0) == "ESRCH"


def test_only_a_pidfd_sends(machine: Machine) -> None:
    assert machine.do("pidfd_send_signal", 99, 0) == "EBADF"


def test_pidfd_getfd_asks_like_ptrace(machine: Machine) -> None:
    user = machine.become(child(machine), 1000)
    fd = machine.do("pidfd_open", machine.pid, 0, pid=user)
    assert machine.do("pidfd_getfd", fd, 0, 0, pid=user) == "EPERM"


def test_tkill_wants_a_positive_number(machine: Machine) -> None:
    assert machine.do("tkill", 0, 0) == "EINVAL"


def test_tgkill_wants_the_thread_in_its_group(machine: Machine) -> None:
    assert machine.do("tgkill", INIT, machine.pid, 0) == "ESRCH"


@pytest.mark.parametrize(("signo", "times"), [(SIGUSR1, 1), (34, 3)])
def test_a_standard_signal_waits_once_and_a_real_time_one_each_time(
    machine: Machine, signo: int, times: int
) -> None:
    target = child(machine)
    machine.do("rt_sigprocmask", SIG_BLOCK, [signo], pid=target)
    for _ in range(3):
        assert machine.do("kill", target, signo) == 0
    assert machine.store.row(Task, target).pending == (signo,) * times


def test_a_terminals_stop_means_nothing_to_a_group_that_nobody_could_continue(
    machine: Machine,
) -> None:
    """is_current_pgrp_orphaned(): a parent in the group itself is no help, SIGSTOP stops all."""
    leader = child(machine)
    machine.do("setsid", pid=leader)
    member = Pid(machine.do("fork", pid=leader))
    other = Pid(machine.do("fork", pid=leader))
    assert machine.do("setpgid", other, other, pid=other) == 0
    for target, stops in ((leader, False), (member, False), (other, True)):
        machine.do("kill", target, SIGTSTP)
        assert (machine.store.row(Task, target).state is TaskState.STOPPED) is stops
    machine.do("kill", leader, SIGSTOP)
    assert machine.store.row(Task, leader).state is TaskState.STOPPED
