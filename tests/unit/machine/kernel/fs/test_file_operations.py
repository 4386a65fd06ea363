"""fsync(2) and lseek(2) of files that no disk holds: each line as a real Linux 6.18 answered."""

import pytest

from simulator.machine.abi.constants import AF_UNIX, O_RDONLY, SEEK_SET, SOCK_STREAM
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.kernel.grouped import TOP, Grouped


def machine() -> Grouped:
    """Linux with its usual computed filesystems and a control group of each version."""
    it = Grouped("hybrid")
    tree.mkdirs(it.store, 1, "/proc")
    tree.mkdirs(it.store, 1, "/s")
    assert it.ask("mount", "proc", "/proc", "proc", 0, "") == 0
    assert it.ask("mount", "sysfs", "/s", "sysfs", 0, "") == 0
    it.make("pids/box")
    it.make("unified/box")
    return it


@pytest.mark.parametrize(
    ("path", "fsync", "lseek"),
    [
        ("/proc", "EINVAL", 0),
        ("/proc/uptime", "EINVAL", 0),
        ("/proc/sys/kernel/hostname", "EINVAL", 0),
        ("/proc/self/ns/net", "EINVAL", "ESPIPE"),
        ("/s", "EINVAL", 0),
        ("/s/kernel", "EINVAL", 0),
        ("/s/kernel/uevent_seqnum", 0, 0),
        (f"{TOP}/pids/box", "EINVAL", 0),
        (f"{TOP}/pids/box/cgroup.procs", 0, 0),
        (f"{TOP}/unified/box", "EINVAL", 0),
        (f"{TOP}/unified/box/cgroup.procs", 0, 0),
        ("/", 0, 0),
    ],
)
def test_what_has_nothing_to_sync_or_no_position_says_so(
    path: str, fsync: str | int, lseek: str | int
) -> None:
    it = machine()
    fd = it.ask("open", path, O_RDONLY)
    assert isinstance(fd, int), fd
    assert it.ask("fsync", fd) == fsync
    assert it.ask("lseek", fd, 0, SEEK_SET) == lseek


def test_pipes_and_sockets_have_neither() -> None:
    it = machine()
    ends = it.ask("pipe")
    assert isinstance(ends, tuple)
    for fd in (*ends, it.ask("socket", AF_UNIX, SOCK_STREAM, 0)):
        assert it.ask("fsync", fd) == "EINVAL"
        assert it.ask("lseek", fd, 0, SEEK_SET) == "ESPIPE"
