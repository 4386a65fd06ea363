"""Random file operations by two users: the tree stays a tree, and its history is true."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simulator.machine.abi.call import Silent
from simulator.machine.abi.constants import (
    AT_FDCWD,
    O_CREAT,
    O_RDWR,
    O_TRUNC,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
)
from simulator.machine.kernel.vfs import content
from simulator.machine.kernel.vfs.fd import OPEN_FILES, REFERENCES, FdTable, File
from simulator.machine.kernel.vfs.inode import NAMES_OF, Dentry, Inode, Superblock
from simulator.machine.kernel.vfs.ops import USED_BY
from simulator.machine.kernel.vfs.pipe import Pipe
from simulator.machine.state.store import same_tables
from tests.unit.machine.bare import Machine

NAMES = ("a", "b")
FEW = ("/t/a", "/t/b", "/t/a/a", "/t/a/b", "/t/b/a")
"""So few that what one call makes another finds."""
paths = st.one_of(
    st.sampled_from(FEW),
    st.lists(st.sampled_from((*NAMES, "..", ".")), min_size=1, max_size=3).map(
        lambda names: "/t/" + "/".join(names)
    ),
)
fds = st.integers(0, 4)


class Files(RuleBasedStateMachine):
    """Calls that may succeed or fail; the invariants hold either way."""

    def __init__(self) -> None:
        super().__init__()
        self.it = Machine()
        self.it.do("mkdir", "/t", 0o777)
        self.it.do("chmod", "/t", 0o1777)
        self.it.do("mkdir", "/t/a", 0o777)
        self.it.do("creat", "/t/b", 0o666)
        self.user = self.it.become(self.it.fork(), 1000)
        self.start = len(self.it.kernel.timeline)

    def call(self, who: bool, name: str, *args: Any) -> None:
        pid = self.user if who else self.it.pid
        result = self.it.raw(name, *args, pid=pid)
        assert not isinstance(result, Silent), (name, args, result)

    @rule(who=st.booleans(), path=paths)
    def mkdir(self, who: bool, path: str) -> None:
        self.call(who, "mkdir", path, 0o755)

    @rule(who=st.booleans(), path=paths, flags=st.sampled_from((O_CREAT, O_CREAT | O_TRUNC, 0)))
    def open(self, who: bool, path: str, flags: int) -> None:
        self.call(who, "open", path, O_RDWR | 0o4000 | flags, 0o644)

    @rule(
        who=st.booleans(), fd=fds, at=st.sampled_from((0, 3, 5000, 1 << 33)), n=st.integers(1, 9000)
    )
    def write(self, who: bool, fd: int, at: int, n: int) -> None:
        self.call(who, "pwrite64", fd, "x", n, at)

    @rule(who=st.booleans(), fd=fds, size=st.sampled_from((0, 1, 5001, 1 << 34)))
    def ftruncate(self, who: bool, fd: int, size: int) -> None:
        self.call(who, "ftruncate", fd, size)

    @rule(who=st.booleans(), fd=fds)
    def close(self, who: bool, fd: int) -> None:
        self.call(who, "close", fd)

    @rule(who=st.booleans(), fd=fds, new=fds)
    def dup2(self, who: bool, fd: int, new: int) -> None:
        self.call(who, "dup2", fd, new)

    @rule(who=st.booleans(), old=paths, new=paths)
    def link(self, who: bool, old: str, new: str) -> None:
        self.call(who, "link", old, new)

    @rule(who=st.booleans(), text=paths, path=paths)
    def symlink(self, who: bool, text: str, path: str) -> None:
        self.call(who, "symlink", text, path)

    @rule(who=st.booleans(), path=paths)
    def mkfifo(self, who: bool, path: str) -> None:
        self.call(who, "mknod", path, S_IFIFO | 0o644, 0)

    @rule(
        who=st.booleans(),
        old=paths,
        new=paths,
        flags=st.sampled_from((0, RENAME_NOREPLACE, RENAME_EXCHANGE)),
    )
    def rename(self, who: bool, old: str, new: str, flags: int) -> None:
        self.call(who, "renameat2", AT_FDCWD, old, AT_FDCWD, new, flags)

    @rule(who=st.booleans(), path=paths)
    def unlink(self, who: bool, path: str) -> None:
        self.call(who, "unlink", path)

    @rule(who=st.booleans(), path=paths)
    def rmdir(self, who: bool, path: str) -> None:
        self.call(who, "rmdir", path)

    @rule(who=st.booleans(), path=paths)
    def chdir(self, who: bool, path: str) -> None:
        self.call(who, "chdir", path)

    @rule(who=st.booleans(), path=paths, uid=st.sampled_from((0, 1000)))
    def chown(self, who: bool, path: str, uid: int) -> None:
        self.call(who, "lchown", path, uid, uid)

    @invariant()
    def every_name_leads_to_an_inode_with_the_right_count(self) -> None:
        store = self.it.store
        for dentry in store.all(Dentry):
            directory, _ = dentry.id
            above = store.row(Inode, directory)
            assert above.mode & S_IFMT == S_IFDIR
            assert above.nlink > 0
            assert store.get(Inode, dentry.inode) is not None
        for inode in store.all(Inode):
            names = store.by(NAMES_OF, inode.id)
            if inode.mode & S_IFMT != S_IFDIR:
                assert inode.nlink == len(names)
            elif names:
                assert len(names) == 1
                assert inode.parent == store.row(Dentry, names[0]).id[0]
                below = sum(
                    store.row(Inode, d.inode).mode & S_IFMT == S_IFDIR
                    for d in store.all(Dentry)
                    if d.id[0] == inode.id
                )
                assert inode.nlink == 2 + below

    @invariant()
    def every_directory_hangs_below_a_root(self) -> None:
        """No directory is above itself, whatever was renamed into what."""
        store = self.it.store
        roots = {sb.root for sb in store.all(Superblock)}
        for inode in store.all(Inode):
            above, passed = inode, set()
            while above.mode & S_IFMT == S_IFDIR and above.id not in roots and above.nlink:
                assert above.id not in passed
                passed.add(above.id)
                assert above.parent is not None
                above = store.row(Inode, above.parent)

    @invariant()
    def nothing_unreachable_is_kept_and_nothing_held_is_lost(self) -> None:
        store = self.it.store
        for file in store.all(File):
            assert store.by(REFERENCES, file.id)
            assert file.at is None or store.get(Inode, file.at.inode) is not None
        for table in store.all(FdTable):
            assert all(store.get(File, slot.file) for slot in table.slots.values())
        for inode in store.all(Inode):
            if inode.nlink == 0 and inode.mode & S_IFMT != S_IFDIR:
                assert store.by(OPEN_FILES, inode.id) or store.by(USED_BY, inode.id)

    @invariant()
    def space_and_pipe_ends_are_counted(self) -> None:
        store = self.it.store
        for sb in store.all(Superblock):
            pages = sum(content.pages(row) for row in store.all(Inode) if row.sb == sb.id)
            assert sb.used == pages * content.PAGE
        for pipe in store.all(Pipe):
            assert pipe.readers + pipe.writers > 0

    def teardown(self) -> None:
        timeline = self.it.kernel.timeline
        assert same_tables(timeline.undone().tables, timeline.at(0).tables)
        assert same_tables(timeline.at(len(timeline)).tables, self.it.store.tables)


Files.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestFiles = Files.TestCase
