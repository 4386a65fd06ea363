"""Looking into another process: ptrace(2), process_vm_readv(2), kcmp(2), Yama."""

from dataclasses import replace

import pytest

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import (
    CLONE_NEWPID,
    CLONE_NEWUSER,
    KCMP_FILE,
    KCMP_VM,
    PR_SET_DUMPABLE,
    PR_SET_PTRACER,
    PTRACE_ATTACH,
    PTRACE_CONT,
    PTRACE_DETACH,
    PTRACE_INTERRUPT,
    PTRACE_PEEKDATA,
    PTRACE_SEIZE,
    PTRACE_TRACEME,
    SIGKILL,
    SIGSTOP,
    SIGTERM,
    SIGUSR1,
    WALL,
    WNOHANG,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.families.linux import LINUX
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine()


def child(machine: Machine, parent: Pid | None = None) -> Pid:
    return Pid(machine.do("fork", pid=parent))


def test_attaching_stops_the_target(machine: Machine) -> None:
    target = child(machine)
    assert machine.do("ptrace", PTRACE_ATTACH, target, 0, 0) == 0
    assert machine.raw("waitpid", target, 0).data == SIGSTOP << 8 | 0x7F


def test_nobody_is_traced_twice(machine: Machine) -> None:
    target = child(machine)
    machine.do("ptrace", PTRACE_ATTACH, target, 0, 0)
    assert machine.do("ptrace", PTRACE_ATTACH, target, 0, 0) == "EPERM"


def test_a_request_to_a_stranger_is_esrch(machine: Machine) -> None:
    assert machine.do("ptrace", PTRACE_CONT, child(machine), 0, 0) == "ESRCH"


def test_detaching_lets_the_target_go_on(machine: Machine) -> None:
    target = child(machine)
    machine.do("ptrace", PTRACE_ATTACH, target, 0, 0)
    machine.do("ptrace", PTRACE_DETACH, target, 0, 0)
    assert machine.do("getpid", pid=target) == target


def test_nothing_lies_at_address_0(machine: Machine) -> None:
    target = child(machine)
    machine.do("ptrace", PTRACE_ATTACH, target, 0, 0)
    assert machine.do("ptrace", PTRACE_PEEKDATA, target, 0, 0) == "EIO"


def test_seizing_stops_nothing_until_interrupt(machine: Machine) -> None:
    target = child(machine)
    machine.do("ptrace", PTRACE_SEIZE, target, 0, 0)
    assert machine.store.row(Task, target).state is TaskState.RUNNING
    machine.do("ptrace", PTRACE_INTERRUPT, target, 0, 0)
    assert machine.raw("waitpid", target, 0).data == 0x80057F


def test_who_is_seized_is_not_stopped_by_an_exec(machine: Machine) -> None:
    tree.file(machine.store, 1, "/true", b"\x7fELF", mode=0o755)
    seized, attached = child(machine), child(machine)
    machine.do("ptrace", PTRACE_SEIZE, seized, 0, 0)
    machine.do("ptrace", PTRACE_TRACEME, 0, 0, 0, pid=attached)
    for pid, state in ((seized, TaskState.RUNNING), (attached, TaskState.STOPPED)):
        machine.do("execve", "/true", ["true"], [], pid=pid)
        assert machine.store.row(Task, pid).state is state


def test_a_traced_process_stops_at_its_signals(machine: Machine) -> None:
    target = child(machine)
    machine.do("ptrace", PTRACE_TRACEME, 0, 0, 0, pid=target)
    assert machine.do("kill", target, SIGUSR1, pid=target) == "Blocked"
    assert machine.raw("waitpid", target, 0).data == SIGUSR1 << 8 | 0x7F


def test_tracing_ends_with_the_tracer(machine: Machine) -> None:
    tracer = child(machine)
    target = child(machine, tracer)
    machine.do("ptrace", PTRACE_ATTACH, target, 0, 0, pid=tracer)
    machine.do("exit", 0, pid=tracer)
    assert machine.store.row(Task, target).tracer is None


def test_a_dead_tracee_is_its_tracers_before_it_is_its_parents(machine: Machine) -> None:
    target, tracer = child(machine), child(machine)
    machine.do("ptrace", PTRACE_SEIZE, target, 0, 0, pid=tracer)
    machine.do("kill", target, SIGKILL)
    assert machine.do("waitpid", target, WNOHANG) == 0
    assert machine.raw("waitpid", target, WALL, pid=tracer) == Returned(target, SIGKILL)
    assert machine.raw("waitpid", target, 0) == Returned(target, SIGKILL)


def test_a_dead_tracee_is_its_parents_when_the_tracer_ends(machine: Machine) -> None:
    target, tracer = child(machine), child(machine)
    machine.do("ptrace", PTRACE_SEIZE, target, 0, 0, pid=tracer)
    machine.do("kill", target, SIGKILL)
    machine.do("kill", tracer, SIGKILL)
    assert machine.raw("waitpid", target, WNOHANG) == Returned(target, SIGKILL)


def test_the_signal_that_a_tracee_stands_at_is_delivered_when_the_tracer_ends(
    machine: Machine,
) -> None:
    target, tracer = child(machine), child(machine)
    machine.do("ptrace", PTRACE_SEIZE, target, 0, 0, pid=tracer)
    machine.do("kill", target, SIGTERM)
    machine.do("kill", tracer, SIGKILL)
    assert machine.raw("waitpid", target, WNOHANG) == Returned(target, SIGTERM)


def test_a_signal_that_the_tracer_has_waited_for_is_lost_with_it(machine: Machine) -> None:
    target, tracer = child(machine), child(machine)
    machine.do("ptrace", PTRACE_SEIZE, target, 0, 0, pid=tracer)
    machine.do("kill", target, SIGTERM)
    machine.raw("waitpid", target, WALL, pid=tracer)
    machine.do("kill", tracer, SIGKILL)
    assert machine.do("waitpid", target, WNOHANG) == 0


def test_a_parent_that_traces_reaps_at_once(machine: Machine) -> None:
    target = child(machine)
    machine.do("ptrace", PTRACE_SEIZE, target, 0, 0)
    machine.do("kill", target, SIGKILL)
    assert machine.raw("waitpid", target, 0) == Returned(target, SIGKILL)
    assert machine.do("waitpid", target, 0) == "ECHILD"


def test_another_users_process_is_eperm(machine: Machine) -> None:
    user = machine.become(child(machine), 1000)
    assert machine.do("ptrace", PTRACE_ATTACH, machine.pid, 0, 0, pid=user) == "EPERM"


def test_an_undumpable_process_is_eperm(machine: Machine) -> None:
    user = machine.become(child(machine), 1000)
    target = child(machine, user)
    machine.do("prctl", PR_SET_DUMPABLE, 0, pid=target)
    assert machine.do("ptrace", PTRACE_ATTACH, target, 0, 0, pid=user) == "EPERM"


def test_yama_lets_one_trace_only_descendants(machine: Machine) -> None:
    left, right = (machine.become(child(machine), 1000) for _ in range(2))
    assert machine.do("ptrace", PTRACE_ATTACH, right, 0, 0, pid=left) == "EPERM"


def test_without_yama_siblings_may(machine: Machine) -> None:
    bare = Machine(replace(LINUX, features=LINUX.features - {"yama"}))
    left, right = (bare.become(child(bare), 1000) for _ in range(2))
    assert bare.do("ptrace", PTRACE_ATTACH, right, 0, 0, pid=left) == 0


def test_yama_lets_a_process_invite_a_tracer(machine: Machine) -> None:
    left, right = (machine.become(child(machine), 1000) for _ in range(2))
    machine.do("prctl", PR_SET_PTRACER, left, pid=right)
    assert machine.do("ptrace", PTRACE_ATTACH, right, 0, 0, pid=left) == 0


def test_a_process_outside_the_pid_namespace_is_esrch(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    assert machine.do("ptrace", PTRACE_ATTACH, machine.pid, 0, 0, pid=init) == "ESRCH"


def test_a_user_namespaces_root_traces_nobody_outside(machine: Machine) -> None:
    inside = Pid(machine.do("clone", CLONE_NEWUSER))
    assert machine.do("ptrace", PTRACE_ATTACH, machine.pid, 0, 0, pid=inside) == "EPERM"


def test_process_vm_readv_asks_like_ptrace(machine: Machine) -> None:
    user = machine.become(child(machine), 1000)
    assert machine.do("process_vm_readv", machine.pid, 8, pid=user) == "EPERM"
    assert machine.do("process_vm_readv", 99999, 8) == "ESRCH"
    assert machine.do("process_vm_readv", child(machine), 8) == 8


def test_kcmp_tells_whether_two_descriptors_are_one(machine: Machine) -> None:
    fd = machine.do("eventfd2", 0, 0)
    other = machine.do("dup", fd)
    third = machine.do("eventfd2", 0, 0)
    me = machine.pid
    assert machine.do("kcmp", me, me, KCMP_FILE, fd, other) == 0
    assert machine.do("kcmp", me, me, KCMP_FILE, fd, third) in (1, 2)


def test_kcmp_knows_two_processes_apart(machine: Machine) -> None:
    assert machine.do("kcmp", machine.pid, INIT, KCMP_VM, 0, 0) in (1, 2)


def test_kcmp_of_no_descriptor_is_ebadf(machine: Machine) -> None:
    me = machine.pid
    assert machine.do("kcmp", me, me, KCMP_FILE, 99, 99) == "EBADF"
