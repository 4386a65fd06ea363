"""Socket options: which exist, which ask for a right. setsockopt(2), socket(7), ip(7).

Source: ``net/core/sock.c`` (sk_setsockopt), ``net/ipv4/ip_sockglue.c``.
"""

from typing import NoReturn

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    IP_FREEBIND,
    IP_HDRINCL,
    IP_TRANSPARENT,
    IP_TTL,
    IPPROTO_RAW,
    SO_ACCEPTCONN,
    SO_BINDTODEVICE,
    SO_BROADCAST,
    SO_DEBUG,
    SO_DOMAIN,
    SO_DONTROUTE,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_MARK,
    SO_OOBINLINE,
    SO_PASSCRED,
    SO_PEERCRED,
    SO_PRIORITY,
    SO_PROTOCOL,
    SO_RCVBUF,
    SO_RCVBUFFORCE,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_SNDBUFFORCE,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_IP,
    SOL_SOCKET,
    SOL_TCP,
    TCP_NODELAY,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import namespace
from simulator.machine.kernel.net import interface
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.task import Task, pid_in
from simulator.machine.kernel.trap import NotModelled, Trap

SOL_IPV6 = 41
IPV6_V6ONLY = 26
SO_TIMESTAMP = 29
IP_TOS = 1
TABLES = (64, 65)
"""IPT_SO_SET_REPLACE and IPT_SO_SET_ADD_COUNTERS: a table of rules comes in (ip_tables.h)."""
TABLE_HEAD = 96
"""Bytes of a struct ipt_replace, without its entries."""
LAST_OPTION = 90
"""No option of SOL_SOCKET has a higher number (asm-generic/socket.h)."""
MIN_SNDBUF, MIN_RCVBUF = 4608, 2304
MAX_BUFFER = 4 << 20
"""net.core.wmem_max and rmem_max (212,992 before Linux 6.17)."""

FLAGS = frozenset(
    (
        SO_REUSEADDR,
        SO_DONTROUTE,
        SO_BROADCAST,
        SO_KEEPALIVE,
        SO_OOBINLINE,
        SO_TIMESTAMP,
        SO_PASSCRED,
    )
)
"""Options that are on or off and need nothing."""

DEFAULTS: dict[tuple[int, int], int] = {
    (SOL_SOCKET, SO_SNDBUF): 212_992,
    (SOL_SOCKET, SO_RCVBUF): 212_992,
    (SOL_SOCKET, SO_PRIORITY): 0,
    (SOL_SOCKET, SO_MARK): 0,
    (SOL_IP, IP_TTL): 64,
    (SOL_IP, IP_TOS): 0,
}


def set_option(trap: Trap, socket: Socket, level: int, option: int, value: Value) -> int:
    """setsockopt(2). ENOPROTOOPT, EPERM, EACCES, ENODEV, EINVAL, EOPNOTSUPP."""
    if level == SOL_SOCKET:
        return _set_socket(trap, socket, option, value)
    if socket.family == AF_UNIX:
        trap.fail(Errno.EOPNOTSUPP, N_("UNIX sockets have no options of a protocol."), "unix(7)")
    if socket.family not in (AF_INET, AF_INET6):
        raise NotModelled("options of this family of socket")
    if level == SOL_IP and option in TABLES and "ip_tables" in trap.family.features:
        return _set_table(trap, socket, value)
    if not isinstance(value, int):
        raise NotModelled("an option whose value is no number")
    if level == SOL_IP:
        return _set_ip(trap, socket, option, value)
    if level == SOL_TCP and socket.type == SOCK_STREAM and option == TCP_NODELAY:
        return _store(trap, socket, level, option, int(bool(value)))
    if level == SOL_IPV6 and socket.family == AF_INET6 and option == IPV6_V6ONLY:
        if socket.local is not None:
            trap.fail(Errno.EINVAL, N_("The socket is bound already."), "ipv6(7)")
        return _store(trap, socket, level, option, int(bool(value)))
    if level == SOL_IPV6 or (level == SOL_TCP and socket.type == SOCK_STREAM):
        raise NotModelled("this option of the protocol")
    return _unknown(trap)


def get_option(trap: Trap, socket: Socket, level: int, option: int) -> Result:
    """getsockopt(2): the value as ``data``."""
    if level == SOL_SOCKET:
        return _get_socket(trap, socket, option)
    if socket.family == AF_UNIX:
        trap.fail(Errno.EOPNOTSUPP, N_("UNIX sockets have no options of a protocol."), "unix(7)")
    known = {
        (SOL_IP, IP_TTL),
        (SOL_IP, IP_TOS),
        (SOL_IP, IP_FREEBIND),
        (SOL_IP, IP_HDRINCL),
        (SOL_IP, IP_TRANSPARENT),
        (SOL_TCP, TCP_NODELAY),
        (SOL_IPV6, IPV6_V6ONLY),
    }
    if level == SOL_TCP and socket.type != SOCK_STREAM:
        _no_level(trap)
    if (level, option) in known:
        raw = (level, option) == (SOL_IP, IP_HDRINCL) and socket.protocol == IPPROTO_RAW
        default = int(raw) or DEFAULTS.get((level, option), 0)
        return Returned(0, socket.options.get((level, option), default))
    if level not in (SOL_IP, SOL_TCP, SOL_IPV6):
        _no_level(trap)
    if option > LAST_OPTION:
        _unknown(trap)
    raise NotModelled("this option of the protocol")


def _no_level(trap: Trap) -> NoReturn:
    trap.fail(Errno.EOPNOTSUPP, N_("The socket has no such layer."), "getsockopt(2)")


def _set_socket(trap: Trap, socket: Socket, option: int, value: Value) -> int:
    if option == SO_BINDTODEVICE:
        return _bind_to_device(trap, socket, value)
    if not isinstance(value, int):
        raise NotModelled("an option whose value is no number")
    if option == SO_PASSCRED and socket.family not in (AF_UNIX, AF_NETLINK):
        _no_credentials(trap)
    if option in FLAGS:
        return _store(trap, socket, SOL_SOCKET, option, int(bool(value)))
    match option:
        case x if x in (SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ERROR, SO_ACCEPTCONN, SO_PEERCRED):
            _unknown(trap)
        case x if x == SO_REUSEPORT:
            return _set_reuseport(trap, socket, value)
        case x if x == SO_DEBUG:
            if value and not trap.has(Privilege.NET_CONFIG):
                _refuse(trap, Errno.EACCES)
        case x if x in (SO_SNDBUFFORCE, SO_RCVBUFFORCE):
            if not trap.has(Privilege.NET_CONFIG):
                _refuse(trap, Errno.EPERM)
            plain = SO_SNDBUF if option == SO_SNDBUFFORCE else SO_RCVBUF
            return _store(trap, socket, SOL_SOCKET, plain, _buffer(plain, value, 1 << 30))
        case x if x in (SO_SNDBUF, SO_RCVBUF):
            value = _buffer(option, value, MAX_BUFFER)
        case x if x == SO_PRIORITY:
            if not 0 <= value <= 6 and not _net_right(trap, socket):
                _refuse(trap, Errno.EPERM)
        case x if x == SO_MARK:
            if not _net_right(trap, socket):
                _refuse(trap, Errno.EPERM)
        case x if x > LAST_OPTION:
            _unknown(trap)
        case _:
            raise NotModelled("this socket option")
    return _store(trap, socket, SOL_SOCKET, option, value)


def _set_reuseport(trap: Trap, socket: Socket, value: int) -> int:
    if value and socket.family not in (AF_INET, AF_INET6):
        trap.fail(Errno.EOPNOTSUPP, N_("Only internet sockets share ports."), "socket(7)")
    return _store(trap, socket, SOL_SOCKET, SO_REUSEPORT, int(bool(value)))


def _set_ip(trap: Trap, socket: Socket, option: int, value: int) -> int:
    if option == IP_TRANSPARENT and value and not _net_right(trap, socket):
        _refuse(trap, Errno.EPERM)
    if option == IP_TTL and value != -1 and not 1 <= value <= 255:
        trap.fail(Errno.EINVAL, "", "ip(7)")
    if option == IP_HDRINCL and socket.type != SOCK_RAW:
        _unknown(trap)
    if option > LAST_OPTION:
        _unknown(trap)
    if option not in (IP_TTL, IP_TOS, IP_TRANSPARENT, IP_FREEBIND, IP_HDRINCL):
        raise NotModelled("this IP option")
    return _store(trap, socket, SOL_IP, option, value)


def _set_table(trap: Trap, socket: Socket, value: Value) -> NoReturn:
    """do_ipt_set_ctl(): the right over the network first, then whether it is a whole table."""
    if not trap.has(Privilege.NET_CONFIG, sockets.owner(trap, socket)):
        _refuse(trap, Errno.EPERM)
    trap.touch(
        "interface", trap.store.row(namespace.NetNs, socket.ns).domain, "privilege", "ip_tables"
    )
    if isinstance(value, bytes) and len(value) < TABLE_HEAD:
        trap.fail(Errno.EINVAL, N_("This is no whole table of rules."), "iptables(8)")
    raise NotModelled("replacing a table of rules")


def _net_right(trap: Trap, socket: Socket) -> bool:
    over = sockets.owner(trap, socket)
    return trap.has(Privilege.RAW_SOCKET, over) or trap.has(Privilege.NET_CONFIG, over)


def _bind_to_device(trap: Trap, socket: Socket, value: Value) -> int:
    """Since Linux 5.7 only changing a binding needs CAP_NET_RAW (sock_bindtoindex_locked())."""
    name = value.decode() if isinstance(value, bytes) else value
    if not isinstance(name, str):
        raise NotModelled("a device that is given by number")
    name = name.split("\0", 1)[0][:15]
    device = interface.named(trap.store, socket.ns, name) if name else None
    if name and device is None:
        trap.fail(Errno.ENODEV, N_("This network has no interface of that name."), "socket(7)")
    if socket.device is not None:
        trap.need(Privilege.RAW_SOCKET, sockets.owner(trap, socket))
    sockets.write(trap, socket, device=device.id if device is not None else None)
    return 0


def _get_socket(trap: Trap, socket: Socket, option: int) -> Result:
    simple = {
        SO_TYPE: socket.type,
        SO_DOMAIN: socket.family,
        SO_PROTOCOL: protocol_of(socket),
        SO_ACCEPTCONN: int(socket.state == "listening"),
    }
    if option in simple:
        return Returned(0, simple[option])
    if option == SO_ERROR:
        return _take_error(trap, socket)
    if option == SO_PEERCRED:
        return Returned(0, _peer_credentials(trap, socket))
    if option == SO_PASSCRED and socket.family not in (AF_UNIX, AF_NETLINK):
        _no_credentials(trap)
    if option in FLAGS or option in (SO_REUSEPORT, SO_DEBUG, SO_MARK, SO_PRIORITY):
        return Returned(0, socket.options.get((SOL_SOCKET, option), 0))
    if option in (SO_SNDBUF, SO_RCVBUF):
        return _buffer_size(socket, option)
    if option in (SO_SNDBUFFORCE, SO_RCVBUFFORCE):
        _unknown(trap)
    if option > LAST_OPTION:
        _unknown(trap)
    raise NotModelled("this socket option")


def _no_credentials(trap: Trap) -> NoReturn:
    trap.fail(Errno.EOPNOTSUPP, N_("Only UNIX and netlink sockets carry credentials."), "unix(7)")


def _take_error(trap: Trap, socket: Socket) -> Result:
    if socket.error is None:
        return Returned(0, 0)
    number = trap.family.errno_numbers.get(socket.error)
    if number is None:
        raise NotModelled("the number of this error")
    sockets.write(trap, socket, error=None)
    return Returned(0, number)


def _buffer_size(socket: Socket, option: int) -> Result:
    stored = socket.options.get((SOL_SOCKET, option))
    if stored is None and socket.family in (AF_INET, AF_INET6) and socket.type == SOCK_STREAM:
        return Returned(0, 16_384 if option == SO_SNDBUF else 131_072)
    return Returned(0, stored if stored is not None else DEFAULTS[(SOL_SOCKET, option)])


def protocol_of(socket: Socket) -> int:
    """SO_PROTOCOL: what the kernel chose where the caller said 0."""
    if socket.family in (AF_INET, AF_INET6) and not socket.protocol:
        return {SOCK_STREAM: 6, SOCK_DGRAM: 17}.get(socket.type, 0)
    return socket.protocol


def _peer_credentials(trap: Trap, socket: Socket) -> tuple[int, int, int]:
    """(pid, uid, gid) as the caller's namespaces show them; (0, -1, -1) without a peer."""
    peer = socket.peer_cred
    if socket.family != AF_UNIX or peer is None:
        return (0, -1, -1)
    user_ns = trap.store.row(namespace.UserNs, trap.task.cred.user_ns)
    pid = 0
    task = trap.store.get(Task, peer.pid)
    if task is not None:
        level = trap.store.row(namespace.PidNs, trap.task.ns.pid).level
        pid = pid_in(trap.store, task, level, trap.task.ns.pid)
    return (
        pid,
        namespace.from_kernel(user_ns.uid_map, peer.uid),
        namespace.from_kernel(user_ns.gid_map, peer.gid),
    )


def _buffer(option: int, value: int, most: int) -> int:
    least = MIN_SNDBUF if option == SO_SNDBUF else MIN_RCVBUF
    return max(min(value & 0xFFFFFFFF, most) * 2, least)


def _store(trap: Trap, socket: Socket, level: int, option: int, value: int) -> int:
    sockets.write(trap, socket, options={**socket.options, (level, option): value})
    return 0


def _unknown(trap: Trap) -> NoReturn:
    trap.fail(Errno.ENOPROTOOPT, N_("The protocol has no such option."), "setsockopt(2)")


def _refuse(trap: Trap, errno: Errno) -> None:
    trap.deny(
        errno,
        "capability",
        N_("This socket option needs a right over the network (CAP_NET_ADMIN or CAP_NET_RAW)."),
        "socket(7)",
    )
