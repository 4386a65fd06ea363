"""Pipes and FIFOs: a buffer of 64 KiB between who reads and who writes. pipe(7), fifo(7).

A pipe's row counts its ends as the kernel does, so the last close of one side wakes the other.
An opener of a FIFO that must wait leaves no trace in the pipe (its call is rolled back while it
sleeps); the peer finds it as a sleeper on the pipe instead.
"""

from typing import TYPE_CHECKING, NoReturn

import msgspec

from simulator.machine.abi.call import Data, Result, Returned, Value
from simulator.machine.abi.constants import (
    FIONREAD,
    O_ACCMODE,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    S_IFIFO,
    SIGPIPE,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, InodeId, KGid, KUid
from simulator.machine.kernel import signal
from simulator.machine.kernel.task import WATCHED, Sleeper
from simulator.machine.kernel.trap import Sleep
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import Key, Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

PIPE_BUF = 4096
"""Writes of at most this many bytes are atomic."""
CAPACITY = 65536
PAGE = 4096
MAX_SIZE = 1 << 20
"""/proc/sys/fs/pipe-max-size: what F_SETPIPE_SZ gives without CAP_SYS_RESOURCE."""

FOR_ROOM = "pipe: room"
FOR_READER = "fifo: a reader"
FOR_WRITER = "fifo: a writer"


class Pipe(Row, frozen=True, kw_only=True):
    """A pipe; ``id`` is a number, or ``("fifo", inode)`` for a named one while it is open."""

    buffer: bytes = b""
    capacity: int = CAPACITY
    readers: int = 0
    writers: int = 0
    mode: int = S_IFIFO | 0o600
    uid: KUid = KUid(0)
    gid: KGid = KGid(0)
    domain: Domain = HOST


def make(trap: "Trap") -> Pipe:
    """A pipe with both its ends, for pipe2(2)."""
    cred = trap.task.cred
    pipe = Pipe(
        id=trap.store.new_id(Pipe),
        readers=1,
        writers=1,
        uid=cred.fsuid,
        gid=cred.fsgid,
        domain=trap.task.domain,
    )
    trap.store.put(pipe)
    return pipe


def open_fifo(trap: "Trap", file: fds.File, inode: Inode) -> fds.File:
    """fifo_open(): wait for the other side, unless told not to. ENXIO."""
    key = _key(inode.id)
    pipe = trap.store.get(Pipe, key) or Pipe(id=key, domain=inode.domain)
    access = file.flags & O_ACCMODE
    if access == O_RDONLY:
        if not pipe.writers and not file.flags & O_NONBLOCK and not _waits(trap, key, FOR_READER):
            raise Sleep(FOR_WRITER, {(Pipe, key)})
    elif access == O_WRONLY and not pipe.readers and not _waits(trap, key, FOR_WRITER):
        if file.flags & O_NONBLOCK:
            trap.fail(Errno.ENXIO, N_("Nobody has the FIFO open for reading."), "fifo(7)")
        raise Sleep(FOR_READER, {(Pipe, key)})
    pipe = msgspec.structs.replace(
        pipe,
        readers=pipe.readers + (access in (O_RDONLY, O_RDWR)),
        writers=pipe.writers + (access in (O_WRONLY, O_RDWR)),
    )
    trap.store.put(pipe)
    return msgspec.structs.replace(file, kind="pipe", object=key)


def _key(inode: InodeId) -> Key:
    """An anonymous pipe's own number (``fs/unnamed.py``), or what a named one goes by."""
    if isinstance(inode, tuple) and inode[0] == "pipe":
        return inode[1]
    return ("fifo", inode)


def resize(trap: "Trap", file: fds.File, size: int, privileged: bool) -> int:
    """F_SETPIPE_SZ: whole pages, a power of two. EPERM above the limit, EBUSY below the content."""
    pipe = _pipe(trap, file)
    if not 0 <= size <= 1 << 31:
        trap.fail(Errno.EINVAL, N_("That is no size for a pipe."), "fcntl(2)")
    capacity = PAGE
    while capacity < size:
        capacity *= 2
    if capacity > pipe.capacity and capacity > MAX_SIZE and not privileged:
        trap.deny(
            Errno.EPERM,
            "capability",
            N_("A pipe above /proc/sys/fs/pipe-max-size needs CAP_SYS_RESOURCE."),
            "fcntl(2)",
        )
    if capacity < len(pipe.buffer):
        trap.fail(Errno.EBUSY, N_("The pipe holds more than that."), "fcntl(2)")
    trap.store.put(msgspec.structs.replace(pipe, capacity=capacity))
    return capacity


def capacity(trap: "Trap", file: fds.File) -> int:
    """F_GETPIPE_SZ, in bytes."""
    return _pipe(trap, file).capacity


def read(trap: "Trap", file: fds.File, count: int) -> bytes:
    """Whatever is there, up to ``count``; nothing once no writer is left. EAGAIN."""
    pipe = _pipe(trap, file)
    if count == 0:
        return b""
    pipe = _with_begun_writes(trap, pipe)
    if not pipe.buffer:
        if not pipe.writers:
            return b""
        if file.flags & O_NONBLOCK:
            _again(trap)
        raise Sleep("pipe: data", {(Pipe, pipe.id)})
    trap.store.put(msgspec.structs.replace(pipe, buffer=pipe.buffer[count:]))
    if pipe.domain != trap.task.domain:
        trap.touch("file", pipe.domain, "read", f"pipe:{pipe.id}")
    return pipe.buffer[:count]


def write(trap: "Trap", file: fds.File, data: bytes) -> int:
    """All of ``data``, waiting for room; EPIPE and SIGPIPE once no reader is left."""
    pipe = _pipe(trap, file)
    if not pipe.readers:
        return _broken(trap)
    room = pipe.capacity - len(pipe.buffer)
    if not data:
        return 0
    if len(data) - trap.done > room:
        if file.flags & O_NONBLOCK:
            if len(data) <= PIPE_BUF or room == 0:
                _again(trap)
            data = data[:room]
        else:
            # A reader that came first looks again: it takes from who waits for room.
            again = msgspec.structs.replace(pipe)
            raise Sleep(FOR_ROOM, {(Pipe, pipe.id)}, leaving=again)
    trap.store.put(msgspec.structs.replace(pipe, buffer=pipe.buffer + data[trap.done :]))
    return len(data)


def release(store: Store, file: fds.File) -> None:
    """The last close of one end; the row goes with the last end."""
    pipe = store.row(Pipe, file.object)
    access = file.flags & O_ACCMODE
    pipe = msgspec.structs.replace(
        pipe,
        readers=pipe.readers - (access in (O_RDONLY, O_RDWR)),
        writers=pipe.writers - (access in (O_WRONLY, O_RDWR)),
    )
    if pipe.readers or pipe.writers:
        store.put(pipe)
    else:
        store.drop(Pipe, pipe.id)


def ioctl(trap: "Trap", file: fds.File, request: int, argument: Value) -> Result | int:
    """FIONREAD: how many bytes can be read at once. ENOTTY for anything else."""
    del argument
    if request != FIONREAD:
        trap.fail(Errno.ENOTTY, N_("A pipe has no such request."), "ioctl(2)")
    data: Data = len(_pipe(trap, file).buffer)
    return Returned(0, data)


def _pipe(trap: "Trap", file: fds.File) -> Pipe:
    return trap.store.row(Pipe, file.object)


def _waits(trap: "Trap", key: Key, for_what: str) -> bool:
    """Whether somebody sleeps in open(2) of the FIFO until the caller's side is there."""
    return any(
        trap.store.row(Sleeper, pid).on == for_what for pid in trap.store.by(WATCHED, (Pipe, key))
    )


def _with_begun_writes(trap: "Trap", pipe: Pipe) -> Pipe:
    """The pipe with what its sleeping writers have put in already.

    A write of more than PIPE_BUF fills the pipe before it waits. The sleeper's call is rolled back
    here, so its bytes are fetched from it when somebody reads, and it goes on after them.
    """
    for pid in trap.store.by(WATCHED, (Pipe, pipe.id)):
        sleeper = trap.store.row(Sleeper, pid)
        if sleeper.on != FOR_ROOM or sleeper.call.name != "write" or len(sleeper.call.args) < 2:
            continue
        _fd, data, *counts = sleeper.call.args
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if not isinstance(raw, bytes):
            continue
        count = counts[0] if counts and isinstance(counts[0], int) else len(raw)
        room = min(pipe.capacity - len(pipe.buffer), count - sleeper.done)
        if count <= PIPE_BUF or room <= 0:
            continue
        taken = raw[sleeper.done : min(sleeper.done + room, count)].ljust(room, b"\0")
        pipe = msgspec.structs.replace(pipe, buffer=pipe.buffer + taken)
        trap.store.put(msgspec.structs.replace(sleeper, done=sleeper.done + room))
    return pipe


def _again(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EAGAIN, N_("It would have to wait, and O_NONBLOCK is set."), "pipe(7)")


def _broken(trap: "Trap") -> int:
    """SIGPIPE, and EPIPE unless some of it was read already."""
    if not signal.raise_own(trap, SIGPIPE) and not trap.done:
        trap.fail(Errno.EPIPE, N_("Nobody reads from the pipe any more."), "pipe(7)")
    return trap.done


fds.register("pipe", fds.FileOps(read, write, release, ioctl, syncs=False, allocate=Errno.ESPIPE))
