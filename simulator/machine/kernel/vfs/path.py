"""Paths, as system calls have them resolved: the walk itself is in ``walker.py``.

A walk that leads to a directory by nothing but names is remembered (``walks.py``); then only the
last name is looked up.
"""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import AT_FDCWD, RESOLVE_IN_ROOT, S_IFLNK, S_IFMT
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.mount import MOUNTED_ON, cross
from simulator.machine.kernel.vfs.names import check_name, child, missing
from simulator.machine.kernel.vfs.walker import Found, Last, Walker

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

__all__ = ("PATH_MAX", "Found", "Last", "check_name", "child", "find", "last", "start_at", "walk")

PATH_MAX = 4096
_DOTS = frozenset((".", ".."))


def walk(
    trap: "Trap", path: str, start: At | None = None, *, follow: bool = True, resolve: int = 0
) -> At:
    """The place that ``path`` names, from ``start`` (the working directory) if relative.

    ``follow`` says whether a symlink at the end is followed; ``resolve`` are openat2(2)'s bits.
    Errors: ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.
    """
    walks = trap.walks
    if walks is not None and not resolve:
        known = walks.at(path, trap.task.cwd if start is None else start, trap.task.root)
        if known is not None:
            return known
    at = find(trap, path, start, follow=follow, resolve=resolve).at
    if at is None:
        missing(trap)
    return at


def find(
    trap: "Trap", path: str, start: At | None = None, *, follow: bool = True, resolve: int = 0
) -> Found:
    """Like ``walk``, but the last name may be missing: for calls that open or make it."""
    if not 0 < len(path) < PATH_MAX:
        _check(trap, path)
    if start is None:
        start = trap.task.cwd
    walks, above = trap.walks, None
    if walks is not None and not resolve:
        if path == "/":
            return Found(trap.task.root, "", trap.task.root, True)
        if path in _DOTS:
            return Walker(trap, start, resolve).dots(path)
        above = walks.above(trap, path, start)
    if walks is None or above is None:
        return Walker(trap, start, resolve).walk(path, follow)
    parent, name = above
    at = child(trap, parent, name)
    if at is None:
        return Found(parent, name, None, False)
    covered = at in trap.store.filed(MOUNTED_ON)
    below = cross(trap, at) if covered else at
    if inodes.load(trap, below.inode).mode & S_IFMT == S_IFLNK:  # goes the long way
        return Walker(trap, start, resolve).walk(path, follow, above)
    if not covered and isinstance(parent.inode, int) and isinstance(below.inode, int):
        walks.remember_place(path, start, trap.task.root, below)
    return Found(parent, name, below, False)


def last(trap: "Trap", path: str, start: At | None = None) -> Last:
    """The directory above ``path``'s last name: for calls that make, move or remove that name."""
    if not 0 < len(path) < PATH_MAX:
        _check(trap, path)
    if start is None:
        start = trap.task.cwd
    walks = trap.walks
    above = None if walks is None else walks.above(trap, path, start)
    return Walker(trap, start, 0).parent(path) if above is None else Last(*above, False)


def start_at(trap: "Trap", dirfd: int, path: str, resolve: int = 0) -> At:
    """Where a path given with a directory descriptor begins (openat(2)). ENOENT, EBADF, ENOTDIR.

    An absolute path does not look at the descriptor, unless RESOLVE_IN_ROOT makes it the root.
    """
    if not path:
        _check(trap, path)
    if dirfd == AT_FDCWD or (path[0] == "/" and not resolve & RESOLVE_IN_ROOT):
        return trap.task.cwd
    at = fds.get_any(trap, dirfd).at
    if at is None:
        trap.fail(Errno.ENOTDIR, N_("The descriptor is no directory."), "openat(2)")
    return at


def _check(trap: "Trap", path: str) -> None:
    if not path:
        trap.fail(Errno.ENOENT, N_("The empty path names nothing."), "path_resolution(7)")
    if len(path) >= PATH_MAX:
        trap.fail(Errno.ENAMETOOLONG, N_("A path has at most 4095 bytes."), "path_resolution(7)")
