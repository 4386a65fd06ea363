"""Where walks led: the model's dentry cache, so that a deep path costs what a shallow one does.

A walk is remembered by where it began and by the names of the directories it went through, if
nothing but the tables of names, modes and mounts decided it: every directory on it was stored, or
computed from stored ones alone (``fs.registry.Steady``), and no symbolic link, ``..``, policy or
flag of openat2(2) had a say. So it is the same for every caller who may search those of its
directories that are not open to everybody, which is asked each time; and only these writes can
change where it leads:

- a name that stood for one of its directories (or for the place that one is mounted on), or for
  what the whole path names, is gone or stands for something else: ``Dentry``
- a name that led on from a computed directory comes, or goes, in one of its layers: ``Dentry``
- one of its directories, or of their layers, has another mode or other attributes, or is gone:
  ``Inode``
- something is mounted on one of them, or no longer: ``Mount``
- a row of a table that has a say in computed directories (``fs.registry.DECIDING``)

The journal tells of all of them, rollbacks too. It is a stack of ``Write`` objects, each made once
and never put back, so while the one that lay on top at the last look still lies in its place,
everything below is as it was and only what lies above is news. Otherwise history was taken back,
and nothing is believed any more. Another branch has another store and its own memory.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulator.machine.abi.ids import InodeId, MountId
from simulator.machine.kernel.fs.registry import DECIDING
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import permission
from simulator.machine.kernel.vfs.inode import Dentry, Inode
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Key, Row, Store, Write

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

DOTS = frozenset(("", ".", ".."))
"""Last names that name no entry of a directory."""
DECIDING.update((Inode, Dentry, Mount))
_MOST = 4096
"""Walks that are remembered; then it begins anew."""


class Walks:
    """The directories that paths of one store led to."""

    __slots__ = (
        "_ends", "_inodes", "_known", "_names", "_places", "_position", "_store", "_top",
    )  # fmt: skip

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[At, str], tuple[At, tuple[InodeId, ...]]] = {}
        """The directory that a path led to, and those on the way that are not open to everybody."""
        self._inodes: set[InodeId] = set()
        """Every directory that a remembered walk went through, what they are mounted on, and
        their layers.
        """
        self._names: set[Key] = set()
        """What decided about names in computed directories: the entries (there or not) of those
        names in each of their layers.
        """
        self._places: dict[tuple[At, str], At] = {}
        """What whole paths name, through directories that are open to everybody: nothing computed
        or mounted on, and no symbolic link.
        """
        self._ends: set[InodeId] = set()
        """The inodes of those."""
        self._position = 0
        """How much of the journal has been looked at."""
        self._top: Write | None = None
        """What lay on top of it then."""

    def above(self, trap: "Trap", path: str, start: At) -> tuple[At, str] | None:
        """The directory above ``path``'s last name, and that name; None: it must be walked.

        A relative path begins at ``start``, an absolute one at the caller's root. EACCES.
        """
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        names, slash, name = path.rpartition("/")
        if slash and path[0] == "/":
            start = trap.task.root
        known = self._known.get((start, names))
        if known is None or name in DOTS:
            return None
        end, closed = known
        for directory in closed:
            permission.need_search(trap, inodes.load(trap, directory))
        return end, name

    def at(self, path: str, start: At, root: At) -> At | None:
        """What ``path`` names, if that is remembered as well."""
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        return self._places.get((root if path[:1] == "/" else start, path))

    def remember_place(self, path: str, start: At, root: At, at: At) -> None:
        """``path`` names ``at``, which was looked up in what ``above`` has just given."""
        start = root if path[:1] == "/" else start
        if self._known[start, path.rpartition("/")[0]][1]:
            return
        if len(self._places) >= _MOST:
            self._places.clear()
            self._ends.clear()
        self._places[start, path] = at
        self._ends.add(at.inode)

    def remember(
        self,
        path: str,
        start: At,
        end: At,
        passed: Iterable[InodeId],
        names: Iterable[tuple[InodeId, str]] = (),
        closed: Iterable[InodeId] = (),
    ) -> None:
        """A walk of the kind described above from ``start`` up to ``path``'s last name, just now:
        through ``passed`` and their layers to ``end``. ``names`` are the entries, there or not,
        that decided in computed directories; ``closed`` the directories that not everybody may
        search.
        """
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        if len(self._known) >= _MOST:
            self._forget()
        self._known[start, path.rpartition("/")[0]] = end, tuple(closed)
        self._inodes.update(passed)
        self._names.update(names)

    def _catch_up(self, journal: list[Write]) -> None:
        position = self._position
        taken_back = not 0 < position <= len(journal) or journal[position - 1] is not self._top
        if taken_back or (self._known and self._changed(journal[position:])):
            self._forget()
        self._position = len(journal)
        self._top = journal[-1] if journal else None

    def _changed(self, writes: list[Write]) -> bool:
        """Whether a remembered walk may lead elsewhere after ``writes``."""
        passed = self._inodes
        for write in writes:
            table = write.table
            if table not in DECIDING:
                continue
            key, old, new = write.key, write.old, write.new
            if table is Inode:
                if key in passed and not _same_way(old, new):
                    return True
            elif table is Dentry:
                if key in self._names:
                    return True
                # Elsewhere a name that is new was on no remembered walk
                if isinstance(old, Dentry) and new != old and self._passed(old.inode):
                    return True
            elif table is Mount:
                was, now = _mounted_on(old), _mounted_on(new)
                if was != now and (self._passed(was[1]) or self._passed(now[1])):
                    return True
            else:
                return True
        return False

    def _passed(self, inode: InodeId | None) -> bool:
        """Whether a remembered walk goes through ``inode``. Of those that only end there, what
        the whole path names is no longer believed.
        """
        if inode in self._ends:
            self._places.clear()
            self._ends.clear()
        return inode in self._inodes

    def _forget(self) -> None:
        self._known.clear()
        self._inodes.clear()
        self._names.clear()
        self._places.clear()
        self._ends.clear()


def _same_way(old: Row | None, new: Row | None) -> bool:
    """Whether a directory lets through, and as a layer hides, what it did."""
    return (
        isinstance(old, Inode)
        and isinstance(new, Inode)
        and old.mode == new.mode
        and old.xattrs == new.xattrs
    )


def _mounted_on(row: Row | None) -> tuple[MountId | None, InodeId | None]:
    return (row.parent, row.mountpoint) if isinstance(row, Mount) else (None, None)
