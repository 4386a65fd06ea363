"""Datagram sockets in corners where the kernel's order of checks shows."""

from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    MSG_DONTWAIT,
    SHUT_RD,
    SHUT_WR,
    SOCK_DGRAM,
)
from tests.unit.machine.kernel.networked import Machine

LOCAL = "127.0.0.1"


def udp(machine: Machine, family: int = AF_INET) -> int:
    fd = machine.ask("socket", family, SOCK_DGRAM, 0)
    assert isinstance(fd, int)
    return fd


def test_a_send_that_fails_leaves_the_socket_with_a_port(machine: Machine) -> None:
    fd = udp(machine)
    assert machine.ask("sendto", fd, b"x", 1, 0, None) == "EDESTADDRREQ"
    assert machine.ask("bind", fd, (LOCAL, 80)) == "EINVAL"


def test_a_connect_that_fails_leaves_the_socket_with_a_port(machine: Machine) -> None:
    fd = udp(machine)
    assert machine.ask("connect", fd, ("10.0.0.1", 9)) == "ENETUNREACH"
    assert machine.ask("bind", fd, (LOCAL, 80)) == "EINVAL"


def test_sending_does_not_give_the_socket_an_address(machine: Machine) -> None:
    fd = udp(machine)
    machine.ask("sendto", fd, b"x", 1, 0, (LOCAL, 9))
    name = machine.ask("getsockname", fd)
    assert isinstance(name, tuple)
    assert name[0] == "0.0.0.0"


def test_connecting_gives_the_socket_the_address_that_it_shows(machine: Machine) -> None:
    fd = udp(machine)
    machine.ask("connect", fd, (LOCAL, 9))
    name = machine.ask("getsockname", fd)
    assert isinstance(name, tuple)
    assert name[0] == LOCAL


def test_a_connected_socket_takes_datagrams_of_its_peer_alone(machine: Machine) -> None:
    here, peer, stranger = udp(machine), udp(machine), udp(machine)
    machine.ask("bind", here, (LOCAL, 53))
    machine.ask("bind", peer, (LOCAL, 54))
    machine.ask("connect", here, (LOCAL, 54))
    machine.ask("sendto", stranger, b"no", 2, 0, (LOCAL, 53))
    assert machine.ask("recvfrom", here, 64, MSG_DONTWAIT) == "EAGAIN"
    machine.ask("sendto", peer, b"yes", 3, 0, (LOCAL, 53))
    assert machine.ask("recvfrom", here, 64, 0) == b"yes"


def test_an_ipv6_socket_sends_to_an_ipv4_address(machine: Machine) -> None:
    there, here = udp(machine), udp(machine, AF_INET6)
    machine.ask("bind", there, (LOCAL, 53))
    assert machine.ask("sendto", here, b"hi", 2, 0, (LOCAL, 53)) == 2
    assert machine.ask("recvfrom", there, 64, 0) == b"hi"


def test_an_ipv6_address_of_ones_own_reaches_no_ipv4(machine: Machine) -> None:
    fd = udp(machine, AF_INET6)
    machine.ask("bind", fd, ("::1", 53))
    assert machine.ask("sendto", fd, b"hi", 2, 0, (LOCAL, 53)) == "EAFNOSUPPORT"


def test_shutting_an_unconnected_socket_is_enotconn_and_happens(machine: Machine) -> None:
    fd = udp(machine)
    assert machine.ask("shutdown", fd, SHUT_WR) == "ENOTCONN"
    assert machine.ask("sendto", fd, b"hi", 2, 0, (LOCAL, 53)) == "EPIPE"


def test_a_socket_shut_for_reading_reads_the_end_at_once(machine: Machine) -> None:
    fd = udp(machine)
    machine.ask("shutdown", fd, SHUT_RD)
    assert machine.ask("recvfrom", fd, 64, 0) == b""
