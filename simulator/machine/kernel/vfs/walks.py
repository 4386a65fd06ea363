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
and nothing is believed any more.

What is remembered belongs to a state. A branch begins with what its timeline knew at that step; as
long as it has written nothing that has a say, what it learns is every other branch's of that step
too, and with its first write that does its memory becomes its own.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias
from weakref import ref

from simulator.machine.abi.ids import InodeId, MountId
from simulator.machine.kernel.fs.registry import DECIDING
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import permission
from simulator.machine.kernel.vfs.inode import Dentry, Inode
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Key, Row, Store, World, Write

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

DOTS = frozenset(("", ".", ".."))
"""Last names that name no entry of a directory."""
DECIDING.update((Inode, Dentry, Mount))
_MOST = 4096
"""Walks that are remembered; then it begins anew."""


Stage: TypeAlias = tuple[At, tuple[InodeId, ...]]
"""A directory, and those on the way to what is in it that are not open to everybody."""


class _Memory:
    """What is remembered of one state."""

    __slots__ = ("ends", "inodes", "known", "names", "places")

    def __init__(self) -> None:
        self.known: dict[tuple[At, str], Stage] = {}
        """Where the text of a path led to, from a place on."""
        self.inodes: set[InodeId] = set()
        """Every directory that a remembered walk went through, what they are mounted on, and
        their layers.
        """
        self.names: set[Key] = set()
        """What decided about names in computed directories: the entries (there or not) of those
        names in each of their layers.
        """
        self.places: dict[tuple[At, str], At] = {}
        """What whole paths name, through directories that are open to everybody: nothing computed
        or mounted on, and no symbolic link.
        """
        self.ends: set[InodeId] = set()
        """The inodes of those."""

    def copy(self) -> "_Memory":
        """The same, to be changed by itself."""
        other = _Memory()
        other.known = self.known.copy()
        other.inodes = self.inodes.copy()
        other.names = self.names.copy()
        other.places = self.places.copy()
        other.ends = self.ends.copy()
        return other

    def forget_places(self) -> None:
        """Believe no longer what whole paths name."""
        self.places.clear()
        self.ends.clear()


class Walks:
    """The directories that paths of one store led to."""

    __slots__ = ("__weakref__", "_journal", "_memory", "_own", "_position", "_store", "_top")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._own = bool(store.journal)
        """Whether it is this store's alone, and not of the state that it began with."""
        self._memory: _Memory = (
            _Memory() if self._own else store.memory.setdefault(_Memory, _Memory())
        )
        self._journal = store.journal
        """The list that was looked at: history that begins anew begins another."""
        self._position = 0
        """How much of the journal has been looked at."""
        self._top: Write | None = None
        """What lay on top of it then."""
        store.reader = ref(self)

    def lend(self, world: World) -> None:
        """``world``, a value of the present state, is remembered as well from now on."""
        self._catch_up(self._store.journal)
        world.memory[_Memory] = self._memory.copy()

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
        known = self._memory.known.get((start, names))
        if known is None or name in DOTS:
            return None
        end, closed = known
        for directory in closed:
            permission.need_search(trap, inodes.load(trap, directory))
        return end, name

    def nearest(self, trap: "Trap", path: str, start: At) -> tuple[int, Stage] | None:
        """The longest way into ``path`` from ``start`` that is remembered, and how much of the text
        that is. EACCES.
        """
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        known, cut = self._memory.known, path.rfind("/")
        while (cut := path.rfind("/", 0, cut)) > 0:
            found = known.get((start, path[:cut]))
            if found is not None:
                for directory in found[1]:
                    permission.need_search(trap, inodes.load(trap, directory))
                return cut, found
        return None

    def at(self, path: str, start: At, root: At) -> At | None:
        """What ``path`` names, if that is remembered as well."""
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        return self._memory.places.get((root if path[:1] == "/" else start, path))

    def remember_place(self, path: str, start: At, root: At, at: At) -> None:
        """``path`` names ``at``, which was looked up in what ``above`` has just given."""
        start = root if path[:1] == "/" else start
        memory = self._memory
        if memory.known[start, path.rpartition("/")[0]][1]:
            return
        if len(memory.places) >= _MOST:
            memory.forget_places()
        memory.places[start, path] = at
        memory.ends.add(at.inode)

    def remember(
        self,
        path: str,
        start: At,
        stages: Sequence[Stage],
        passed: Iterable[InodeId],
        names: Iterable[tuple[InodeId, str]] = (),
        *,
        cut: int = 0,
        whole: bool = True,
    ) -> None:
        """A walk of the kind described above from ``start``, just now: through ``passed`` and their
        layers. ``names`` are the entries, there or not, that decided in computed directories.

        ``stages`` are its directories one by one: what the first ``cut`` characters of ``path``
        lead to, then what each name after that does; if it is the ``whole`` walk, the last of them
        is the directory above ``path``'s last name.
        """
        journal = self._store.journal
        if not journal or journal[-1] is not self._top:
            self._catch_up(journal)
        if len(self._memory.known) >= _MOST:
            self._forget()
        memory = self._memory
        memory.inodes.update(passed)
        memory.names.update(names)
        if whole:
            memory.known[start, path.rpartition("/")[0]] = stages[-1]
        begin = cut + (path[cut] == "/")
        for stage in stages:
            memory.known[start, path[:cut]] = stage
            cut = path.find("/", begin)
            if path[begin:cut] in DOTS:  # counts for no stage
                return
            begin = cut + 1

    def _catch_up(self, journal: list[Write]) -> None:
        position = self._position
        if journal is not self._journal:
            self._forget()
        elif position > len(journal) or (position and journal[position - 1] is not self._top):
            if self._own:
                self._forget()
            else:  # what is known was so before any of the writes
                self._learn(journal)
        elif position < len(journal):
            self._learn(journal[position:])
        self._journal = journal
        self._position = len(journal)
        self._top = journal[-1] if journal else None

    def _learn(self, writes: list[Write]) -> None:
        """Make the memory one of the state after ``writes``."""
        if not self._own:
            if not any(map(_has_a_say, writes)):
                return
            self._memory, self._own = self._memory.copy(), True
        if self._memory.known and self._changed(writes):
            self._forget()

    def _changed(self, writes: list[Write]) -> bool:
        """Whether a remembered walk may lead elsewhere after ``writes``."""
        passed, names = self._memory.inodes, self._memory.names
        for write in writes:
            table = write.table
            if table not in DECIDING:
                continue
            key, old, new = write.key, write.old, write.new
            if table is Inode:
                if key in passed and not _same_way(old, new):
                    return True
            elif table is Dentry:
                if key in names:
                    return True
                # Elsewhere a name that is new was on no remembered walk
                if isinstance(old, Dentry) and new != old and self._passed(old.inode):
                    return True
            elif table is Mount:
                was, now = _mounted_on(old), _mounted_on(new)
                if was != now and (
                    (was and self._passed(was[1])) or (now and self._passed(now[1]))
                ):
                    return True
            else:
                return True
        return False

    def _passed(self, inode: InodeId | None) -> bool:
        """Whether a remembered walk goes through ``inode``. Of those that only end there, what
        the whole path names is no longer believed.
        """
        memory = self._memory
        if inode in memory.ends:
            memory.forget_places()
        return inode in memory.inodes

    def _forget(self) -> None:
        self._memory, self._own = _Memory(), True


def _has_a_say(write: Write) -> bool:
    """Whether a walk, remembered or not, may lead elsewhere after it."""
    table = write.table
    return table in DECIDING and not (table is Inode and _same_way(write.old, write.new))


def _same_way(old: Row | None, new: Row | None) -> bool:
    """Whether a directory lets through, and as a layer hides, what it did."""
    return (
        isinstance(old, Inode)
        and isinstance(new, Inode)
        and old.mode == new.mode
        and old.xattrs == new.xattrs
    )


def _mounted_on(row: Row | None) -> tuple[MountId, InodeId] | None:
    """The place, if the mount is attached to any."""
    if isinstance(row, Mount) and row.parent is not None and row.mountpoint is not None:
        return row.parent, row.mountpoint
    return None
