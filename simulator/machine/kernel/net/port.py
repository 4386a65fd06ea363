"""Local addresses and ports: who may take which, and when two stand in each other's way. ip(7).

Source: ``net/ipv4/af_inet.c`` (__inet_bind), ``inet_connection_sock.c`` (inet_csk_bind_conflict).
"""

from typing import NoReturn

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    IP_FREEBIND,
    IP_TRANSPARENT,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_IP,
    SOL_SOCKET,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import host, params, route
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.socket import BY_PORT, Socket, Where
from simulator.machine.kernel.trap import Trap

IPV6_V6ONLY = (41, 26)
IPV6_FREEBIND = (41, 78)


def parse(trap: Trap, socket: Socket, address: Value, *, binding: bool = False) -> Where:
    """A sockaddr_in or sockaddr_in6 as (address, port). EINVAL when too short, EAFNOSUPPORT."""
    if address is None:
        trap.fail(Errno.EINVAL, N_("No address was given."), "ip(7)")
    if isinstance(address, (str, bytes)):
        short = len(address) + 3 < (16 if socket.family == AF_INET else 24)
        trap.fail(Errno.EINVAL if short else Errno.EAFNOSUPPORT, "", "ip(7)")
    if not isinstance(address, (tuple, list)) or len(address) != 2:
        trap.fail(Errno.EAFNOSUPPORT, "", "ip(7)")
    text, port = address
    if not isinstance(text, str) or not isinstance(port, int):
        trap.fail(Errno.EAFNOSUPPORT if socket.family == AF_INET else Errno.EINVAL, "", "ip(7)")
    text = text or ip.ANY[AF_INET]
    if ip.parse(text) is None:  # the name of an interface: a packet socket's address
        trap.fail(Errno.EAFNOSUPPORT, "", "ip(7)")
    if ip.family_of(text) != socket.family:
        if socket.family == AF_INET6 and socket.type == SOCK_DGRAM and not binding:
            return (f"::ffff:{ip.parse(text)}", port & 0xFFFF)
        trap.fail(
            Errno.EINVAL if socket.family == AF_INET6 else Errno.EAFNOSUPPORT,
            N_("The address is of another family than the socket."),
            "ip(7)",
        )
    return (str(ip.parse(text)), port & 0xFFFF)


def bind(trap: Trap, socket: Socket, address: Value) -> None:
    """Take a local address and port. EADDRNOTAVAIL, EACCES, EINVAL, EADDRINUSE."""
    text, port = parse(trap, socket, address, binding=True)
    text = host.narrow(trap, socket.family, text)
    trap.ask("may_bind", socket.family, text, port)
    _must_be_ours(trap, socket, text)
    _name_interface(trap, socket, text)
    if socket.type == SOCK_RAW:
        sockets.write(trap, socket, local=(text, socket.protocol))
        return
    start = params.number(trap.store, socket.ns, "net.ipv4.ip_unprivileged_port_start")
    if port and port < start and not trap.has(Privilege.RESERVED_PORT, sockets.owner(trap, socket)):
        _refuse_port(trap, socket)
    if socket.local is not None and socket.local[1]:
        trap.fail(Errno.EINVAL, N_("The socket already has an address."), "bind(2)")
    if port and (other := conflict(trap, socket, text, port)) is not None:
        trap.touch("port", other.domain, "name", f"{sockets.transport(socket)} {port}")
        trap.fail(Errno.EADDRINUSE, N_("Another socket of this network has the port."), "bind(2)")
    chosen = (text, port or ephemeral(trap, socket, text))
    sockets.write(trap, socket, local=chosen, bound=True)


def _name_interface(trap: Trap, socket: Socket, text: str) -> None:
    """To bind an interface's own address is to speak for it, unless the context was given it; to
    bind any address is to speak for each."""
    own = trap.store.row(Context, sockets.tag(trap)).addresses
    everywhere = ip.is_any(text)
    if text in own or (everywhere and own):
        return
    for one in links.listed(trap.store, socket.ns):
        if everywhere or any(entry.ip == ip.unmap(text) for entry in one.addresses):
            trap.touch("interface", one.domain, "privilege", f"{one.name} {text}")


def _must_be_ours(trap: Trap, socket: Socket, text: str) -> None:
    if ip.is_any(text) or ip.is_multicast(text) or route.is_broadcast(trap.store, socket.ns, text):
        return
    free = socket.options.get((SOL_IP, IP_FREEBIND)) or socket.options.get((SOL_IP, IP_TRANSPARENT))
    if free or socket.options.get(IPV6_FREEBIND):
        return
    v6 = socket.family == AF_INET6
    nonlocal_bind = "net.ipv6.ip_nonlocal_bind" if v6 else "net.ipv4.ip_nonlocal_bind"
    if params.number(trap.store, socket.ns, nonlocal_bind):
        return
    if not v6 and not route.has_addresses(trap.store, socket.ns, AF_INET):
        return  # inet_addr_type(): a namespace without a local table takes any address
    if not route.is_local(trap.store, socket.ns, ip.unmap(text)):
        if route.is_elsewhere(trap.store, socket.ns, ip.unmap(text)):
            trap.deny(
                Errno.EADDRNOTAVAIL,
                trap.family.traits.network_wall,
                N_("The address belongs to an interface of another network namespace."),
                "network_namespaces(7)",
            )
        trap.fail(
            Errno.EADDRNOTAVAIL, N_("No interface of this network has the address."), "bind(2)"
        )


def _refuse_port(trap: Trap, socket: Socket) -> NoReturn:
    del socket
    trap.deny(
        Errno.EACCES,
        "privileged-port",
        N_("Ports below ip_unprivileged_port_start need CAP_NET_BIND_SERVICE."),
        "ip(7)",
    )


def conflict(trap: Trap, socket: Socket, text: str, port: int) -> Socket | None:
    """The socket that stands in the way of ``text``:``port``, or None."""
    apart = trap.family.traits.ports_belong_to_context
    for other in trap.store.rows_by(BY_PORT, (socket.ns, sockets.transport(socket), port)):
        if other.id == socket.id or other.local is None or other.state == "embryo":
            continue
        if apart and other.context != socket.context:
            continue
        if socket.device and other.device and socket.device != other.device:
            continue
        if _overlap(socket, text, other) and not _share(socket, other):
            return other
    return None


def _overlap(socket: Socket, text: str, other: Socket) -> bool:
    """Whether the two addresses can receive the same packet (inet_rcv_saddr_equal())."""
    assert other.local is not None
    mine, theirs = ip.unmap(text), ip.unmap(other.local[0])
    if socket.family == other.family:
        return mine == theirs or ip.is_any(mine) or ip.is_any(theirs)
    six, six_text = (socket, text) if socket.family == AF_INET6 else (other, other.local[0])
    four = theirs if socket.family == AF_INET6 else mine
    if six.options.get(IPV6_V6ONLY):
        return False
    if ip.is_any(six_text):
        return True
    return ip.unmap(six_text) == four or (ip.unmap(six_text) != six_text and ip.is_any(four))


def _share(socket: Socket, other: Socket) -> bool:
    """SO_REUSEADDR on both and nobody listens, or SO_REUSEPORT on both and one user."""
    address, port = (SOL_SOCKET, SO_REUSEADDR), (SOL_SOCKET, SO_REUSEPORT)
    if socket.options.get(port) and other.options.get(port):
        return socket.maker.uid == other.maker.uid
    both = bool(socket.options.get(address) and other.options.get(address))
    return both and (socket.type == SOCK_DGRAM or other.state != "listening")


def ephemeral(trap: Trap, socket: Socket, text: str) -> int:
    """A free port of ip_local_port_range. EADDRINUSE when there is none."""
    low, high = params.pair(trap.store, socket.ns, "net.ipv4.ip_local_port_range")
    count = high - low + 1
    turn = trap.store.new_id(("port", socket.ns))
    for step in range(count):
        port = low + (2 * turn + step) % count
        if conflict(trap, socket, text, port) is None:
            return port
    return trap.fail(Errno.EADDRINUSE, N_("Every local port is taken."), "ip(7)")


def listen(trap: Trap, socket: Socket, backlog: int) -> None:
    """Let others connect; a socket without a port gets one. EADDRINUSE."""
    if socket.local is None:
        text = host.narrow(trap, socket.family, ip.ANY[socket.family])
        socket = sockets.write(trap, socket, local=(text, ephemeral(trap, socket, text)))
    elif socket.state != "listening":
        port = (SOL_SOCKET, SO_REUSEPORT)
        apart = trap.family.traits.ports_belong_to_context
        for other in trap.store.rows_by(BY_PORT, (socket.ns, sockets.TCP, socket.local[1])):
            shared = socket.options.get(port) and other.options.get(port)
            if apart and other.context != socket.context:
                continue
            overlap = other.state == "listening" and _overlap(socket, socket.local[0], other)
            if overlap and not shared and other.id != socket.id:
                trap.fail(Errno.EADDRINUSE, N_("Somebody listens there."), "listen(2)")
    sockets.write(trap, socket, state="listening", backlog=backlog)
