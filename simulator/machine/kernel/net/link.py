"""Sockets below the transport: netlink(7) and packet(7)."""

from typing import cast

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    AF_NETLINK,
    AF_PACKET,
    NETLINK_AUDIT,
    NETLINK_KOBJECT_UEVENT,
    NETLINK_ROUTE,
    SOCK_RAW,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import interface
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.interface import Interface
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.trap import NotModelled, Trap

NETLINK_SOCK_DIAG, NETLINK_SELINUX, NETLINK_CONNECTOR, NETLINK_GENERIC = 4, 7, 11, 16
_ETHERNET_HEADER = 14
"""ETH_HLEN: two addresses and a type."""
HEADER_SIZE = 16
"""sizeof(struct nlmsghdr)."""
ANYBODY_LISTENS = frozenset(
    (
        NETLINK_ROUTE,
        NETLINK_SOCK_DIAG,
        NETLINK_SELINUX,
        NETLINK_CONNECTOR,
        NETLINK_KOBJECT_UEVENT,
        NETLINK_GENERIC,
    )
)
"""Protocols whose groups are open to all (NL_CFG_F_NONROOT_RECV)."""


def bind_netlink(trap: Trap, socket: Socket, address: Value) -> None:
    """Take a port id and join groups. EPERM, EINVAL, EADDRINUSE."""
    port, groups = _netlink_address(trap, address)
    if groups:
        _may_listen(trap, socket)
    if socket.local is not None and port != socket.local[1]:
        trap.fail(Errno.EINVAL, N_("The socket already has a port id."), "netlink(7)")
    for other in trap.store.rows_by(sockets.IN_NS, socket.ns):
        same = (other.family, other.protocol) == (socket.family, socket.protocol)
        if port and same and other.id != socket.id and other.local == ("", port):
            trap.fail(Errno.EADDRINUSE, "", "netlink(7)")
    sockets.write(trap, socket, local=("", port or _port_id(trap, socket)), groups=groups)


def connect_netlink(trap: Trap, socket: Socket, address: Value) -> int:
    """Choose where send(2) goes: port id 0 is the kernel. EPERM, EINVAL."""
    port, groups = _netlink_address(trap, address)
    if port or groups:
        raise NotModelled("netlink between programs")
    local = socket.local or ("", _port_id(trap, socket))
    sockets.write(trap, socket, local=local, remote=("", 0), state="connected")
    return 0


def send(trap: Trap, socket: Socket, data: bytes, address: object) -> int:
    """send(2) below the transport. ENODATA, ENXIO; a message too short for a header is dropped."""
    if socket.family == AF_NETLINK and address is None:
        if not data:
            trap.fail(Errno.ENODATA, N_("The message is empty."), "netlink(7)")
        if len(data) < HEADER_SIZE:
            return len(data)
    if socket.family == AF_PACKET:
        return _send_frame(trap, socket, data, address)
    raise NotModelled("sending over this family of socket")


def _send_frame(trap: Trap, socket: Socket, data: bytes, address: object) -> int:
    """packet_snd(): a frame as it stands, whoever's address is in it, onto the cable.

    ENXIO, ENETDOWN, EINVAL, EMSGSIZE. Nobody in the model reads frames: what is told is whose
    segment it went onto.
    """
    device = _leaving_by(trap, socket, address)
    if device is None:
        trap.fail(Errno.ENXIO, N_("The socket is bound to no interface."), "packet(7)")
    if not interface.is_up(device):
        trap.fail(Errno.ENETDOWN, N_("The interface is down."), "packet(7)")
    if socket.type == SOCK_RAW and len(data) < _ETHERNET_HEADER:
        trap.fail(Errno.EINVAL, N_("The frame is shorter than its header."), "packet(7)")
    if len(data) > device.mtu + _ETHERNET_HEADER:
        trap.fail(Errno.EMSGSIZE, N_("The frame is larger than the cable carries."), "packet(7)")
    segment = _segment(trap, device)
    if segment is not None:
        trap.touch("interface", segment.domain, "write", segment.name)
    return len(data)


def _leaving_by(trap: Trap, socket: Socket, address: object) -> Interface | None:
    """The interface of a sockaddr_ll, or the one bound to. EINVAL for a shorter address."""
    if address is None:
        return None if socket.device is None else trap.store.get(Interface, socket.device)
    name: object = cast("tuple[object, ...]", address)[0] if isinstance(address, tuple) else None
    host = ip.parse(name) if isinstance(name, str) else None
    if not isinstance(name, str) or not name or (host is not None and host.version == 4):
        trap.fail(Errno.EINVAL, N_("This is no address of an interface."), "packet(7)")
    return interface.named(trap.store, socket.ns, name)


def _segment(trap: Trap, device: Interface) -> Interface | None:
    """What the frame is heard on: a card, or the bridge at the other end; a cable has two ends."""
    if device.kind in ("ether", "bridge"):
        return device
    if device.kind != "veth" or device.peer is None:
        return None
    peer = trap.store.get(Interface, device.peer)
    master = None if peer is None else peer.master
    return None if master is None else trap.store.get(Interface, master)


def netlink_name(socket: Socket) -> tuple[int, int]:
    """(port id, groups)."""
    return (socket.local[1] if socket.local is not None else 0, socket.groups)


def bind_packet(trap: Trap, socket: Socket, address: Value) -> None:
    """Listen on one interface, or on all. ENODEV, EINVAL."""
    if not isinstance(address, (tuple, list)) or len(address) != 2:
        trap.fail(Errno.EINVAL, "", "packet(7)")
    name, protocol = address
    if not isinstance(name, str) or not isinstance(protocol, int) or ip.parse(name) is not None:
        trap.fail(Errno.EINVAL, N_("This is no address of an interface."), "packet(7)")
    device = interface.named(trap.store, socket.ns, name) if name else None
    if name and device is None:
        trap.fail(Errno.ENODEV, N_("This network has no interface of that name."), "packet(7)")
    if device is not None:
        trap.touch("interface", device.domain, "read", device.name)
    down = device is not None and not interface.is_up(device)
    sockets.write(
        trap,
        socket,
        device=device.id if device is not None else None,
        error=Errno.ENETDOWN if down else None,
    )


def _netlink_address(trap: Trap, address: Value) -> tuple[int, int]:
    if not isinstance(address, (tuple, list)) or len(address) != 2:
        trap.fail(Errno.EINVAL, N_("This is no netlink address."), "netlink(7)")
    port, groups = address
    if not isinstance(port, int) or not isinstance(groups, int):
        trap.fail(Errno.EINVAL, N_("This is no netlink address."), "netlink(7)")
    return port, groups


def _may_listen(trap: Trap, socket: Socket) -> None:
    if socket.protocol == NETLINK_AUDIT:
        raise NotModelled("listening to the audit subsystem")
    if socket.protocol not in ANYBODY_LISTENS:
        trap.need(Privilege.NET_CONFIG, sockets.owner(trap, socket))


def _port_id(trap: Trap, socket: Socket) -> int:
    """The pid for a process's first netlink socket, a number of its own for the next."""
    pid = trap.task.pids[-1]
    for other in trap.store.rows_by(sockets.IN_NS, socket.ns):
        if other.family == socket.family and other.local == ("", pid):
            return 0xFFFFF000 - trap.store.new_id(("netlink", socket.ns))
    return pid
