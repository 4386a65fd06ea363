"""unshare(2), setns(2), id maps and clock offsets."""

import msgspec
import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_SHARED,
    NS_GET_NSTYPE,
    NS_GET_OWNER_UID,
    NS_GET_PARENT,
    NS_GET_USERNS,
    O_CREAT,
    O_RDWR,
)
from simulator.machine.abi.ids import KUid, NsId, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.families.linux import of_release
from simulator.machine.kernel import fork, sysctl
from simulator.machine.kernel.cred import mask
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.namespace import MountNs, PidNs, TimeNs, UserNs
from simulator.machine.kernel.namespaces import idmap, offsets
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Denied, Trap
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.mount import IN_NAMESPACE
from tests.unit.machine.bare import Machine


@pytest.fixture
def it() -> Machine:
    machine = Machine()
    tree.mkdirs(machine.store, 1, "/a")
    return machine


def entry(it: Machine, pid: Pid) -> Trap:
    return Trap(it.store, it.kernel.family, it.store.row(Task, pid))


def opened(it: Machine, kind: str, ns: NsId, pid: Pid | None = None) -> int:
    trap = entry(it, it.pid if pid is None else pid)
    return nsfs.open_namespace(trap, kind, ns)


def refusal(function: object, *args: object) -> str:
    with pytest.raises(Denied) as refused:
        function(*args)  # pyright: ignore[reportCallIssue]
    return str(refused.value.denial.errno)


class TestUnshare:
    def test_each_flag_replaces_one_namespace(self, it: Machine) -> None:
        before = it.task().ns
        assert it.do("unshare", CLONE_NEWUTS | CLONE_NEWIPC) == 0
        after = it.task().ns
        assert after.uts != before.uts
        assert after.ipc != before.ipc
        assert (after.mnt, after.net, after.pid) == (before.mnt, before.net, before.pid)

    def test_an_unknown_flag_is_refused(self, it: Machine) -> None:
        assert it.do("unshare", 1) == "EINVAL"

    def test_a_new_pid_namespace_is_for_children_only(self, it: Machine) -> None:
        before = it.task().ns.pid
        assert it.do("unshare", CLONE_NEWPID) == 0
        assert it.task().ns.pid == before
        assert it.store.row(Task, it.fork()).pids[-1] == 1

    def test_a_second_pid_namespace_is_refused(self, it: Machine) -> None:
        it.do("unshare", CLONE_NEWPID)
        assert it.do("unshare", CLONE_NEWPID) == "EINVAL"

    def test_without_the_right_only_a_user_namespace_is_made(self, it: Machine) -> None:
        user = it.become(it.fork(), 1000)
        assert it.do("unshare", CLONE_NEWNET, pid=user) == "EPERM"
        assert it.do("unshare", CLONE_NEWUSER | CLONE_NEWNET, pid=user) == 0

    def test_a_user_namespace_gives_every_capability_inside(self, it: Machine) -> None:
        user = it.become(it.fork(), 1000)
        it.do("unshare", CLONE_NEWUSER, pid=user)
        cred = it.store.row(Task, user).cred
        assert cred.effective == cred.bounding
        assert cred.user_ns != 1

    def test_a_user_namespace_is_refused_in_a_chroot(self, it: Machine) -> None:
        it.do("chroot", "/a")
        assert it.do("unshare", CLONE_NEWUSER) == "EPERM"

    def test_user_namespaces_nest_to_a_limit(self, it: Machine) -> None:
        user_ns = it.task().cred.user_ns
        row = it.store.row(UserNs, user_ns)
        it.store.put(msgspec.structs.replace(row, level=32))
        assert it.do("unshare", CLONE_NEWUSER, pid=it.fork()) == 0
        it.store.put(msgspec.structs.replace(row, level=33))
        assert it.do("unshare", CLONE_NEWUSER) == "ENOSPC"

    def test_pid_namespaces_nest_to_a_limit(self, it: Machine) -> None:
        row = it.store.row(PidNs, it.task().ns.pid)
        it.store.put(msgspec.structs.replace(row, level=31))
        assert it.do("unshare", CLONE_NEWPID, pid=it.fork()) == 0
        it.store.put(msgspec.structs.replace(row, level=32))
        assert it.do("unshare", CLONE_NEWPID) == "ENOSPC"

    def test_the_machine_may_allow_no_user_namespaces(self, it: Machine) -> None:
        sysctl.write(it.store, "user.max_user_namespaces", "0")
        assert it.do("unshare", CLONE_NEWUSER) == "ENOSPC"
        assert it.do("unshare", CLONE_NEWUTS) == 0

    def test_an_older_release_knows_fewer_kinds(self) -> None:
        old = Machine(of_release((2, 6, 24)))
        assert old.do("unshare", CLONE_NEWUSER) == "EINVAL"
        assert old.do("unshare", CLONE_NEWPID | CLONE_NEWUTS) == 0
        assert Machine(of_release((2, 6, 18))).do("unshare", CLONE_NEWUTS) == "EINVAL"

    def test_an_unmapped_id_makes_no_user_namespace(self, it: Machine) -> None:
        it.do("unshare", CLONE_NEWUSER)
        assert it.do("unshare", CLONE_NEWUSER) == "EPERM"

    def test_a_copied_mount_namespace_is_a_peer(self, it: Machine) -> None:
        it.do("mount", None, "/", None, MS_SHARED, None)
        child = it.fork()
        assert it.do("unshare", CLONE_NEWNS, pid=child) == 0
        it.do("mount", "t", "/a", "tmpfs", 0, None, pid=child)
        it.do("mkdir", "/a/x", 0o755, pid=child)
        assert it.do("stat", "/a/x") == 0

    def test_a_less_privileged_copy_is_a_slave(self, it: Machine) -> None:
        it.do("mount", None, "/", None, MS_SHARED, None)
        child = it.fork()
        assert it.do("unshare", CLONE_NEWUSER | CLONE_NEWNS, pid=child) == 0
        it.do("mount", "t", "/a", "tmpfs", 0, None, pid=child)
        assert it.do("mkdir", "/a/x", 0o755) == 0
        assert it.do("stat", "/a/x", pid=child) == "ENOENT"

    def test_a_mount_namespace_ends_with_its_last_process(self, it: Machine) -> None:
        child = it.fork()
        it.do("unshare", CLONE_NEWNS, pid=child)
        ns = it.store.row(Task, child).ns.mnt
        assert it.store.by(IN_NAMESPACE, ns)
        it.do("exit", 0, pid=child)
        assert not it.store.by(IN_NAMESPACE, ns)


class TestSetns:
    def test_a_bad_descriptor_is_refused(self, it: Machine) -> None:
        assert it.do("setns", 77, 0) == "EBADF"

    def test_another_file_is_refused(self, it: Machine) -> None:
        fd = it.do("open", "/x", O_CREAT | O_RDWR, 0o644)
        assert it.do("setns", fd, 0) == "EINVAL"

    def test_a_kind_that_does_not_fit_is_refused(self, it: Machine) -> None:
        fd = opened(it, "uts", it.task().ns.uts)
        assert it.do("setns", fd, CLONE_NEWNET) == "EINVAL"
        assert it.do("setns", fd, CLONE_NEWUTS) == 0

    def test_a_mount_namespace_brings_its_root(self, it: Machine) -> None:
        home = it.task().ns.mnt
        other = it.fork()
        it.do("unshare", CLONE_NEWNS)
        it.do("chroot", "/a")
        fd = opened(it, "mnt", home)
        assert it.do("setns", fd, CLONE_NEWNS) == 0
        assert it.task().root == it.store.row(Task, other).root

    def test_it_takes_rights_over_the_namespace(self, it: Machine) -> None:
        ns = it.task().ns.uts
        user = it.become(it.fork(), 1000)
        fd = opened(it, "uts", ns, user)
        assert it.do("setns", fd, 0, pid=user) == "EPERM"
        it.do("unshare", CLONE_NEWUSER, pid=user)
        assert it.do("setns", fd, 0, pid=user) == "EPERM"

    def test_a_mount_namespace_takes_the_right_to_chroot_too(self, it: Machine) -> None:
        """mntns_install(): root and working directory move."""
        other = it.fork()
        it.do("unshare", CLONE_NEWNS, pid=other)
        fd = opened(it, "mnt", it.store.row(Task, other).ns.mnt)
        task = it.task()
        cred = msgspec.structs.replace(task.cred, effective=mask("SYS_ADMIN"))
        it.store.put(msgspec.structs.replace(task, cred=cred))
        assert it.do("setns", fd, 0) == "EPERM"
        cred = msgspec.structs.replace(task.cred, effective=mask("SYS_ADMIN SYS_CHROOT"))
        it.store.put(msgspec.structs.replace(it.task(), cred=cred))
        assert it.do("setns", fd, 0) == 0

    def test_who_made_a_user_namespace_has_every_right_in_it_by_the_effective_id(
        self, it: Machine
    ) -> None:
        """user_namespaces(7): cap_capable() compares the owner with euid."""
        maker = it.become(it.fork(), 1000)
        it.do("unshare", CLONE_NEWUSER, pid=maker)
        ns = it.store.row(Task, maker).cred.user_ns
        for real, effective, may in ((2000, 1000, True), (1000, 2000, False)):
            other = it.become(it.fork(), effective)
            task = it.store.row(Task, other)
            cred = msgspec.structs.replace(task.cred, ruid=KUid(real))
            it.store.put(msgspec.structs.replace(task, cred=cred))
            assert entry(it, other).has(Privilege.NAMESPACE, ns) is may

    def test_ones_own_user_namespace_is_refused(self, it: Machine) -> None:
        fd = opened(it, "user", it.task().cred.user_ns)
        assert it.do("setns", fd, 0) == "EINVAL"

    def test_a_pid_namespace_above_is_refused(self, it: Machine) -> None:
        above = it.task().ns.pid
        it.do("unshare", CLONE_NEWPID)
        child = it.fork()
        fd = opened(it, "pid", above, child)
        assert it.do("setns", fd, 0, pid=child) == "EINVAL"

    def test_a_process_is_joined_in_several_namespaces_at_once(self, it: Machine) -> None:
        child = it.fork()
        it.do("unshare", CLONE_NEWUTS | CLONE_NEWIPC, pid=child)
        fd = it.do("pidfd_open", child, 0)
        assert it.do("setns", fd, CLONE_NEWUTS | CLONE_NEWIPC) == 0
        assert it.task().ns.uts == it.store.row(Task, child).ns.uts
        assert it.task().ns.ipc == it.store.row(Task, child).ns.ipc

    def test_with_a_pidfd_one_says_what_to_join(self, it: Machine) -> None:
        fd = it.do("pidfd_open", it.fork(), 0)
        assert it.do("setns", fd, 0) == "EINVAL"


class TestNsfs:
    def test_it_tells_the_kind_and_the_owner(self, it: Machine) -> None:
        fd = opened(it, "net", it.task().ns.net)
        assert it.do("ioctl", fd, NS_GET_NSTYPE, 0) == CLONE_NEWNET
        owner = it.do("ioctl", fd, NS_GET_USERNS, 0)
        assert it.do("ioctl", owner, NS_GET_NSTYPE, 0) == CLONE_NEWUSER

    def test_only_a_hierarchy_has_parents(self, it: Machine) -> None:
        net = opened(it, "net", it.task().ns.net)
        assert it.do("ioctl", net, NS_GET_PARENT, 0) == "EINVAL"
        user = opened(it, "user", it.task().cred.user_ns)
        assert it.do("ioctl", user, NS_GET_PARENT, 0) == "EPERM"

    def test_only_a_user_namespace_has_an_owner_uid(self, it: Machine) -> None:
        fd = opened(it, "net", it.task().ns.net)
        assert it.do("ioctl", fd, NS_GET_OWNER_UID, 0) == "EINVAL"

    def test_it_can_be_held_but_not_read(self, it: Machine) -> None:
        fd = opened(it, "net", it.task().ns.net)
        assert it.do("read", fd, 10) == "EINVAL"
        assert it.do("ioctl", fd, 0x1234, 0) == "ENOTTY"


class TestIdMaps:
    """user_namespaces(7), "User and group ID mappings: uid_map and gid_map"."""

    @pytest.fixture
    def child(self, it: Machine) -> Pid:
        child = it.fork()
        it.do("unshare", CLONE_NEWUSER, pid=child)
        return child

    @pytest.fixture
    def ns(self, it: Machine, child: Pid) -> NsId:
        return it.store.row(Task, child).cred.user_ns

    def test_a_map_is_written_once(self, it: Machine, ns: NsId) -> None:
        assert idmap.write_id_map(it.trap(), ns, "uid", "0 1000 5\n10 2000 1\n") == 19
        assert idmap.show_id_map(it.store, ns, "uid", NsId(1)).split() == (
            ["0", "1000", "5", "10", "2000", "1"]
        )
        assert refusal(idmap.write_id_map, it.trap(), ns, "uid", "0 0 1\n") == "EPERM"

    @pytest.mark.parametrize(
        "text",
        ["", "0 0", "0 0 1 2", "a 0 1", "0 0 0", "0 0 2\n1 5 2", "0 0 2\n5 1 2", "0 4294967295 1"],
    )
    def test_what_is_no_map_is_refused(self, it: Machine, ns: NsId, text: str) -> None:
        assert refusal(idmap.write_id_map, it.trap(), ns, "uid", text) == "EINVAL"

    def test_a_text_of_a_page_is_refused(self, it: Machine, ns: NsId) -> None:
        assert refusal(idmap.write_id_map, it.trap(), ns, "uid", " " * 4096) == "EINVAL"

    def test_an_ordinary_user_maps_its_own_id_alone(self, it: Machine) -> None:
        user = it.become(it.fork(), 1000)
        it.do("unshare", CLONE_NEWUSER, pid=user)
        ns = it.store.row(Task, user).cred.user_ns
        assert refusal(idmap.write_id_map, entry(it, user), ns, "uid", "0 0 1") == "EPERM"
        assert refusal(idmap.write_id_map, entry(it, user), ns, "uid", "0 1000 2") == "EPERM"
        assert idmap.write_id_map(entry(it, user), ns, "uid", "0 1000 1") == 8

    def test_an_ordinary_user_must_deny_setgroups_first(self, it: Machine) -> None:
        user = it.become(it.fork(), 1000)
        it.do("unshare", CLONE_NEWUSER, pid=user)
        ns = it.store.row(Task, user).cred.user_ns
        assert refusal(idmap.write_id_map, entry(it, user), ns, "gid", "0 1000 1") == "EPERM"
        assert idmap.write_setgroups(entry(it, user), ns, "deny") == 4
        assert idmap.write_id_map(entry(it, user), ns, "gid", "0 1000 1") == 8

    def test_setgroups_is_not_denied_after_the_map(self, it: Machine, ns: NsId) -> None:
        idmap.write_id_map(it.trap(), ns, "gid", "0 0 1")
        assert refusal(idmap.write_setgroups, it.trap(), ns, "deny") == "EPERM"

    def test_setgroups_is_denied_for_good(self, it: Machine, ns: NsId) -> None:
        idmap.write_setgroups(it.trap(), ns, "deny\n")
        assert refusal(idmap.write_setgroups, it.trap(), ns, "allow") == "EPERM"
        assert refusal(idmap.write_setgroups, it.trap(), ns, "maybe") == "EINVAL"

    def test_a_namespace_inside_is_denied_setgroups_too(
        self, it: Machine, child: Pid, ns: NsId
    ) -> None:
        idmap.write_setgroups(it.trap(), ns, "deny")
        for which in ("uid", "gid"):
            idmap.write_id_map(it.trap(), ns, which, "0 0 10\n")
        it.do("unshare", CLONE_NEWUSER, pid=child)
        inner = it.store.row(Task, child).cred.user_ns
        assert inner != ns
        assert not it.store.row(UserNs, inner).setgroups

    def test_uid_0_of_the_parent_is_mapped_by_who_could_set_file_capabilities(
        self, it: Machine
    ) -> None:
        """verify_root_map(): what the maker had when it made the namespace counts."""
        for capable, answer in ((True, 5), (False, "EPERM")):
            child = it.fork()
            task = it.store.row(Task, child)
            rights = task.cred.effective & ~(0 if capable else mask("SETFCAP"))
            cred = msgspec.structs.replace(task.cred, effective=rights, permitted=rights)
            it.store.put(msgspec.structs.replace(task, cred=cred))
            assert it.do("unshare", CLONE_NEWUSER, pid=child) == 0
            trap = entry(it, child)
            asked = (trap, trap.task.cred.user_ns, "uid", "0 0 1")
            told = idmap.write_id_map(*asked) if capable else refusal(idmap.write_id_map, *asked)
            assert told == answer

    def test_the_initial_namespace_has_its_map(self, it: Machine) -> None:
        assert refusal(idmap.write_id_map, it.trap(), NsId(1), "uid", "0 0 1") == "EPERM"


class TestOffsets:
    def test_they_are_set_until_somebody_lives_there(self, it: Machine) -> None:
        assert it.do("unshare", CLONE_NEWTIME) == 0
        ns = it.task().ns.time_for_children
        assert offsets.write_offsets(it.trap(), ns, "monotonic 100 0\nboottime 5 1\n") == 29
        assert it.store.row(TimeNs, ns).monotonic_offset == 100 * 10**9
        it.fork()
        assert refusal(offsets.write_offsets, it.trap(), ns, "monotonic 1 0") == "EACCES"

    @pytest.mark.parametrize("text", ["monotonic 1", "realtime 1 0", "7 x 0", "1 0 1000000000"])
    def test_what_is_no_offset_is_refused(self, it: Machine, text: str) -> None:
        it.do("unshare", CLONE_NEWTIME)
        ns = it.task().ns.time_for_children
        assert refusal(offsets.write_offsets, it.trap(), ns, text) == "EINVAL"

    def test_a_clock_does_not_go_before_its_beginning(self, it: Machine) -> None:
        it.do("unshare", CLONE_NEWTIME)
        ns = it.task().ns.time_for_children
        assert refusal(offsets.write_offsets, it.trap(), ns, "monotonic -9999999 0") == "ERANGE"


def test_the_child_of_fork_lives_in_the_namespaces_made_for_it(it: Machine) -> None:
    it.do("unshare", CLONE_NEWPID | CLONE_NEWTIME)
    child = fork.fork(it.trap(), 0)
    assert child.ns.pid == it.task().ns.pid_for_children
    assert child.ns.time == it.task().ns.time_for_children


def test_every_mount_namespace_has_its_own_copy_of_the_tree(it: Machine) -> None:
    child = it.fork()
    it.do("unshare", CLONE_NEWNS, pid=child)
    ns = it.store.row(Task, child).ns.mnt
    assert it.store.row(MountNs, ns).root != it.store.row(MountNs, it.task().ns.mnt).root


@pytest.mark.parametrize(
    ("privilege", "narrow", "broad"),
    [
        (Privilege.BPF, "BPF", "SYS_ADMIN"),
        (Privilege.PERF, "PERFMON", "SYS_ADMIN"),
        (Privilege.CHECKPOINT, "CHECKPOINT_RESTORE", "SYS_ADMIN"),
        (Privilege.IO_REAL_TIME, "SYS_NICE", "SYS_ADMIN"),
    ],
)
def test_a_right_split_off_later_is_given_by_the_narrow_capability_and_the_broad_one(
    it: Machine, privilege: Privilege, narrow: str, broad: str
) -> None:
    task = it.task()
    for name, may in ((narrow, True), (broad, True), ("CHOWN", False)):
        cred = msgspec.structs.replace(task.cred, effective=mask(name))
        it.store.put(msgspec.structs.replace(task, cred=cred))
        assert it.trap().has(privilege) is may
