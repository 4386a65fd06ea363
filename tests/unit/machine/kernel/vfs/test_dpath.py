"""From places back to paths: as the caller sees them, and as the host calls them."""

import msgspec

from simulator.machine.abi.ids import MountId, NsId
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import dpath, path, tree
from simulator.machine.kernel.vfs.mount import Mount
from tests.unit.machine.bare import Machine


def test_a_path_is_told_from_the_callers_own_root() -> None:
    it = Machine()
    tree.file(it.store, 1, "/srv/guest/etc/passwd", b"")
    at = path.walk(it.trap(), "/srv/guest/etc/passwd")
    assert dpath.path_of(it.trap(), at) == "/srv/guest/etc/passwd"
    it.do("chroot", "/srv/guest")
    assert dpath.path_of(it.trap(), at) == "/etc/passwd"


def test_a_place_outside_the_root_is_unreachable() -> None:
    it = Machine()
    tree.mkdirs(it.store, 1, "/srv/guest")
    tree.mkdirs(it.store, 1, "/other")
    at = path.walk(it.trap(), "/other")
    it.do("chroot", "/srv/guest")
    assert dpath.path_of(it.trap(), at) == "(unreachable)/other"
    assert not dpath.is_reachable(it.trap(), at, it.task().root)


def test_what_a_bind_mount_shows_is_called_by_its_place_on_the_host() -> None:
    it = Machine()
    tree.file(it.store, 1, "/data/vol/secret", b"")
    place = path.walk(it.trap(), "/data/vol")
    elsewhere = MountId(it.store.new_id(Mount))
    it.store.put(
        Mount(
            id=elsewhere,
            ns=NsId(99),
            parent=None,
            mountpoint=None,
            root=place.inode,
            sb=it.store.row(Mount, place.mount).sb,
        )
    )
    inside = path.walk(it.trap(), "secret", At(elsewhere, place.inode))
    assert dpath.label(it.trap(), inside) == "/data/vol/secret"


def test_a_file_with_two_names_is_told_by_the_one_it_was_reached_by() -> None:
    it = Machine()
    tree.file(it.store, 1, "/a", b"")
    it.do("link", "/a", "/b")
    at = path.walk(it.trap(), "/b")
    assert dpath.path_of(it.trap(), at, opened=(1, "b")) == "/b"
    assert dpath.path_of(it.trap(), at, opened=(1, "a")) == "/a"


def test_granted_mounts_make_a_use_no_leak() -> None:
    it = Machine()
    tree.file(it.store, 1, "/f", b"")
    mount = it.store.row(Mount, it.task_mount())
    it.store.put(msgspec.structs.replace(mount, granted=True))
    it.store.put(msgspec.structs.replace(it.task(), domain="guest"))
    it.do("open", "/f", 0)
    assert [c.granted for c in it.kernel.timeline.events[-1].crossings] == [True]
