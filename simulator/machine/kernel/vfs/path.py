"""The one walk: the only place that interprets ``/``, ``..``, symlinks and mount crossings.

chroot(2) is a comparison in ``_up``: a walk that stands on the caller's root does not go higher.
Everything that a root directory can do, and everything it cannot, follows from that line.

Source: path_resolution(7), fs/namei.c (link_path_walk, follow_dotdot), FreeBSD vfs_lookup.c.
"""

from typing import TYPE_CHECKING, NamedTuple

from simulator.machine.abi.constants import (
    MS_NOSYMFOLLOW,
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import context
from simulator.machine.kernel.fs.registry import virtual
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import permission
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.mount import MOUNTED_ON, Mount, cross

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

PATH_MAX = 4096
NAME_MAX = 255
MAX_SYMLINKS = 40


class Found(NamedTuple):
    """Where a path leads: the directory that holds its last name, the name, and what it names.

    ``name`` is empty when the path ends at a root or with ``.`` or ``..``; then ``parent`` is
    ``at`` itself. ``at`` is None when nothing has the name. ``slash``: the path ended with one.
    """

    parent: At
    name: str
    at: At | None
    slash: bool


def walk(
    trap: "Trap", path: str, start: At | None = None, *, follow: bool = True, resolve: int = 0
) -> At:
    """The place that ``path`` names, from ``start`` (the working directory) if relative.

    ``follow`` says whether a symlink at the end is followed; ``resolve`` are openat2(2)'s bits.
    Errors: ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.
    """
    found = find(trap, path, start, follow=follow, resolve=resolve)
    if found.at is None:
        trap.fail(Errno.ENOENT, N_("Nothing has this name here."), "path_resolution(7)")
    return found.at


def find(
    trap: "Trap", path: str, start: At | None = None, *, follow: bool = True, resolve: int = 0
) -> Found:
    """Like ``walk``, but the last name may be missing: for calls that make, move or remove it."""
    if not path:
        trap.fail(Errno.ENOENT, N_("The empty path names nothing."), "path_resolution(7)")
    if len(path) >= PATH_MAX:
        trap.fail(Errno.ENAMETOOLONG, "", "path_resolution(7)")
    walker = _Walker(trap, start or trap.task.cwd, resolve)
    return walker.walk(path, follow)


class _Walker:
    """One walk: where it stands, where it may not go above, how many symlinks it followed."""

    __slots__ = ("at", "links", "resolve", "root", "start", "trap")

    def __init__(self, trap: "Trap", start: At, resolve: int) -> None:
        self.trap = trap
        self.at = start
        self.start = start
        self.resolve = resolve
        self.root = start if resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH) else trap.task.root
        self.links = 0

    def walk(self, path: str, follow: bool) -> Found:
        parent, name, slash = self.at, "", False
        pending = self._open(path)
        while pending:
            name = pending.pop()
            last = not pending or (len(pending) == 1 and pending[0] == "")
            slash = last and bool(pending)
            if slash:
                pending.clear()
            parent = self.at
            directory = self._enter(self.at)
            if name == ".":
                name = ""
                continue
            if name == "..":
                self._up()
                parent, name = self.at, ""
                continue
            child = inodes.lookup(self.trap, self.at.inode, name)
            if child is None:
                if not last:
                    self.trap.fail(
                        Errno.ENOENT, N_("Nothing has this name here."), "path_resolution(7)"
                    )
                return Found(parent, name, None, slash)
            below = self._down(At(self.at.mount, child))
            inode = inodes.load(self.trap, below.inode)
            if inode.mode & S_IFMT == S_IFLNK and (not last or follow or slash):
                text = self._link(directory, inode, below)
                if isinstance(text, At):
                    self.at = text
                else:
                    if slash:
                        text += "/"
                    pending.extend(self._open(text))
                continue
            self.at = below
        if slash:
            self._must_be_directory(self.at)
        return Found(parent if name else self.at, name, self.at, slash)

    def _open(self, path: str) -> list[str]:
        """Split ``path`` into names, last first, and stand at its beginning.

        A trailing slash is kept as an empty last name, so that the walk knows of it.
        """
        if path[0] == "/":
            if self.resolve & RESOLVE_BENEATH:
                self._escapes()
            if self.resolve & RESOLVE_NO_XDEV and self.root.mount != self.start.mount:
                self.trap.fail(Errno.EXDEV, "", "openat2(2)")
            self.at = self.root
        names = [name for name in path.split("/") if name]
        names.reverse()
        return ["", *names] if path[-1] == "/" and names else names

    def _enter(self, at: At) -> Inode:
        """The directory to look in, or ENOTDIR, or EACCES."""
        directory = inodes.load(self.trap, at.inode)
        if directory.mode & S_IFMT != S_IFDIR:
            self.trap.fail(Errno.ENOTDIR, "", "path_resolution(7)")
        permission.need_search(self.trap, directory)
        return directory

    def _up(self) -> None:
        """``..``: to the parent, unless this is where the caller's tree ends."""
        trap = self.trap
        if self.at == self.root:
            if self.resolve & RESOLVE_BENEATH:
                self._escapes()
            return
        if trap.family.traits.chroot_pins_dotdot and (
            self.at == trap.task.top or _is_context_root(trap, self.at)
        ):
            return
        at = self.at
        mount = trap.store.row(Mount, at.mount)
        while at.inode == mount.root:
            if mount.parent is None or mount.mountpoint is None:
                return
            if self.resolve & RESOLVE_NO_XDEV:
                trap.fail(Errno.EXDEV, "", "openat2(2)")
            at = At(mount.parent, mount.mountpoint)
            mount = trap.store.row(Mount, at.mount)
            if at == self.root:
                break
        else:
            at = At(at.mount, inodes.parent(trap, at.inode))
        self.at = cross(trap, at)

    def _down(self, at: At) -> At:
        """Onto whatever is mounted there."""
        if self.trap.store.first(MOUNTED_ON, at) is None:
            return at
        if self.resolve & RESOLVE_NO_XDEV:
            self.trap.fail(Errno.EXDEV, "", "openat2(2)")
        return cross(self.trap, at)

    def _link(self, directory: Inode, link: Inode, at: At) -> "At | str":
        """Where a symlink leads: text to walk on with, or, for a magic link, the place."""
        trap = self.trap
        self.links += 1
        if self.links > MAX_SYMLINKS or self.resolve & RESOLVE_NO_SYMLINKS:
            trap.fail(Errno.ELOOP, "", "path_resolution(7)")
        if trap.store.row(Mount, at.mount).flags & MS_NOSYMFOLLOW:
            trap.fail(Errno.ELOOP, "", "mount(2)")
        self._protected(directory, link)
        if isinstance(at.inode, int):
            return link.target
        target = virtual(at.inode).follow(trap, at.inode)
        if isinstance(target, At):
            if self.resolve & RESOLVE_NO_MAGICLINKS:
                trap.fail(Errno.ELOOP, "", "openat2(2)")
            if self.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT):
                self._escapes()
        return target

    def _protected(self, directory: Inode, link: Inode) -> None:
        """proc_sys_fs(5) protected_symlinks: in a directory like /tmp only one's own."""
        if not self.trap.family.traits.protected_symlinks or directory.mode & 0o1002 != 0o1002:
            return
        if link.uid not in (self.trap.task.cred.fsuid, directory.uid):
            self.trap.deny(
                Errno.EACCES,
                "protected-symlinks",
                N_("In a sticky world-writable directory only one's own symlinks are followed."),
                "proc_sys_fs(5)",
            )

    def _must_be_directory(self, at: At) -> None:
        if inodes.load(self.trap, at.inode).mode & S_IFMT != S_IFDIR:
            self.trap.fail(Errno.ENOTDIR, "", "path_resolution(7)")

    def _escapes(self) -> None:
        self.trap.deny(
            Errno.EXDEV,
            "resolve-beneath",
            N_("The path leaves the directory that the call asked to stay beneath."),
            "openat2(2)",
        )


def _is_context_root(trap: "Trap", at: At) -> bool:
    """Whether ``at`` is the root of the caller's prison or of one that contains it."""
    current = trap.task.context
    while True:
        row = trap.store.row(context.Context, current)
        if row.root == at:
            return True
        if row.parent is None:
            return False
        current = row.parent
