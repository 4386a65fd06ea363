"""Which real file an overlay's file is: names looked up from the top layer down.

An overlay's inode is ``("ovl", sb, upper, lowers, parent, name)``. ``upper`` is the real inode in
the writable layer for a file that has been there since the mount, or was born there; ``lowers`` are
the real inodes below, topmost first (several for a merged directory). A file that only the lower
layers hold keeps ``parent`` and ``name``, by which it was first seen: they say where a copy goes
when somebody writes to it, and they keep its identity once it is copied. Copies are rows
(``OverlayCopy``), so looking never writes.

Source: fs/overlayfs/namei.c, Documentation/filesystems/overlayfs.rst.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from simulator.machine.abi.constants import S_IFCHR, S_IFDIR, S_IFMT
from simulator.machine.abi.ids import InodeId, SuperblockId, VirtualId
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import NAMES_OF, Dentry, Inode
from simulator.machine.state.store import Index, Row, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

TAG = "ovl"
PRIVATE = "trusted.overlay."
"""What an overlay notes with its files, for itself alone."""
OPAQUE = f"{PRIVATE}opaque"
ORIGIN = f"{PRIVATE}origin"
IMPURE = f"{PRIVATE}impure"
UUID = f"{PRIVATE}uuid"


class OverlayCopy(Row, frozen=True, kw_only=True):
    """A file of a lower layer that was copied up; ``id`` is ``copy_key`` of the overlay's inode."""

    inode: VirtualId
    upper: int


BY_UPPER = Index(OverlayCopy, lambda copy: ((copy.id[0], copy.upper),), "id", "upper")


class Node(NamedTuple):
    """An overlay's inode, taken apart."""

    tag: str
    sb: SuperblockId
    upper: int | None
    lowers: tuple[InodeId, ...]
    parent: "VirtualId | None"
    name: str


def node(inode: InodeId) -> Node:
    """The parts of an inode's id."""
    if inode.__class__ is Node:
        return inode  # pyright: ignore[reportReturnType]
    return Node(*inode)  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues, reportCallIssue]


def copy_key(here: Node) -> tuple[SuperblockId, InodeId, InodeId | None, str]:
    """What tells a lower file from every other: itself, its lower directory and its name.

    The inode itself would do, but holds the whole chain of directories: it is dear to hash.
    """
    above = None if here.parent is None else node(here.parent).lowers[0]
    return (here.sb, here.lowers[0], above, here.name)


def upper_of(world: World, inode: VirtualId) -> int | None:
    """The real file in the writable layer, if there is one now.

    Somebody may have removed it from that layer behind the overlay's back (overlayfs.rst, "Changes
    to underlying filesystems": undefined, but nothing breaks). What lies below is seen again then.
    """
    here = node(inode)
    if here.upper is not None:
        return here.upper
    copy = world.get(OverlayCopy, copy_key(here))
    return None if copy is None or world.get(Inode, copy.upper) is None else copy.upper


def real_of(world: World, inode: VirtualId) -> InodeId:
    """The real file that is seen: in the writable layer, else in the topmost lower one."""
    upper = upper_of(world, inode)
    return node(inode).lowers[0] if upper is None else upper


def copied_as(world: World, sb: SuperblockId, upper: int) -> VirtualId | None:
    """The overlay's inode that a real file of the writable layer is a copy for."""
    copy = world.first(BY_UPPER, (sb, upper))
    return None if copy is None else copy.inode


def is_whiteout(inode: Inode) -> bool:
    """A 0:0 character device says: nothing here, whatever lies below."""
    return inode.rdev == 0 and inode.mode & S_IFMT == S_IFCHR


def is_opaque(inode: Inode) -> bool:
    """A directory that hides what lies below it."""
    return inode.xattrs is not None and inode.xattrs.get(OPAQUE) == b"y"


def lookup(trap: "Trap", directory: VirtualId, name: str) -> VirtualId | None:
    """What ``name`` is in an overlay's directory (ovl_lookup())."""
    here = node(directory)
    above = upper_of(trap.store, directory)
    if above is not None:
        dentry = trap.store.get(Dentry, (above, name))
        if dentry is not None:
            assert isinstance(dentry.inode, int)
            return _from_upper(trap, directory, name, dentry.inode)
    lowers = _below(trap, here.lowers, name)
    if not lowers:
        return None
    return Node(TAG, here.sb, None, lowers, directory, name)


def _from_upper(trap: "Trap", directory: VirtualId, name: str, upper: int) -> VirtualId | None:
    here = node(directory)
    row = trap.store.row(Inode, upper)
    if is_whiteout(row):
        return None
    copied = copied_as(trap.store, here.sb, upper)
    if copied is not None:
        return copied
    if row.mode & S_IFMT == S_IFDIR and not is_opaque(row):
        lowers = _below(trap, here.lowers, name)
        if lowers and inodes.is_dir(inodes.load(trap, lowers[0])):
            return Node(TAG, here.sb, upper, lowers, directory, name)
    return born_above(here.sb, upper)


def born_above(sb: SuperblockId, upper: int) -> VirtualId:
    """The inode of a file that only the writable layer holds."""
    return Node(TAG, sb, upper, (), None, "")


def _below(trap: "Trap", layers: tuple[InodeId, ...], name: str) -> tuple[InodeId, ...]:
    """What the lower layers have: a file of the first that has any, or all merged directories."""
    found: list[InodeId] = []
    store = trap.store
    for layer in layers:
        if isinstance(layer, int):
            dentry = store.get(Dentry, (layer, name))
            inode = None if dentry is None else dentry.inode
        else:
            inode = inodes.lookup(trap, layer, name)
        if inode is None:
            continue
        row = store.row(Inode, inode) if isinstance(inode, int) else inodes.load(trap, inode)
        if is_whiteout(row):
            break
        if row.mode & S_IFMT != S_IFDIR:
            if not found:
                found.append(inode)
            break
        found.append(inode)
        if is_opaque(row):
            break
    return tuple(found)


def is_below(trap: "Trap", directory: VirtualId, name: str) -> bool:
    """Whether a lower layer shows ``name``, so that removing it takes a whiteout."""
    return bool(_below(trap, node(directory).lowers, name))


def names(trap: "Trap", directory: VirtualId) -> Iterator[str]:
    """The merged names: the topmost layer that has a name decides about it."""
    seen: set[str] = set()
    for layer in layers_of(trap.store, directory):
        for name in inodes.names(trap, layer):
            if name in seen:
                continue
            seen.add(name)
            found = inodes.lookup(trap, layer, name)
            if found is not None and not is_whiteout(inodes.load(trap, found)):
                yield name


def layers_of(world: World, directory: VirtualId) -> tuple[InodeId, ...]:
    """The real directories that make up an overlay's directory, topmost first."""
    upper = upper_of(world, directory)
    lowers = node(directory).lowers
    return lowers if upper is None else (upper, *lowers)


def parent_of(trap: "Trap", inode: VirtualId, root: VirtualId) -> VirtualId:
    """The overlay's directory that holds ``inode``; the root holds itself."""
    here = node(inode)
    if inode == root:
        return root
    if here.parent is not None:
        return here.parent
    assert here.upper is not None
    above = trap.store.row(Inode, here.upper).parent
    return root if above is None else _shown(trap, root, above)


def _shown(trap: "Trap", root: VirtualId, upper: InodeId) -> VirtualId:
    """The overlay's directory that a real directory of the writable layer is part of."""
    top = node(root)
    if upper == top.upper:
        return root
    assert isinstance(upper, int)
    copied = copied_as(trap.store, top.sb, upper)
    if copied is not None:
        return copied
    above = trap.store.row(Inode, upper).parent
    names_of = trap.store.by(NAMES_OF, upper)
    if above is None or above == upper or not names_of:
        return born_above(top.sb, upper)
    name: str = names_of[0][1]  # pyright: ignore[reportIndexIssue, reportUnknownVariableType]
    found = lookup(trap, _shown(trap, root, above), name)  # pyright: ignore[reportUnknownArgumentType]
    return born_above(top.sb, upper) if found is None else found
