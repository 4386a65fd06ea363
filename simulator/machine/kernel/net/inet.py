"""Sockets with ports: connecting, datagrams, and who receives what. ip(7), tcp(7), udp(7).

Source: ``net/ipv4/tcp_ipv4.c``, ``net/ipv4/udp.c``, ``net/ipv4/inet_hashtables.c``.
"""

from typing import NoReturn

from simulator.machine.abi.call import Denial, Failed, Result, Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import host, route
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.filter import Packet
from simulator.machine.kernel.net.port import IPV6_V6ONLY, ephemeral, parse
from simulator.machine.kernel.net.route import Arrival, Lost, Refusal
from simulator.machine.kernel.net.socket import BY_PORT, Socket, Where
from simulator.machine.kernel.trap import Denied, Sleep, Trap

MAX_DATAGRAM = 65_507


def connect(trap: Trap, socket: Socket, address: Value, *, nonblock: bool) -> Result | int:
    """Connect to (address, port). ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EISCONN, EINPROGRESS."""
    if socket.type != SOCK_STREAM:
        return _name_peer(trap, socket, address)
    if socket.connecting:
        return _finish(trap, socket)
    if socket.state != "closed":
        trap.fail(Errno.EISCONN, N_("The socket is connected, or listens."), "connect(2)")
    text, port = destination(trap, socket, address)
    if ip.is_multicast(text) or route.is_broadcast(trap.store, socket.ns, text):
        trap.fail(Errno.ENETUNREACH, N_("TCP has no connections to many."), "tcp(7)")
    before = socket.local if socket.bound else None
    socket = named(trap, socket, text)
    fate = launch(trap, socket, source_of(trap, socket, text), (text, port))
    if isinstance(fate, Lost):
        if nonblock:
            return in_progress()
        raise Sleep("connect", {(Socket, socket.id)})
    if isinstance(fate, Refusal):
        refuse(trap, fate)
    listener = receiver(trap, fate, sockets.TCP)
    if listener is not None and listener.id == socket.id:
        # Two segments that open a connection crossed: the socket is its own peer (RFC 9293, 3.5)
        changes = {"peer": socket.id, "remote": (text, port), "connecting": nonblock}
        sockets.write(trap, socket, state="connected", **changes)
        return in_progress() if nonblock else 0
    if listener is None or listener.state != "listening":
        if nonblock:
            refused = Errno.ECONNREFUSED
            sockets.write(
                trap, socket, local=before, error=refused, connecting=True, read_closed=True
            )
            return in_progress()
        _nobody_listens(trap, fate)
    if len(listener.pending) > listener.backlog:
        raise Sleep("connect", {(Socket, listener.id)})
    _attach(trap, socket, listener, fate, (text, port), nonblock)
    trap.touch("socket", listener.domain, "connect", f"tcp {fate[2]}:{fate[3]}", fate.granted)
    return in_progress() if nonblock else 0


def _name_peer(trap: Trap, socket: Socket, address: Value) -> Result | int:
    """connect(2) of a socket without connections: remember where it sends.

    It gets a port first, and keeps it when the call fails (inet_dgram_connect()).
    """
    if socket.type == SOCK_DGRAM and socket.local is None:
        any_address = ip.ANY[socket.family]
        port = ephemeral(trap, socket, any_address)
        socket = sockets.write(trap, socket, local=(any_address, port))
    try:
        text, port = destination(trap, socket, address)
        must_have_route(trap, socket, text)
        mapped = socket.family == AF_INET6 and ip.family_of(text) == AF_INET
        socket = named(trap, socket, text)
    except Denied as refusal:
        return Failed(refusal.denial)
    remote = (f"::ffff:{text}" if mapped else text, port)
    sockets.write(trap, socket, remote=remote, state="connected")
    return 0


def _is_mapped(socket: Socket) -> bool:
    return socket.local is not None and socket.local[0] != ip.unmap(socket.local[0])


def _finish(trap: Trap, socket: Socket) -> Result | int:
    """The second connect(2) of a socket that does not block tells how the first one ended.

    ECONNABORTED when another call has taken the error already.
    """
    if socket.state == "connected":
        sockets.write(trap, socket, connecting=False)
        return 0
    socket = sockets.write(trap, socket, connecting=False, read_closed=False, write_closed=False)
    if socket.error is not None:
        return take_error(trap, socket)
    return Failed(Denial(Errno.ECONNABORTED, "none", _FAILED, "connect(2)"))


_FAILED = N_("The connection that was being made has failed.")


def must_have_route(trap: Trap, socket: Socket, text: str) -> None:
    """Refuse with ENETUNREACH unless there is a way to ``text``."""
    if route.is_local(trap.store, socket.ns, text):
        return
    to_many = text == "255.255.255.255" or ip.is_multicast(text)
    if to_many and socket.local is not None and not ip.is_any(socket.local[0]):
        return  # the source address names the interface (ip_route_output_key())
    if ip.is_multicast(text) and route.has_addresses(
        trap.store, socket.ns, ip.family_of(text), up=True
    ):
        return
    hop = route.lookup(trap.store, socket.ns, text, socket.device)
    if isinstance(hop, Errno):
        refuse(trap, Refusal(hop))


def _nobody_listens(trap: Trap, fate: Arrival) -> NoReturn:
    """ECONNREFUSED; a loopback port that another network has is the namespace's doing."""
    loopback = ip.is_loopback(fate.destination)
    for other in trap.store.all(Socket) if loopback else ():
        same = other.local is not None and other.local[1] == fate.port
        apart = other.ns != fate.ns or host.is_elsewhere(trap, other, fate.destination)
        if same and other.state == "listening" and apart:
            trap.deny(
                Errno.ECONNREFUSED,
                trap.family.traits.network_wall,
                N_("Who listens on this port does so on the loopback of another network."),
                "network_namespaces(7), zones(5)",
            )
    trap.fail(Errno.ECONNREFUSED, N_("Nobody listens on the port."), "connect(2)")


def in_progress() -> Failed:
    """EINPROGRESS, which keeps what the call did."""
    return Failed(
        Denial(Errno.EINPROGRESS, "none", N_("The connection is being made."), "connect(2)")
    )


def refuse(trap: Trap, fate: Refusal) -> NoReturn:
    """Say no as the network did."""
    if fate.wall:
        trap.deny(
            fate.errno, fate.wall, N_("A packet filter on the way rejects it."), "iptables(8)"
        )
    if fate.errno is Errno.ENETUNREACH:
        trap.deny(
            fate.errno,
            trap.family.traits.network_wall,
            N_("This network namespace has no route to the address."),
            "network_namespaces(7)",
        )
    trap.fail(fate.errno, N_("A router on the way says that it cannot be reached."), "ip(7)")


def destination(trap: Trap, socket: Socket, address: Value) -> Where:
    """Where a packet to ``address`` really goes: any address means this machine. EINVAL."""
    text, port = parse(trap, socket, address)
    text = ip.unmap(text)
    if ip.is_any(text):
        text = ip.LOOPBACK[AF_INET if _is_mapped(socket) else ip.family_of(text)]
    if socket.family == AF_INET6 and socket.type == SOCK_DGRAM:
        _must_be_alike(trap, socket, text)
    return host.remote(trap, text), port


def _must_be_alike(trap: Trap, socket: Socket, text: str) -> None:
    """A socket that has an IPv4 address reaches IPv4 alone; one bound to IPv6, only that."""
    v4 = ip.family_of(text) == AF_INET
    if socket.local is None or ip.is_any(socket.local[0]):
        return
    if (_is_mapped(socket) and not v4) or (socket.bound and v4 and not _is_mapped(socket)):
        trap.fail(
            Errno.EAFNOSUPPORT, N_("The socket's own address is of another family."), "ipv6(7)"
        )


def source_of(trap: Trap, socket: Socket, text: str) -> str:
    """The local address that a packet to ``text`` shows. ENETUNREACH."""
    own = ip.unmap(socket.local[0]) if socket.local is not None else ""
    if not ip.is_any(own) and ip.family_of(own) == ip.family_of(text):
        return own
    source = route.source_for(trap.store, socket.ns, text)
    if isinstance(source, Errno):
        refuse(trap, Refusal(source))
    return host.source(trap, source)


def named(trap: Trap, socket: Socket, text: str) -> Socket:
    """``socket`` with the local address that a packet to ``text`` shows, and a port."""
    source = source_of(trap, socket, text)
    port = socket.local[1] if socket.local is not None else 0
    if socket.type == SOCK_RAW:
        port = socket.protocol
    elif not port:
        port = ephemeral(trap, socket, source)
    mapped = socket.family == AF_INET6 and ip.family_of(source) == AF_INET
    return sockets.write(trap, socket, local=(f"::ffff:{source}" if mapped else source, port))


def launch(trap: Trap, socket: Socket, source: str, where: Where) -> route.Fate:
    """What becomes of a packet from ``source`` to ``where``."""
    packet = Packet(sockets.transport(socket) or "raw", source, *where)
    return route.send(trap.store, socket.ns, packet, socket.device)


def receiver(trap: Trap, fate: Arrival, transport: str, sender: int = 0) -> Socket | None:
    """Who gets a packet: a socket on the very address before one on any address."""
    best: tuple[int, Socket] | None = None
    for other in trap.store.rows_by(BY_PORT, (fate.ns, transport, fate.port)):
        score = _score(trap, other, fate, sender)
        if score and (best is None or score > best[0]):
            best = (score, other)
    return best[1] if best is not None else None


def _score(trap: Trap, other: Socket, fate: Arrival, sender: int) -> int:
    if other.local is None or (other.state not in ("listening", "closed", "connected")):
        return 0
    if _connected_elsewhere(other, fate, sender):
        return 0
    bonus = 4 if other.state == "connected" else 0
    text = ip.unmap(other.local[0])
    if other.family == AF_INET6 and ip.family_of(fate.destination) == AF_INET:
        if other.options.get(IPV6_V6ONLY) or (not ip.is_any(text) and text == other.local[0]):
            return 0
    elif other.family != ip.family_of(fate.destination):
        return 0
    if host.is_elsewhere(trap, other, fate.destination):
        return 0
    if not ip.is_any(text):
        return 4 + bonus if text == fate.destination else 0
    fit = host.takes(trap, other, fate.destination)
    return fit + bonus if fit else 0


def _connected_elsewhere(other: Socket, fate: Arrival, sender: int) -> bool:
    """Whether the socket is connected to somebody else than the sender."""
    if other.state != "connected" or other.remote is None:
        return False
    return other.type == SOCK_STREAM or (ip.unmap(other.remote[0]), other.remote[1]) != (
        fate.source,
        sender,
    )


def _attach(
    trap: Trap,
    socket: Socket,
    listener: Socket,
    fate: Arrival,
    remote: Where,
    connecting: bool,
) -> None:
    """Make the other end of a connection and leave it for accept(2)."""
    assert socket.local is not None
    assert listener.local is not None
    mapped = listener.family == AF_INET6 and ip.family_of(fate.destination) == AF_INET
    prefix = "::ffff:" if mapped else ""
    child = Socket(
        id=trap.store.new_id(Socket),
        ns=fate.ns,
        family=listener.family,
        type=SOCK_STREAM,
        protocol=listener.protocol,
        maker=listener.maker,
        context=listener.context,
        state="embryo",
        local=(prefix + fate.destination, fate.port),
        remote=(prefix + ip.unmap(fate.source), socket.local[1]),
        peer=socket.id,
        options=listener.options,
        domain=listener.domain,
    )
    trap.store.put(child)
    sockets.write(trap, listener, pending=(*listener.pending, child.id))
    sockets.write(
        trap, socket, state="connected", peer=child.id, remote=remote, connecting=connecting
    )


def take_error(trap: Trap, socket: Socket) -> Failed:
    """Report the error that waited, and forget it (sock_error())."""
    assert socket.error is not None
    sockets.write(trap, socket, error=None)
    return Failed(
        Denial(socket.error, "none", N_("Nobody has the port that was sent to."), "udp(7)")
    )


def name_of(socket: Socket) -> Where:
    """What getsockname(2) gives: any address and port 0 when unset; a raw socket's protocol."""
    if socket.local is not None:
        return socket.local
    return (ip.ANY[socket.family], socket.protocol if socket.type == SOCK_RAW else 0)
