"""Mounting an overlay, and how its files answer. Source: fs/overlayfs/super.c, params.c."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NoReturn

import msgspec

from simulator.machine.abi.constants import MS_RDONLY, O_ACCMODE, O_PATH, O_TRUNC, S_IFDIR, S_IFMT
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId, SuperblockId, VirtualId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.overlay import layers
from simulator.machine.kernel.fs.overlay.change import MUTATIONS, copy_up
from simulator.machine.kernel.fs.overlay.layers import TAG, Node, OverlayCopy, node
from simulator.machine.kernel.fs.registry import FilesystemType, Steady, register_virtual
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import mount_tree, path, tree
from simulator.machine.kernel.vfs.inode import Dentry, Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

MAX_LAYERS = 500
_PATHS = frozenset(("lowerdir", "upperdir", "workdir"))
_WORDS = frozenset(
    (
        "redirect_dir", "index", "xino", "metacopy", "nfs_export", "userxattr", "volatile",
        "verity", "default_permissions", "uuid",
    )
)  # fmt: skip


class _Wish(msgspec.Struct):
    """The options that name directories."""

    lowerdir: str | None = None
    upperdir: str | None = None
    workdir: str | None = None


def _parse(trap: "Trap", text: str) -> _Wish:
    wish = _Wish()
    for key, value in options.split(text):
        if key in _PATHS and value:
            setattr(wish, key, value)
        elif key not in _WORDS:
            options.refuse(trap)
    return wish


def _invalid(trap: "Trap", why: str) -> NoReturn:
    trap.fail(Errno.EINVAL, why, "overlayfs.rst")


def _directory(trap: "Trap", text: str) -> At:
    at = path.walk(trap, text)
    if not inodes.is_dir(inodes.load(trap, at.inode)):
        _invalid(trap, N_("Every layer of an overlay is a directory."))
    return at


def _layers(trap: "Trap", text: str) -> list[At]:
    """lowerdir=: directories separated by ``:``, topmost first; a colon in a name is escaped."""
    names = text.replace("\\:", "\0").split(":")
    if len(names) > MAX_LAYERS or not all(names):
        _invalid(trap, N_("An overlay has from one to 500 lower directories."))
    return [_directory(trap, name.replace("\0", ":")) for name in names]


def _upper(trap: "Trap", wish: _Wish) -> tuple[At, At]:
    """upperdir= and workdir=: on one writable filesystem that is no overlay, apart."""
    assert wish.upperdir is not None
    if wish.workdir is None:
        _invalid(trap, N_("An overlay with an upper directory needs a work directory."))
    upper = _directory(trap, wish.upperdir)
    mount = trap.store.row(Mount, upper.mount)
    if mount.flags & MS_RDONLY or trap.store.row(Superblock, mount.sb).read_only:
        _invalid(trap, N_("The upper directory is on a read-only mount."))
    work = _directory(trap, wish.workdir)
    if upper.mount != work.mount:
        _invalid(trap, N_("The upper and the work directory must be on the same mount."))
    if not isinstance(upper.inode, int):
        _invalid(trap, N_("This filesystem can't be the upper layer of an overlay."))
    if mount_tree.is_below(trap, work.inode, upper.inode) or mount_tree.is_below(
        trap, upper.inode, work.inode
    ):
        _invalid(trap, N_("The upper and the work directory must not contain one another."))
    return upper, work


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    wish = _parse(trap, text)
    if wish.lowerdir is None:
        _invalid(trap, N_("An overlay needs a lower directory."))
    if wish.workdir is not None and wish.upperdir is None:
        _invalid(trap, N_("A work directory makes sense only with an upper one."))
    lowers = _layers(trap, wish.lowerdir)
    pair = _upper(trap, wish) if wish.upperdir is not None else None
    if pair is None and len(lowers) < 2:
        _invalid(trap, N_("Without an upper directory an overlay needs two lower ones."))
    roots = [at.inode for at in lowers]
    if len(set(roots)) < len(roots) or (pair is not None and pair[0].inode in roots):
        trap.fail(Errno.ELOOP, N_("A directory is a layer twice."), "overlayfs.rst")
    upper = None
    if pair is not None:
        upper = pair[0].inode
        assert isinstance(upper, int)
        _make_work(trap, pair[1].inode)
        _number(trap, upper)
    number = SuperblockId(trap.store.new_id(Superblock))
    return stored.put_superblock(
        trap.store,
        Superblock(
            id=number,
            fstype="overlay",
            source=source,
            root=Node(TAG, number, upper, tuple(roots), None, ""),
            options=text,
            read_only=pair is None,
            owner=trap.task.cred.user_ns,
            domain=trap.task.domain,
        ),
    )


def _make_work(trap: "Trap", directory: InodeId) -> None:
    """The directory in which the kernel prepares what it then moves to the upper one."""
    assert isinstance(directory, int)
    if trap.store.get(Dentry, (directory, "work")) is None:
        tree.make(trap.store, directory, "work", S_IFDIR, domain=trap.task.domain)


def _number(trap: "Trap", upper: int) -> None:
    """ovl_init_uuid_xattr(): a new overlay keeps its UUID in the upper directory (Linux 6.6).

    Who mounts it in a user namespace has no right to ``trusted.`` attributes, and goes without.
    """
    row = trap.store.row(Inode, upper)
    held = row.xattrs or {}
    known = any(name.startswith(layers.PRIVATE) for name in held)
    if known or trap.family.release < (6, 6) or not trap.has(Privilege.TRUSTED_XATTR):
        return
    number = trap.store.new_id("overlay uuid").to_bytes(16, "little")
    trap.store.put(msgspec.structs.replace(row, xattrs={**held, layers.UUID: number}))


class _Overlay:
    """The files of every overlay."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        here = node(inode)
        upper = layers.upper_of(trap.store, inode)
        if upper is not None and trap.store.get(Inode, upper) is None:
            trap.fail(
                Errno.ESTALE, N_("It was removed behind the overlay's back."), "overlayfs.rst"
            )
        row = inodes.load(trap, here.lowers[0] if upper is None else upper)
        if row.mode & S_IFMT != S_IFDIR:
            return msgspec.structs.replace(row, id=inode, sb=here.sb, parent=here.parent)
        parent = here.parent
        if parent is None:
            root = trap.store.row(Superblock, here.sb).root
            assert isinstance(root, tuple)
            parent = layers.parent_of(trap, inode, root)
        merged = len(here.lowers) + (upper is not None) > 1 and row.nlink
        return msgspec.structs.replace(
            row, id=inode, sb=here.sb, parent=parent, nlink=1 if merged else row.nlink
        )

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        return layers.lookup(trap, directory, name)

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        return layers.names(trap, directory)

    def follow(self, trap: "Trap", inode: VirtualId) -> At | str:
        return inodes.load(trap, layers.real_of(trap.store, inode)).target

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        return inodes.load(trap, layers.real_of(trap.store, inode)).content

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del inode
        _invalid(trap, N_("What an overlay can write it has a stored copy of."))
        return len(data)

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """ovl_open(): a file that is opened for writing is copied up at once."""
        if flags & (O_ACCMODE | O_TRUNC) and not flags & O_PATH:
            copy_up(trap, inode)


def _steady(trap: "Trap", directory: VirtualId) -> Collection[int] | None:
    """The real directories, where they are stored ones."""
    real = layers.layers_of(trap.store, directory)
    found = [one for one in real if isinstance(one, int)]
    return found if len(found) == len(real) else None


register_virtual(
    TAG, _Overlay(), MUTATIONS, Steady(layers=_steady, tables=frozenset((OverlayCopy,)))
)


def _check(trap: "Trap", text: str) -> None:
    _parse(trap, text)


OVERLAY = FilesystemType("overlay", _make, userns_mount=True, check=_check)


def _make_before(trap: "Trap", source: str, text: str) -> Superblock:
    """``overlayfs``, as Ubuntu carried it from Linux 3.2 on: two layers and no work directory."""
    wish = _parse(trap, text)
    if wish.lowerdir is None or wish.upperdir is None or wish.workdir is not None:
        options.refuse(trap)
    upper, lower = _directory(trap, wish.upperdir), _directory(trap, wish.lowerdir)
    if not isinstance(upper.inode, int) or upper.inode == lower.inode:
        _invalid(trap, N_("This filesystem can't be the upper layer of an overlay."))
    number = SuperblockId(trap.store.new_id(Superblock))
    return stored.put_superblock(
        trap.store,
        Superblock(
            id=number,
            fstype="overlayfs",
            source=source,
            root=Node(TAG, number, upper.inode, (lower.inode,), None, ""),
            options=text,
            owner=trap.task.cred.user_ns,
            domain=trap.task.domain,
        ),
    )


OVERLAYFS = FilesystemType("overlayfs", _make_before, check=_check)
"""The filesystem before Linux 3.18 took it in, under the name it had then."""
