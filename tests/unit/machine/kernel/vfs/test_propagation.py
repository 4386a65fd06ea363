"""How mounts spread: the tables of mount_namespaces(7) and sharedsubtree.rst."""

import msgspec
import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    MNT_DETACH,
    MS_BIND,
    MS_MOVE,
    MS_PRIVATE,
    MS_REC,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
    O_RDONLY,
)
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import mountinfo, tree
from tests.unit.machine.bare import Machine

TYPES = {
    "shared": (MS_SHARED,),
    "private": (MS_PRIVATE,),
    "slave": (MS_SHARED, MS_SLAVE),
    "slave-shared": (MS_SHARED, MS_SLAVE, MS_SHARED),
    "unbindable": (MS_UNBINDABLE,),
}


@pytest.fixture
def it() -> Machine:
    machine = Machine()
    for path in ("/s", "/d", "/e"):
        tree.mkdirs(machine.store, 1, path)
    return machine


def mount(it: Machine, path: str) -> None:
    assert it.do("mount", "t", path, "tmpfs", 0, None) == 0
    assert it.do("mkdir", f"{path}/x", 0o755) == 0


def bind(it: Machine, source: str, target: str, flags: int = 0) -> object:
    return it.do("mount", source, target, None, MS_BIND | flags, None)


def change(it: Machine, path: str, *flags: int) -> None:
    for flag in flags:
        assert it.do("mount", None, path, None, flag, None) == 0


def make(it: Machine, path: str, kind: str) -> None:
    """A mount of ``kind``; a slave needs a peer to be the slave of."""
    mount(it, path)
    change(it, path, MS_SHARED)
    if kind.startswith("slave"):
        bind(it, path, "/e")
        change(it, path, *TYPES[kind][1:])
    else:
        change(it, path, *TYPES[kind])


def kind_of(it: Machine, path: str) -> str:
    found = [seen for seen in mountinfo.visible(it.trap(), it.task()) if seen.path == path]
    tags = {tag.split(":")[0] for tag in found[-1].tags}
    if "unbindable" in tags:
        return "unbindable"
    if "master" in tags:
        return "slave-shared" if "shared" in tags else "slave"
    return "shared" if "shared" in tags else "private"


@pytest.mark.parametrize(
    ("before", "flag", "after"),
    [
        ("shared", MS_SHARED, "shared"),
        ("shared", MS_SLAVE, "private"),
        ("shared", MS_PRIVATE, "private"),
        ("shared", MS_UNBINDABLE, "unbindable"),
        ("slave", MS_SHARED, "slave-shared"),
        ("slave", MS_SLAVE, "slave"),
        ("slave", MS_PRIVATE, "private"),
        ("slave", MS_UNBINDABLE, "unbindable"),
        ("slave-shared", MS_SHARED, "slave-shared"),
        ("slave-shared", MS_SLAVE, "slave"),
        ("slave-shared", MS_PRIVATE, "private"),
        ("private", MS_SHARED, "shared"),
        ("private", MS_SLAVE, "private"),
        ("private", MS_UNBINDABLE, "unbindable"),
        ("unbindable", MS_SHARED, "shared"),
        ("unbindable", MS_SLAVE, "unbindable"),
        ("unbindable", MS_PRIVATE, "private"),
    ],
)
def test_a_type_changes_as_the_table_says(it: Machine, before: str, flag: int, after: str) -> None:
    make(it, "/s", before)
    change(it, "/s", flag)
    assert kind_of(it, "/s") == after


@pytest.mark.parametrize(
    ("source", "target", "result"),
    [
        ("shared", "shared", "shared"),
        ("private", "shared", "shared"),
        ("slave", "shared", "slave-shared"),
        ("unbindable", "shared", None),
        ("shared", "private", "shared"),
        ("private", "private", "private"),
        ("slave", "private", "slave"),
        ("unbindable", "private", None),
    ],
)
def test_a_bind_mount_has_the_type_that_the_table_says(
    it: Machine, source: str, target: str, result: str | None
) -> None:
    make(it, "/s", source)
    mount(it, "/d")
    change(it, "/d", *TYPES[target])
    if result is None:
        assert bind(it, "/s", "/d/x") == "EINVAL"
    else:
        assert bind(it, "/s", "/d/x") == 0
        assert kind_of(it, "/d/x") == result


@pytest.mark.parametrize(
    ("source", "target", "result"),
    [
        ("shared", "shared", "shared"),
        ("private", "shared", "shared"),
        ("slave", "shared", "slave-shared"),
        ("unbindable", "shared", None),
        ("shared", "private", "shared"),
        ("private", "private", "private"),
        ("slave", "private", "slave"),
        ("unbindable", "private", "unbindable"),
    ],
)
def test_a_moved_mount_has_the_type_that_the_table_says(
    it: Machine, source: str, target: str, result: str | None
) -> None:
    make(it, "/s", source)
    mount(it, "/d")
    change(it, "/d", *TYPES[target])
    moved = it.do("mount", "/s", "/d/x", None, MS_MOVE, None)
    if result is None:
        assert moved == "EINVAL"
    else:
        assert moved == 0
        assert kind_of(it, "/d/x") == result


class TestSpreading:
    @pytest.fixture
    def peers(self, it: Machine) -> Machine:
        mount(it, "/s")
        change(it, "/s", MS_SHARED)
        bind(it, "/s", "/d")
        return it

    def test_a_mount_in_one_peer_appears_in_the_other(self, peers: Machine) -> None:
        mount(peers, "/s/x")
        assert kind_of(peers, "/d/x") == "shared"
        assert peers.do("stat", "/d/x/x") == 0

    def test_an_unmount_in_one_peer_takes_it_off_the_other(self, peers: Machine) -> None:
        mount(peers, "/d/x")
        assert peers.do("umount2", "/s/x", 0) == 0
        assert peers.do("umount2", "/d/x", 0) == "EINVAL"

    def test_a_copy_in_use_keeps_the_original_busy(self, peers: Machine) -> None:
        mount(peers, "/s/x")
        peers.do("open", "/d/x", O_RDONLY, 0)
        assert peers.do("umount2", "/s/x", 0) == "EBUSY"
        assert peers.do("umount2", "/s/x", MNT_DETACH) == 0

    def test_a_slave_receives_and_gives_nothing_back(self, peers: Machine) -> None:
        change(peers, "/d", MS_SLAVE)
        mount(peers, "/s/x")
        assert kind_of(peers, "/d/x") == "slave"
        peers.do("umount2", "/s/x", 0)
        mount(peers, "/d/x")
        assert peers.do("umount2", "/s/x", 0) == "EINVAL"

    def test_a_private_mount_neither_receives_nor_gives(self, peers: Machine) -> None:
        change(peers, "/d", MS_PRIVATE)
        mount(peers, "/s/x")
        assert peers.do("umount2", "/d/x", 0) == "EINVAL"

    def test_what_is_out_of_sight_of_a_peer_does_not_spread_to_it(self, it: Machine) -> None:
        mount(it, "/s")
        it.do("mkdir", "/s/y", 0o755)
        change(it, "/s", MS_SHARED)
        bind(it, "/s/y", "/d")
        mount(it, "/s/x")
        assert [seen.path for seen in mountinfo.visible(it.trap(), it.task())][-1] == "/s/x"

    def test_a_slave_that_has_something_mounted_there_gets_it_beneath(self, peers: Machine) -> None:
        change(peers, "/d", MS_SLAVE)
        mount(peers, "/d/x")
        peers.do("mkdir", "/d/x/mine", 0o755)
        mount(peers, "/s/x")
        assert peers.do("stat", "/d/x/mine") == 0

    def test_slaves_of_a_group_that_ends_pass_to_its_master(self, peers: Machine) -> None:
        bind(peers, "/s", "/e")
        change(peers, "/d", MS_SLAVE, MS_SHARED)
        tree.mkdirs(peers.store, 1, "/f")
        bind(peers, "/d", "/f")
        change(peers, "/f", MS_SLAVE)
        assert peers.do("umount2", "/d", 0) == 0
        mount(peers, "/s/x")
        assert kind_of(peers, "/f/x") == "slave"

    def test_another_namespace_is_a_peer_too(self, peers: Machine) -> None:
        child = peers.fork()
        peers.do("unshare", CLONE_NEWNS, pid=child)
        mount(peers, "/s/x")
        assert peers.do("stat", "/d/x/x", pid=child) == 0

    def test_a_recursive_change_reaches_every_mount_below(self, peers: Machine) -> None:
        mount(peers, "/s/x")
        change(peers, "/", MS_PRIVATE | MS_REC)
        assert kind_of(peers, "/d/x") == kind_of(peers, "/s/x") == "private"

    def test_the_nearest_visible_master_is_named(self, peers: Machine) -> None:
        change(peers, "/d", MS_SLAVE, MS_SHARED)
        bind(peers, "/d", "/e")
        change(peers, "/e", MS_SLAVE)
        peers.do("umount2", "/d", 0)
        found = [s for s in mountinfo.visible(peers.trap(), peers.task()) if s.path == "/e"]
        assert found[0].tags == ("master:1",)


def test_a_mount_that_spreads_into_another_domains_namespace_is_reported(it: Machine) -> None:
    change(it, "/", MS_SHARED)
    child = it.fork()
    it.store.put(msgspec.structs.replace(it.store.row(Task, child), domain="guest"))
    it.do("unshare", CLONE_NEWNS, pid=child)
    assert it.do("mount", "t", "/d", "tmpfs", 0, None, pid=child) == 0
    crossings = it.kernel.timeline.events[-1].crossings
    assert ("mount", "host", "/d") in [(c.kind, c.owner, c.name) for c in crossings]
