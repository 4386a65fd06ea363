"""Descriptors that travel with a message (SCM_RIGHTS), as Linux 6 handed them over."""

import pytest

from simulator.machine.abi.constants import (
    AF_UNIX,
    MSG_DONTWAIT,
    MSG_PEEK,
    O_CREAT,
    O_RDWR,
    RLIMIT_NOFILE,
    SOCK_STREAM,
)
from simulator.machine.kernel.net.rights import MAX_FDS
from simulator.machine.kernel.vfs.fd import File
from tests.unit.machine.bare import Machine


@pytest.fixture
def it() -> Machine:
    return Machine()


def pair(it: Machine) -> tuple[int, int]:
    """Two ends of a stream."""
    left, right = it.data("socketpair", AF_UNIX, SOCK_STREAM, 0)
    return left, right


def opened(it: Machine, name: str = "/file") -> int:
    """A descriptor of a file with four bytes in it."""
    fd = it.do("open", name, O_CREAT | O_RDWR, 0o600)
    it.do("write", fd, b"data", 4)
    it.do("lseek", fd, 0, 0)
    return fd


def came(it: Machine, fd: int, size: int = 64) -> tuple[bytes, int]:
    """The bytes of the next message, and how many descriptors came with it."""
    data = it.data("recvmsg", fd, size, MSG_DONTWAIT)
    return data[0], len(data) - 2


def test_what_arrives_is_the_same_open_file(it: Machine) -> None:
    left, right = pair(it)
    file = opened(it)
    assert it.do("sendmsg", left, (b"x", [file]), 0) == 1
    text, _source, fd = it.data("recvmsg", right, 8, 0)
    assert text == b"x"
    assert fd not in (file, left, right)
    assert it.data("read", fd, 2) == b"da"
    assert it.data("read", file, 2) == b"ta"


def test_it_stays_open_on_its_way_though_the_sender_closes_it(it: Machine) -> None:
    left, right = pair(it)
    file = opened(it)
    it.do("sendmsg", left, (b"x", [file]), 0)
    it.do("close", file)
    _text, _source, fd = it.data("recvmsg", right, 8, 0)
    assert it.data("read", fd, 4) == b"data"


def test_a_stream_is_read_up_to_a_message_with_descriptors_and_no_further(it: Machine) -> None:
    left, right = pair(it)
    file = opened(it)
    for message in ((b"abc",), (b"def", [file]), (b"ghi",), (b"jkl", [file])):
        assert it.do("sendmsg", left, message, 0) == 3
    assert came(it, right) == (b"abcdef", 1)
    assert came(it, right, 2) == (b"gh", 0)
    assert came(it, right) == (b"ijkl", 1)


def test_who_reads_without_a_place_for_them_loses_them(it: Machine) -> None:
    left, right = pair(it)
    file = opened(it)
    it.do("sendmsg", left, (b"xyz", [file]), 0)
    it.do("close", file)
    before = it.store.count(File)
    assert it.data("recvfrom", right, 1, 0) == b"x"
    assert it.store.count(File) == before - 1
    assert came(it, right) == (b"yz", 0)


def test_a_look_takes_nothing(it: Machine) -> None:
    left, right = pair(it)
    it.do("sendmsg", left, (b"xyz", [opened(it)]), 0)
    assert it.data("recvfrom", right, 8, MSG_PEEK) == b"xyz"
    assert came(it, right) == (b"xyz", 1)


def test_what_nobody_receives_is_closed_with_the_socket(it: Machine) -> None:
    left, right = pair(it)
    file = opened(it)
    it.do("sendmsg", left, (b"x", [file]), 0)
    it.do("close", file)
    before = it.store.count(File)
    it.do("close", right)
    assert it.store.count(File) == before - 2


def test_what_finds_no_place_does_not_arrive(it: Machine) -> None:
    left, right = pair(it)
    file = opened(it)
    it.do("sendmsg", left, (b"x", [file, file]), 0)
    highest = max(left, right, file)
    it.do("setrlimit", RLIMIT_NOFILE, (highest + 2, 1024))
    assert came(it, right) == (b"x", 1)


@pytest.mark.parametrize(("handed", "errno"), [([999], "EBADF"), ([0] * (MAX_FDS + 1), "EINVAL")])
def test_what_cannot_be_handed_over(it: Machine, handed: list[int], errno: str) -> None:
    left, _right = pair(it)
    assert it.do("sendmsg", left, (b"x", handed), 0) == errno
