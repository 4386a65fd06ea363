"""The filesystem types a kernel knows, and the seam to files that are computed.

A type whose files are stored as rows needs only ``make`` (tmpfs). One whose files are computed
registers a ``Virtual`` too, under the tag that begins its inodes' ids, and ``Mutations`` for what
may be changed in it. System calls never look at the difference: ``vfs/ops.py`` does.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import msgspec

from simulator.machine.abi.constants import S_IFDIR, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, InodeId, KGid, KUid, NsId, VirtualId

if TYPE_CHECKING:
    from simulator.machine.abi.call import Result, Value
    from simulator.machine.kernel.task import At
    from simulator.machine.kernel.trap import Trap
    from simulator.machine.kernel.vfs.fd import File
    from simulator.machine.kernel.vfs.inode import Inode, Superblock
    from simulator.machine.state.store import Row, Store


class Virtual(Protocol):
    """How a filesystem answers for inodes that it computes; ids begin with its tag."""

    def load(self, trap: "Trap", inode: VirtualId) -> "Inode":
        """The inode as it is now."""
        ...

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        """What ``name`` is in ``directory``; None when nothing."""
        ...

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        """The names in ``directory``."""
        ...

    def follow(self, trap: "Trap", inode: VirtualId) -> "At | str":
        """Where a symlink leads: a path to walk, or, for a magic link, the place itself."""
        ...

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        """The whole content of a regular file."""
        ...

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        """Take what write(2) brings; returns the bytes taken."""
        ...

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """Refuse an open(2) that the mode bits would allow (ptrace rules)."""
        ...


class NewFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made: umask, set-group-ID directories and id maps are already applied."""

    mode: int
    """Type and permission bits, as ``st_mode``."""
    uid: KUid = KUid(0)
    gid: KGid = KGid(0)
    rdev: int = 0
    target: str = ""
    domain: Domain = HOST


def _refuse(trap: "Trap", *_: object) -> NoReturn:
    """A directory whose filesystem has no such operation (fs/namei.c: EPERM)."""
    trap.deny(
        Errno.EPERM,
        "computed-filesystem",
        N_("This filesystem shows the kernel's own objects: names in it are not for changing."),
        "proc(5)",
    )


def _refuse_create(trap: "Trap", directory: InodeId, name: str, new: NewFile) -> InodeId:
    """vfs_create() without ``i_op->create`` is EACCES, any other kind of file EPERM."""
    del directory, name
    if new.mode & 0o170000 == 0o100000:
        trap.deny(
            Errno.EACCES,
            "computed-filesystem",
            N_("This filesystem shows the kernel's own objects: no file can be made in it."),
            "proc(5)",
        )
    _refuse(trap)


def _anywhere(_trap: "Trap", _inode: VirtualId) -> None:
    """A file that takes whatever comes, wherever it is said to begin."""


def _by_mode(_trap: "Trap", _inode: VirtualId, _want: int) -> bool:
    return False


def _never(_directory: VirtualId) -> bool:
    return False


def _without_mmap(_inode: VirtualId) -> Errno:
    return Errno.ENODEV


def _no_backing(_trap: "Trap", _inode: VirtualId, _writing: bool) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Mutations:
    """What may be changed in a computed filesystem; each default refuses as the kernel does.

    They are called after every check that is the same for all filesystems (permission, sticky
    bit, read-only, mount points, EEXIST, ENOTEMPTY, EISDIR, rename loops) and only act.
    """

    backing: "Callable[[Trap, VirtualId, bool], int | None]" = _no_backing
    """The stored inode that holds the file's data and attributes, for a stacked filesystem: its
    attributes, content, locks and xattrs are then handled as a stored file's. With True (it is
    about to be written) the file is copied up first. None: the file has no stored data."""
    create: "Callable[[Trap, VirtualId, str, NewFile], InodeId]" = _refuse_create
    """Make ``name`` (any type: directory, device, symlink ...); gives its inode."""
    link: "Callable[[Trap, VirtualId, str, InodeId], None]" = _refuse
    unlink: "Callable[[Trap, VirtualId, str], None]" = _refuse
    """Remove a file's name."""
    rmdir: "Callable[[Trap, VirtualId, str], None]" = _refuse
    """Remove a directory (the filesystem itself says when it is not empty: cgroups differ)."""
    rename: "Callable[[Trap, VirtualId, str, VirtualId, str, int], None]" = _refuse
    """From (directory, name) to (directory, name) with renameat2(2)'s flags."""
    settable: bool = True
    """False: mode, owner and times are nobody's to change, whoever asks (anon_inode_setattr())."""
    set_attributes: "Callable[[Trap, VirtualId, Mapping[str, Any]], None]" = _refuse
    """Where ``backing`` gives None: changes by field of ``Inode`` (mode, uid, gid, xattrs)."""
    permission: "Callable[[Trap, VirtualId, int], bool]" = _by_mode
    """A filesystem's own i_op->permission() for opening (READ, WRITE); False: the mode bits say."""
    need_start: "Callable[[Trap, VirtualId], None]" = _anywhere
    """A write begins behind the first byte: a file that is written in one piece refuses it."""
    unmounted: "Callable[[Store, Superblock], None] | None" = None
    """Nobody has the superblock mounted any more (kill_sb())."""
    missing_fails: "Callable[[VirtualId], bool]" = _never
    """Whether looking up a missing name in the directory is ENOENT even for a call that would make
    it: all of procfs, and directories that are there to be mounted on (empty_dir_lookup())."""


@dataclass(frozen=True, slots=True)
class FileOperations:
    """What open files of a computed filesystem can do besides being read and written; a default is
    what most have (``struct file_operations``).
    """

    ioctl: "Callable[[Trap, File, int, Value], Result | int] | None" = None
    """Requests that the files themselves understand (nsfs); it refuses the others with ENOTTY."""
    seeks: bool = True
    """Whether lseek(2) has somebody to turn to; ESPIPE otherwise (no_llseek())."""
    unmapped: "Callable[[VirtualId], Errno]" = _without_mmap
    """What mmap(2) of a regular file without stored data is refused with."""
    synced: frozenset[int] = frozenset((S_IFREG, S_IFDIR))
    """The types of file (S_IFMT) that have an fsync(); EINVAL otherwise (vfs_fsync_range())."""


@dataclass(frozen=True, slots=True)
class FilesystemType:
    """One line of /proc/filesystems.

    ``make`` builds the superblock that mount(2) asked for (source, options), or finds the one that
    shows the same objects, or raises ``Denied``. ``userns_mount`` is FS_USERNS_MOUNT: a
    non-initial user namespace's root may mount it; ``owner`` says over which user namespace the
    caller needs the right then (None: its own). ``check`` refuses bad options, which the kernel
    does before it looks at rights. ``may_reveal`` is SB_I_USERNS_VISIBLE: in a less privileged
    mount namespace it may be mounted only where one is fully visible already. ``reconfigure``
    gives the superblock as a remount with new options leaves it. ``at_once``: the right to mount
    is asked for when the type is named (init_fs_context), before any option is looked at.
    """

    name: str
    make: Callable[["Trap", str, str], "Superblock"]
    userns_mount: bool = False
    needs_device: bool = False
    owner: "Callable[[Trap], NsId] | None" = None
    check: "Callable[[Trap, str], None] | None" = None
    may_reveal: bool = False
    at_once: bool = False
    reconfigure: "Callable[[Trap, Superblock, str], Superblock] | None" = None


def _unsteady(_trap: "Trap", _directory: VirtualId) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Steady:
    """Which directories of a computed filesystem a walk may be remembered through (``walks.py``).

    ``layers`` gives the stored directories whose attributes and names alone decide what a directory
    is, and which others of the sort are in it (none: that never changes); None where anything else
    may. ``tables``: a write to one of them may change any of it.
    """

    layers: "Callable[[Trap, VirtualId], Collection[int] | None]" = _unsteady
    tables: "frozenset[type[Row]]" = frozenset()


_VIRTUAL: dict[str, Virtual] = {}
_MUTATIONS: dict[str, Mutations] = {}
_STEADY: dict[str, Steady] = {}
_OPERATIONS: dict[str, FileOperations] = {}
_READ_ONLY = Mutations()
_NOT_STEADY = Steady()
_USUAL = FileOperations()
DECIDING: "set[type[Row]]" = set()
"""The tables of every ``Steady``, and those of names, modes and mounts."""


def register_virtual(
    tag: str,
    ops: Virtual,
    mutations: Mutations = _READ_ONLY,
    steady: Steady = _NOT_STEADY,
    operations: FileOperations = _USUAL,
) -> None:
    """Answer for inodes whose id begins with ``tag``; a tag taken twice is a bug."""
    if tag in _VIRTUAL:
        raise ValueError(tag)
    _VIRTUAL[tag] = ops
    _MUTATIONS[tag] = mutations
    _STEADY[tag] = steady
    _OPERATIONS[tag] = operations
    DECIDING.update(steady.tables)


def virtual(inode: VirtualId) -> Virtual:
    """Who answers for ``inode``."""
    return _VIRTUAL[inode[0]]  # pyright: ignore[reportArgumentType]


def mutations(inode: VirtualId) -> Mutations:
    """What may be changed where ``inode`` lives."""
    return _MUTATIONS[inode[0]]  # pyright: ignore[reportArgumentType]


def operations(inode: VirtualId) -> FileOperations:
    """What an open file can do where ``inode`` lives."""
    return _OPERATIONS[inode[0]]  # pyright: ignore[reportArgumentType]


def layers_of(trap: "Trap", directory: VirtualId) -> Collection[int] | None:
    """What decides about a computed directory, as its filesystem's ``Steady`` says."""
    return _STEADY[directory[0]].layers(trap, directory)  # pyright: ignore[reportArgumentType]
