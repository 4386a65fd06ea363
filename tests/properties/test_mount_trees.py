"""Random mounts, moves, unmounts and types: trees stay trees, and their history is true."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simulator.machine.abi.call import Silent
from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MNT_DETACH,
    MS_BIND,
    MS_MOVE,
    MS_PRIVATE,
    MS_REC,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
)
from simulator.machine.kernel.namespace import MountNs
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.mount import PEERS, Mount
from simulator.machine.state.store import same_tables
from tests.unit.machine.bare import Machine

PLACES = ("/a", "/a/x", "/a/x/y", "/b", "/b/x", "/c")
places = st.sampled_from(PLACES)
sources = st.sampled_from(("/", *PLACES))
types = st.sampled_from((MS_SHARED, MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE))


class Mounts(RuleBasedStateMachine):
    """Calls by two tasks that may share a mount namespace or not; they succeed or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.it = Machine()
        for path in ("/a/x/y", "/b/x", "/c"):
            tree.mkdirs(self.it.store, 1, path)
        self.other = self.it.fork()
        self.it.kernel.timeline = type(self.it.kernel.timeline)(self.it.store)

    def call(self, who: bool, name: str, *args: Any) -> None:
        pid = self.other if who else self.it.pid
        result = self.it.raw(name, *args, pid=pid)
        assert not isinstance(result, Silent), (name, args, result)

    @rule(who=st.booleans(), path=places)
    def new(self, who: bool, path: str) -> None:
        self.call(who, "mount", "t", path, "tmpfs", 0, None)
        self.call(who, "mkdir", f"{path}/x", 0o755)

    @rule(who=st.booleans(), source=sources, path=places, recursive=st.sampled_from((0, MS_REC)))
    def bind(self, who: bool, source: str, path: str, recursive: int) -> None:
        self.call(who, "mount", source, path, None, MS_BIND | recursive, None)

    @rule(who=st.booleans(), source=places, path=places)
    def move(self, who: bool, source: str, path: str) -> None:
        self.call(who, "mount", source, path, None, MS_MOVE, None)

    @rule(who=st.booleans(), path=sources, kind=types, recursive=st.sampled_from((0, MS_REC)))
    def change_type(self, who: bool, path: str, kind: int, recursive: int) -> None:
        self.call(who, "mount", None, path, None, kind | recursive, None)

    @rule(who=st.booleans(), path=places, flags=st.sampled_from((0, MNT_DETACH)))
    def unmount(self, who: bool, path: str, flags: int) -> None:
        self.call(who, "umount2", path, flags)

    @rule(who=st.booleans(), flags=st.sampled_from((CLONE_NEWNS, CLONE_NEWNS | CLONE_NEWUSER)))
    def leave(self, who: bool, flags: int) -> None:
        self.call(who, "unshare", flags)

    @invariant()
    def one_mount_sits_on_a_place(self) -> None:
        places_taken = [
            (mount.parent, mount.mountpoint)
            for mount in self.it.store.all(Mount)
            if mount.parent is not None
        ]
        assert len(places_taken) == len(set(places_taken))

    @invariant()
    def every_mount_hangs_in_its_parents_namespace(self) -> None:
        store = self.it.store
        for mount in store.all(Mount):
            if mount.parent is not None:
                assert store.row(Mount, mount.parent).ns == mount.ns
            elif mount.ns is not None:
                assert store.row(MountNs, mount.ns).root == mount.id

    @invariant()
    def peers_have_the_same_master_and_masters_exist(self) -> None:
        store = self.it.store
        for mount in store.all(Mount):
            if mount.master is not None:
                assert store.by(PEERS, ("peer", mount.master))
            if mount.peer_group is not None:
                masters = {peer.master for peer in store.rows_by(PEERS, ("peer", mount.peer_group))}
                assert masters == {mount.master}

    def teardown(self) -> None:
        timeline = self.it.kernel.timeline
        assert same_tables(timeline.undone().tables, timeline.at(0).tables)
        assert same_tables(timeline.at(len(timeline)).tables, self.it.store.tables)


TestMounts = Mounts.TestCase
TestMounts.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
