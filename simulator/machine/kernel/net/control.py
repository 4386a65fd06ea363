"""ioctl(2) on a socket: looking at interfaces and changing them. netdevice(7).

An interface request is ``(name, value)``, as the probe language writes it. Source:
``net/core/dev_ioctl.c``, ``net/ipv4/devinet.c`` (devinet_ioctl), ``net/ipv4/fib_frontend.c``.
"""

from collections.abc import Iterator
from typing import NoReturn

import msgspec

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    FIONREAD,
    IFF_PROMISC,
    IFF_UP,
    SIOCADDRT,
    SIOCDELRT,
    SIOCGIFADDR,
    SIOCGIFCONF,
    SIOCGIFFLAGS,
    SIOCGIFHWADDR,
    SIOCGIFINDEX,
    SIOCGIFMTU,
    SIOCGIFNETMASK,
    SIOCSIFADDR,
    SIOCSIFFLAGS,
    SIOCSIFHWADDR,
    SIOCSIFMTU,
    SIOCSIFNETMASK,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import host
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.interface import Interface
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs.fd import File

IFF_DEBUG, IFF_NOTRAILERS, IFF_NOARP, IFF_ALLMULTI = 0x4, 0x20, 0x80, 0x200
IFF_MULTICAST, IFF_PORTSEL, IFF_AUTOMEDIA, IFF_DYNAMIC = 0x1000, 0x2000, 0x4000, 0x8000
SETTABLE = (
    IFF_DEBUG
    | IFF_NOTRAILERS
    | IFF_NOARP
    | IFF_ALLMULTI
    | IFF_MULTICAST
    | IFF_PORTSEL
    | IFF_AUTOMEDIA
    | IFF_DYNAMIC
    | IFF_PROMISC
    | IFF_UP
)
"""What SIOCSIFFLAGS may change (__dev_change_flags()); the rest is kept."""

SIOCGIFNAME, SIOCGIFBRDADDR = 0x8910, 0x8919
READS = frozenset((SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX))
ADDRESS_READS = frozenset((SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFBRDADDR))
WRITES = frozenset((SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFHWADDR))
ADDRESS_WRITES = frozenset((SIOCSIFADDR, SIOCSIFNETMASK))
CITE = "netdevice(7)"


def ioctl(trap: Trap, file: File, request: int, value: Value) -> Result | int:
    """One request. ENOTTY, EPERM, ENODEV, EADDRNOTAVAIL, EINVAL."""
    socket = trap.store.row(Socket, file.object)
    if request == FIONREAD:
        return _waiting(trap, socket)
    if request == SIOCGIFCONF:
        for one in links.listed(trap.store, socket.ns):
            if not trap.allowed("may_see_interface", one):
                continue
            trap.touch("interface", one.domain, "name", one.name)
        return 0
    if request == SIOCGIFNAME:
        return _named(trap, socket, value)
    if request in READS:
        return _read(trap, socket, request, value)
    if request in WRITES:
        return _write(trap, socket, request, value)
    if request in ADDRESS_READS | ADDRESS_WRITES | {SIOCADDRT, SIOCDELRT}:
        if socket.family not in (AF_INET, AF_INET6):
            trap.fail(Errno.ENOTTY, N_("Only internet sockets know addresses."), CITE)
        return _internet(trap, socket, request, value)
    if request & ~0xFF == 0x8900:
        raise NotModelled("this request of a socket")
    return trap.fail(Errno.ENOTTY, N_("Sockets don't know this request."), "ioctl(2)")


def _internet(trap: Trap, socket: Socket, request: int, value: Value) -> Result | int:
    if request in (SIOCADDRT, SIOCDELRT):
        trap.need(Privilege.NET_CONFIG, sockets.owner(trap, socket))
        if value is None:
            trap.fail(Errno.EAFNOSUPPORT, N_("The route has no address family."), CITE)
        raise NotModelled("changing routes by ioctl")
    if socket.family == AF_INET6:
        raise NotModelled("IPv6 addresses by ioctl")
    if request in ADDRESS_WRITES:
        return _set_address(trap, socket, request, value)
    interface = _interface(trap, socket, value)
    first = next((entry for entry in _v4(interface) if host.shows(trap, entry.ip)), None)
    if first is None:
        trap.fail(Errno.EADDRNOTAVAIL, N_("The interface has no IPv4 address."), CITE)
    trap.touch("interface", interface.domain, "name", interface.name)
    answer = {
        SIOCGIFADDR: first.ip,
        SIOCGIFNETMASK: ip.netmask(first.prefix),
        SIOCGIFBRDADDR: first.broadcast or "0.0.0.0",
    }
    return Returned(0, (interface.name, answer[request]))


def _named(trap: Trap, socket: Socket, value: Value) -> Result:
    number = _content(value)
    found = links.numbered(trap.store, socket.ns, number) if isinstance(number, int) else None
    if found is None or not trap.allowed("may_see_interface", found):
        trap.fail(Errno.ENODEV, N_("No interface has this number."), CITE)
    trap.touch("interface", found.domain, "name", found.name)
    return Returned(0, (found.name, found.index))


def _read(trap: Trap, socket: Socket, request: int, value: Value) -> Result:
    interface = _interface(trap, socket, value)
    trap.touch("interface", interface.domain, "name", interface.name)
    if request == SIOCGIFFLAGS:
        return Returned(0, (interface.name, links.flags_of(trap.store, interface) & 0xFFFF))
    if request == SIOCGIFMTU:
        return Returned(0, (interface.name, interface.mtu))
    if request == SIOCGIFINDEX:
        return Returned(0, (interface.name, interface.index))
    return Returned(0, (interface.name, bytes.fromhex(interface.mac.replace(":", ""))))


def _write(trap: Trap, socket: Socket, request: int, value: Value) -> int:
    trap.need(Privilege.NET_CONFIG, sockets.owner(trap, socket))
    interface = _interface(trap, socket, value)
    content = _content(value)
    if request == SIOCSIFFLAGS:
        _set_flags(trap, interface, content if isinstance(content, int) else 0)
    elif request == SIOCSIFMTU:
        _set_mtu(trap, interface, content if isinstance(content, int) else 0)
    else:
        _set_mac(trap, interface, content)
    trap.touch("interface", interface.domain, "write", interface.name)
    return 0


def _set_flags(trap: Trap, interface: Interface, flags: int) -> None:
    changed = interface.flags & ~SETTABLE | flags & SETTABLE & ~IFF_UP | interface.flags & IFF_UP
    interface = msgspec.structs.replace(interface, flags=changed)
    if (flags ^ interface.flags) & IFF_UP:
        links.set_up(trap.store, interface, bool(flags & IFF_UP))
    else:
        trap.store.put(interface)


def _set_mtu(trap: Trap, interface: Interface, mtu: int) -> None:
    least, most = {
        "loopback": (0, 1 << 31),
        "veth": (68, 65_535),
        "bridge": (68, 65_535),
        "dummy": (0, 1 << 31),
    }.get(interface.kind, (68, 9_000))
    if not least <= mtu <= most:
        trap.fail(Errno.EINVAL, N_("The interface cannot carry packets of this size."), CITE)
    trap.store.put(msgspec.structs.replace(interface, mtu=mtu))


def _set_mac(trap: Trap, interface: Interface, content: Value) -> None:
    if interface.kind == "loopback":
        if not isinstance(content, (bytes, str)):
            trap.fail(Errno.EINVAL, N_("The address is of another kind of hardware."), CITE)
        raise NotModelled("the hardware address of the loopback interface")
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogateescape")
    if not isinstance(content, bytes):
        trap.fail(Errno.EINVAL, N_("The address is of another kind of hardware."), CITE)
    octets = content[:6].ljust(6, b"\0")
    if octets[0] & 1 or not any(octets):
        trap.fail(Errno.EADDRNOTAVAIL, N_("No interface may have this address."), CITE)
    trap.store.put(msgspec.structs.replace(interface, mac=octets.hex(":")))


def _set_address(trap: Trap, socket: Socket, request: int, value: Value) -> int:
    trap.need(Privilege.NET_CONFIG, sockets.owner(trap, socket))
    content = _content(value)
    if not isinstance(content, str) or ip.parse(content) is None:
        trap.fail(Errno.EINVAL, N_("This is no IPv4 address."), CITE)
    interface = _interface(trap, socket, value)
    first = _first(interface)
    rest = tuple(entry for entry in interface.addresses if entry is not first)
    bare = msgspec.structs.replace(interface, addresses=rest)
    if request == SIOCSIFNETMASK:
        prefix = ip.prefix_of(content)
        if prefix is None:
            trap.fail(Errno.EINVAL, N_("The mask has a hole."), CITE)
        if first is None:
            trap.fail(Errno.EADDRNOTAVAIL, N_("The interface has no IPv4 address."), CITE)
        links.add_address(trap.store, bare, first.ip, prefix)
    else:
        links.add_address(trap.store, bare, content, _class_prefix(content))
    trap.touch("interface", interface.domain, "write", interface.name)
    return 0


def _class_prefix(text: str) -> int:
    """The mask that an address has by its class (inet_abc_len())."""
    first = int(text.split(".")[0])
    if first < 128:
        return 8
    return 16 if first < 192 else 24


def _waiting(trap: Trap, socket: Socket) -> Result:
    if socket.state == "listening":
        trap.fail(Errno.EINVAL, N_("A listening socket has no data."), "tcp(7)")
    if not sockets.is_stream(socket) and socket.queue:
        return Returned(0, len(socket.queue[0].data))
    if socket.family not in (AF_INET, AF_INET6, AF_UNIX):
        raise NotModelled("this request of a socket")
    return Returned(0, sockets.queued(socket))


def _interface(trap: Trap, socket: Socket, value: Value) -> Interface:
    name = value[0] if isinstance(value, (tuple, list)) and value else value
    if value is None:
        trap.fail(Errno.EFAULT, "", "ioctl(2)")
    found = links.named(trap.store, socket.ns, str(name)[:15])
    if found is None:
        return _missing(trap, str(name)[:15])
    trap.ask("may_see_interface", found)
    return found


def _missing(trap: Trap, name: str) -> NoReturn:
    if any(other.name == name for other in trap.store.all(Interface)):
        trap.deny(
            Errno.ENODEV,
            trap.family.traits.network_wall,
            N_("The interface is in another network namespace."),
            "network_namespaces(7)",
        )
    trap.fail(Errno.ENODEV, N_("There is no interface of that name."), CITE)


def _content(value: Value) -> Value:
    return value[1] if isinstance(value, (tuple, list)) and len(value) > 1 else 0


def _first(interface: Interface) -> links.Address | None:
    return next(_v4(interface), None)


def _v4(interface: Interface) -> Iterator[links.Address]:
    return (entry for entry in interface.addresses if ip.family_of(entry.ip) == AF_INET)
