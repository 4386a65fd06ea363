"""Datagrams over the internet: udp(7), and what raw(7) sockets send.

Source: ``net/ipv4/udp.c`` (udp_sendmsg), ``net/ipv6/udp.c``, ``net/ipv4/raw.c``.
"""

import ipaddress

from simulator.machine.abi.call import Failed, Result, Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    SO_BROADCAST,
    SOCK_DGRAM,
    SOL_SOCKET,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import flow as flows
from simulator.machine.kernel.net import inet, route, traffic
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.flow import Flow
from simulator.machine.kernel.net.port import IPV6_V6ONLY, ephemeral
from simulator.machine.kernel.net.route import Arrival, Refusal
from simulator.machine.kernel.net.socket import Message, Socket, Where
from simulator.machine.kernel.trap import Denied, Trap

MAX_DATAGRAM = 65_507
_ECHO_REQUEST, _ECHO_REPLY = b"\x08", b"\x00"
_IP_HEADER, _TTL = 20, 64


def send(trap: Trap, socket: Socket, data: bytes, address: Value) -> Result | int:
    """Send one datagram. EDESTADDRREQ, EMSGSIZE, EACCES, ENETUNREACH; ECONNREFUSED from before.

    A socket without a port gets one first, and keeps it when the call fails
    (inet_send_prepare()).
    """
    if socket.type == SOCK_DGRAM and socket.local is None:
        any_address = ip.ANY[socket.family]
        port = ephemeral(trap, socket, any_address)
        socket = sockets.write(trap, socket, local=(any_address, port))
    try:
        return _send(trap, socket, data, address)
    except Denied as refusal:
        return Failed(refusal.denial)


def _send(trap: Trap, socket: Socket, data: bytes, address: Value) -> Result | int:
    text, port = _where(trap, socket, address)
    if socket.type == SOCK_DGRAM and not port and socket.protocol in (0, 17):
        trap.fail(Errno.EINVAL, N_("No datagram goes to port 0."), "udp(7)")
    inet.must_have_route(trap, socket, text)
    if len(data) > MAX_DATAGRAM:
        trap.fail(Errno.EMSGSIZE, N_("A datagram is not longer than 64 kilobytes."), "udp(7)")
    if route.is_broadcast(trap.store, socket.ns, text) and not socket.options.get(
        (SOL_SOCKET, SO_BROADCAST)
    ):
        trap.fail(Errno.EACCES, N_("Broadcasting needs SO_BROADCAST."), "ip(7)")
    if socket.error is not None and socket.remote is not None:
        return inet.take_error(trap, socket)
    if socket.write_closed:
        trap.fail(Errno.EPIPE, N_("The socket sends no more."), "send(2)")
    if ip.is_multicast(text):
        return len(data)
    if _answered(trap, socket, data, (text, port)):
        return len(data)
    source = inet.source_of(trap, socket, text)
    fate = inet.launch(trap, socket, source, (text, port))
    if isinstance(fate, Refusal) and fate.errno is not Errno.ECONNREFUSED:
        inet.refuse(trap, fate)
    if isinstance(fate, Arrival):
        if socket.family == AF_INET and socket.protocol == IPPROTO_ICMP:
            _echo(trap, socket, data, fate)
        elif sockets.transport(socket) == sockets.UDP:
            _remember(trap, socket, source, fate, (text, port))
            _hand_over(trap, socket, data, fate, (text, port))
    return len(data)


def _answered(trap: Trap, socket: Socket, data: bytes, where: Where) -> bool:
    """An answer to a datagram that was translated on its way: it goes back as it came."""
    if not trap.store.count(Flow) or socket.local is None or socket.type != SOCK_DGRAM:
        return False
    own = ip.unmap(socket.local[0])
    for address in route.own_addresses(trap.store, socket.ns) if ip.is_any(own) else (own,):
        flow = flows.answer_of(trap.store, socket.ns, (address, socket.local[1]), where)
        if flow is not None:
            back = Arrival(flow.client_ns, flow.asked[0], *flow.client, flow.granted)
            _hand_over(trap, socket, data, back, where, flow.asked[1])
            return True
    return False


def _remember(trap: Trap, socket: Socket, source: str, fate: Arrival, asked: Where) -> None:
    """What was translated on the way there is translated back for the answer."""
    assert socket.local is not None
    port = socket.local[1]
    if (fate.source, fate.destination, fate.port) == (source, *asked):
        return
    flow = Flow(
        id=trap.store.new_id(Flow),
        ns=fate.ns,
        server=(fate.destination, fate.port),
        seen=(ip.unmap(fate.source), port),
        client_ns=socket.ns,
        client=(source, port),
        asked=asked,
        until=flows.deadline(trap.store),
        granted=fate.granted,
    )
    flows.note(trap.store, flow)


def _echo(trap: Trap, sender: Socket, data: bytes, fate: Arrival) -> None:
    """The machine that is reached answers an echo request (``net/ipv4/icmp.c``, icmp_echo()).

    A raw socket receives the IP header too, an ICMP socket of the datagram type does not.
    """
    if data[:1] != _ECHO_REQUEST or sender.read_closed:
        return
    header = b""
    if sender.type != SOCK_DGRAM:
        ends = (ipaddress.IPv4Address(fate.destination), ipaddress.IPv4Address(fate.source))
        size = (_IP_HEADER + len(data)).to_bytes(2, "big")
        head = b"\x45\0" + size + bytes(4) + bytes((_TTL, IPPROTO_ICMP)) + bytes(2)
        header = head + ends[0].packed + ends[1].packed
    answer = Message(header + _ECHO_REPLY + data[1:], (fate.destination, 0), HOST)
    sockets.write(trap, sender, queue=(*sender.queue, answer))


def _where(trap: Trap, socket: Socket, address: Value) -> Where:
    """Where the datagram goes: the address of the call, else the one connected to."""
    if address is None:
        if socket.remote is None:
            trap.fail(Errno.EDESTADDRREQ, N_("The socket is not connected."), "send(2)")
        return ip.unmap(socket.remote[0]), socket.remote[1]
    text, port = inet.destination(trap, socket, address)
    v4 = socket.family == AF_INET6 and ip.family_of(text) == AF_INET
    if v4 and socket.options.get(IPV6_V6ONLY):
        trap.fail(Errno.ENETUNREACH, N_("The socket is for IPv6 alone."), "ipv6(7)")
    return text, port


def _hand_over(
    trap: Trap, sender: Socket, data: bytes, fate: Arrival, asked: Where, shown: int | None = None
) -> None:
    """Put the datagram in its receiver's queue; else tell a sender that is connected there.

    ``asked`` is where the sender sent it, before any translation (__udp4_lib_err()); ``shown`` the
    port that it seems to come from, if not the sender's.
    """
    assert sender.local is not None
    port = sender.local[1] if shown is None else shown
    other = inet.receiver(trap, fate, sockets.UDP, port)
    if other is None:
        if sender.remote is not None and asked == (ip.unmap(sender.remote[0]), sender.remote[1]):
            sockets.write(trap, sender, error=Errno.ECONNREFUSED)
        return
    if other.read_closed or sockets.queued(other) + len(data) > sockets.SNDBUF:
        return
    mapped = other.family == AF_INET6 and ip.family_of(fate.destination) == AF_INET
    source = ("::ffff:" if mapped else "") + ip.unmap(fate.source)
    message = Message(data, (source, port), trap.task.domain)
    sockets.write(trap, other, queue=(*other.queue, message))
    origin = fate.source if ip.is_any(sender.local[0]) else sender.local[0]
    ends = (sender.ns, origin), (fate.ns, fate.destination)
    traffic.count(trap.store, *ends, len(data), traffic.UDP_HEADERS)
    trap.touch("socket", other.domain, "write", f"udp {fate[2]}:{fate[3]}", fate.granted)
