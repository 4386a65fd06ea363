"""Sockets as rows, and what is the same for all of them. socket(7), ``net/socket.c``."""

from collections.abc import Mapping

import msgspec

from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    O_NONBLOCK,
    O_RDWR,
    S_IFSOCK,
    SOCK_DGRAM,
    SOCK_SEQPACKET,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import (
    HOST,
    ContextId,
    Domain,
    FilesId,
    InodeId,
    KGid,
    KUid,
    NsId,
    Pid,
)
from simulator.machine.kernel.context import ROOT_CONTEXT, Context, has
from simulator.machine.kernel.namespace import NetNs
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.fd import File
from simulator.machine.state.store import Index, Row, Store

SNDBUF = 212_992
"""Bytes that wait in a socket before its sender does (/proc/sys/net/core/wmem_default)."""

TCP, UDP = "tcp", "udp"

Where = tuple[str, int]


class Ucred(msgspec.Struct, frozen=True):
    """SO_PEERCRED: who made or connected the other end, in the kernel's own ids."""

    pid: Pid
    uid: KUid
    gid: KGid


class Message(msgspec.Struct, frozen=True):
    """What waits to be received: a datagram, or one write to a stream."""

    data: bytes
    source: "str | Where | None" = None
    domain: Domain = HOST
    rights: FilesId | None = None
    """Descriptors that travel with it (SCM_RIGHTS), in a table that no task has."""


class Socket(Row, frozen=True, kw_only=True):
    """One endpoint. ``state`` is ``closed``, ``listening`` or ``connected``.

    ``local`` and ``remote`` are (address, port) of internet sockets, None when unset; ``name`` is a
    UNIX socket's name and ``node`` the inode of its path. ``peer`` is the other end within this
    machine; ``pending`` what waits for accept(2), ``queue`` what waits for recv(2). ``connecting``
    lasts until a second connect(2) has told how the first one ended; ``bound`` says that bind(2)
    chose ``local``, which a socket then keeps.
    """

    ns: NsId
    family: int
    type: int
    protocol: int = 0
    maker: Ucred
    context: ContextId = ROOT_CONTEXT
    state: str = "closed"
    local: Where | None = None
    remote: Where | None = None
    name: str = ""
    node: InodeId | None = None
    peer: int | None = None
    peer_cred: Ucred | None = None
    backlog: int = 0
    pending: tuple[int, ...] = ()
    queue: tuple[Message, ...] = ()
    options: Mapping[tuple[int, int], "int | str"]
    device: int | None = None
    groups: int = 0
    read_closed: bool = False
    write_closed: bool = False
    peer_closed: bool = False
    error: Errno | None = None
    connecting: bool = False
    bound: bool = False
    mode: int = S_IFSOCK | 0o777
    uid: KUid = KUid(0)
    gid: KGid = KGid(0)
    domain: Domain = HOST


def transport(socket: Socket) -> str:
    """``tcp`` or ``udp`` for sockets that have ports, else empty."""
    if socket.family in (AF_INET, AF_INET6):
        return {SOCK_STREAM: TCP, SOCK_DGRAM: UDP}.get(socket.type, "")
    return ""


def _ports(socket: Socket) -> tuple[tuple[NsId, str, int], ...]:
    if socket.local is None or not socket.local[1]:
        return ()
    return ((socket.ns, transport(socket), socket.local[1]),)


BY_PORT = Index(Socket, _ports, "ns", "family", "type", "local")
"""Internet sockets by (namespace, transport, port)."""
BY_NAME = Index(
    Socket, lambda socket: ((socket.ns, socket.name),) if socket.name else (), "ns", "name"
)
"""UNIX sockets by (namespace, name)."""
BY_NODE = Index(Socket, lambda socket: (socket.node,) if socket.node is not None else (), "node")
"""UNIX sockets by the inode that their path made."""
IN_NS = Index(Socket, lambda socket: (socket.ns,), "ns")


def of(trap: Trap, fd: int) -> Socket:
    """The socket behind a descriptor. EBADF, ENOTSOCK."""
    return trap.store.row(Socket, file_of(trap, fd).object)


def file_of(trap: Trap, fd: int) -> File:
    """The open description of a socket. EBADF, ENOTSOCK."""
    file = fds.get(trap, fd)
    if file.kind != "socket":
        trap.fail(Errno.ENOTSOCK, N_("The descriptor is not a socket."), "socket(2)")
    return file


def create(trap: Trap, family: int, kind: int, protocol: int) -> Socket:
    """A new endpoint of the caller's, in its network namespace."""
    cred = trap.task.cred
    socket = Socket(
        id=trap.store.new_id(Socket),
        ns=trap.task.ns.net,
        family=family,
        type=kind,
        protocol=protocol,
        maker=Ucred(trap.task.id, cred.euid, cred.egid),
        context=realm(trap),
        options={},
        uid=cred.fsuid,
        gid=cred.fsgid,
        domain=trap.task.domain,
    )
    trap.store.put(socket)
    return socket


def realm(trap: Trap) -> ContextId:
    """The context whose ports and loopback the caller uses; the host's if that rule is lifted."""
    row = trap.store.row(Context, tag(trap))
    return ContextId(row.id) if has(row, trap.family.traits.network_wall) else ROOT_CONTEXT


def tag(trap: Trap) -> ContextId:
    """The context that the caller's network belongs to."""
    apart = trap.family.traits.network_context_apart
    return trap.task.net_context if apart else trap.task.context


def open_fd(trap: Trap, socket: Socket, *, nonblock: bool = False, cloexec: bool = False) -> int:
    """A descriptor for ``socket``. EMFILE."""
    file = File(
        id=fds.new_file_id(trap),
        kind="socket",
        flags=O_RDWR | (O_NONBLOCK if nonblock else 0),
        object=socket.id,
        label=f"socket:[{inode_number(socket)}]",
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=cloexec)


def inode_number(socket: Socket) -> int:
    """The number in sockfs, as fstat(2) and /proc/net show it."""
    return 0x4000 + socket.id


def write(trap: Trap, socket: Socket, **changes: object) -> Socket:
    """Write ``socket`` with ``changes``."""
    changed = msgspec.structs.replace(socket, **changes)
    trap.store.put(changed)
    return changed


def owner(trap: Trap, socket: Socket) -> NsId:
    """The user namespace that rights over the socket's network are looked for in."""
    return trap.store.row(NetNs, socket.ns).owner


def is_stream(socket: Socket) -> bool:
    """Whether it is of a connected kind: stream or sequenced packets."""
    return socket.type in (SOCK_STREAM, SOCK_SEQPACKET)


def queued(socket: Socket) -> int:
    """Bytes that wait to be received."""
    return sum(len(message.data) for message in socket.queue)


def release(store: Store, file: File) -> None:
    """The last descriptor is closed: tell the peer, refuse who waits, free the name."""
    socket = store.get(Socket, file.object)
    if socket is not None:
        destroy(store, socket)


def destroy(store: Store, socket: Socket) -> None:
    """Take an endpoint away. Data that nobody read makes the peer's next call ECONNRESET."""
    store.drop(Socket, socket.id)
    for message in socket.queue:
        if message.rights is not None:
            fds.drop_table(store, message.rights)
    for waiting in socket.pending:
        if (child := store.get(Socket, waiting)) is not None:
            destroy(store, child)
    peer = store.get(Socket, socket.peer) if socket.peer is not None else None
    if peer is None or peer.peer != socket.id:
        return
    if socket.family == AF_UNIX and socket.type == SOCK_DGRAM:
        store.put(msgspec.structs.replace(peer, peer_closed=True))
        return
    unread = bool(socket.queue) or socket.state == "embryo"
    reset = Errno.ECONNRESET if unread else peer.error
    store.put(msgspec.structs.replace(peer, peer_closed=True, error=reset))
