"""A limit on what a directory tree holds: every file knows its tree, a tree its limits.

OpenVZ's vzquota gives each container's private area one. A file belongs to the tree in which it
was made; a rename from one tree into another is EXDEV. Source: fs/quota/vzdquota/ of the OpenVZ
kernel, vzquota(8).
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.vfs import content
from simulator.machine.kernel.vfs.inode import IN_DIRECTORY, Inode
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

CITE = "vzquota(8)"


class Quota(Row, frozen=True, kw_only=True):
    """A tree's limits and use. ``id`` is its number (not 0); space in bytes.

    Only the hard limit refuses: above the soft one a tree has days of grace, and nobody waits them
    out here.
    """

    root: int
    of_tag: bool = False
    """Linux-VServer's disk limit: it counts files by their tag, says ENOSPC, and tags may move."""
    soft_space: int
    hard_space: int
    soft_inodes: int
    hard_inodes: int
    space: int = 0
    inodes: int = 0


def turn_on(store: Store, quota: Quota) -> Quota:
    """Count what is in the tree and count on from there (vzquota on)."""
    space = inodes = 0
    waiting, seen = [quota.root], {quota.root}
    while waiting:
        row = store.row(Inode, waiting.pop())
        store.put(msgspec.structs.replace(row, quota=quota.id))
        space, inodes = space + content.pages(row) * content.PAGE, inodes + 1
        for dentry in store.rows_by(IN_DIRECTORY, row.id):
            if isinstance(dentry.inode, int) and dentry.inode not in seen:
                seen.add(dentry.inode)
                waiting.append(dentry.inode)
    counted = msgspec.structs.replace(quota, space=space, inodes=inodes)
    store.put(counted)
    return counted


def turn_off(store: Store, number: int) -> None:
    """Count no more (vzquota off)."""
    store.drop(Quota, number)


def of(store: Store, row: Inode) -> Quota | None:
    """The limits of the tree that a file is in."""
    return store.get(Quota, row.quota) if row.quota else None


def account(store: Store, row: Inode, pages: int, inodes: int = 0) -> None:
    """A file of the tree has grown, or (negative) shrunk, or come, or gone."""
    quota = of(store, row)
    if quota is not None:
        space = max(quota.space + pages * content.PAGE, 0)
        store.put(msgspec.structs.replace(quota, space=space, inodes=max(quota.inodes + inodes, 0)))


def need_inode(trap: "Trap", directory: Inode) -> None:
    """EDQUOT when the tree may hold not one file more."""
    quota = of(trap.store, directory)
    if quota is not None and quota.inodes >= quota.hard_inodes:
        _full_of_tag(trap, quota)
        trap.deny(
            Errno.EDQUOT,
            "vzquota",
            N_("The container's tree holds as many files as its disk quota allows."),
            CITE,
        )


def no_room(trap: "Trap", row: Inode) -> None:
    """EDQUOT (or ENOSPC) where it is the tree's limit that a file can't grow beyond."""
    quota = of(trap.store, row)
    if quota is None:
        return
    _full_of_tag(trap, quota)
    trap.deny(
        Errno.EDQUOT,
        "vzquota",
        N_("The container's tree has grown to the limit of its disk quota."),
        CITE,
    )


def _full_of_tag(trap: "Trap", quota: Quota) -> None:
    if quota.of_tag:
        trap.deny(
            Errno.ENOSPC,
            "disk-limits",
            N_("The context's files together are as many, or as large, as its disk limit allows."),
            "include/linux/vs_dlimit.h",
        )


def space_left(store: Store, row: Inode) -> int | None:
    """Bytes that the tree may still grow by; None without limit."""
    quota = of(store, row)
    return None if quota is None else max(quota.hard_space - quota.space, 0)


def need_same_tree(trap: "Trap", source: int, above: int) -> None:
    """EXDEV for moving a file into a tree of other limits (vzquota_rename_check())."""
    store = trap.store
    mine, theirs = store.row(Inode, source), store.row(Inode, above)
    limits = of(store, mine), of(store, theirs)
    if mine.quota != theirs.quota and any(one is not None and not one.of_tag for one in limits):
        trap.deny(
            Errno.EXDEV,
            "vzquota",
            N_("A file can't be moved from one disk quota's tree into another's."),
            "fs/quota/vzdquota/vzdquot.c vzquota_rename_check()",
        )
