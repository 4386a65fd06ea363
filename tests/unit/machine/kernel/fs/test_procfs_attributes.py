"""chmod(2), chown(2) and utimensat(2) of files of procfs: what stays, and where."""

from typing import Any

import pytest

from simulator.machine.abi.constants import AT_FDCWD, CLONE_NEWPID
from simulator.machine.abi.ids import Pid
from tests.unit.machine.bare import Machine


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    for name in ("/proc", "/p"):
        made.do("mkdir", name, 0o755)
    made.do("mount", "proc", "/proc", "proc", 0, None)
    return made


def mode(machine: Machine, path: str, pid: Pid | None = None) -> int:
    data: Any = machine.data("stat", path, pid=pid)
    return data["mode"] & 0o7777


def test_a_mode_of_the_directory_stays_and_keeps_others_out(machine: Machine) -> None:
    user = machine.become(machine.fork(), 1000)
    assert machine.do("access", "/proc/version", 4, pid=user) == 0
    machine.do("chmod", "/proc", 0o700)
    assert machine.do("access", "/proc/version", 4, pid=user) == "EACCES"
    machine.do("chmod", "/proc", 0o755)
    assert machine.do("access", "/proc/version", 4, pid=user) == 0


def test_instances_have_directories_of_their_own_and_share_the_entries(machine: Machine) -> None:
    machine.do("chmod", "/proc", 0o700)
    machine.do("chmod", "/proc/version", 0o400)
    machine.do("unshare", CLONE_NEWPID)
    child = machine.fork()
    machine.do("mount", "proc", "/p", "proc", 0, None, pid=child)
    assert (mode(machine, "/p"), mode(machine, "/p/version")) == (0o555, 0o400)


def test_a_process_takes_another_owner_and_forgets_it(machine: Machine) -> None:
    assert machine.do("chown", "/proc/self/status", 1000, 1000) == 0
    assert machine.data("stat", "/proc/self/status")["uid"] == 0
    assert machine.do("chmod", "/proc/self/status", 0o600) == "EPERM"


def test_a_setting_takes_times_and_nothing_else(machine: Machine) -> None:
    assert machine.do("utimensat", AT_FDCWD, "/proc/sys/kernel/hostname", None, 0) == 0
    assert machine.do("chmod", "/proc/sys/kernel/hostname", 0o600) == "EPERM"
    assert machine.do("chown", "/proc/sys/kernel/hostname", 1, 1) == "EPERM"
