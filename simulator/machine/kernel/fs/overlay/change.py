"""Writing to an overlay: copies up, whiteouts, and moves within the writable layer.

Source: fs/overlayfs/copy_up.c, dir.c. All that is written lands in the upper directory.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    S_IFCHR,
    S_IFDIR,
    S_IFMT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId, VirtualId
from simulator.machine.kernel.fs.overlay import layers
from simulator.machine.kernel.fs.overlay.layers import (
    IMPURE,
    OPAQUE,
    ORIGIN,
    PRIVATE,
    OverlayCopy,
    copy_key,
    node,
    upper_of,
)
from simulator.machine.kernel.fs.registry import Mutations, NewFile, mutations
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import ops, tree
from simulator.machine.kernel.vfs.fd import OPEN_FILES
from simulator.machine.kernel.vfs.inode import IN_DIRECTORY, Dentry, Inode
from simulator.machine.kernel.vfs.mount import BY_ROOT
from simulator.machine.state.store import Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def copy_up(trap: "Trap", inode: VirtualId) -> int:
    """The real file in the writable layer, copied there first, with its directories, if need be."""
    upper = upper_of(trap.store, inode)
    if upper is not None:
        return upper
    here = node(inode)
    assert here.parent is not None
    directory = copy_up(trap, here.parent)
    row = inodes.load(trap, here.lowers[0])
    before = trap.store.row(Inode, directory)
    made = tree.make(trap.store, directory, here.name, row.mode, domain=trap.task.domain)
    trap.store.put(_like(made, row))
    _note(trap.store, directory, IMPURE)
    after = trap.store.row(Inode, directory)
    trap.store.put(msgspec.structs.replace(after, mtime=before.mtime, ctime=before.ctime))
    trap.store.put(OverlayCopy(id=copy_key(here), inode=inode, upper=made.id))
    return made.id


def _like(made: Inode, row: Inode) -> Inode:
    """``made`` with everything that a copy keeps of the original."""
    xattrs = {k: v for k, v in (row.xattrs or {}).items() if not k.startswith(PRIVATE)}
    if row.mode & S_IFMT == S_IFDIR or row.nlink == 1:
        xattrs[ORIGIN] = b"\0"  # a handle of the file below, by which its number stays
    return msgspec.structs.replace(
        made,
        uid=row.uid,
        gid=row.gid,
        size=made.size if row.mode & S_IFMT == S_IFDIR else row.size,
        content=row.content,
        extents=row.extents,
        target=row.target,
        rdev=row.rdev,
        atime=row.atime,
        mtime=row.mtime,
        xattrs=xattrs or None,
    )


def _backing(trap: "Trap", inode: VirtualId, writing: bool) -> int | None:
    if writing:
        return copy_up(trap, inode)
    real = layers.real_of(trap.store, inode)
    if isinstance(real, int):
        return real
    return mutations(real).backing(trap, real, False)


def _create(trap: "Trap", directory: VirtualId, name: str, new: NewFile) -> InodeId:
    if new.mode & S_IFMT == S_IFCHR and new.rdev == 0:
        trap.deny(
            Errno.EPERM,
            "overlay-whiteout",
            N_("In an overlay this device number marks a removed file, so none can be made."),
            "overlayfs.rst",
        )
    upper = copy_up(trap, directory)
    covers = _clear_whiteout(trap.store, upper, name)
    made = ops.create(trap, upper, name, new)
    assert isinstance(made, int)
    if new.mode & S_IFMT == S_IFDIR and covers:  # ovl_create_over_whiteout()
        _note(trap.store, made, OPAQUE)
    return layers.born_above(node(directory).sb, made)


def _note(store: Store, directory: int, what: str) -> None:
    """Mark a directory of the writable layer."""
    row = store.row(Inode, directory)
    held = row.xattrs or {}
    if what not in held:
        store.put(msgspec.structs.replace(row, xattrs={**held, what: b"y"}))


def _clear_whiteout(store: Store, directory: int, name: str) -> bool:
    """Whether there was one."""
    dentry = store.get(Dentry, (directory, name))
    if dentry is not None:
        ops.forget(store, tree.unlink(store, directory, name).id)
    return dentry is not None


def _link(trap: "Trap", directory: VirtualId, name: str, inode: InodeId) -> None:
    assert isinstance(inode, tuple)
    upper = copy_up(trap, inode)
    above = copy_up(trap, directory)
    _clear_whiteout(trap.store, above, name)
    tree.link(trap.store, above, name, trap.store.row(Inode, upper))


def _unlink(trap: "Trap", directory: VirtualId, name: str) -> None:
    """ovl_remove_upper(), ovl_remove_and_whiteout()."""
    inode = layers.lookup(trap, directory, name)
    upper = copy_up(trap, directory)
    if trap.store.get(Dentry, (upper, name)) is not None:
        _drop(trap.store, upper, name, inode)
    if layers.is_below(trap, directory, name):
        tree.make(trap.store, upper, name, S_IFCHR, domain=trap.task.domain)


def _rmdir(trap: "Trap", directory: VirtualId, name: str) -> None:
    inode = layers.lookup(trap, directory, name)
    above = upper_of(trap.store, inode) if inode is not None else None
    if above is not None:
        for key in trap.store.by(IN_DIRECTORY, above):
            _clear_whiteout(trap.store, above, key[1])  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType, reportUnknownMemberType]
    _unlink(trap, directory, name)


def _drop(store: Store, directory: int, name: str, inode: VirtualId | None) -> None:
    """Remove a name of the writable layer; the file stays while the overlay's is in use."""
    gone = tree.unlink(store, directory, name)
    if inode is not None and (
        store.by(OPEN_FILES, inode) or store.by(ops.USED_BY, inode) or store.by(BY_ROOT, inode)
    ):
        return
    if gone.nlink == 0 and inode is not None and node(inode).upper is None:
        store.drop(OverlayCopy, copy_key(node(inode)))
    ops.forget(store, gone.id)


def _rename(
    trap: "Trap",
    old_directory: VirtualId,
    old_name: str,
    new_directory: VirtualId,
    new_name: str,
    flags: int,
) -> None:
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE):
        trap.fail(Errno.EINVAL, N_("An overlay makes no whiteouts for others."), "rename(2)")
    source = layers.lookup(trap, old_directory, old_name)
    target = layers.lookup(trap, new_directory, new_name)
    assert source is not None
    _need_movable(trap, source)
    if target is not None:
        if flags & RENAME_EXCHANGE:
            _need_movable(trap, target)
        elif _holds_names(trap, target):
            trap.fail(Errno.ENOTEMPTY, N_("The directory is not empty."), "rename(2)")
    copy_up(trap, source)
    old = (copy_up(trap, old_directory), old_name)
    new = (copy_up(trap, new_directory), new_name)
    if flags & RENAME_EXCHANGE and target is not None:
        copy_up(trap, target)
        tree.exchange(trap.store, old, new)
        _hide_below(trap, old_directory, old_name, target)
    else:
        if trap.store.get(Dentry, new) is not None:
            _replace(trap, target, new)
        tree.move(trap.store, old, new)
        if layers.is_below(trap, old_directory, old_name):
            tree.make(trap.store, *old, S_IFCHR, domain=trap.task.domain)
    _hide_below(trap, new_directory, new_name, source)


def _holds_names(trap: "Trap", inode: VirtualId) -> bool:
    is_directory = inodes.is_dir(inodes.load(trap, inode))
    return is_directory and next(layers.names(trap, inode), None) is not None


def _replace(trap: "Trap", target: VirtualId | None, place: tuple[int, str]) -> None:
    above = upper_of(trap.store, target) if target is not None else None
    if above is not None and trap.store.row(Inode, above).mode & S_IFMT == S_IFDIR:
        for key in trap.store.by(IN_DIRECTORY, above):
            _clear_whiteout(trap.store, above, key[1])  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType, reportUnknownMemberType]
    _drop(trap.store, *place, target)


def _hide_below(trap: "Trap", directory: VirtualId, name: str, inode: VirtualId) -> None:
    """A directory that came into a merged one must not merge with what lies below its new name."""
    upper = upper_of(trap.store, inode)
    if upper is None or trap.store.row(Inode, upper).mode & S_IFMT != S_IFDIR:
        return
    if layers.is_below(trap, directory, name):
        _note(trap.store, upper, OPAQUE)


def _need_movable(trap: "Trap", inode: VirtualId) -> None:
    """ovl_can_move(): a directory with a lower part can't be moved without redirect_dir."""
    if node(inode).lowers and inodes.is_dir(inodes.load(trap, inode)):
        trap.fail(
            Errno.EXDEV,
            N_("A directory of a lower layer can't be moved: only its files can be copied up."),
            "overlayfs.rst",
        )


MUTATIONS = Mutations(
    backing=_backing,
    create=_create,
    link=_link,
    unlink=_unlink,
    rmdir=_rmdir,
    rename=_rename,
)
