"""The address space: mmap(2), munmap(2), mprotect(2), mlock(2), shmat(2), and the seals."""

import pytest

from simulator.machine.abi.constants import (
    F_ADD_SEALS,
    F_SEAL_WRITE,
    IPC_PRIVATE,
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_LOCKED,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MFD_ALLOW_SEALING,
    MS_NOEXEC,
    O_CREAT,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    PROT_EXEC,
    PROT_NONE,
    PROT_READ,
    PROT_WRITE,
    RLIMIT_AS,
    RLIMIT_MEMLOCK,
)
from simulator.machine.kernel.resource import mapping
from simulator.machine.kernel.vfs.inode import Inode
from tests.unit.machine.bare import Machine

BOTH = PROT_READ | PROT_WRITE
PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS


def _map(it: Machine, size: int, protection: int = BOTH, flags: int = PRIVATE, fd: int = -1) -> int:
    address: int = it.do("mmap", 0, size, protection, flags, fd, 0)
    return address


def _file(it: Machine, size: int) -> int:
    fd: int = it.do("open", "/f", O_CREAT | O_RDWR, 0o600)
    it.do("write", fd, "x" * size, size)
    return fd


def test_only_what_is_mapped_is_locked_into_memory() -> None:
    it = Machine()
    assert it.do("mlock", 6, 0) == it.do("munlock", 4096, 1) == "ENOMEM"
    assert it.do("mlock", 4096, 0) == 0
    address = _map(it, 8192)
    assert it.do("mlock", address + 6, 8186) == 0
    assert it.do("mlock", address + 6, 8187) == "ENOMEM"
    it.do("munmap", address, 4096)
    assert it.do("mlock", address, 8192) == "ENOMEM"
    assert it.do("mlock", address + 4096, 4096) == 0


def test_mappings_side_by_side_are_one_range_to_who_locks_it() -> None:
    it = Machine()
    upper, lower = _map(it, 4096), _map(it, 4096, PROT_READ)
    assert lower + 4096 == upper
    assert it.do("mlock", lower, 8192) == 0
    it.do("munmap", upper, 4096)
    assert _map(it, 4096) == upper


def test_no_page_that_nobody_may_touch_or_that_a_file_lacks_is_locked() -> None:
    it = Machine()
    nobody = _map(it, 4096, PROT_NONE)
    assert it.do("mlock", nobody, 4096) == "ENOMEM"
    beyond = _map(it, 8192, PROT_READ, MAP_SHARED, _file(it, 4000))
    assert it.do("mlock", beyond, 4096) == 0
    assert it.do("mlock", beyond, 8192) == "ENOMEM"


def test_rlimit_memlock_counts_each_page_once_until_it_is_unlocked() -> None:
    it = Machine()
    it.do("setrlimit", RLIMIT_MEMLOCK, (8192, 8192))
    user = it.become(it.fork(), 1000)
    first: int = it.do("mmap", 0, 8192, BOTH, PRIVATE, -1, 0, pid=user)
    second: int = it.do("mmap", 0, 8192, BOTH, PRIVATE, -1, 0, pid=user)
    assert it.do("mlock", first, 8192, pid=user) == it.do("mlock", first, 8192, pid=user) == 0
    assert it.do("mlock", second, 4096, pid=user) == "ENOMEM"
    assert it.do("mmap", 0, 4096, BOTH, PRIVATE | MAP_LOCKED, -1, 0, pid=user) == "EAGAIN"
    it.do("munlock", first, 4096, pid=user)
    assert it.do("mlock", second, 4096, pid=user) == 0


def test_a_child_has_the_mappings_but_nothing_locked() -> None:
    it = Machine()
    address = _map(it, 8192)
    it.do("mlock", address, 8192)
    child = it.fork()
    assert mapping.locked(it.store, (it.pid, child)) == 8192
    it.do("munmap", address, 8192)
    assert it.do("munlock", address, 8192) == "ENOMEM"
    assert it.do("munlock", address, 8192, pid=child) == 0


def test_a_mapping_keeps_its_file_when_name_and_descriptor_are_gone() -> None:
    it = Machine()
    fd = _file(it, 4096)
    inode = it.data("fstat", fd)["ino"] - 10
    address = _map(it, 4096, PROT_READ, MAP_SHARED, fd)
    it.do("close", fd)
    it.do("unlink", "/f")
    assert it.store.get(Inode, inode) is not None
    assert it.do("mlock", address, 4096) == 0
    it.do("munmap", address, 4096)
    assert it.store.get(Inode, inode) is None


def test_the_descriptor_is_asked_before_kind_and_length() -> None:
    it = Machine()
    assert it.do("mmap", 0, 0, PROT_READ, 0, 99, 0) == "EBADF"
    assert it.do("mmap", 0, 0, PROT_READ, 0, 99, 1) == "EINVAL"
    assert it.do("mmap", 0, 4096, PROT_READ, 0, _file(it, 1), 0) == "EINVAL"
    assert it.do("mmap", 0, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0) == "EINVAL"


@pytest.mark.parametrize(
    ("how", "protection", "flags", "expected"),
    [
        (O_RDONLY, BOTH, MAP_SHARED, "EACCES"),
        (O_WRONLY, PROT_NONE, MAP_PRIVATE, "EACCES"),
        (O_PATH, PROT_READ, MAP_PRIVATE, "EBADF"),
        (O_RDWR, PROT_READ, MAP_SHARED_VALIDATE | 0x80000, "EOPNOTSUPP"),
    ],
)
def test_a_file_is_mapped_as_it_was_opened(
    how: int, protection: int, flags: int, expected: str
) -> None:
    it = Machine()
    _file(it, 1)
    fd = it.do("open", "/f", how)
    assert it.do("mmap", 0, 4096, protection, flags, fd, 0) == expected


def test_what_has_no_content_of_its_own_is_not_mapped() -> None:
    it = Machine()
    directory = it.do("open", "/", O_RDONLY)
    pipe, _writing = it.data("pipe2", 0)
    socket = it.do("socket", 2, 1, 0)
    assert _map(it, 4096, PROT_READ, MAP_SHARED, directory) == "ENODEV"
    assert _map(it, 4096, PROT_READ, MAP_SHARED, pipe) == "ENODEV"
    assert _map(it, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, pipe) == "EPERM"
    assert _map(it, 4096, BOTH, MAP_SHARED, socket) == "EPERM"


def test_nothing_on_a_noexec_mount_is_mapped_or_made_executable() -> None:
    it = Machine()
    fd = _file(it, 1)
    it.mount_flags(it.task_mount(), MS_NOEXEC)
    assert _map(it, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd) == "EPERM"
    address = _map(it, 4096, PROT_READ, MAP_PRIVATE, fd)
    assert it.do("mprotect", address, 4096, PROT_EXEC) == "EACCES"


def test_mprotect_gives_no_more_than_the_file_was_opened_for() -> None:
    it = Machine()
    _file(it, 1)
    fd = it.do("open", "/f", O_RDONLY)
    shared = _map(it, 4096, PROT_READ, MAP_SHARED, fd)
    private = _map(it, 4096, PROT_READ, MAP_PRIVATE, fd)
    assert it.do("mprotect", shared, 4096, BOTH) == "EACCES"
    assert it.do("mprotect", private, 4096, BOTH) == 0
    assert it.do("mprotect", private + 1, 4096, BOTH) == "EINVAL"
    assert it.do("mprotect", private, 4096, 0x10) == "EINVAL"
    it.do("munmap", private, 4096)
    assert it.do("mprotect", private, 4096, BOTH) == "ENOMEM"


def test_what_no_mapping_may_write_is_sealed_and_stays_so() -> None:
    it = Machine()
    fd = it.do("memfd_create", "m", MFD_ALLOW_SEALING)
    address = _map(it, 4096, PROT_READ, MAP_SHARED, fd)
    assert it.do("fcntl", fd, F_ADD_SEALS, F_SEAL_WRITE) == "EBUSY"
    it.do("munmap", address, 4096)
    assert it.do("fcntl", fd, F_ADD_SEALS, F_SEAL_WRITE) == 0
    assert _map(it, 4096, BOTH, MAP_SHARED, fd) == "EPERM"
    address = _map(it, 4096, PROT_READ, MAP_SHARED, fd)
    assert it.do("mprotect", address, 4096, BOTH) == "EACCES"
    assert isinstance(_map(it, 4096, BOTH, MAP_PRIVATE, fd), int)


def test_a_fixed_mapping_takes_the_place_of_what_was_there() -> None:
    it = Machine()
    address = _map(it, 8192)
    again = ("mmap", address, 4096, PROT_READ)
    assert it.do(*again, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == "EEXIST"
    assert it.do(*again, PRIVATE | MAP_FIXED, -1, 0) == address
    assert [row.protection for row in mapping.of(it.store, it.pid)] == [PROT_READ, BOTH]


def test_only_a_right_over_the_machine_maps_the_first_page() -> None:
    it = Machine()
    user = it.become(it.fork(), 1000)
    first = ("mmap", 0, 4096, BOTH, PRIVATE | MAP_FIXED, -1, 0)
    assert it.do(*first) == 0
    assert it.do(*first, pid=user) == "EPERM"


def test_rlimit_as_counts_what_is_mapped_and_not_what_is_touched() -> None:
    it = Machine()
    it.do("setrlimit", RLIMIT_AS, (64 << 20, 64 << 20))
    address = _map(it, 32 << 20)
    assert _map(it, 32 << 20) == "ENOMEM"
    it.do("munmap", address, 32 << 20)
    assert isinstance(_map(it, 32 << 20), int)


def test_a_segment_is_a_mapping_that_munmap_detaches() -> None:
    it = Machine()
    segment = it.do("shmget", IPC_PRIVATE, 4096, 0o600)
    address = it.do("shmat", segment, 0, 0)
    assert it.do("mlock", address, 4096) == 0
    assert it.do("shmat", segment, address, 0) == "EINVAL"
    assert it.do("munmap", address, 4096) == 0
    assert it.do("shmdt", address) == "EINVAL"
