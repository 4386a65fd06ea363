"""Sockets between processes of one machine: names, connections, datagrams. unix(7).

A path is found through the file tree, whatever the network namespace; an abstract name belongs to
the network namespace. Source: ``net/unix/af_unix.c``.
"""

from typing import NoReturn

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    AF_UNIX,
    S_IFMT,
    S_IFSOCK,
    SOCK_DGRAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.net import node
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.socket import BY_NAME, BY_NODE, Message, Socket, Ucred
from simulator.machine.kernel.trap import Sleep, Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs import permission
from simulator.machine.kernel.vfs.mount import Mount

PATH_SIZE = 108
"""sizeof(sun_path)."""
MAX_QUEUED = 512
"""net.unix.max_dgram_qlen: datagrams that wait before their sender does."""


def bind(trap: Trap, socket: Socket, address: Value) -> None:
    """Give the socket a name. EADDRINUSE, EINVAL, and what making a file can give."""
    name = _name(trap, address, empty=True)
    if name == "":
        if not socket.name and socket.node is None:
            sockets.write(trap, socket, name=_unused(trap, socket))
        return
    if name[0] == "\0":
        _must_be_unnamed(trap, socket)
        if _by_name(trap, socket, name) is not None:
            trap.fail(Errno.EADDRINUSE, N_("Another socket has this name."), "unix(7)")
        sockets.write(trap, socket, name=name)
        return
    at = node.make(trap, name, S_IFSOCK | 0o777)
    _must_be_unnamed(trap, socket)
    sockets.write(trap, socket, name=name, node=at)


def connect(trap: Trap, socket: Socket, address: Value, *, nonblock: bool) -> None:
    """Connect to the socket of that name. ECONNREFUSED, EPROTOTYPE, EISCONN, ENOENT, EACCES."""
    name = _name(trap, address)
    if socket.type == SOCK_DGRAM:
        other, granted = find(trap, socket, name)
        _may_send(trap, socket, other)
        sockets.write(trap, socket, peer=other.id, peer_closed=False, state="connected")
        _touch(trap, other, "connect", name, granted)
        return
    other, granted = find(trap, socket, name)
    if other.state != "listening":
        _refuse(trap)
    if len(other.pending) > other.backlog:
        if nonblock:
            trap.fail(Errno.EAGAIN, N_("The listening socket's queue is full."), "unix(7)")
        raise Sleep("connect", {(Socket, other.id)})
    if socket.state == "connected":
        trap.fail(Errno.EISCONN, "", "connect(2)")
    if socket.state != "closed":
        trap.fail(Errno.EINVAL, "", "connect(2)")
    attach(trap, socket, other)
    _touch(trap, other, "connect", name, granted)


def attach(trap: Trap, socket: Socket, listener: Socket) -> None:
    """Make the other end of ``socket`` and leave it for accept(2)."""
    caller = trap.task.cred
    child = Socket(
        id=trap.store.new_id(Socket),
        ns=listener.ns,
        family=AF_UNIX,
        type=listener.type,
        maker=listener.maker,
        context=listener.context,
        state="embryo",
        peer=socket.id,
        peer_cred=Ucred(trap.task.id, caller.euid, caller.egid),
        options=listener.options,
        domain=listener.domain,
    )
    # The child shows its listener's name but is not found by it.
    trap.store.put(child)
    sockets.write(trap, listener, pending=(*listener.pending, child.id))
    sockets.write(
        trap,
        socket,
        state="connected",
        peer=child.id,
        remote=(name_of(listener), 0),
        peer_cred=listener.peer_cred or listener.maker,
    )
    sockets.write(trap, child, local=(name_of(listener), 0), remote=(name_of(socket), 0))


def find(trap: Trap, socket: Socket, name: str) -> tuple[Socket, bool]:
    """The socket called ``name``, and whether an operator handed in the way to it."""
    if name[0] == "\0":
        other = _by_name(trap, socket, name)
        if other is None:
            _refuse_name(trap, socket, name)
        return other, False
    at = paths.walk(trap, name)
    inode = inodes.load(trap, at.inode)
    permission.need(trap, inode, permission.WRITE)
    if inode.mode & S_IFMT != S_IFSOCK:
        _refuse(trap)
    for other in trap.store.rows_by(BY_NODE, at.inode):
        if other.type != socket.type:
            trap.fail(Errno.EPROTOTYPE, N_("The socket there is of another type."), "unix(7)")
        return other, trap.store.row(Mount, at.mount).granted
    return _refuse(trap)


def send_datagram(
    trap: Trap, socket: Socket, data: bytes, address: Value, *, nonblock: bool
) -> int:
    """Send one datagram. ENOTCONN, ECONNREFUSED, EPERM, EMSGSIZE, EAGAIN."""
    granted = False
    if address is None and socket.peer is None:
        trap.fail(Errno.ENOTCONN, "", "send(2)")
    if socket.write_closed:
        trap.fail(Errno.EPIPE, N_("The socket sends no more."), "send(2)")
    if address is not None:
        other, granted = find(trap, socket, _name(trap, address))
    else:
        other = trap.store.get(Socket, socket.peer)
    if len(data) > sockets.SNDBUF - 32:
        trap.fail(Errno.EMSGSIZE, "", "send(2)")
    if other is not None and other.read_closed:
        trap.fail(Errno.EPIPE, N_("The other end takes no more."), "send(2)")
    if other is None:
        trap.fail(Errno.ECONNREFUSED, N_("The other socket is closed."), "unix(7)")
    _may_send(trap, socket, other)
    if len(other.queue) >= MAX_QUEUED:
        if nonblock:
            trap.fail(Errno.EAGAIN, N_("The receiver's queue is full."), "unix(7)")
        raise Sleep("send", {(Socket, other.id)})
    message = Message(data, name_of(socket), trap.task.domain)
    sockets.write(trap, other, queue=(*other.queue, message))
    _touch(trap, other, "write", name_of(other), granted)
    return len(data)


def name_of(socket: Socket) -> str:
    """The name that getsockname(2) gives; empty when unnamed."""
    if socket.name:
        return socket.name
    return socket.local[0] if socket.local is not None else ""


def peer_name(trap: Trap, socket: Socket) -> str:
    """The name that getpeername(2) gives. ENOTCONN."""
    if socket.state not in ("connected", "embryo"):
        trap.fail(Errno.ENOTCONN, "", "getpeername(2)")
    peer = trap.store.get(Socket, socket.peer)
    if peer is not None and name_of(peer):
        return name_of(peer)
    return socket.remote[0] if socket.remote is not None else ""


def _name(trap: Trap, address: Value, *, empty: bool = False) -> str:
    """A sockaddr_un as text. EINVAL for another family, an empty or a too long name."""
    if isinstance(address, bytes):
        address = address.decode("utf-8", "surrogateescape")
    if not isinstance(address, str) or (not address and not empty):
        trap.fail(Errno.EINVAL, N_("This is no name for a UNIX socket."), "unix(7)")
    size = len(address.encode("utf-8", "surrogateescape"))
    if size + (address[:1] != "\0") > PATH_SIZE:
        trap.fail(Errno.EINVAL, N_("The name is longer than sun_path."), "unix(7)")
    if address[:1] != "\0":
        return address.split("\0", 1)[0]
    if not trap.family.traits.has_abstract_sockets:
        trap.fail(Errno.ENOENT, N_("This kernel has no abstract names."), "unix(4)")
    return address


def _by_name(trap: Trap, socket: Socket, name: str) -> Socket | None:
    """The socket with an abstract name in the caller's network, of the same type."""
    for other in trap.store.rows_by(BY_NAME, (socket.ns, name)):
        same = other.context == socket.context or not trap.family.traits.names_belong_to_context
        if other.type == socket.type and other.node is None and same:
            return other
    return None


def _unused(trap: Trap, socket: Socket) -> str:
    """Autobind: an abstract name of five hexadecimal digits (unix_autobind())."""
    while True:
        name = f"\0{trap.store.new_id(('autobind', socket.ns)):05x}"
        if _by_name(trap, socket, name) is None:
            return name


def _must_be_unnamed(trap: Trap, socket: Socket) -> None:
    if socket.name:
        trap.fail(Errno.EINVAL, N_("The socket already has a name."), "bind(2)")


def _may_send(trap: Trap, socket: Socket, other: Socket) -> None:
    """unix_may_send(): a socket that is connected elsewhere takes nothing from here."""
    if other.peer not in (None, socket.id):
        trap.fail(Errno.EPERM, N_("The socket there is connected to another."), "unix(7)")


def _refuse(trap: Trap) -> NoReturn:
    trap.fail(Errno.ECONNREFUSED, N_("Nobody listens there."), "unix(7)")


def _refuse_name(trap: Trap, socket: Socket, name: str) -> NoReturn:
    """ECONNREFUSED; a name that another network has is the namespace's doing."""
    apart = trap.family.traits.names_belong_to_context
    for other in trap.store.all(Socket):
        elsewhere = other.ns != socket.ns or (apart and other.context != socket.context)
        if other.name == name and elsewhere:
            trap.deny(
                Errno.ECONNREFUSED,
                trap.family.traits.network_wall,
                N_("The abstract name belongs to another network."),
                "network_namespaces(7), unix(7)",
            )
    _refuse(trap)


def _touch(trap: Trap, other: Socket, operation: str, name: str, granted: bool) -> None:
    trap.touch("socket", other.domain, operation, name.replace("\0", "@"), granted)
