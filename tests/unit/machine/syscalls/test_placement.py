"""Processors, memory nodes, the disk's queue, and descriptors that wait: what they refuse."""

import pytest

from simulator.machine.abi.constants import O_CLOEXEC, O_CREAT, O_RDWR
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize(
    ("call", "args", "answer"),
    [
        ("sched_getaffinity", (0, 8), 8),
        ("sched_getaffinity", (0, 7), "EINVAL"),
        ("sched_getaffinity", (99999, 8), "ESRCH"),
        ("sched_setaffinity", (0, 8, 0), "EINVAL"),
        ("sched_setaffinity", (0, 8, 4), "EINVAL"),
        ("sched_setaffinity", (0, 8, 5), 0),
        ("sched_setaffinity", (99999, 8, 1), "ESRCH"),
        ("ioprio_get", (1, 0), 0),
        ("ioprio_get", (9, 0), "EINVAL"),
        ("ioprio_set", (1, 99999, 0x4004), "ESRCH"),
        ("ioprio_set", (1, 0, 0x8004), "EINVAL"),
        ("ioprio_set", (1, 0, 0x0004), "EINVAL"),
        ("get_mempolicy", (None, None, 0, 0, 0), 0),
        ("get_mempolicy", (None, None, 0, 0, 1), "EINVAL"),
        ("get_mempolicy", (None, None, 0, 0, 2), "EFAULT"),
        ("set_mempolicy", (0, None, 0), 0),
        ("set_mempolicy", (2, None, 0), "EINVAL"),
        ("move_pages", (0, 0), 0),
        ("move_pages", (99999, 0), "ESRCH"),
        ("process_madvise", (99, 0, 0, 0, 0), "EBADF"),
        ("process_mrelease", (99, 0), "EBADF"),
        ("quotactl_fd", (99, 0, 0, 0), "EBADF"),
        ("epoll_create1", (4,), "EINVAL"),
        ("epoll_create1", (O_CLOEXEC,), 0),
        ("inotify_init1", (1,), "EINVAL"),
        ("inotify_add_watch", (99, "/", 1), "EBADF"),
        ("inotify_add_watch", (99, "/", 0), "EINVAL"),
        ("memfd_secret", (1,), "EINVAL"),
        ("alarm", (0,), 0),
    ],
)
def test_a_call_answers(
    machine: Machine, call: str, args: tuple[object, ...], answer: object
) -> None:
    assert machine.do(call, *args) == answer


def test_a_priority_of_the_disk_is_inherited(machine: Machine) -> None:
    assert machine.do("ioprio_set", 1, 0, 0x4004) == 0
    child = machine.fork()
    assert machine.do("ioprio_get", 1, 0, pid=child) == 0x4004


def test_a_task_keeps_to_its_processors_and_so_do_its_children(machine: Machine) -> None:
    assert machine.data("sched_getaffinity", 0, 8) == 3
    assert machine.do("sched_setaffinity", 0, 8, 2) == 0
    child = machine.fork()
    assert machine.data("sched_getaffinity", child, 8) == 2
    user = machine.fork()
    machine.do("setresuid", 1000, 1000, 1000, pid=user)
    assert machine.do("sched_setaffinity", 0, 8, 1, pid=user) == 0
    assert machine.do("sched_setaffinity", child, 8, 1, pid=user) == "EPERM"


def test_who_has_fewer_capabilities_places_nobody(machine: Machine) -> None:
    child = machine.fork()
    assert machine.do("capset", 0, [], [], [], pid=child) == 0
    assert machine.do("sched_setaffinity", 1, 8, 1, pid=child) == "EPERM"
    assert machine.do("ioprio_set", 1, 1, 0x6000, pid=child) == "EPERM"
    assert machine.do("sched_setaffinity", 0, 8, 1, pid=child) == 0


def test_a_copy_stops_at_the_end_of_the_file(machine: Machine) -> None:
    tree.mkdirs(machine.store, 1, "/tmp")
    source = machine.do("open", "/a", O_RDWR | O_CREAT, 0o644)
    target = machine.do("open", "/b", O_RDWR | O_CREAT, 0o644)
    machine.do("write", source, b"hello", 5)
    machine.do("lseek", source, 1, 0)
    assert machine.do("copy_file_range", source, target, 100, 0) == 4
    assert machine.do("copy_file_range", source, source, 100, 0) == 0
    assert machine.data("pread64", target, 9, 0) == b"ello"
