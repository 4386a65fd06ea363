"""Which sockets can be made: families, types, protocols, and who may. socket(2).

The order of the checks is the kernel's, so that each wrong call fails with its errno:
``net/socket.c`` (__sock_create), ``net/ipv4/af_inet.c`` (inet_create), ``net/packet/af_packet.c``,
``net/netlink/af_netlink.c``, ``net/ipv4/ping.c``.
"""

from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    AF_VSOCK,
    AF_XDP,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import namespace
from simulator.machine.kernel.context import Context, has
from simulator.machine.kernel.namespace import NetNs, UserNs
from simulator.machine.kernel.net import params
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.resource.charge import Resource, charge
from simulator.machine.kernel.trap import Trap

AF_MAX = 46
SOCK_MAX = 11
SOCK_PACKET = 10
TYPE_MASK = 0xF
IPPROTO_UDPLITE = 136
IPPROTO_MPTCP = 262
IPPROTO_MAX = 263
MAX_LINKS = 32
NETLINK_PROTOCOLS = frozenset((0, 2, 4, 6, 7, 9, 10, 11, 12, 15, 16))
"""ROUTE USERSOCK SOCK_DIAG XFRM SELINUX AUDIT FIB_LOOKUP CONNECTOR NETFILTER UEVENT GENERIC."""


def check(trap: Trap, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    """(family, type, protocol) of the socket to make, or the refusal.

    Errors: EINVAL, EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM, EACCES, ENODEV.
    """
    if kind & ~TYPE_MASK & ~(SOCK_NONBLOCK | SOCK_CLOEXEC):
        trap.fail(Errno.EINVAL, N_("Unknown flags in the socket type."), "socket(2)")
    kind &= TYPE_MASK
    if not 0 <= family < AF_MAX:
        _no_family(trap)
    if kind >= SOCK_MAX:
        trap.fail(Errno.EINVAL, N_("There is no such socket type."), "socket(2)")
    if family == AF_INET and kind == SOCK_PACKET:
        family = AF_PACKET
    if family not in trap.family.traits.socket_families:
        _no_family(trap)
    trap.ask("may_use_family", family)
    makers = {
        AF_UNIX: _unix,
        AF_INET: _inet,
        AF_INET6: _inet,
        AF_NETLINK: _netlink,
        AF_PACKET: _packet,
        AF_VSOCK: _vsock,
        AF_XDP: _xdp,
    }
    make = makers.get(family)
    if make is None:
        _no_family(trap)
        return family, kind, protocol
    return make(trap, family, kind, protocol)


def make(trap: Trap, family: int, kind: int, protocol: int) -> Socket:
    """A new socket after every check."""
    asked = check(trap, family, kind, protocol)
    charge(trap, _counted(*asked[:2]))
    return sockets.create(trap, *asked)


def _counted(family: int, kind: int) -> Resource:
    """What a socket counts as, where kinds are counted apart."""
    if family == AF_UNIX:
        return "unix-socket"
    return "tcp-socket" if family in (AF_INET, AF_INET6) and kind == SOCK_STREAM else "socket"


def _unix(trap: Trap, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    if protocol not in (0, AF_UNIX):
        _no_protocol(trap)
    if kind not in (SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET):
        _no_type(trap)
    return family, SOCK_DGRAM if kind == SOCK_RAW else kind, 0


def _inet(trap: Trap, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    if not 0 <= protocol < IPPROTO_MAX:
        trap.fail(Errno.EINVAL, N_("There is no such protocol number."), "socket(2)")
    icmp = IPPROTO_ICMP if family == AF_INET else IPPROTO_ICMPV6
    known = {
        SOCK_STREAM: (IPPROTO_TCP, IPPROTO_MPTCP),
        SOCK_DGRAM: (IPPROTO_UDP, icmp, IPPROTO_UDPLITE),
    }
    if kind == SOCK_RAW:
        if not protocol:
            _no_protocol(trap)
        _need_raw(trap, icmp=protocol == icmp)
        return family, kind, protocol
    if kind not in known:
        _no_type(trap)
    if protocol and protocol not in known[kind]:
        _no_protocol(trap)
    if kind == SOCK_DGRAM and protocol == icmp:
        _may_ping(trap)
    return family, kind, protocol or known[kind][0]


def _may_ping(trap: Trap) -> None:
    """An ICMP echo socket is for the groups of ping_group_range alone. EACCES."""
    low, high = params.pair(trap.store, trap.task.ns.net, "net.ipv4.ping_group_range")
    owner = trap.store.row(UserNs, _owner(trap))
    for gid in (trap.task.cred.egid, *trap.task.cred.groups):
        if low <= namespace.from_kernel(owner.gid_map, gid) <= high:
            return
    trap.deny(
        Errno.EACCES,
        "ping-group-range",
        N_("net.ipv4.ping_group_range does not hold any of the caller's groups."),
        "icmp(7)",
    )


def _need_raw(trap: Trap, *, icmp: bool = False) -> None:
    """Whoever has raw sockets hears and says what it likes on the interfaces of its network.

    One for ICMP alone, where that is a right of its own, gets what is sent to its owner's zone.
    """
    if icmp and trap.family.traits.icmp_is_its_own_right:
        trap.need(Privilege.ICMP_SOCKET, _owner(trap))
        if has(trap.store.row(Context, sockets.tag(trap)), trap.family.traits.network_wall):
            return
    else:
        trap.need(Privilege.RAW_SOCKET, _owner(trap))
    space = trap.store.row(NetNs, trap.task.ns.net)
    trap.touch("interface", space.domain, "privilege", "raw socket")


def _netlink(trap: Trap, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    if kind not in (SOCK_RAW, SOCK_DGRAM):
        _no_type(trap)
    if not 0 <= protocol < MAX_LINKS or protocol not in NETLINK_PROTOCOLS:
        _no_protocol(trap)
    return family, kind, protocol


def _packet(trap: Trap, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    _need_raw(trap)
    if kind not in (SOCK_DGRAM, SOCK_RAW, SOCK_PACKET):
        _no_type(trap)
    return family, kind, protocol


def _xdp(trap: Trap, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    _need_raw(trap)
    if kind != SOCK_RAW:
        _no_type(trap)
    if protocol:
        _no_protocol(trap)
    return family, kind, protocol


def _vsock(trap: Trap, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    if protocol not in (0, AF_VSOCK):
        _no_protocol(trap)
    if kind == SOCK_DGRAM:
        trap.fail(Errno.ENODEV, N_("The machine's vsock transport has no datagrams."), "vsock(7)")
    if kind not in (SOCK_STREAM, SOCK_SEQPACKET):
        _no_type(trap)
    return family, kind, protocol


def _owner(trap: Trap) -> NsId:
    return trap.store.row(NetNs, trap.task.ns.net).owner


def _no_family(trap: Trap) -> None:
    trap.fail(Errno.EAFNOSUPPORT, N_("This kernel has no such address family."), "socket(2)")


def _no_type(trap: Trap) -> None:
    trap.fail(Errno.ESOCKTNOSUPPORT, N_("The family has no sockets of this type."), "socket(2)")


def _no_protocol(trap: Trap) -> None:
    trap.fail(Errno.EPROTONOSUPPORT, N_("The family has no such protocol."), "socket(2)")
