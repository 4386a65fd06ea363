"""Data over connected sockets: send(2), recv(2), shutdown(2), accept(2), and the last close."""

import msgspec

from simulator.machine.abi.call import Denial, Failed, Result, Returned
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    AF_XDP,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    O_NONBLOCK,
    SHUT_RD,
    SHUT_RDWR,
    SHUT_WR,
    SIGPIPE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import FilesId
from simulator.machine.kernel import signal
from simulator.machine.kernel.net import control, datagram, link, traffic, unix
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.socket import Message, Socket
from simulator.machine.kernel.trap import NotModelled, Sleep, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.fd import File, FileOps


def accept(trap: Trap, fd: int, flags: int = 0) -> int:
    """A descriptor for the first connection that waits. EMFILE, EINVAL, EOPNOTSUPP, EAGAIN."""
    file = sockets.file_of(trap, fd)
    fds.lowest_free(trap)
    socket = trap.store.row(Socket, file.object)
    if not sockets.is_stream(socket) or socket.family == AF_NETLINK:
        trap.fail(Errno.EOPNOTSUPP, N_("Sockets of this type have no connections."), "accept(2)")
    if socket.state != "listening":
        trap.fail(Errno.EINVAL, N_("The socket does not listen."), "accept(2)")
    if not socket.pending:
        if file.flags & O_NONBLOCK:
            trap.fail(Errno.EAGAIN, N_("No connection waits."), "accept(2)")
        raise Sleep("accept", {(Socket, socket.id)})
    child = trap.store.row(Socket, socket.pending[0])
    sockets.write(trap, socket, pending=socket.pending[1:])
    cred = trap.task.cred
    child = sockets.write(
        trap, child, state="connected", uid=cred.fsuid, gid=cred.fsgid, domain=trap.task.domain
    )
    return sockets.open_fd(
        trap, child, nonblock=bool(flags & 0o4000), cloexec=bool(flags >> 19 & 1)
    )


def send(trap: Trap, file: File, data: bytes, flags: int, address: object) -> Result | int:
    """send(2) and write(2) on a socket."""
    socket = trap.store.row(Socket, file.object)
    nonblock = bool(file.flags & O_NONBLOCK or flags & MSG_DONTWAIT)
    if socket.type == SOCK_SEQPACKET:
        flags |= MSG_NOSIGNAL  # unix_seqpacket_sendmsg() sends as for datagrams: no SIGPIPE
    if socket.family not in (AF_UNIX, AF_INET, AF_INET6):
        return link.send(trap, socket, data, address)
    if flags & MSG_OOB:
        _send_urgent(trap, socket)
    if socket.family == AF_UNIX and sockets.is_stream(socket):
        _must_have_peer(trap, socket, address)
    waits = socket.error is not None and socket.connecting
    if socket.write_closed and socket.type != SOCK_DGRAM and not waits:
        return broken_pipe(trap, flags)
    if socket.type in (SOCK_DGRAM, SOCK_RAW):
        if socket.family == AF_UNIX:
            return unix.send_datagram(trap, socket, data, address, nonblock=nonblock)  # pyright: ignore[reportArgumentType]
        return datagram.send(trap, socket, data, address)  # pyright: ignore[reportArgumentType]
    return _stream(trap, socket, data, flags, nonblock)


def _send_urgent(trap: Trap, socket: Socket) -> None:
    if socket.type != SOCK_STREAM:
        trap.fail(Errno.EOPNOTSUPP, N_("Only streams have urgent data."), "send(2)")
    raise NotModelled("urgent data")


def _must_have_peer(trap: Trap, socket: Socket, address: object) -> None:
    """unix_stream_sendmsg(): no address here; unix_seqpacket_sendmsg() forgets one."""
    connected = socket.state == "connected"
    if address is not None and socket.type == SOCK_STREAM:
        errno = Errno.EISCONN if connected else Errno.EOPNOTSUPP
        trap.fail(errno, N_("A connected socket sends to its peer alone."), "send(2)")
    if not connected:
        trap.fail(Errno.ENOTCONN, N_("The socket is not connected."), "send(2)")


def _stream(trap: Trap, socket: Socket, data: bytes, flags: int, nonblock: bool) -> Result | int:
    if socket.state != "connected":
        if socket.error is not None and socket.error is not Errno.EPIPE:
            sockets.write(trap, socket, error=None)
            return Failed(Denial(socket.error, "none", _REFUSED, "send(2)"))
        return broken_pipe(trap, flags)
    peer = trap.store.get(Socket, socket.peer)
    if peer is None or (peer.read_closed and socket.family == AF_UNIX):
        return _to_nobody(trap, socket, data, flags)
    if not data and socket.type == SOCK_STREAM:
        return 0
    room = sockets.SNDBUF - sockets.queued(peer)
    if room <= 0 or (socket.type == SOCK_SEQPACKET and len(data) > room):
        if socket.type == SOCK_SEQPACKET and len(data) > sockets.SNDBUF - 32:
            trap.fail(Errno.EMSGSIZE, "", "send(2)")
        if nonblock:
            trap.fail(Errno.EAGAIN, N_("The receiver's buffer is full."), "send(2)")
        raise Sleep("send", {(Socket, peer.id)})
    sent = data if not nonblock else data[:room]
    message = Message(sent, None, trap.task.domain)
    sockets.write(trap, peer, queue=(*peer.queue, message))
    if socket.family != AF_UNIX:
        here, there = ((one.ns, one.local[0] if one.local else "") for one in (socket, peer))
        traffic.count(trap.store, here, there, len(sent), traffic.TCP_HEADERS)
    return len(sent)


def _to_nobody(trap: Trap, socket: Socket, data: bytes, flags: int) -> Result | int:
    """The other end is closed. TCP learns it from the answer to its first segment."""
    if socket.family == AF_UNIX or socket.error is not None:
        if socket.error is Errno.ECONNRESET:
            sockets.write(trap, socket, error=None if socket.family == AF_UNIX else Errno.EPIPE)
            return Failed(Denial(Errno.ECONNRESET, "none", _RESET, "send(2)"))
        return broken_pipe(trap, flags)
    sockets.write(trap, socket, error=Errno.EPIPE, state="closed", read_closed=True)
    return len(data)


_REFUSED = N_("The connection that was being made has failed.")
_RESET = N_("The other end was closed with data unread.")


def broken_pipe(trap: Trap, flags: int) -> Result:
    """EPIPE, with SIGPIPE unless MSG_NOSIGNAL; what the signal does stays done."""
    if not flags & MSG_NOSIGNAL and signal.raise_own(trap, SIGPIPE):
        return Returned(-1)
    return Failed(Denial(Errno.EPIPE, "none", N_("The other end takes no more."), "send(2)"))


def receive(
    trap: Trap, file: File, size: int, flags: int = 0, rights: list[FilesId] | None = None
) -> Result:
    """recv(2) and read(2) on a socket: the bytes as ``data``.

    Descriptors that came along go to ``rights``; for who has no place for them they are closed.
    """
    socket = trap.store.row(Socket, file.object)
    nonblock = bool(file.flags & O_NONBLOCK or flags & MSG_DONTWAIT)
    if flags & MSG_OOB:
        _no_urgent_data(trap, socket)
    if socket.error is not None and socket.connecting:
        sockets.write(trap, socket, error=None)
        return Failed(Denial(socket.error, "none", _REFUSED, "recv(2)"))
    _must_be_connected(trap, socket)
    if socket.queue:
        came: list[FilesId] = []
        result = _take(trap, socket, size, flags, nonblock, came)
        if flags & MSG_PEEK:
            return result
        if rights is not None:
            rights.extend(came)
        else:
            for table in came:
                fds.drop_table(trap.store, table)
        return result
    if socket.error is not None:
        sockets.write(trap, socket, error=None)
        if socket.error is not Errno.EPIPE:
            return Failed(Denial(socket.error, "none", _RESET, "recv(2)"))
        return Returned(0, b"")
    silent = nonblock and socket.type in (SOCK_DGRAM, SOCK_RAW)
    if (socket.read_closed and not silent) or (socket.peer_closed and sockets.is_stream(socket)):
        return Returned(0, b"")
    if size == 0 and socket.type == SOCK_STREAM and not nonblock:
        return Returned(0, b"")
    if nonblock:
        trap.fail(Errno.EAGAIN, N_("Nothing waits to be received."), "recv(2)")
    raise Sleep("recv", {(Socket, socket.id)})


def _no_urgent_data(trap: Trap, socket: Socket) -> None:
    """The model keeps no byte apart as urgent, so there is never one to receive."""
    if socket.type == SOCK_STREAM:
        trap.fail(Errno.EINVAL, N_("No urgent byte waits."), "recv(2)")
    if socket.family == AF_UNIX:
        trap.fail(Errno.EOPNOTSUPP, N_("Only streams have urgent data."), "recv(2)")


def _must_be_connected(trap: Trap, socket: Socket) -> None:
    if not sockets.is_stream(socket) or socket.state == "connected":
        return
    if socket.family != AF_UNIX and socket.read_closed and socket.state == "closed":
        return
    if socket.family == AF_UNIX and socket.type == SOCK_STREAM:
        trap.fail(Errno.EINVAL, N_("The socket is not connected."), "recv(2)")
    trap.fail(Errno.ENOTCONN, N_("The socket is not connected."), "recv(2)")


def _take(
    trap: Trap, socket: Socket, size: int, flags: int, nonblock: bool, rights: list[FilesId]
) -> Result:
    """Bytes from the queue: one message of a datagram socket, as many as fit of a stream.

    A stream is read no further than a message with descriptors (unix_stream_read_generic()).
    """
    first = socket.queue[0]
    if socket.type != SOCK_STREAM:
        data = first.data[:size]
        if not flags & MSG_PEEK:
            sockets.write(trap, socket, queue=socket.queue[1:])
            rights += [first.rights] if first.rights is not None else []
        return Returned(len(first.data) if flags & MSG_TRUNC else len(data), data)
    taken: list[bytes] = []
    rest: list[Message] = []
    room = size
    for message in socket.queue:
        piece = message.data[:room]
        room -= len(piece)
        left = message.rights
        if piece:
            taken.append(piece)
        if piece and left is not None:
            rights.append(left)
            left, room = None, 0
        if len(piece) < len(message.data):
            rest.append(
                msgspec.structs.replace(message, data=message.data[len(piece) :], rights=left)
            )
    if flags & MSG_WAITALL and room and not rights and not socket.peer_closed and not nonblock:
        raise Sleep("recv", {(Socket, socket.id)})
    if not flags & MSG_PEEK:
        sockets.write(trap, socket, queue=tuple(rest))
    data = b"".join(taken)
    if not size:
        return Returned(0)
    if flags & MSG_TRUNC and socket.family != AF_UNIX:
        return Returned(len(data), bytes(len(data)))  # tcp(7): thrown away, not copied
    return Returned(len(data), data)


def shutdown(trap: Trap, socket: Socket, how: int) -> Result | int:
    """Close one direction, or both. EINVAL, ENOTCONN."""
    if socket.family in (AF_NETLINK, AF_PACKET, AF_XDP):
        trap.fail(Errno.EOPNOTSUPP, N_("Sockets of this family have no directions."), "shutdown(2)")
    if how not in (SHUT_RD, SHUT_WR, SHUT_RDWR):
        trap.fail(Errno.EINVAL, "", "shutdown(2)")
    if socket.state == "listening" and socket.family != AF_UNIX:
        if how != SHUT_WR:
            local = socket.local if socket.bound else None
            sockets.write(trap, socket, state="closed", local=local)
        return 0
    reading, writing = how != SHUT_WR, how != SHUT_RD
    sockets.write(
        trap,
        socket,
        read_closed=socket.read_closed or reading,
        write_closed=socket.write_closed or writing,
    )
    if socket.family != AF_UNIX and socket.state != "connected":
        # inet_shutdown() closes the direction and then says that nobody is there
        return Failed(
            Denial(Errno.ENOTCONN, "none", N_("The socket is not connected."), "shutdown(2)")
        )
    peer = trap.store.get(Socket, socket.peer)
    if peer is not None and sockets.is_stream(socket):
        unix_read = reading and socket.family == AF_UNIX
        sockets.write(
            trap,
            peer,
            peer_closed=peer.peer_closed or writing,
            write_closed=peer.write_closed or unix_read,
        )
    return 0


def _read(trap: Trap, file: File, size: int) -> bytes:
    if not size:
        return b""  # sock_read_iter(): "Match SYS5 behaviour"
    reply = receive(trap, file, size)
    if isinstance(reply, Failed):
        trap.fail(reply.errno, reply.denial.why, reply.denial.cite)
    assert isinstance(reply, Returned)
    return reply.data if isinstance(reply.data, bytes) else b""


def _write(trap: Trap, file: File, data: bytes) -> int:
    reply = send(trap, file, data, 0, None)
    if isinstance(reply, Failed):
        trap.fail(reply.errno, reply.denial.why, reply.denial.cite)
    if isinstance(reply, Returned):
        return reply.value
    assert isinstance(reply, int)
    return reply


fds.register(
    "socket",
    FileOps(
        read=_read,
        write=_write,
        release=sockets.release,
        ioctl=control.ioctl,
    ),
)
