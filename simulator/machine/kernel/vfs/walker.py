"""The one walk: the only place that interprets ``/``, ``..``, symlinks and mount crossings.

chroot(2) is a comparison in ``_up``: a walk that stands on the caller's root does not go higher.
Everything that a root directory can do, and everything it cannot, follows from that line.

Source: path_resolution(7), fs/namei.c (link_path_walk, follow_dotdot), FreeBSD vfs_lookup.c.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import msgspec

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
from simulator.machine.abi.ids import InodeId, MountId, VirtualId
from simulator.machine.kernel import context
from simulator.machine.kernel.fs.registry import layers_of, virtual
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import permission
from simulator.machine.kernel.vfs.inode import Dentry, Inode, Superblock
from simulator.machine.kernel.vfs.mount import MOUNTED_ON, Mount, cross
from simulator.machine.kernel.vfs.names import child, missing
from simulator.machine.kernel.vfs.walks import DOTS, Stage
from simulator.machine.state.store import Key

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

MAX_SYMLINKS = 40
_TYPE_AND_SEARCH = S_IFMT | 0o111
_OPEN_DIRECTORY = S_IFDIR | 0o111
"""A directory that anybody may search: the common case, which costs no further question."""


class Found(msgspec.Struct, frozen=True):
    """Where a path leads: the directory that holds its last name, the name, and what it names.

    ``name`` is empty when the path ends at a root or with ``.`` or ``..``, or went through a magic
    link; then ``parent`` is ``at`` itself. ``at`` is None when nothing has the name. ``slash``: the
    path ended with one.
    """

    parent: At
    name: str
    at: At | None
    slash: bool


class Last(msgspec.Struct, frozen=True):
    """Where a path's last name is to be looked up: nothing about the name itself is known yet.

    ``name`` may be ``.``, ``..`` or, for the root, empty.
    """

    parent: At
    name: str
    slash: bool


class Walker:
    """One walk: where it stands, where it may not go above, how many symlinks it followed."""

    __slots__ = ("at", "links", "mounted", "resolve", "root", "start", "trap")

    def __init__(self, trap: "Trap", start: At, resolve: int) -> None:
        self.trap = trap
        self.at = start
        self.start = start
        self.resolve = resolve
        self.root = start if resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH) else trap.task.root
        self.links = 0
        self.mounted = trap.store.filed(MOUNTED_ON)

    def walk(self, path: str, follow: bool, above: tuple[At, str] | None = None) -> Found:
        """All the way: each time round, the path up to a last name, then that name.

        ``above``: where the path is known to lead up to its last name, and that name.
        """
        trap = self.trap
        wants_directory = False
        while True:
            last = self.parent(path) if above is None else self._stand(*above)
            above = None
            parent, name = last.parent, last.name
            wants_directory |= last.slash
            if name in DOTS:
                if name == "..":
                    self._up()
                return Found(self.at, "", self.at, wants_directory)
            at = child(trap, parent, name)
            if at is None:
                return Found(parent, name, None, wants_directory)
            below = self._down(at) if at in self.mounted else at
            inode = inodes.load(trap, below.inode)
            kind = inode.mode & S_IFMT
            if kind == S_IFLNK and (follow or wants_directory):
                text = self._link(inodes.load(trap, parent.inode), inode, below)
                if isinstance(text, At):
                    if wants_directory:
                        self._must_be_directory(text)
                    return Found(text, "", text, wants_directory)
                path = text
                continue
            if wants_directory and kind != S_IFDIR:
                trap.fail(Errno.ENOTDIR, N_("A path ends with a slash."), "path_resolution(7)")
            return Found(parent, name, below, wants_directory)

    def dots(self, path: str) -> Found:
        """``.`` or ``..``: what the whole walk would do, and nothing to take apart."""
        self._enter(inodes.load(self.trap, self.at.inode))
        if path == "..":
            self._up()
        return Found(self.at, "", self.at, False)

    def _stand(self, parent: At, name: str) -> Last:
        self.at = parent
        return Last(parent, name, False)

    def parent(self, path: str) -> Last:
        """Through every name but the last, following symlinks; then stand above the last.

        The hottest loop of the model: where it stands are two plain variables, and a stored name
        costs no call. ``plain`` says whether it is a walk to be remembered (``walks.py``).
        """
        trap, mounted = self.trap, self.mounted
        pending, slash = self._open(path)
        # Not rows(), which would give a branch tables of its own: a walk writes nothing
        tables = trap.store.tables
        dentries = cast("Mapping[Key, Dentry]", tables.get(Dentry, {}))
        stored = cast("Mapping[Key, Inode]", tables.get(Inode, {}))
        begin = self.at
        guarded = bool(trap.family.chain.asked["may_pass"])
        plain = not (guarded or slash or self.resolve or self.links or trap.walks is None)
        cut, closed = self._nearest(path, plain)
        if cut:
            pending = self._names(path[cut:])
        mount, number = self.at
        directory = inodes.load(trap, number)
        passed: list[InodeId] = [number]
        names: list[tuple[InodeId, str]] = []
        stages: list[Stage] = []
        while pending:
            name = pending.pop()
            if guarded or directory.mode & _TYPE_AND_SEARCH != _OPEN_DIRECTORY:
                self._enter(directory)
                if number not in closed:
                    closed.append(number)
            if plain and not isinstance(number, int):
                plain = self._is_steady(number, name if pending else "", passed, names)
            if plain:
                stages.append((At(mount, number), tuple(closed)))
            if not pending:
                if stages and trap.walks is not None:
                    trap.walks.remember(path, begin, stages, passed, names, cut=cut, whole=plain)
                self.at = At(mount, number)
                return Last(self.at, name, slash)
            if name in DOTS:
                if name == "..":
                    plain = False
                    mount, number = self._up_from(At(mount, number))
                    directory = inodes.load(trap, number)
                continue
            dentry = dentries.get((number, name))
            inner = dentry.inode if dentry is not None else self._computed(mount, number, name)
            below = mount
            if (mount, inner) in mounted:
                below, inner = self._down(At(mount, inner), passed)
            passed.append(inner)
            inode = stored.get(inner) or inodes.load(trap, inner)
            if inode.mode & S_IFMT == S_IFLNK:
                plain = False
                target = self._link(directory, inode, At(below, inner))
                mount, number = self._onward(At(mount, number), target, pending)
                directory = inodes.load(trap, number)
                continue
            mount, number, directory = below, inner, inode
        self.at = At(mount, number)
        return Last(self.at, "", slash)

    def _nearest(self, path: str, plain: bool) -> tuple[int, list[InodeId]]:
        """Stand where the longest known way into ``path`` leads; its length, what is closed."""
        walks = self.trap.walks
        known = walks.nearest(self.trap, path, self.at) if plain and walks is not None else None
        if known is None:
            return 0, []
        cut, (self.at, closed) = known
        return cut, [*closed]

    def _is_steady(
        self,
        directory: VirtualId,
        name: str,
        passed: list[InodeId],
        names: list[tuple[InodeId, str]],
    ) -> bool:
        """Whether a walk on to ``name`` of a computed directory may be remembered; adds the layers
        that decide it, and the entries in them.
        """
        layers = layers_of(self.trap, directory)
        if layers is None:
            return False
        passed.extend(layers)
        names.extend((layer, name) for layer in layers if name)
        return True

    def _up_from(self, at: At) -> At:
        self.at = at
        self._up()
        return self.at

    def _onward(self, at: At, target: At | str, pending: list[str]) -> At:
        """Where a symlink met at ``at`` has the walk go on; the names of its text come first."""
        if isinstance(target, At):
            return target
        self.at = at
        pending.extend(self._open(target)[0])
        return self.at

    def _computed(self, mount: MountId, directory: InodeId, name: str) -> InodeId:
        """What ``name`` is where no stored entry says so: in a computed directory, or nothing."""
        at = child(self.trap, At(mount, directory), name)
        if at is None:
            missing(self.trap)
        return at.inode

    def _open(self, path: str) -> tuple[list[str], bool]:
        """Stand at the beginning of ``path``; its names, last first, and if it ends in a slash."""
        if path[0] == "/":
            if self.resolve & RESOLVE_BENEATH:
                self._escapes()
            if self.resolve & RESOLVE_NO_XDEV and self.root.mount != self.start.mount:
                self.trap.fail(Errno.EXDEV, N_("The path leaves its mount."), "openat2(2)")
            self.at = self.root
        return self._names(path), path[-1] == "/"

    @staticmethod
    def _names(path: str) -> list[str]:
        """The names of a path, last first."""
        return [*filter(None, reversed(path.split("/")))]

    def _enter(self, directory: Inode) -> None:
        """Refuse to look for names in what is no directory (ENOTDIR) or is closed (EACCES)."""
        if directory.mode & S_IFMT != S_IFDIR:
            self.trap.fail(
                Errno.ENOTDIR, N_("A name on the way is no directory."), "path_resolution(7)"
            )
        permission.need_search(self.trap, directory)

    def _up(self) -> None:
        """``..``: to the parent, unless this is where the caller's tree ends."""
        trap = self.trap
        if self.at == self.root:
            self._stay()
            return
        if self.at == trap.task.top or (
            trap.family.traits.context_root_pins_dotdot and _is_context_root(trap, self.at)
        ):
            return
        at = self.at
        mount = trap.store.row(Mount, at.mount)
        while at.inode == mount.root:
            if mount.parent is None or mount.mountpoint is None:
                self._stay()
                return
            at = At(mount.parent, mount.mountpoint)
            mount = trap.store.row(Mount, at.mount)
            if at == self.root:
                self._stay()
                return
        if at != self.at and self.resolve & RESOLVE_NO_XDEV:
            trap.fail(Errno.EXDEV, N_("The path leaves its mount."), "openat2(2)")
        at = At(at.mount, inodes.parent(trap, at.inode))
        self._connected(mount, at.inode)
        self.at = cross(trap, at)

    def _stay(self) -> None:
        """follow_dotdot(), ``in_root``: no higher, but onto whatever has been mounted here."""
        if self.resolve & RESOLVE_BENEATH:
            self._escapes()
        if self.at in self.mounted:
            self.at = self._down(self.at)

    def _connected(self, mount: Mount, directory: InodeId) -> None:
        """path_connected(): of a bind mount, only what is below its root; ENOENT for a directory
        that somebody has moved out of it.
        """
        trap = self.trap
        if mount.root == directory or not trap.family.traits.bind_mount_ends_at_its_root:
            return
        if mount.root == trap.store.row(Superblock, mount.sb).root:
            return
        while directory != mount.root:
            above = inodes.parent(trap, directory)
            if above == directory:
                trap.deny(
                    Errno.ENOENT,
                    "bind-mount",
                    N_("The directory was moved out of what this mount shows: nothing lies above."),
                    "mount(2)",
                )
            directory = above

    def _down(self, at: At, passed: list[InodeId] | None = None) -> At:
        """Onto whatever is mounted there; adds to ``passed`` what is covered."""
        if self.resolve & RESOLVE_NO_XDEV:
            self.trap.fail(Errno.EXDEV, N_("The path leaves its mount."), "openat2(2)")
        return cross(self.trap, at, passed)

    def _link(self, directory: Inode, link: Inode, at: At) -> "At | str":
        """Where a symlink leads: text to walk on with, or, for a magic link, the place."""
        trap = self.trap
        self.links += 1
        if self.links > MAX_SYMLINKS or self.resolve & RESOLVE_NO_SYMLINKS:
            trap.fail(Errno.ELOOP, N_("Too many symbolic links."), "path_resolution(7)")
        if trap.store.row(Mount, at.mount).flags & MS_NOSYMFOLLOW:
            trap.deny(
                Errno.ELOOP,
                "mount-flags",
                N_("The mount does not follow symbolic links (MS_NOSYMFOLLOW)."),
                "mount(2)",
            )
        self._protected(directory, link)
        if isinstance(at.inode, int):
            return link.target
        target = virtual(at.inode).follow(trap, at.inode)
        if isinstance(target, At):
            if self.resolve & RESOLVE_NO_MAGICLINKS:
                trap.fail(Errno.ELOOP, N_("Magic links were forbidden."), "openat2(2)")
            if self.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT):
                self._escapes()
        return target

    def _protected(self, directory: Inode, link: Inode) -> None:
        """proc_sys_fs(5) protected_symlinks: in a directory like /tmp only one's own."""
        if directory.mode & 0o1002 != 0o1002 or not permission.protects(
            self.trap, "fs.protected_symlinks"
        ):
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
            self.trap.fail(Errno.ENOTDIR, N_("A path ends with a slash."), "path_resolution(7)")

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
