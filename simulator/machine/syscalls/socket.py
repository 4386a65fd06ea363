"""Sockets: socket(2), bind(2), listen(2), accept(2), connect(2), send(2), recv(2) and the rest.

Addresses are written as a program does: ``("127.0.0.1", 80)``, ``"/path"``, ``"\\0abstract"``.
"""

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    AF_VSOCK,
    O_NONBLOCK,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOMAXCONN,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.net import inet, link, options, port, rights, transfer, unix
from simulator.machine.kernel.net import open as opening
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.socket import Socket, Ucred
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as descriptors
from simulator.machine.syscalls.registry import posix

INET = (AF_INET, AF_INET6)


@posix("socket")
def socket(trap: Trap, family: int, kind: int, protocol: int = 0) -> int:
    """Make an endpoint. EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM, EACCES, EMFILE."""
    made = opening.make(trap, family, kind, protocol)
    return sockets.open_fd(
        trap, made, nonblock=bool(kind & SOCK_NONBLOCK), cloexec=bool(kind & SOCK_CLOEXEC)
    )


@posix("socketpair")
def socketpair(trap: Trap, family: int, kind: int, protocol: int = 0) -> Result:
    """Two UNIX sockets, each the other's peer. EMFILE, EOPNOTSUPP for other families."""
    descriptors.lowest_free(trap, descriptors.lowest_free(trap) + 1)  # before anything is made
    one = opening.make(trap, family, kind, protocol)
    if family != AF_UNIX:
        trap.fail(Errno.EOPNOTSUPP, N_("Only UNIX sockets come in pairs."), "socketpair(2)")
    two = opening.make(trap, family, kind, protocol)
    me = Ucred(trap.task.id, trap.task.cred.euid, trap.task.cred.egid)
    for end, other in ((one, two), (two, one)):
        sockets.write(trap, end, peer=other.id, state="connected", peer_cred=me)
    flags = {"nonblock": bool(kind & SOCK_NONBLOCK), "cloexec": bool(kind & SOCK_CLOEXEC)}
    fds = tuple(
        sockets.open_fd(trap, trap.store.row(Socket, end.id), **flags) for end in (one, two)
    )
    return Returned(0, fds)


@posix("bind")
def bind(trap: Trap, fd: int, address: Value) -> int:
    """Name a socket. EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL, EAFNOSUPPORT."""
    made = sockets.of(trap, fd)
    if made.family == AF_UNIX:
        unix.bind(trap, made, address)
    elif made.family in INET:
        port.bind(trap, made, address)
    elif made.family == AF_NETLINK:
        link.bind_netlink(trap, made, address)
    elif made.family == AF_PACKET:
        link.bind_packet(trap, made, address)
    elif not isinstance(address, tuple):
        trap.fail(Errno.EINVAL, N_("The address is of another family."), "bind(2)")
    else:
        raise NotModelled("binding this family of socket")
    return 0


@posix("listen")
def listen(trap: Trap, fd: int, backlog: int) -> int:
    """Take connections. EOPNOTSUPP, EINVAL, EADDRINUSE."""
    made = sockets.of(trap, fd)
    if made.family == AF_VSOCK:
        trap.fail(Errno.EINVAL, N_("The socket has no address yet."), "vsock(7)")
    if not sockets.is_stream(made) or made.family not in (*INET, AF_UNIX):
        trap.fail(Errno.EOPNOTSUPP, N_("Sockets of this type take no connections."), "listen(2)")
    if made.state == "connected" or made.connecting:
        trap.fail(Errno.EINVAL, N_("The socket is connected."), "listen(2)")
    backlog = min(backlog & 0xFFFFFFFF, SOMAXCONN)
    if made.family == AF_UNIX:
        if not made.name:
            trap.fail(Errno.EINVAL, N_("The socket has no name yet."), "listen(2)")
        cred = trap.task.cred
        me = Ucred(trap.task.id, cred.euid, cred.egid)
        sockets.write(trap, made, state="listening", backlog=backlog, peer_cred=me)
    else:
        port.listen(trap, made, backlog)
    return 0


@posix("accept")
def accept(trap: Trap, fd: int) -> int:
    """The next connection of a listening socket; sleeps until there is one."""
    return transfer.accept(trap, fd)


@posix("accept4")
def accept4(trap: Trap, fd: int, flags: int = 0) -> int:
    """accept(2) with SOCK_NONBLOCK and SOCK_CLOEXEC. EINVAL."""
    if flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC):
        trap.fail(Errno.EINVAL, "", "accept(2)")
    return transfer.accept(trap, fd, flags)


@posix("connect")
def connect(trap: Trap, fd: int, address: Value) -> Result | int:
    """Connect to an address. ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EISCONN, EINPROGRESS."""
    file = sockets.file_of(trap, fd)
    made = trap.store.row(Socket, file.object)
    nonblock = bool(file.flags & O_NONBLOCK)
    if made.family == AF_UNIX:
        unix.connect(trap, made, address, nonblock=nonblock)
        return 0
    if made.family in INET:
        return inet.connect(trap, made, address, nonblock=nonblock)
    if made.family == AF_NETLINK:
        return link.connect_netlink(trap, made, address)
    if made.family == AF_PACKET:
        trap.fail(Errno.EOPNOTSUPP, N_("Packet sockets have no peer."), "packet(7)")
    raise NotModelled("connecting this family of socket")


@posix("sendto")
def sendto(
    trap: Trap, fd: int, data: bytes, size: int, flags: int = 0, address: Value = None
) -> Result | int:
    """Send ``size`` bytes. ENOTCONN, EDESTADDRREQ, EPIPE, EMSGSIZE, ECONNREFUSED, EAGAIN."""
    file = sockets.file_of(trap, fd)
    return transfer.send(trap, file, data[:size].ljust(size, b"\0"), flags, address)


@posix("recvfrom")
def recvfrom(trap: Trap, fd: int, size: int, flags: int = 0) -> Result:
    """Receive up to ``size`` bytes; sleeps while there are none. ENOTCONN, ECONNRESET, EAGAIN."""
    return transfer.receive(trap, sockets.file_of(trap, fd), size, flags)


@posix("sendmsg")
def sendmsg(trap: Trap, fd: int, message: Value, flags: int = 0) -> Result | int:
    """sendmsg(2) with a message (bytes, [descriptors]) to the peer. EBADF, EINVAL, as send(2)."""
    file = sockets.file_of(trap, fd)
    if not isinstance(message, (tuple, list)) or not message:
        raise NotModelled("a message is written as (bytes, [descriptors])")
    data, handed = message[0], message[1] if len(message) > 1 else ()
    content = data.encode() if isinstance(data, str) else data
    if not isinstance(content, bytes) or not isinstance(handed, (tuple, list)):
        raise NotModelled("a message is written as (bytes, [descriptors])")
    return rights.send(trap, file, content, [int(one) for one in handed], flags)  # pyright: ignore[reportArgumentType]


@posix("recvmsg")
def recvmsg(trap: Trap, fd: int, size: int, flags: int = 0) -> Result:
    """recvfrom(2) that tells who sent: (bytes, address), then each descriptor that came along."""
    return rights.receive(trap, sockets.file_of(trap, fd), size, flags)


@posix("shutdown")
def shutdown(trap: Trap, fd: int, how: int) -> Result | int:
    """End one direction of a connection. ENOTCONN, EINVAL."""
    return transfer.shutdown(trap, sockets.of(trap, fd), how)


@posix("getsockname")
def getsockname(trap: Trap, fd: int) -> Result:
    """The socket's own address."""
    made = sockets.of(trap, fd)
    if made.family == AF_UNIX:
        return Returned(0, unix.name_of(made))
    if made.family in INET:
        return Returned(0, inet.name_of(made))
    if made.family == AF_NETLINK:
        return Returned(0, link.netlink_name(made))
    return Returned(0)  # an address that the probe language has no words for


@posix("getpeername")
def getpeername(trap: Trap, fd: int) -> Result:
    """The address of the other end. ENOTCONN."""
    made = sockets.of(trap, fd)
    if made.family == AF_UNIX:
        return Returned(0, unix.peer_name(trap, made))
    if made.family in INET:
        if made.state != "connected" or made.remote is None:
            trap.fail(Errno.ENOTCONN, "", "getpeername(2)")
        return Returned(0, made.remote)
    if made.family == AF_NETLINK:
        return Returned(0, (0, 0))
    if made.family == AF_PACKET:
        trap.fail(Errno.EOPNOTSUPP, N_("Packet sockets have no peer."), "packet(7)")
    raise NotModelled("the peer of this family of socket")


@posix("setsockopt")
def setsockopt(trap: Trap, fd: int, level: int, option: int, value: Value = 0) -> int:
    """Set an option. ENOPROTOOPT, EPERM, EACCES, ENODEV, EINVAL."""
    return options.set_option(trap, sockets.of(trap, fd), level, option, value)


@posix("getsockopt")
def getsockopt(trap: Trap, fd: int, level: int, option: int) -> Result:
    """Read an option; SO_PEERCRED gives (pid, uid, gid)."""
    return options.get_option(trap, sockets.of(trap, fd), level, option)
