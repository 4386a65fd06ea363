"""What /proc/PID/mountinfo and mounts show, and to whom."""

import msgspec

from simulator.machine.abi.constants import MS_BIND, MS_NODEV, MS_NOSUID, MS_RDONLY
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.vfs import mountinfo, tree
from tests.unit.machine.bare import Machine


def machine() -> Machine:
    it = Machine()
    tree.mkdirs(it.store, 1, "/a/in side")
    tree.mkdirs(it.store, 1, "/b")
    return it


def test_a_line_has_the_fields_of_the_manual_page() -> None:
    it = machine()
    it.do("mount", "src", "/b", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=700")
    line = mountinfo.lines(it.trap(), it.task())[-1].split(" ", 3)[3]
    assert line == "/ /b rw,nosuid,nodev,relatime - tmpfs src rw,size=64k,mode=700"


def test_a_bind_mount_shows_the_directory_it_shows() -> None:
    it = machine()
    it.do("mount", "/a", "/b", None, MS_BIND, None)
    assert mountinfo.lines(it.trap(), it.task())[-1].split()[3:5] == ["/a", "/b"]


def test_a_blank_is_escaped() -> None:
    it = machine()
    it.do("mount", "t", "/a/in side", "tmpfs", 0, None)
    assert mountinfo.mounts(it.trap(), it.task())[-1].startswith("t /a/in\\040side tmpfs")


def test_a_chroot_hides_the_mounts_outside_it() -> None:
    it = machine()
    it.do("mount", "t", "/a/in side", "tmpfs", MS_RDONLY, None)
    it.do("mount", "t", "/b", "tmpfs", 0, None)
    it.do("chroot", "/a")
    assert [seen.path for seen in mountinfo.visible(it.trap(), it.task())] == ["/in side"]


def test_the_file_of_a_namespace_is_shown_by_its_name() -> None:
    it = machine()
    tree.file(it.store, 1, "/n", b"")
    net = it.task().ns.net
    nsfs.open_namespace(it.trap(), "net", net)
    assert nsfs.name(("ns", "net", net)) == "net:[4026531833]"


def test_the_table_names_no_process_although_a_part_of_proc_is_mounted() -> None:
    it = machine()
    it.do("mount", "proc", "/b", "proc", 0, None)
    it.do("mount", "/b/sys/net", "/b/sys/net", None, MS_BIND, None)
    it.store.put(msgspec.structs.replace(it.task(), domain="guest"))
    trap = it.trap()
    paths = [seen.path for seen in mountinfo.visible(trap, it.task())]
    assert paths[-2:] == ["/b", "/b/sys/net"]
    assert [crossing for crossing in trap.crossings if crossing.kind == "process"] == []
