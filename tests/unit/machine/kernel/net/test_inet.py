"""Internet sockets: one guarantee or errno each, as the real kernel has them."""

from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    IP_FREEBIND,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_PEEK,
    SHUT_WR,
    SO_BROADCAST,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    SOL_IP,
    SOL_SOCKET,
)
from simulator.machine.kernel.net import params
from simulator.machine.kernel.net.filter import Rule
from tests.unit.machine.kernel.networked import Machine, host_network

LOCAL = "127.0.0.1"


def tcp(machine: Machine, pid: int = 1) -> int:
    fd = machine.ask("socket", AF_INET, SOCK_STREAM, 0, pid=pid)
    assert isinstance(fd, int)
    return fd


def udp(machine: Machine, pid: int = 1) -> int:
    fd = machine.ask("socket", AF_INET, SOCK_DGRAM, 0, pid=pid)
    assert isinstance(fd, int)
    return fd


def server(machine: Machine, address: str = LOCAL, port: int = 80, pid: int = 1) -> int:
    fd = tcp(machine, pid)
    assert machine.ask("bind", fd, (address, port), pid=pid) == 0
    assert machine.ask("listen", fd, 5, pid=pid) == 0
    return fd


def pair(machine: Machine) -> tuple[int, int]:
    """The two ends of a connection within one process."""
    listening, client = server(machine), tcp(machine)
    assert machine.ask("connect", client, (LOCAL, 80)) == 0
    accepted = machine.ask("accept", listening)
    assert isinstance(accepted, int)
    return client, accepted


def test_what_one_end_sends_the_other_receives(machine: Machine) -> None:
    client, accepted = pair(machine)
    assert machine.ask("sendto", client, b"hello", 5, 0, None) == 5
    assert machine.ask("recvfrom", accepted, 64, 0) == b"hello"


def test_msg_peek_leaves_the_bytes_where_they_are(machine: Machine) -> None:
    client, accepted = pair(machine)
    machine.ask("sendto", client, b"hello", 5, 0, None)
    assert machine.ask("recvfrom", accepted, 2, MSG_PEEK) == b"he"
    assert machine.ask("recvfrom", accepted, 64, 0) == b"hello"


def test_receiving_nothing_without_waiting_is_eagain(machine: Machine) -> None:
    client, _accepted = pair(machine)
    assert machine.ask("recvfrom", client, 64, MSG_DONTWAIT) == "EAGAIN"


def test_a_reader_sleeps_until_the_other_end_sends(machine: Machine) -> None:
    client, accepted = pair(machine)
    child = machine.fork()
    assert machine.ask("recvfrom", accepted, 64, 0, pid=child) == "Blocked"
    machine.ask("sendto", client, b"late", 4, 0, None)
    assert machine.word(child) == "b'late'"


def test_accept_sleeps_until_somebody_connects(machine: Machine) -> None:
    listening = server(machine)
    child = machine.fork()
    assert machine.ask("accept", listening, pid=child) == "Blocked"
    assert machine.ask("connect", tcp(machine), (LOCAL, 80)) == 0
    assert machine.word(child).isdigit()


def test_after_shutdown_the_reader_sees_the_end(machine: Machine) -> None:
    client, accepted = pair(machine)
    assert machine.ask("shutdown", client, SHUT_WR) == 0
    assert machine.ask("recvfrom", accepted, 64, 0) == b""


def test_sending_after_shutdown_raises_sigpipe(machine: Machine) -> None:
    client, _accepted = pair(machine)
    machine.ask("shutdown", client, SHUT_WR)
    child = machine.fork()
    assert machine.ask("sendto", client, b"x", 1, 0, None, pid=child) == "SIGPIPE"


def test_msg_nosignal_turns_sigpipe_into_epipe_alone(machine: Machine) -> None:
    client, _accepted = pair(machine)
    machine.ask("shutdown", client, SHUT_WR)
    assert machine.ask("sendto", client, b"x", 1, MSG_NOSIGNAL, None) == "EPIPE"


def test_a_port_that_nobody_listens_on_refuses(machine: Machine) -> None:
    assert machine.ask("connect", tcp(machine), (LOCAL, 9)) == "ECONNREFUSED"


def test_an_address_without_a_route_is_enetunreach(machine: Machine) -> None:
    assert machine.ask("connect", tcp(machine), ("10.0.0.1", 9)) == "ENETUNREACH"


def test_a_machine_that_never_answers_blocks(machine: Machine) -> None:
    host_network(machine.store, machine.net())
    assert machine.ask("connect", tcp(machine), ("198.51.100.7", 80)) == "Blocked"


def test_an_address_of_nobody_cannot_be_bound(machine: Machine) -> None:
    assert machine.ask("bind", tcp(machine), ("10.1.2.3", 80)) == "EADDRNOTAVAIL"


def test_freebind_takes_an_address_of_nobody(machine: Machine) -> None:
    fd = tcp(machine)
    machine.ask("setsockopt", fd, SOL_IP, IP_FREEBIND, 1)
    assert machine.ask("bind", fd, ("10.1.2.3", 80)) == 0


def test_a_bound_socket_is_not_bound_again(machine: Machine) -> None:
    fd = tcp(machine)
    machine.ask("bind", fd, (LOCAL, 80))
    assert machine.ask("bind", fd, (LOCAL, 81)) == "EINVAL"


def test_a_taken_port_is_eaddrinuse(machine: Machine) -> None:
    server(machine)
    assert machine.ask("bind", tcp(machine), ("0.0.0.0", 80)) == "EADDRINUSE"


def test_a_port_of_one_address_leaves_the_others_free(machine: Machine) -> None:
    server(machine)
    assert machine.ask("bind", tcp(machine), ("127.0.0.2", 80)) == 0


def test_reuseaddr_shares_a_port_until_somebody_listens(machine: Machine) -> None:
    one, two = tcp(machine), tcp(machine)
    for fd in (one, two):
        machine.ask("setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, 1)
        assert machine.ask("bind", fd, (LOCAL, 80)) == 0
    assert machine.ask("listen", one, 1) == 0
    assert machine.ask("listen", two, 1) == "EADDRINUSE"


def test_reuseport_lets_two_sockets_of_one_user_listen(machine: Machine) -> None:
    for fd in (tcp(machine), tcp(machine)):
        machine.ask("setsockopt", fd, SOL_SOCKET, SO_REUSEPORT, 1)
        assert machine.ask("bind", fd, (LOCAL, 80)) == 0
        assert machine.ask("listen", fd, 1) == 0


def test_a_low_port_needs_the_right_over_the_network(machine: Machine) -> None:
    user = machine.user()
    assert machine.ask("bind", tcp(machine, user), (LOCAL, 80), pid=user) == "EACCES"


def test_ip_unprivileged_port_start_moves_the_border(machine: Machine) -> None:
    params.write(machine.store, machine.net(), "net.ipv4.ip_unprivileged_port_start", "0")
    user = machine.user()
    assert machine.ask("bind", tcp(machine, user), (LOCAL, 80), pid=user) == 0


def test_two_network_namespaces_have_two_port_spaces(machine: Machine) -> None:
    server(machine, "0.0.0.0")
    guest = machine.elsewhere()
    assert machine.ask("bind", tcp(machine, guest), ("0.0.0.0", 80), pid=guest) == 0


def test_a_new_network_namespace_does_not_even_reach_itself(machine: Machine) -> None:
    guest = machine.elsewhere()
    result = machine.ask("connect", tcp(machine, guest), (LOCAL, 80), pid=guest)
    assert result == "ENETUNREACH"


def test_a_cable_between_two_namespaces_carries_a_connection(machine: Machine) -> None:
    guest = machine.elsewhere()
    machine.cable(guest, "10.0.0.1", "10.0.0.2")
    listening = server(machine, "10.0.0.1")
    assert machine.ask("connect", tcp(machine, guest), ("10.0.0.1", 80), pid=guest) == 0
    accepted = machine.ask("accept", listening)
    peer = machine.ask("getpeername", accepted)
    assert isinstance(peer, tuple)
    assert peer[0] == "10.0.0.2"


def test_reaching_another_domains_service_is_reported(machine: Machine) -> None:
    guest = machine.elsewhere()
    machine.cable(guest, "10.0.0.1", "10.0.0.2")
    server(machine, "10.0.0.1")
    machine.ask("@domain", guest, "guest")
    machine.ask("connect", tcp(machine, guest), ("10.0.0.1", 80), pid=guest)
    crossings = machine.kernel.timeline.events[-1].crossings
    assert [(c.kind, c.owner, c.operation) for c in crossings] == [("socket", "host", "connect")]


def test_a_reject_rule_refuses_what_would_have_been_reached(machine: Machine) -> None:
    guest = machine.elsewhere()
    machine.cable(guest, "10.0.0.1", "10.0.0.2")
    server(machine, "10.0.0.1")
    rule = Rule(id=1, ns=machine.net(), chain="INPUT", target="REJECT", inward="veth0")
    machine.store.put(rule)
    result = machine.ask("connect", tcp(machine, guest), ("10.0.0.1", 80), pid=guest)
    assert result == "ECONNREFUSED"


def test_a_published_port_leads_into_the_other_namespace(machine: Machine) -> None:
    guest = machine.elsewhere()
    machine.cable(guest, "10.0.0.1", "10.0.0.2")
    server(machine, "0.0.0.0", 80, guest)
    published = Rule(
        id=1,
        ns=machine.net(),
        table="nat",
        chain="OUTPUT",
        target="DNAT",
        protocol="tcp",
        port=8080,
        to=("10.0.0.2", 80),
        granted=True,
    )
    machine.store.put(published)
    assert machine.ask("connect", tcp(machine), (LOCAL, 8080)) == 0


def test_the_answer_to_a_translated_datagram_is_translated_back(machine: Machine) -> None:
    guest = machine.elsewhere()
    machine.cable(guest, "10.0.0.1", "10.0.0.2")
    there, here = udp(machine, guest), udp(machine)
    machine.ask("bind", there, ("0.0.0.0", 53), pid=guest)
    to = {"table": "nat", "chain": "OUTPUT", "target": "DNAT", "to": ("10.0.0.2", 53)}
    machine.store.put(Rule(id=1, ns=machine.net(), protocol="udp", port=5353, **to))
    machine.ask("connect", here, ("10.0.0.1", 5353))
    assert machine.ask("sendto", here, b"ask", 3, 0, None) == 3
    asker = machine.ask("getsockname", here)
    assert machine.ask("recvfrom", there, 64, 0, pid=guest) == b"ask"
    assert machine.ask("sendto", there, b"answer", 6, 0, asker, pid=guest) == 6
    assert machine.ask("recvfrom", here, 64, 0) == b"answer"


def test_a_datagram_reaches_the_socket_of_its_port(machine: Machine) -> None:
    there, here = udp(machine), udp(machine)
    machine.ask("bind", there, (LOCAL, 53))
    assert machine.ask("sendto", here, b"hi", 2, 0, (LOCAL, 53)) == 2
    assert machine.ask("recvfrom", there, 64, 0) == b"hi"


def test_a_datagram_without_address_is_edestaddrreq(machine: Machine) -> None:
    assert machine.ask("sendto", udp(machine), b"hi", 2, 0, None) == "EDESTADDRREQ"


def test_a_connected_datagram_socket_learns_of_a_closed_port_by_the_next_call(
    machine: Machine,
) -> None:
    fd = udp(machine)
    machine.ask("connect", fd, (LOCAL, 54))
    assert machine.ask("sendto", fd, b"hi", 2, 0, None) == 2
    assert machine.ask("sendto", fd, b"hi", 2, 0, None) == "ECONNREFUSED"


def test_broadcasting_needs_so_broadcast(machine: Machine) -> None:
    fd = udp(machine)
    to = ("127.255.255.255", 5)
    assert machine.ask("sendto", fd, b"hi", 2, 0, to) == "EACCES"
    machine.ask("setsockopt", fd, SOL_SOCKET, SO_BROADCAST, 1)
    assert machine.ask("sendto", fd, b"hi", 2, 0, to) == 2


def test_a_datagram_above_64_kilobytes_is_emsgsize(machine: Machine) -> None:
    text = "x" * 65508
    assert machine.ask("sendto", udp(machine), text, 65508, 0, (LOCAL, 53)) == "EMSGSIZE"


def test_a_socket_that_does_not_block_tells_the_end_by_a_second_connect(machine: Machine) -> None:
    server(machine)
    fd = machine.ask("socket", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
    assert [machine.ask("connect", fd, (LOCAL, 80)) for _ in range(3)] == [
        "EINPROGRESS",
        0,
        "EISCONN",
    ]


def test_a_socket_on_any_ipv6_address_takes_ipv4_too(machine: Machine) -> None:
    fd = machine.ask("socket", AF_INET6, SOCK_STREAM, 0)
    machine.ask("bind", fd, ("::", 80))
    machine.ask("listen", fd, 1)
    assert machine.ask("connect", tcp(machine), (LOCAL, 80)) == 0
    accepted = machine.ask("accept", fd)
    assert machine.ask("getsockname", accepted) == ("::ffff:127.0.0.1", 80)


def test_listening_on_datagrams_is_not_supported(machine: Machine) -> None:
    assert machine.ask("listen", udp(machine), 1) == "EOPNOTSUPP"


def test_a_descriptor_that_is_no_socket_is_enotsock(machine: Machine) -> None:
    fd = machine.ask("memfd_create", "x", 0)
    assert machine.ask("bind", fd, (LOCAL, 80)) == "ENOTSOCK"


def test_a_table_of_rules_asks_for_the_right_before_it_asks_for_a_table(machine: Machine) -> None:
    replace = (SOL_IP, 64, b"")  # IPT_SO_SET_REPLACE
    assert machine.ask("setsockopt", tcp(machine), *replace) == "EINVAL"
    user = machine.user()
    assert machine.ask("setsockopt", tcp(machine, user), *replace, pid=user) == "EPERM"
