"""Files that no directory holds: eventfd(2), memfd_create(2), memfd_secret(2), epoll(7)."""

from typing import TYPE_CHECKING, NoReturn

import msgspec

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    EFD_CLOEXEC,
    EFD_NONBLOCK,
    EFD_SEMAPHORE,
    F_SEAL_EXEC,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    MFD_ALLOW_SEALING,
    MFD_CLOEXEC,
    O_CLOEXEC,
    O_LARGEFILE,
    O_NONBLOCK,
    O_RDWR,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import (
    HOST,
    Domain,
    MountId,
)
from simulator.machine.kernel.resource import mapping as mappings
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Sleep
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import internal, tree
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Key, Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_MAX = (1 << 64) - 2
_EPOLL_PARAMETERS = (0x40088A01, 0x80088A02)
_FIRST_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE


class EventCounter(Row, frozen=True, kw_only=True):
    """eventfd(2): a counter that reading takes and writing adds to."""

    count: int = 0
    semaphore: bool = False
    domain: Domain = HOST


def descriptor(
    trap: "Trap", kind: str, flags: int = O_RDWR, *, cloexec: bool = True, object: Key | None = None
) -> int:
    """A new description of ``kind`` that no path leads to (anon_inode_getfd()). ENFILE, EMFILE."""
    file = fds.File(
        id=fds.new_file_id(trap), kind=kind, flags=flags, object=object, domain=trap.task.domain
    )
    return fds.install(trap, file, cloexec=cloexec)


def eventfd(trap: "Trap", initial: int, flags: int) -> int:
    """A descriptor of a new counter."""
    row = EventCounter(
        id=trap.store.new_id(EventCounter),
        count=initial,
        semaphore=bool(flags & EFD_SEMAPHORE),
        domain=trap.task.domain,
    )
    trap.store.put(row)
    file = fds.File(
        id=fds.new_file_id(trap),
        kind="eventfd",
        flags=O_RDWR | flags & EFD_NONBLOCK,
        object=row.id,
        label="anon_inode:[eventfd]",
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=bool(flags & EFD_CLOEXEC))


def _read(trap: "Trap", file: fds.File, count: int) -> bytes:
    row = trap.store.row(EventCounter, file.object)
    if count < 8:
        _too_short(trap)
    if row.count == 0:
        if file.flags & O_NONBLOCK:
            _again(trap)
        raise Sleep("eventfd: a count", {(EventCounter, row.id)})
    taken = 1 if row.semaphore else row.count
    trap.store.put(msgspec.structs.replace(row, count=row.count - taken))
    return taken.to_bytes(8, "little")


def _write(trap: "Trap", file: fds.File, data: bytes) -> int:
    row = trap.store.row(EventCounter, file.object)
    # Longer than a count is refused since Linux 6.9; before, the rest was not looked at
    if len(data) < 8 or (len(data) > 8 and trap.family.release >= (6, 9)):
        _too_short(trap)
    added = int.from_bytes(data[:8], "little")
    if added > _MAX:
        trap.fail(Errno.EINVAL, N_("The counter can't hold that."), "eventfd(2)")
    if row.count + added > _MAX:
        if file.flags & O_NONBLOCK:
            _again(trap)
        raise Sleep("eventfd: room", {(EventCounter, row.id)})
    trap.store.put(msgspec.structs.replace(row, count=row.count + added))
    return 8


def _release(store: Store, file: fds.File) -> None:
    store.drop(EventCounter, file.object)


fds.register("eventfd", fds.FileOps(_read, _write, _release))


def memfd(trap: "Trap", name: str, flags: int) -> int:
    """A descriptor of an empty file in the kernel's own tmpfs."""
    mount, inode = _unnamed(trap, "tmpfs", 0o777)
    sealed = 0 if flags & MFD_ALLOW_SEALING else F_SEAL_SEAL
    trap.store.put(msgspec.structs.replace(inode, seals=sealed))
    file = fds.File(
        id=fds.new_file_id(trap),
        at=At(mount, inode.id),
        flags=O_RDWR | O_LARGEFILE,
        label=f"/memfd:{name} (deleted)",
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=bool(flags & MFD_CLOEXEC))


def secret(trap: "Trap", flags: int) -> int:
    """memfd_secret(2): a descriptor of memory that only a mapping shows, and not to root either."""
    mount, inode = _unnamed(trap, "secretmem", 0o600)
    trap.store.put(msgspec.structs.replace(inode, nlink=1))
    file = fds.File(
        id=fds.new_file_id(trap),
        kind="secretmem",
        at=At(mount, inode.id),
        flags=O_RDWR | O_LARGEFILE,
        label="/secretmem (deleted)",
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=bool(flags & O_CLOEXEC))


def _release_secret(store: Store, file: fds.File) -> None:
    if file.at is not None:
        store.drop(Inode, file.at.inode)


fds.register(
    "secretmem",
    fds.FileOps(release=_release_secret, syncs=False, allocate=Errno.EOPNOTSUPP),
)


def _unnamed(trap: "Trap", fstype: str, mode: int) -> tuple[MountId, Inode]:
    """An empty file of the caller's in one of the kernel's own filesystems, with its mount."""
    mount = internal.own_mount(trap.store, fstype)
    inode = tree.unnamed(
        trap.store,
        trap.store.row(Mount, mount).sb,
        S_IFREG | mode,
        uid=trap.task.cred.fsuid,
        gid=trap.task.cred.fsgid,
        domain=trap.task.domain,
    )
    return mount, inode


def seals(trap: "Trap", file: fds.File, added: int | None) -> int:
    """F_GET_SEALS, or F_ADD_SEALS with ``added``. EBUSY EINVAL EPERM.

    Only files of memfd_create(2) are sealed; any other of tmpfs has the seals themselves sealed.
    """
    if added is not None and not fds.writable(file):
        trap.fail(Errno.EPERM, N_("The file is not open for writing."), "fcntl(2)")
    if added is not None and added & ~_known_seals(trap):
        trap.fail(Errno.EINVAL, N_("There is no such seal."), "fcntl(2)")
    inode = None
    if file.at is not None and isinstance(file.at.inode, int):
        inode = trap.store.row(Inode, file.at.inode)
    if inode is None or not _in_shmem(trap, inode):
        trap.fail(Errno.EINVAL, N_("The file can't be sealed."), "fcntl(2)")
    own = file.at is not None and file.at.mount == internal.own_mount(trap.store, "tmpfs")
    current = inode.seals if own else F_SEAL_SEAL
    if added is None:
        return current
    if current & F_SEAL_SEAL:
        trap.deny(Errno.EPERM, "seal", N_("The seals themselves are sealed."), "fcntl(2)")
    if added & F_SEAL_WRITE & ~current and _is_written_by_mapping(trap, inode):
        trap.fail(Errno.EBUSY, N_("A mapping may still write to the file."), "fcntl(2)")
    if added & F_SEAL_EXEC and inode.mode & 0o111:  # nothing is both written and run
        added |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE
    trap.store.put(msgspec.structs.replace(inode, seals=current | added))
    return 0


def _known_seals(trap: "Trap") -> int:
    known = _FIRST_SEALS
    known |= F_SEAL_FUTURE_WRITE if trap.family.release >= (5, 1) else 0
    return known | (F_SEAL_EXEC if trap.family.release >= (6, 3) else 0)


def _in_shmem(trap: "Trap", inode: Inode) -> bool:
    kept = trap.store.row(Superblock, inode.sb).fstype in ("tmpfs", "devtmpfs")
    return kept and inode.mode & S_IFMT == S_IFREG


def _is_written_by_mapping(trap: "Trap", inode: Inode) -> bool:
    """mapping_deny_writable(): a shared mapping that is writable, or may be made so."""
    return any(
        row.shared and row.may_write
        for file in trap.store.by(fds.OPEN_FILES, inode.id)
        for row in mappings.of_file(trap.store, file)  # pyright: ignore[reportArgumentType]
    )


def _control_events(trap: "Trap", file: fds.File, request: int, argument: Value) -> int:
    """ep_eventpoll_ioctl(): since Linux 6.9 there are two requests, and others are mistaken."""
    del file, argument
    if trap.family.release < (6, 9):
        trap.fail(Errno.ENOTTY, N_("This kind of descriptor has no such request."), "ioctl(2)")
    if request in _EPOLL_PARAMETERS:
        raise NotModelled("busy polling of an epoll instance")
    trap.fail(
        Errno.EINVAL, N_("This kind of descriptor has no such request."), "ioctl_eventpoll(2)"
    )


fds.register("epoll", fds.FileOps(ioctl=_control_events))


def _too_short(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EINVAL, N_("A count is 8 bytes."), "eventfd(2)")


def _again(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EAGAIN, N_("It would have to wait, and O_NONBLOCK is set."), "eventfd(2)")
