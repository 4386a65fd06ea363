"""Descriptors handed to another process over a UNIX socket: SCM_RIGHTS. unix(7), net/core/scm.c.

While a message waits, its descriptors are in a table that no task has, so that what they refer to
stays open though the sender closes them or ends.
"""

from typing import cast

import msgspec

from simulator.machine.abi.call import Failed, Result, Returned
from simulator.machine.abi.constants import (
    AF_NETLINK,
    AF_UNIX,
    MSG_CMSG_CLOEXEC,
    MSG_PEEK,
    SOCK_SEQPACKET,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import FilesId
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net import transfer
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.trap import Denied, NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.kernel.vfs.slots import Slots

MAX_FDS = 253
"""SCM_MAX_FD: descriptors in one message."""


def send(trap: Trap, file: File, data: bytes, handed: list[int], flags: int) -> Result | int:
    """sendmsg(2) to the peer with descriptors. EBADF and EINVAL come before what send(2) gives.

    UNIX sockets take them, netlink refuses them, the rest don't look (__sock_cmsg_send()).
    """
    socket = trap.store.row(Socket, file.object)
    if handed and socket.family == AF_NETLINK:
        trap.fail(Errno.EINVAL, N_("Only UNIX sockets carry descriptors."), "unix(7)")
    if socket.family != AF_UNIX:
        handed = []
    elif socket.type == SOCK_SEQPACKET and socket.state != "connected":
        # unix_seqpacket_sendmsg() asks for the peer before it looks at what is handed on
        trap.fail(Errno.ENOTCONN, N_("The socket is not connected."), "send(2)")
    if len(handed) > MAX_FDS:
        trap.fail(Errno.EINVAL, N_("A message takes 253 descriptors at most."), "unix(7)")
    slots = {number: fds.slot_of(trap, fd) for number, fd in enumerate(handed)}
    sent = transfer.send(trap, file, data, flags, None)
    if not slots or isinstance(sent, Failed):
        return sent
    socket = trap.store.row(Socket, file.object)
    peer = trap.store.get(Socket, socket.peer) if socket.peer is not None else None
    if peer is None or not data:
        return sent
    table = FilesId(trap.store.new_id(FdTable))
    trap.store.put(FdTable(id=table, slots=Slots(slots)))
    last = msgspec.structs.replace(peer.queue[-1], rights=table)
    sockets.write(trap, peer, queue=(*peer.queue[:-1], last))
    return sent


def receive(trap: Trap, file: File, size: int, flags: int) -> Result:
    """recvmsg(2): the bytes, the sender's address (msg_name), the descriptors that came along."""
    socket = trap.store.row(Socket, file.object)
    source = socket.queue[0].source if socket.queue else None
    if flags & MSG_PEEK and any(message.rights is not None for message in socket.queue):
        raise NotModelled("looking at a message with descriptors without taking it")
    came: list[FilesId] = []
    result = transfer.receive(trap, file, size, flags & ~MSG_CMSG_CLOEXEC, came)
    if not isinstance(result, Returned):
        return result
    taken = [fd for table in came for fd in _install(trap, table, bool(flags & MSG_CMSG_CLOEXEC))]
    content = cast("bytes", result.data or b"")
    return Returned(result.value, (content, source, *taken))


def _install(trap: Trap, table: FilesId, cloexec: bool) -> list[int]:
    """Give what waits in ``table`` to the caller; what finds no place is closed (MSG_CTRUNC)."""
    given: list[int] = []
    for slot in trap.store.row(FdTable, table).slots.values():
        try:
            given.append(fds.install(trap, trap.store.row(File, slot.file), cloexec=cloexec))
        except Denied:
            break
    fds.drop_table(trap.store, table)
    return given
