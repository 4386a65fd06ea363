"""UNIX sockets: names, connections, datagrams, and whose they are."""

import pytest

from simulator.machine.abi.constants import (
    AF_INET,
    AF_UNIX,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    S_IFREG,
    SO_PEERCRED,
    SOCK_DGRAM,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
)
from tests.unit.machine.kernel.networked import Machine


def unix(machine: Machine, kind: int = SOCK_STREAM, pid: int = 1) -> int:
    fd = machine.ask("socket", AF_UNIX, kind, 0, pid=pid)
    assert isinstance(fd, int)
    return fd


def server(machine: Machine, name: str, kind: int = SOCK_STREAM) -> int:
    fd = unix(machine, kind)
    assert machine.ask("bind", fd, name) == 0
    assert machine.ask("listen", fd, 5) == 0
    return fd


def pair(machine: Machine, kind: int = SOCK_STREAM) -> tuple[int, int]:
    fds = machine.ask("socketpair", AF_UNIX, kind, 0)
    assert isinstance(fds, tuple)
    one, two = fds
    assert isinstance(one, int)
    assert isinstance(two, int)
    return one, two


@pytest.mark.parametrize("name", ["/sock", "\0abstract"])
def test_a_listener_is_reached_by_its_name(machine: Machine, name: str) -> None:
    listening, client = server(machine, name), unix(machine)
    assert machine.ask("connect", client, name) == 0
    accepted = machine.ask("accept", listening)
    machine.ask("sendto", client, b"hey", 3, 0, None)
    assert machine.ask("recvfrom", accepted, 64, 0) == b"hey"
    assert machine.ask("getpeername", client) == name


def test_an_abstract_name_belongs_to_the_network_namespace(machine: Machine) -> None:
    server(machine, "\0abstract")
    guest = machine.elsewhere()
    client = unix(machine, pid=guest)
    assert machine.ask("connect", client, "\0abstract", pid=guest) == "ECONNREFUSED"


def test_a_path_leads_across_network_namespaces(machine: Machine) -> None:
    server(machine, "/sock")
    guest = machine.elsewhere()
    assert machine.ask("connect", unix(machine, pid=guest), "/sock", pid=guest) == 0


def test_connecting_needs_write_permission_on_the_path(machine: Machine) -> None:
    server(machine, "/sock")
    machine.ask("chmod", "/sock", 0o755)
    user = machine.user()
    assert machine.ask("connect", unix(machine, pid=user), "/sock", pid=user) == "EACCES"


def test_a_path_that_is_taken_is_eaddrinuse(machine: Machine) -> None:
    server(machine, "/sock")
    assert machine.ask("bind", unix(machine), "/sock") == "EADDRINUSE"


def test_the_file_stays_when_its_socket_is_gone_and_refuses(machine: Machine) -> None:
    machine.ask("close", server(machine, "/sock"))
    assert machine.ask("connect", unix(machine), "/sock") == "ECONNREFUSED"


def test_a_file_that_is_no_socket_refuses(machine: Machine) -> None:
    machine.ask("mknod", "/plain", S_IFREG | 0o644, 0)
    assert machine.ask("connect", unix(machine), "/plain") == "ECONNREFUSED"


def test_a_path_to_nothing_is_enoent(machine: Machine) -> None:
    assert machine.ask("connect", unix(machine), "/nothing") == "ENOENT"


def test_a_socket_of_another_type_is_eprototype(machine: Machine) -> None:
    server(machine, "/sock")
    assert machine.ask("connect", unix(machine, SOCK_DGRAM), "/sock") == "EPROTOTYPE"


def test_a_name_longer_than_sun_path_is_einval(machine: Machine) -> None:
    assert machine.ask("bind", unix(machine), "x" * 108) == "EINVAL"


def test_binding_to_the_empty_name_finds_an_abstract_one(machine: Machine) -> None:
    fd = unix(machine)
    assert machine.ask("bind", fd, "") == 0
    name = machine.ask("getsockname", fd)
    assert isinstance(name, str)
    assert len(name) == 6
    assert name[0] == "\0"


def test_listening_without_a_name_is_einval(machine: Machine) -> None:
    assert machine.ask("listen", unix(machine), 1) == "EINVAL"


def test_datagrams_keep_their_borders(machine: Machine) -> None:
    one, two = pair(machine, SOCK_DGRAM)
    machine.ask("sendto", one, b"first", 5, 0, None)
    machine.ask("sendto", one, b"second", 6, 0, None)
    assert machine.ask("recvfrom", two, 2, 0) == b"fi"
    assert machine.ask("recvfrom", two, 64, 0) == b"second"


def test_packets_in_sequence_keep_their_borders_too(machine: Machine) -> None:
    one, two = pair(machine, SOCK_SEQPACKET)
    machine.ask("sendto", one, b"first", 5, 0, None)
    machine.ask("sendto", one, b"second", 6, 0, None)
    assert machine.ask("recvfrom", two, 64, 0) == b"first"


def test_only_unix_sockets_come_in_pairs(machine: Machine) -> None:
    assert machine.ask("socketpair", AF_INET, SOCK_STREAM, 0) == "EOPNOTSUPP"


def test_the_end_of_a_pair_reads_what_is_left_and_then_the_end(machine: Machine) -> None:
    one, two = pair(machine)
    machine.ask("write", two, b"left", 4)
    machine.ask("close", two)
    assert machine.ask("read", one, 64) == b"left"
    assert machine.ask("read", one, 64) == b""


def test_closing_with_data_unread_resets_the_peer(machine: Machine) -> None:
    one, two = pair(machine)
    machine.ask("write", one, b"x", 1)
    machine.ask("close", two)
    assert machine.ask("recvfrom", one, 64, MSG_DONTWAIT) == "ECONNRESET"


def test_sending_to_a_closed_peer_is_epipe(machine: Machine) -> None:
    one, two = pair(machine)
    machine.ask("close", two)
    assert machine.ask("sendto", one, b"x", 1, MSG_NOSIGNAL, None) == "EPIPE"


def test_peer_credentials_are_those_of_whoever_listened(machine: Machine) -> None:
    server(machine, "\0name")
    user = machine.user()
    client = unix(machine, pid=user)
    machine.ask("connect", client, "\0name", pid=user)
    assert machine.ask("getsockopt", client, SOL_SOCKET, SO_PEERCRED, pid=user) == (1, 0, 0)


def test_reaching_another_domains_abstract_socket_is_reported(machine: Machine) -> None:
    server(machine, "\0name")
    guest = machine.fork()
    machine.ask("@domain", guest, "guest")
    machine.ask("connect", unix(machine, pid=guest), "\0name", pid=guest)
    crossings = machine.kernel.timeline.events[-1].crossings
    assert [(c.kind, c.name, c.owner) for c in crossings] == [("socket", "@name", "host")]
