"""AppArmor's docker-default: apparmor.d(5), moby profiles/apparmor/template.go."""

import msgspec
import pytest

from simulator.machine.abi.constants import MS_BIND, O_RDONLY, O_RDWR, O_WRONLY
from simulator.machine.abi.ids import Pid
from simulator.machine.families.linux import apparmor
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from tests.unit.machine.bare import Machine


@pytest.fixture
def confined() -> Trap:
    return worn("docker-default")


def worn(label: str) -> Trap:
    machine = Machine()
    machine.store.put(msgspec.structs.replace(machine.task(), lsm_label=label))
    return machine.trap()


def refused(trap: Trap, path: str, flags: int) -> bool:
    return apparmor.may_open(trap, trap.task.root, path, flags) is not None


@pytest.mark.parametrize(
    ("path", "flags"),
    [
        ("/proc/sysrq-trigger", O_WRONLY),
        ("/proc/kcore", O_RDONLY),
        ("/proc/sys/fs/file-max", O_WRONLY),
        ("/proc/sys/kernel/core_pattern", O_WRONLY),
        ("/sys/kernel/uevent_helper", O_WRONLY),
        ("/sys/fs/bpf/x", O_RDWR),
        ("/sys/firmware/efi/vars", O_RDONLY),
    ],
)
def test_docker_default_denies(confined: Trap, path: str, flags: int) -> None:
    assert refused(confined, path, flags)


@pytest.mark.parametrize(
    ("path", "flags"),
    [
        ("/proc/meminfo", O_RDONLY),
        ("/proc/1/status", O_RDONLY),
        ("/proc/sys/kernel/shmmax", O_WRONLY),
        ("/proc/1/oom_score_adj", O_WRONLY),
        ("/sys/fs/cgroup/cgroup.procs", O_WRONLY),
        ("/etc/passwd", O_RDWR),
    ],
)
def test_docker_default_lets_through(confined: Trap, path: str, flags: int) -> None:
    assert not refused(confined, path, flags)


def test_docker_default_mounts_nothing(confined: Trap) -> None:
    assert apparmor.may_mount(confined, "tmpfs", "/mnt", 0) is not None
    assert apparmor.may_mount(confined, "", "/mnt", MS_BIND) is not None


def test_the_lxc_profile_mounts_some_types() -> None:
    trap = worn("lxc-container-default")
    assert apparmor.may_mount(trap, "proc", "/proc", 0) is None
    assert apparmor.may_mount(trap, "ext4", "/mnt", 0) is not None


def test_without_a_profile_nothing_is_asked() -> None:
    assert not refused(worn("unconfined"), "/proc/kcore", O_RDWR)


def test_only_processes_of_the_same_profile_are_signalled(confined: Trap) -> None:
    init = confined.store.row(Task, Pid(1))
    assert apparmor.may_signal(confined, init, 15) is not None
    assert apparmor.may_signal(confined, confined.task, 15) is None
