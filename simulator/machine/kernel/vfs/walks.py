"""Where walks led: the model's dentry cache, so that a deep path costs what a shallow one does.

A walk is remembered by where it began and by the names of the directories it went through, if
nothing but the tables of names, modes and mounts decided it: every directory on it was stored and
open to everybody, and no symbolic link, ``..``, policy or flag of openat2(2) had a say. So it is
the same for every caller, and only these writes can change where it leads:

- a name that stood for one of its directories (or for the place that one is mounted on), or for
  what the whole path names, is gone or stands for something else: ``Dentry``
- one of its directories has another mode, or is gone: ``Inode``
- anything is mounted, moved or taken off: ``Mount``

The journal tells of all of them, rollbacks too. It is a stack of ``Write`` objects, each made once
and never put back, so while the one that lay on top at the last look still lies in its place,
everything below is as it was and only what lies above is news. Otherwise history was taken back,
and nothing is believed any more. Another branch has another store and its own memory.
"""

from collections.abc import Iterable

from simulator.machine.abi.ids import InodeId
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs.inode import Dentry, Inode
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Row, Store, Write

DOTS = frozenset(("", ".", ".."))
"""Last names that name no entry of a directory."""
_MOST = 4096
"""Walks that are remembered; then it begins anew."""


class Walks:
    """The directories that paths of one store led to."""

    __slots__ = ("_ends", "_inodes", "_known", "_places", "_position", "_store", "_top")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[At, str], At] = {}
        self._inodes: set[InodeId] = set()
        """Every directory that a remembered walk went through, and what they are mounted on."""
        self._places: dict[tuple[At, str], At] = {}
        """What whole paths name, through a remembered directory: nothing computed or mounted on,
        and no symbolic link.
        """
        self._ends: set[InodeId] = set()
        """The inodes of those."""
        self._position = 0
        """How much of the journal has been looked at."""
        self._top: Write | None = None
        """What lay on top of it then."""

    def above(self, path: str, start: At, root: At) -> tuple[At, str] | None:
        """The directory above ``path``'s last name, and that name; None: it must be walked.

        A relative path begins at ``start``, an absolute one at ``root``.
        """
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        names, slash, name = path.rpartition("/")
        if slash and path[0] == "/":
            start = root
        end = self._known.get((start, names))
        return None if end is None or name in DOTS else (end, name)

    def at(self, path: str, start: At, root: At) -> At | None:
        """What ``path`` names, if that is remembered as well."""
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        return self._places.get((root if path[:1] == "/" else start, path))

    def remember_place(self, path: str, start: At, root: At, at: At) -> None:
        """``path`` names ``at``, which was looked up in what ``above`` has just given."""
        if len(self._places) >= _MOST:
            self._places.clear()
            self._ends.clear()
        self._places[root if path[:1] == "/" else start, path] = at
        self._ends.add(at.inode)

    def remember(self, path: str, start: At, end: At, inodes: Iterable[InodeId]) -> None:
        """A walk of the kind described above from ``start`` up to ``path``'s last name, just now:
        through ``inodes`` to ``end``.
        """
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        if len(self._known) >= _MOST:
            self._forget()
        self._known[start, path.rpartition("/")[0]] = end
        self._inodes.update(inodes)

    def _catch_up(self, journal: list[Write]) -> None:
        position = self._position
        taken_back = not 0 < position <= len(journal) or journal[position - 1] is not self._top
        if taken_back or (self._known and self._changed(journal[position:])):
            self._forget()
        self._position = len(journal)
        self._top = journal[-1] if journal else None

    def _changed(self, writes: list[Write]) -> bool:
        """Whether a remembered walk may lead elsewhere after ``writes``."""
        inodes = self._inodes
        for table, key, old, new in writes:
            if table is Inode:
                if key in inodes and not _same_mode(old, new):
                    return True
            elif table is Dentry:
                # A name that is new was on no remembered walk
                if isinstance(old, Dentry) and new != old:
                    if old.inode in inodes:
                        return True
                    if old.inode in self._ends:
                        self._places.clear()
                        self._ends.clear()
            elif table is Mount:
                return True
        return False

    def _forget(self) -> None:
        self._known.clear()
        self._inodes.clear()
        self._places.clear()
        self._ends.clear()


def _same_mode(old: Row | None, new: Row | None) -> bool:
    return isinstance(old, Inode) and isinstance(new, Inode) and old.mode == new.mode
