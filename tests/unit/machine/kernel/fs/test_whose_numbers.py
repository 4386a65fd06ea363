"""Files and calls that tell of the whole machine: how much they say, and to whom."""

import msgspec
import pytest

from simulator.machine.abi.call import Failed
from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    F_SETLK,
    F_WRLCK,
    LOCK_EX,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    SEEK_SET,
)
from simulator.machine.abi.ids import HOST, Domain, NsId, Pid
from simulator.machine.families.linux import of_release
from simulator.machine.kernel import sysctl
from simulator.machine.kernel.namespace import UtsNs
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.mount import IN_NAMESPACE, Mount
from tests.unit.machine.bare import Machine

GUEST = Domain("guest")


def booted(release: tuple[int, ...] = ()) -> Machine:
    """A machine with /proc and an empty file."""
    it = Machine(of_release(release)) if release else Machine()
    for path in ("/proc", "/mnt"):
        tree.mkdirs(it.store, 1, path)
    assert it.do("mount", "proc", "/proc", "proc", 0, None) == 0
    return it


def text(it: Machine, path: str, pid: Pid | None = None) -> str:
    """A file's content as ``pid`` reads it."""
    fd = it.do("open", path, O_RDONLY, pid=pid)
    assert isinstance(fd, int), fd
    return it.data("read", fd, 4096, pid=pid).decode()


def stranger(it: Machine) -> Pid:
    """A child that is somebody else's."""
    pid = it.fork()
    it.store.put(msgspec.structs.replace(it.store.row(Task, pid), domain=GUEST))
    return pid


def reached(it: Machine, pid: Pid, name: str, *args: object) -> set[tuple[str, str, str]]:
    """(kind, owner, operation) of what a call of ``pid`` used of others'."""
    result = it.raw(name, *args, pid=pid)
    assert not isinstance(result, Failed), result
    event = it.kernel.timeline.events[-1]
    return {(one.kind, one.owner, one.operation) for one in event.crossings}


class TestLocks:
    def locked(self, it: Machine) -> int:
        fd = it.do("open", "/table", O_CREAT | O_RDWR, 0o600)
        assert it.do("flock", fd, LOCK_EX) == 0
        assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, SEEK_SET, 2, 3, 0)) == 0
        return it.data("fstat", fd)["ino"]

    def test_each_lock_has_a_line_with_its_locker_and_its_bytes(self) -> None:
        it = booted()
        ino = self.locked(it)
        lines = sorted(text(it, "/proc/locks").splitlines(), key=lambda one: one.split()[1])
        assert [one.split()[1:5] for one in lines] == [
            ["FLOCK", "ADVISORY", "WRITE", str(it.pid)],
            ["POSIX", "ADVISORY", "WRITE", str(it.pid)],
        ]
        assert [one.split()[6:] for one in lines] == [["0", "EOF"], ["2", "4"]]
        assert all(one.split()[5].endswith(f":{ino}") for one in lines)

    def test_lockers_whom_this_proc_cannot_number_are_left_out(self) -> None:
        it = booted()
        self.locked(it)
        inner = it.do("clone", CLONE_NEWPID | CLONE_NEWNS)
        assert text(it, "/proc/locks", Pid(inner)).count("\n") == 2
        assert it.do("mount", "proc", "/proc", "proc", 0, None, pid=Pid(inner)) == 0
        assert text(it, "/proc/locks", Pid(inner)) == ""

    def test_before_linux_4_9_every_proc_showed_all_of_them(self) -> None:
        it = booted((4, 8))
        self.locked(it)
        inner = it.do("clone", CLONE_NEWPID | CLONE_NEWNS)
        assert it.do("mount", "proc", "/proc", "proc", 0, None, pid=Pid(inner)) == 0
        assert text(it, "/proc/locks", Pid(inner)).count("\n") == 2


class TestSymbols:
    @pytest.mark.parametrize(
        ("restrict", "root", "user"),
        [("0", True, False), ("1", True, False), ("2", False, False)],
    )
    def test_addresses_are_for_who_holds_cap_syslog(
        self, restrict: str, root: bool, user: bool
    ) -> None:
        it = booted()
        sysctl.write(it.store, "kernel.kptr_restrict", restrict)
        other = it.become(it.fork(), 1000)
        for pid, shown in ((it.pid, root), (other, user)):
            first = text(it, "/proc/kallsyms", pid).split()[0]
            assert (int(first, 16) != 0) is shown

    def test_whoever_may_measure_the_kernel_sees_them(self) -> None:
        it = booted()
        sysctl.write(it.store, "kernel.perf_event_paranoid", "1")
        other = it.become(it.fork(), 1000)
        assert int(text(it, "/proc/kallsyms", other).split()[0], 16)

    def test_before_linux_4_15_the_setting_alone_decided(self) -> None:
        it = booted((4, 14))
        other = it.become(it.fork(), 1000)
        assert int(text(it, "/proc/kallsyms", other).split()[0], 16)


class TestInterrupts:
    @pytest.mark.parametrize(("mask", "answer"), [("1", 1), ("3\n", 2), ("0", "EINVAL"),
                                                  ("4", "EINVAL"), ("x", "EINVAL")])  # fmt: skip
    def test_an_affinity_names_a_processor_that_there_is(self, mask: str, answer: object) -> None:
        it = booted()
        fd = it.do("open", "/proc/irq/default_smp_affinity", O_WRONLY)
        assert it.do("write", fd, mask.encode(), len(mask)) == answer


class TestNames:
    def test_a_new_namespace_begins_with_a_domain_that_somebody_else_gave(self) -> None:
        it = booted()
        it.do("setdomainname", "example", 7)
        pid = stranger(it)
        it.do("unshare", CLONE_NEWUTS, pid=pid)
        fd = it.do("open", "/proc/sys/kernel/domainname", O_RDONLY, pid=pid)
        assert ("hostname", HOST, "read") in reached(it, pid, "read", fd, 64)
        it.do("setdomainname", "mine", 4, pid=pid)
        row = it.store.row(UtsNs, it.store.row(Task, pid).ns.uts)
        assert (row.domainname, row.domainname_of) == ("mine", GUEST)
        fd = it.do("open", "/proc/sys/kernel/domainname", O_RDONLY, pid=pid)
        assert ("hostname", HOST, "read") not in reached(it, pid, "read", fd, 64)


class TestTheMachine:
    def test_sysinfo_tells_of_it(self) -> None:
        it = booted()
        assert ("memory", HOST, "read") in reached(it, stranger(it), "sysinfo")

    def test_free_space_is_that_of_whose_disk_it_is(self) -> None:
        it = booted()
        pid = stranger(it)
        it.do("mount", "none", "/mnt", "tmpfs", 0, "size=1m", pid=pid)
        assert ("disk", HOST, "read") not in reached(it, pid, "statfs", "/mnt")

    def test_key_users_are_those_that_the_reader_has_a_number_for(self) -> None:
        it = booted()
        it.do("add_key", "user", "a", b"x", 1, -4)
        assert text(it, "/proc/key-users").split()[0] == "0:"
        inner = it.fork()
        it.do("unshare", CLONE_NEWUSER, pid=inner)
        assert text(it, "/proc/key-users", inner) == ""

    def test_anothers_memory_opened_for_writing_is_a_trace(self) -> None:
        it = booted()
        path = f"/proc/{it.pid}/mem"
        assert ("process", HOST, "trace") in reached(it, stranger(it), "open", path, O_RDWR)

    def test_the_mounts_of_a_copied_table_are_its_makers(self) -> None:
        it = booted()
        pid = stranger(it)
        it.do("unshare", CLONE_NEWNS, pid=pid)
        ns = NsId(it.store.row(Task, pid).ns.mnt)
        assert {row.domain for row in it.store.rows_by(IN_NAMESPACE, ns)} == {GUEST}
        old = {row.domain for row in it.store.all(Mount) if row.ns != ns}
        assert GUEST not in old
