"""Doors to the machine: the order of checks, and that a proven right is noted. reboot(2) ..."""

from dataclasses import replace
from typing import Any

import pytest

from simulator.machine.abi.call import Call
from simulator.machine.abi.constants import (
    ADJ_TICK,
    BPF_PROG_LOAD,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    FAN_CLASS_CONTENT,
    FAN_REPORT_FID,
    LINUX_REBOOT_CMD_RESTART,
    LINUX_REBOOT_MAGIC1,
    LINUX_REBOOT_MAGIC2,
    SIGHUP,
    SYSLOG_ACTION_READ_ALL,
    UFFD_USER_MODE_ONLY,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.families.linux import LINUX, of_release
from simulator.machine.kernel import sysctl
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine

MAGIC = (LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2)


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    tree.mkdirs(made.store, 1, "/tmp")
    return made


@pytest.fixture
def user(machine: Machine) -> Pid:
    return machine.become(Pid(machine.do("fork")), 1000)


def crossed(machine: Machine, name: str, *args: Any) -> list[str]:
    """What a call by a sandbox of its own reached on the host."""
    guest = Pid(machine.do("fork"))
    machine.do("@domain", guest, "guest")
    machine.kernel.call(guest, Call(name, args))
    return [crossing.kind for crossing in machine.kernel.timeline.events[-1].crossings]


PROVEN = [
    ("reboot", (0, 0, 0, None), "EINVAL", "EPERM", "reboot"),
    ("swapon", ("/tmp/none", 0), "ENOENT", "EPERM", "memory"),
    ("swapoff", ("/tmp/none",), "ENOENT", "EPERM", "memory"),
    ("acct", ("/tmp/none",), "ENOENT", "EPERM", "process"),
    ("delete_module", ("no_such", 0), "ENOENT", "EPERM", "module"),
    ("init_module", (b"", 0, ""), "ENOEXEC", "EPERM", "module"),
    ("finit_module", (99, "", 0), "EBADF", "EPERM", "module"),
    ("kexec_load", (0, 0, None, 99), "EINVAL", "EPERM", "reboot"),
    ("clock_settime", (0, (0, 0)), "EINVAL", "EPERM", "clock"),
    ("adjtimex", ({"modes": ADJ_TICK, "tick": 0},), "EINVAL", "EPERM", "clock"),
    ("bpf", (BPF_PROG_LOAD, None, 128), "E2BIG", "EPERM", "kernel"),
    ("perf_event_open", (None, -1, -1, -1, 0), "EINVAL", "EACCES", "cpu"),
    ("syslog", (99, 0), "EINVAL", "EPERM", "kernel-log"),
    ("vhangup", (), 0, "EPERM", "device"),
    ("iopl", (3,), 0, "EPERM", "device"),
]


@pytest.mark.parametrize(("name", "args", "root", "other", "kind"), PROVEN)
def test_the_answer_tells_whether_the_right_is_there(
    machine: Machine, user: Pid, name: str, args: Any, root: Any, other: str, kind: str
) -> None:
    assert machine.do(name, *args) == root
    assert machine.do(name, *args, pid=user) == other
    assert kind in crossed(machine, name, *args)


def test_a_refused_call_crosses_nothing(machine: Machine, user: Pid) -> None:
    machine.do("@domain", user, "guest")
    machine.do("reboot", 0, 0, 0, None, pid=user)
    assert machine.kernel.timeline.events[-1].crossings == ()


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("clock_settime", (0, (-1, 0))),
        ("clock_settime", (0, (0, 2_000_000_000))),
        ("clock_settime", (1, (0, 0))),
        ("settimeofday", ((0, 2_000_000), None)),
        ("bpf", (9999, None, 128)),
        ("userfaultfd", (UFFD_USER_MODE_ONLY | 64,)),
        ("swapon", ("/tmp/none", 1 << 30)),
        ("iopl", (4,)),
    ],
)
def test_nonsense_is_einval_before_any_right_is_asked_for(
    machine: Machine, user: Pid, name: str, args: Any
) -> None:
    assert machine.do(name, *args, pid=user) == "EINVAL"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("quotactl", (0x80000100, None, 0)),
        ("quotactl", (0x800001, None, 0)),
    ],
)
def test_a_quota_call_needs_a_device(machine: Machine, name: str, args: Any) -> None:
    assert machine.do(name, *args) in (0, "ENODEV")


def test_a_capability_in_a_user_namespace_opens_no_door(machine: Machine) -> None:
    inside = Pid(machine.do("clone", CLONE_NEWUSER))
    assert machine.do("reboot", 0, 0, 0, None, pid=inside) == "EPERM"


def test_a_reboot_takes_everything_down(machine: Machine) -> None:
    assert machine.do("reboot", *MAGIC, LINUX_REBOOT_CMD_RESTART, None) == "SIGKILL"
    assert all(task.state is TaskState.ZOMBIE for task in machine.store.all(Task))


def test_a_reboot_in_a_pid_namespace_ends_only_its_init(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    machine.do("reboot", *MAGIC, LINUX_REBOOT_CMD_RESTART, None, pid=init)
    assert machine.raw("waitpid", init, 0).data == SIGHUP
    assert machine.do("getpid") == machine.pid


def test_a_kernel_without_the_option_has_no_such_call() -> None:
    bare = Machine(replace(LINUX, features=frozenset()))
    assert bare.do("init_module", b"", 0, "") == "ENOSYS"


def test_an_older_release_lacks_younger_calls() -> None:
    assert Machine(of_release((5, 2))).do("clone3", None, 0) == "ENOSYS"


@pytest.mark.parametrize("name", ["vserver", "_sysctl", "create_module", "nfsservctl"])
def test_calls_that_were_given_up_are_enosys(machine: Machine, name: str) -> None:
    assert machine.do(name) == "ENOSYS"


def test_dmesg_restrict_off_lets_anybody_read(machine: Machine, user: Pid) -> None:
    assert machine.do("syslog", SYSLOG_ACTION_READ_ALL, 4096, pid=user) == "EPERM"
    sysctl.write(machine.store, "kernel.dmesg_restrict", "0")
    assert b"Linux version" in machine.data("syslog", SYSLOG_ACTION_READ_ALL, 4096, pid=user)


def test_userfaultfd_in_user_mode_is_everybodys(machine: Machine, user: Pid) -> None:
    assert machine.do("userfaultfd", UFFD_USER_MODE_ONLY, pid=user) >= 0
    assert machine.do("userfaultfd", 0, pid=user) == "EPERM"


def test_fanotify_by_file_id_is_everybodys(machine: Machine, user: Pid) -> None:
    assert machine.do("fanotify_init", FAN_REPORT_FID, 0, pid=user) >= 0
    assert machine.do("fanotify_init", FAN_CLASS_CONTENT, 0, pid=user) == "EPERM"


def test_io_uring_disabled_2_is_for_root_too(machine: Machine) -> None:
    assert machine.do("io_uring_setup", 1, None) >= 0
    sysctl.write(machine.store, "kernel.io_uring_disabled", "2")
    assert machine.do("io_uring_setup", 1, None) == "EPERM"


def test_modules_disabled_is_for_root_too(machine: Machine) -> None:
    sysctl.write(machine.store, "kernel.modules_disabled", "1")
    assert machine.do("init_module", b"", 0, "") == "EPERM"


def test_unprivileged_bpf_gets_as_far_as_its_program(machine: Machine, user: Pid) -> None:
    sysctl.write(machine.store, "kernel.unprivileged_bpf_disabled", "0")
    assert machine.do("bpf", BPF_PROG_LOAD, None, 128, pid=user) == "E2BIG"


def test_a_host_name_belongs_to_its_uts_namespace(machine: Machine) -> None:
    apart = Pid(machine.do("clone", CLONE_NEWUTS))
    machine.do("sethostname", "apart", 5, pid=apart)
    assert machine.data("uname")["nodename"] == "vitrina-host"
    assert machine.data("uname", pid=apart)["nodename"] == "apart"


def test_sethostname_needs_the_right_before_a_length(machine: Machine, user: Pid) -> None:
    assert machine.do("sethostname", "x", 65) == "EINVAL"
    assert machine.do("sethostname", "x", 65, pid=user) == "EPERM"


def test_sethostname_cuts_at_its_length(machine: Machine) -> None:
    machine.do("sethostname", "longer-name", 6)
    assert machine.data("uname")["nodename"] == "longer"


def test_a_user_namespaces_root_does_not_rename_the_machine(machine: Machine) -> None:
    inside = Pid(machine.do("clone", CLONE_NEWUSER))
    assert machine.do("sethostname", "x", 1, pid=inside) == "EPERM"


def test_it_renames_a_uts_namespace_of_its_own(machine: Machine) -> None:
    inside = Pid(machine.do("clone", CLONE_NEWUSER | CLONE_NEWUTS))
    assert machine.do("sethostname", "x", 1, pid=inside) == 0


def test_the_wall_clock_is_one_for_all(machine: Machine) -> None:
    other = Pid(machine.do("fork"))
    machine.do("clock_settime", 0, (2_000_000_000, 0))
    assert machine.data("clock_gettime", 0, pid=other)[0] == 2_000_000_000


def test_a_long_sleep_ends_at_its_deadline(machine: Machine) -> None:
    sleeper = Pid(machine.do("fork"))
    assert machine.do("nanosleep", (5, 0), pid=sleeper) == "Blocked"
    machine.kernel.advance(4_000_000_000)
    assert sleeper not in machine.kernel.woken
    machine.kernel.advance(1_000_000_000)
    assert machine.woken(sleeper) == 0


def test_a_short_sleep_only_lets_time_pass(machine: Machine) -> None:
    before = machine.data("clock_gettime", 1)
    assert machine.do("nanosleep", (0, 1000)) == 0
    assert machine.data("clock_gettime", 1)[1] == before[1] + 1000


def test_no_span_of_time_is_einval(machine: Machine) -> None:
    assert machine.do("nanosleep", (0, 1_000_000_000)) == "EINVAL"


def test_swapon_opens_for_writing_so_a_directory_is_eisdir(machine: Machine) -> None:
    assert machine.do("swapon", "/tmp", 0) == "EISDIR"
