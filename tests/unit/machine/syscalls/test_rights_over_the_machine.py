"""Rights that one capability gives over the whole machine: the errnos of a kernel 6.18."""

import msgspec
import pytest

from simulator.machine.abi.constants import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    O_RDONLY,
    O_WRONLY,
    RLIMIT_RTPRIO,
    RNDADDTOENTCNT,
    RNDCLEARPOOL,
    RNDGETENTCNT,
    RNDZAPENTCNT,
    S_IFCHR,
    SCHED_FIFO,
)
from simulator.machine.abi.ids import Domain, Pid
from simulator.machine.kernel.cred import mask
from simulator.machine.kernel.fs.devices import device_number
from simulator.machine.kernel.task import Task
from tests.unit.machine.bare import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def user(machine: Machine) -> Pid:
    return machine.become(Pid(machine.do("fork")), 1000)


@pytest.mark.parametrize("which", [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME])
def test_anybody_makes_a_timer_by_a_clock_that_sleeps_with_the_machine(
    machine: Machine, user: Pid, which: int
) -> None:
    assert machine.do("timerfd_create", which, 0, pid=user) >= 0


@pytest.mark.parametrize("which", [CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM])
def test_only_who_may_wake_the_machine_makes_an_alarm(
    machine: Machine, user: Pid, which: int
) -> None:
    assert machine.do("timerfd_create", which, 0, pid=user) == "EPERM"
    assert machine.do("timerfd_create", which, 1, pid=user) == "EINVAL"
    assert machine.do("timerfd_create", which, 0) >= 0


def test_no_timer_runs_by_a_process_s_own_clock(machine: Machine) -> None:
    assert machine.do("timerfd_create", CLOCK_PROCESS_CPUTIME_ID, 0) == "EINVAL"


def _random(machine: Machine) -> int:
    machine.do("mknod", "/random", S_IFCHR | 0o666, device_number(1, 8))
    return machine.do("open", "/random", O_RDONLY)


@pytest.mark.parametrize("request_", [RNDADDTOENTCNT, RNDZAPENTCNT, RNDCLEARPOOL])
def test_the_random_pool_is_for_the_administrator(machine: Machine, request_: int) -> None:
    fd = _random(machine)
    child = machine.become(Pid(machine.do("fork")), 1000)
    assert machine.do("ioctl", fd, request_, None, pid=child) == "EPERM"
    assert machine.do("ioctl", fd, request_, 8) == 0


def test_anybody_asks_how_much_is_in_the_random_pool(machine: Machine) -> None:
    fd = _random(machine)
    child = machine.become(Pid(machine.do("fork")), 1000)
    assert machine.data("ioctl", fd, RNDGETENTCNT, None, pid=child) == 256
    assert machine.do("ioctl", fd, 0x5299, None, pid=child) == "EINVAL"


@pytest.mark.parametrize(
    ("name", "args", "kind"),
    [
        ("setrlimit", (RLIMIT_RTPRIO, (50, 50)), "machine"),
        ("sched_setscheduler", (0, SCHED_FIFO, 50), "cpu"),
        ("timerfd_create", (CLOCK_REALTIME_ALARM, 0), "machine"),
    ],
)
def test_a_sandbox_that_has_the_right_has_it_over_the_machine(
    machine: Machine, name: str, args: tuple[object, ...], kind: str
) -> None:
    machine.store.put(msgspec.structs.replace(machine.task(), domain=Domain("guest")))
    assert machine.store.row(Task, machine.pid).domain == "guest"
    machine.do(name, *args)
    told = [crossing for crossing in machine.kernel.timeline.events[-1].crossings]
    assert (kind, "privilege") in {(one.kind, one.operation) for one in told}


def test_root_without_the_resource_right_only_reads_how_many_namespaces_there_may_be(
    machine: Machine,
) -> None:
    machine.do("mkdir", "/proc", 0o755)
    machine.do("mount", "proc", "/proc", "proc", 0, None)
    name = "/proc/sys/user/max_user_namespaces"
    assert machine.do("open", name, O_WRONLY) >= 0
    cred = machine.task().cred
    less = msgspec.structs.replace(cred, effective=cred.effective & ~mask("SYS_RESOURCE"))
    machine.store.put(msgspec.structs.replace(machine.task(), cred=less))
    assert machine.do("open", name, O_RDONLY) >= 0
    assert machine.do("open", name, O_WRONLY) == "EACCES"
