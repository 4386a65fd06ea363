"""socket(2): which sockets there are, who may have them, and the order of the refusals."""

import pytest

from simulator.machine.abi.constants import (
    AF_ALG,
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    AF_VSOCK,
    AF_XDP,
    IPPROTO_ICMP,
    IPPROTO_RAW,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
)
from simulator.machine.kernel.net import params
from tests.unit.machine.kernel.networked import Machine


@pytest.mark.parametrize(
    ("asked", "errno"),
    [
        ((-1, SOCK_STREAM, 0), "EAFNOSUPPORT"),
        ((AF_ALG, SOCK_STREAM, 0), "EAFNOSUPPORT"),
        ((AF_INET, 11, 0), "EINVAL"),
        ((46, 11, 0), "EAFNOSUPPORT"),
        ((AF_INET, SOCK_SEQPACKET, 0), "ESOCKTNOSUPPORT"),
        ((AF_INET, SOCK_RAW, 0), "EPROTONOSUPPORT"),
        ((AF_INET, SOCK_STREAM, 17), "EPROTONOSUPPORT"),
        ((AF_INET, SOCK_STREAM, -1), "EINVAL"),
        ((AF_INET, SOCK_DGRAM, IPPROTO_ICMP), "EACCES"),
        ((AF_UNIX, SOCK_STREAM, 2), "EPROTONOSUPPORT"),
        ((AF_UNIX, 4, 0), "ESOCKTNOSUPPORT"),
        ((AF_NETLINK, SOCK_STREAM, 0), "ESOCKTNOSUPPORT"),
        ((AF_NETLINK, SOCK_RAW, 1), "EPROTONOSUPPORT"),
        ((AF_PACKET, SOCK_STREAM, 0), "ESOCKTNOSUPPORT"),
        ((AF_VSOCK, SOCK_DGRAM, 0), "ENODEV"),
        ((AF_XDP, SOCK_RAW, 1), "EPROTONOSUPPORT"),
        ((AF_INET, SOCK_STREAM | 0o20, 0), "EINVAL"),
    ],
)
def test_root_is_refused_a_socket_that_there_is_not(
    machine: Machine, asked: tuple[int, int, int], errno: str
) -> None:
    assert machine.ask("socket", *asked) == errno


@pytest.mark.parametrize(
    "asked",
    [
        (AF_INET, SOCK_RAW, IPPROTO_ICMP),
        (AF_INET6, SOCK_RAW, IPPROTO_RAW),
        (AF_PACKET, SOCK_RAW, 0x300),
        (AF_PACKET, SOCK_STREAM, 0),
        (AF_XDP, SOCK_RAW, 0),
        (AF_INET, 10, 0),
    ],
)
def test_raw_and_packet_sockets_need_cap_net_raw(
    machine: Machine, asked: tuple[int, int, int]
) -> None:
    user = machine.user()
    assert machine.ask("socket", *asked, pid=user) == "EPERM"


def test_ping_group_range_opens_icmp_echo_to_its_groups(machine: Machine) -> None:
    params.write(machine.store, machine.net(), "net.ipv4.ping_group_range", "0\t2147483647")
    user = machine.user()
    assert isinstance(machine.ask("socket", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, pid=user), int)


def test_anybody_may_open_a_routing_socket(machine: Machine) -> None:
    user = machine.user()
    assert isinstance(machine.ask("socket", AF_NETLINK, SOCK_RAW, 0, pid=user), int)


def test_a_user_without_rights_joins_no_group_of_the_packet_filter(machine: Machine) -> None:
    user = machine.user()
    fd = machine.ask("socket", AF_NETLINK, SOCK_RAW, 12, pid=user)
    assert machine.ask("bind", fd, (0, 1), pid=user) == "EPERM"
