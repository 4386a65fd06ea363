"""pipefs, sockfs, pidfs and anon_inodefs: inodes that no path leads to.

A pipe's and a socket's have an owner, whoever made it, and permission bits, which fchmod(2) changes
and hardly anything asks for: a descriptor is the right to use it. /proc/PID/fd/N leads to a pipe's;
opening that is opening the pipe again. Processes and what else there is a descriptor of (an event
counter, a timer) have one that nobody changes. Source: fs/pipe.c get_pipe_inode(), net/socket.c
sock_alloc(), fs/anon_inodes.c, fs/pidfs.c.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, InodeId, KGid, KUid, VirtualId
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.fs.flat import Flat
from simulator.machine.kernel.fs.registry import FileOperations, Mutations, register_virtual
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs.fd import ANONYMOUS, File, FileOps, operations_of, register
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.pipe import Pipe
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


class Secure(Row, frozen=True, kw_only=True):
    """An anonymous inode of its own, whose maker security modules hear of (userfaultfd(2))."""

    mode: int = 0o600
    uid: KUid
    gid: KGid


_UFFDIO_API = 0xC018AA3F
SOCKET_NAME = "system.sockprotoname"
_ROWS: dict[str, type[Pipe] | type[Socket] | type[Secure]] = {
    "pipe": Pipe, "socket": Socket, "userfaultfd": Secure
}  # fmt: skip
_NOBODYS = (ANONYMOUS, "pidfd")
_KEPT = ("mode", "uid", "gid")
"""What the row holds; times are nobody's."""


def place(inode: VirtualId) -> At:
    """Where such an inode (``fd.unnamed``) is found."""
    return At(nsfs.MOUNT, inode)


def is_private(inode: InodeId) -> bool:
    """S_PRIVATE: no security module is asked about it."""
    return isinstance(inode, tuple) and inode[0] in _NOBODYS


def name(inode: InodeId) -> str:
    """``pipe:[7]``."""
    assert isinstance(inode, tuple)
    return f"{inode[0]}:[{inode[1]}]"


def _row(trap: "Trap", inode: VirtualId) -> Pipe | Socket | Secure:
    return trap.store.row(_ROWS[str(inode[0])], inode[1])


def _set_attributes(trap: "Trap", inode: VirtualId, changes: Mapping[str, Any]) -> None:
    kept = {name: changes[name] for name in _KEPT if name in changes}
    trap.store.put(msgspec.structs.replace(_row(trap, inode), **kept))


def _protocol(socket: Socket) -> bytes:
    """sockfs_xattr_get(): the name of the socket's ``struct proto``, with its NUL."""
    stream = "UNIX-STREAM" if socket.type == SOCK_STREAM else "UNIX"
    names = {AF_UNIX: stream, AF_NETLINK: "NETLINK", AF_PACKET: "PACKET"}
    by_type = {SOCK_STREAM: "TCP", SOCK_DGRAM: "UDP", SOCK_RAW: "RAW"}.get(socket.type, "")
    internet = f"{by_type}v6" if socket.family == AF_INET6 else by_type
    return names.get(socket.family, internet).encode() + b"\0"


def _release_faults(store: Store, file: File) -> None:
    store.drop(Secure, file.object)


def _control_faults(trap: "Trap", file: File, request: int, argument: Value) -> int:
    """userfaultfd_ioctl(): before UFFDIO_API nothing else is known, not even that it is unknown."""
    del file, argument
    if request == _UFFDIO_API:
        raise NotModelled("page faults that another process handles")
    trap.fail(Errno.EINVAL, N_("UFFDIO_API has not been asked for."), "ioctl_userfaultfd(2)")


register("userfaultfd", FileOps(release=_release_faults, ioctl=_control_faults))


class _Unnamed(Flat):
    """A filesystem whose files have no names."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        row = _row(trap, inode)
        return Inode(
            id=inode,
            sb=nsfs.SUPERBLOCK,
            mode=row.mode,
            uid=row.uid,
            gid=row.gid,
            xattrs={SOCKET_NAME: _protocol(row)} if isinstance(row, Socket) else None,
            domain=KERNEL,
        )

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        del trap
        raise AssertionError(inode)

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del trap, data
        raise AssertionError(inode)


class _Anonymous(_Unnamed):
    """Root's, with a mode by kind."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        del trap
        kind = str(inode[1]) if inode[0] == ANONYMOUS else str(inode[0])
        mode = operations_of(kind).mode
        return Inode(id=inode, sb=nsfs.SUPERBLOCK, mode=mode, domain=KERNEL)


_NO_FILE = FileOperations(seeks=False, synced=frozenset())

for tag in ("pipe", "socket"):
    register_virtual(
        tag, _Unnamed(), Mutations(set_attributes=_set_attributes), operations=_NO_FILE
    )
register_virtual("userfaultfd", _Unnamed(), Mutations(settable=False), operations=_NO_FILE)
for tag in _NOBODYS:
    register_virtual(tag, _Anonymous(), Mutations(settable=False), operations=_NO_FILE)
