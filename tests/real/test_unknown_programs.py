"""What a shell line runs, and what an execve starts, harms no machine: each attack is a stand-in.

A setting is set to what it is, a disk is one that another test's machine has, a process is one that
the test started: should a guard fail, nothing is lost.
"""

import contextlib
import ctypes
import mmap
import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.experiment.real import memory, objects, pool
from simulator.experiment.real.executor import open_session
from simulator.experiment.real.session import RealSession
from simulator.experiment.scenarios.load import load_world
from simulator.machine.abi.call import Call, Executed, Exited, Failed, Killed, Returned, Silent
from tests.real.binaries import I386, brought, calling
from tests.real.conftest import requires_spec

pytestmark = pytest.mark.real

WORLD = load_world()

MIGHTY = (
    "none",
    "chroot",
    "unshare -m -p -f --mount-proc",
    "cgroups",
    "bwrap --proc /proc --dev /dev",
    "docker --security-opt seccomp=unconfined --cap-add SYS_ADMIN",
    "lxc",
)
"""Whose root holds CAP_SYS_ADMIN over the machine."""

OTHERS = ("docker", "unshare -U -r", "bwrap --unshare-all --proc /proc", "lxc-unpriv", "runc")


def _session(spec: str) -> Iterator[RealSession]:
    requires_spec(spec)
    opened = open_session(WORLD, spec, frozenset({"guest"}))
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=MIGHTY)
def mighty(request: pytest.FixtureRequest) -> Iterator[RealSession]:
    yield from _session(request.param)


@pytest.fixture(scope="module", params=(*MIGHTY, *OTHERS))
def anyone(request: pytest.FixtureRequest) -> Iterator[RealSession]:
    yield from _session(request.param)


@pytest.fixture(scope="module")
def none() -> Iterator[RealSession]:
    yield from _session("none")


SETTING = "printk_ratelimit"
OWN_PROC = "mkdir -p /tmp/p; mount -t proc p /tmp/p 2>/dev/null;"
OWN_SYSFS = "mkdir -p /tmp/s; mount -t sysfs s /tmp/s 2>/dev/null;"
SETTINGS = {
    "a sysctl": f"cd /proc/sys/kernel && v=$(cat {SETTING}) && echo $v > {SETTING}",
    "a sysctl of a procfs of one's own": (
        f"{OWN_PROC} cd /tmp/p/sys/kernel && v=$(cat {SETTING}) && echo $v > {SETTING}"
    ),
    "a sysctl by the name of a harmless one": (
        f"{OWN_PROC} mkdir -p /tmp/proc/sys/net && touch /tmp/proc/sys/net/x &&"
        f"mount --bind /tmp/p/sys/kernel/{SETTING} /tmp/proc/sys/net/x &&"
        "v=$(cat /tmp/proc/sys/net/x) && echo $v > /tmp/proc/sys/net/x"
    ),
    "a sysctl by a descriptor": (
        f"exec 7<>/proc/sys/kernel/{SETTING} && read v <&7 && echo $v >&7"
    ),
    "a sysctl by another program": f"cd /proc/sys/kernel && dd if={SETTING} of={SETTING}",
    "a file of sysfs": (
        f"{OWN_SYSFS} cd /tmp/s/module/printk/parameters && v=$(cat time) && echo $v > time"
    ),
    "the mode of a file of sysfs": (
        f"{OWN_SYSFS} cd /tmp/s/module/printk/parameters && chmod $(stat -c %a time) time"
    ),
}
FREE = ("none", "chroot", "unshare -m -p -f --mount-proc", "cgroups")
"""Those in which nothing is read-only."""


@pytest.mark.parametrize("line", SETTINGS.values(), ids=SETTINGS)
def test_kernel_settings_stay_whoever_asks(anyone: RealSession, line: str) -> None:
    told = anyone.shell("guest", f"({line}) && echo CHANGED")
    assert isinstance(told, (Silent, Returned))
    assert "CHANGED" not in str(told.data)


@pytest.mark.parametrize("spec", FREE)
def test_who_has_the_right_over_the_machine_is_told_why(spec: str) -> None:
    requires_spec(spec)
    opened = open_session(WORLD, spec, frozenset({"guest"}))
    try:
        for name in ("a sysctl of a procfs of one's own", "a file of sysfs"):
            told = opened.shell("guest", SETTINGS[name])
            assert isinstance(told, Silent)
            assert "kernel settings of a real machine are not changed" in told.note
        told = opened.shell("guest", SETTINGS["the mode of a file of sysfs"])
        assert isinstance(told, Silent)
        assert "no other owner or mode" in told.note
    finally:
        opened.close()


BINARIES = {
    "of another architecture": calling(20, instruction=I386),
    "of the x32 ABI": calling(0x40000000 | 39),
    "io_uring_setup": calling(425, 1, 0),
    "io_submit": calling(209, 0, 0, 0),
    "clone with threads": calling(56, 0x10F00, 0),
    "clone3": calling(435, 0, 0),
    "a call that is newer than the guard": calling(500),
    "process_vm_writev": calling(311, 1, 0, 0, 0, 0, 0),
    "userfaultfd": calling(323, 0),
    "pidfd_getfd": calling(438, 0, 0, 0),
    "a socket to the hypervisor": calling(41, 40, 1, 0),
    "pokes into another process": calling(101, 4, 1, 0, 0),
}
"""What a guard that looks at calls could not see, or what gets around it."""

ALMIGHTY = {
    "bpf": calling(321, 0, 0, 0),
    "open_by_handle_at of all namespaces": calling(304, -10003, 0, 0),
    "perf_event_open": calling(298, 0, 0, -1, -1, 0),
    "swapoff": calling(168, 0),
    "keyctl KEYCTL_UPDATE": calling(250, 2, 0, 0, 0),
    "fspick": calling(433, -100, 0, 0),
    "fanotify_mark FAN_OPEN_PERM": calling(301, 0, 1, 0x10000, -100, 0),
}


@pytest.mark.parametrize("program", BINARIES.values(), ids=BINARIES)
def test_a_binary_of_ones_own_makes_no_call_that_nobody_can_judge(
    none: RealSession, program: bytes
) -> None:
    assert isinstance(none.shell("guest", brought("/tmp/own", program)), Silent)


@pytest.mark.parametrize("program", ALMIGHTY.values(), ids=ALMIGHTY)
def test_a_binary_of_ones_own_does_nothing_to_the_machine(
    none: RealSession, program: bytes
) -> None:
    assert isinstance(none.shell("guest", brought("/tmp/own", program)), Silent)


@pytest.mark.parametrize("program", [calling(500), calling(20, instruction=I386)])
def test_such_a_binary_is_refused_in_every_sandbox(anyone: RealSession, program: bytes) -> None:
    # Where the sandbox's own filter answers first, or nothing can be written, it says so.
    told = anyone.shell("guest", f"({brought('/dev/shm/own', program)}) && echo MADE")
    assert isinstance(told, (Silent, Returned))
    assert "MADE" not in str(told.data)


def test_no_race_leads_a_write_elsewhere(none: RealSession) -> None:
    # Half of the writes are to a file of one's own, half to a setting, as the link is turned.
    line = (
        f"cd /tmp; echo 5 > file; v=$(cat /proc/sys/kernel/{SETTING});"
        f"(while :; do ln -sfn /proc/sys/kernel/{SETTING} link; ln -sfn file link; done) & "
        "i=0; while [ $i -lt 200 ]; do echo $v > link; i=$((i+1)); done 2>/dev/null; kill $!"
    )
    assert isinstance(none.shell("guest", line), Silent)


def test_a_binary_of_ones_own_that_harms_nobody_runs(none: RealSession) -> None:
    told = none.shell("guest", brought("/tmp/own", calling(39)))
    assert isinstance(told, Returned)
    assert told.value == 0


def test_what_an_execve_starts_is_judged_like_a_line(mighty: RealSession) -> None:
    mighty.fork("guest", "child", Call("fork", ()))
    program = brought("/tmp/own", calling(500))
    told = mighty.call("child", Call("execve", ("/bin/sh", ["sh", "-c", program], [])))
    assert isinstance(told, Silent)


def test_an_execve_that_fails_leaves_its_actor_as_it_was(none: RealSession) -> None:
    told = none.call("guest", Call("execve", ("/etc/passwd", ["x"], [])))
    assert isinstance(told, Failed)
    assert told.errno == "EACCES"
    assert none.call("guest", Call("prctl", (21,))) == Returned(0)  # PR_GET_SECCOMP
    none.fork("guest", "runner", Call("fork", ()))
    ended = none.call("runner", Call("execve", ("/bin/false", ["false"], [])))
    assert isinstance(ended, (Executed, Exited))


def test_a_process_of_the_machine_is_not_signalled(anyone: RealSession) -> None:
    with subprocess.Popen(["sleep", "60"]) as mine:
        told = anyone.shell("guest", f"kill -9 {mine.pid} 2>&1")
        alive = mine.poll() is None
        mine.kill()
    assert alive
    assert isinstance(told, (Silent, Returned))


def test_a_foreign_disk_is_neither_written_to_nor_mounted(mighty: RealSession) -> None:
    other = open_session(WORLD, "none", frozenset({"guest"}))
    try:
        if other.machine.disk is None:
            pytest.skip("not here, because this kernel has no loop devices")
        minor = other.machine.disk.minor
        before = os.pread(other.machine.disk.descriptor, 512, 0)
        # By a node that a program made, and by one that a line would make.
        node = Call("mknod", ("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(7, minor)))
        mighty.call("guest", node)
        for line in (
            f"mknod /tmp/disk b 7 {minor}",
            "dd if=/tmp/disk of=/tmp/disk bs=512 count=1 conv=notrunc",
            "mount -t ext4 -o ro /tmp/disk /mnt",
        ):
            told = mighty.shell("guest", f"{line} 2>/dev/null && echo DONE")
            assert isinstance(told, (Silent, Returned))
            assert "DONE" not in str(told.data)
        assert os.pread(other.machine.disk.descriptor, 512, 0) == before
    finally:
        other.close()


def test_a_device_that_wakes_when_it_is_opened_gets_no_name(none: RealSession) -> None:
    devices = [path.name.split(":") for path in Path("/sys/dev/char").glob("10:*")]
    kept = [one for one in devices if one[1] not in ("200", "229")]
    if not kept:
        pytest.skip("not here, because this kernel has no such device")
    major, minor = map(int, kept[0])
    assert isinstance(none.shell("guest", f"mknod /tmp/wake c {major} {minor}"), Silent)
    node = ("/tmp/wake", stat.S_IFCHR | 0o600, os.makedev(major, minor))
    assert isinstance(none.call("guest", Call("mknod", node)), Silent)


def test_nobody_speaks_for_the_coordinator(none: RealSession) -> None:
    # An empty line is no request: an agent that reads it would end.
    line = "for f in /proc/[0-9]*/fd/*; do [ -p $f ] && echo >> $f; done 2>/dev/null; true"
    assert isinstance(none.shell("guest", line), Silent)
    pid = none.call("guest", Call("getpid", ()))
    assert isinstance(pid, Returned)
    opened = none.call("guest", Call("open", (f"/proc/{pid.value}/fd/200", os.O_WRONLY)))
    if isinstance(opened, Returned):
        assert isinstance(none.call("guest", Call("write", (opened.value, "\n", 1))), Silent)
    assert none.shell("guest", "echo still here") == Returned(0, "still here\n")


def test_programs_of_this_machine_are_there_to_be_looked_at() -> None:
    requires_spec("lxc")
    opened = open_session(WORLD, "lxc", frozenset({"guest", "host"}))
    try:
        for place in ("exe", "root/usr/bin/env"):
            path = f"/proc/{opened.call('host', Call('getppid', ())).value}/{place}"  # type: ignore[union-attr]
            mode = stat.S_IMODE(0o755)
            assert not isinstance(opened.call("host", Call("chmod", (path, mode))), Returned)
        line = "for p in /proc/[0-9]*; do chmod 755 $p/root/usr/bin/env && echo CHANGED; done"
        told = opened.shell("host", f"{line} 2>/dev/null")
        assert isinstance(told, (Silent, Returned))
        assert "CHANGED" not in str(told.data)
    finally:
        opened.close()


def test_an_engine_takes_no_orders_from_a_probe() -> None:
    requires_spec("docker")
    opened = open_session(WORLD, "docker -v /run:/run", frozenset({"guest"}))
    try:
        end = opened.call("guest", Call("socket", (1, 1, 0)))
        assert isinstance(end, Returned)
        joined = opened.call("guest", Call("connect", (end.value, "/run/docker.sock")))
        assert isinstance(joined, Returned)
        asked = "GET /_ping HTTP/1.0\r\n\r\n"
        for name in ("write", "sendto"):
            args = (end.value, asked, len(asked), *((0, None) if name == "sendto" else ()))
            assert isinstance(opened.call("guest", Call(name, args)), Silent)
    finally:
        opened.close()


def test_a_machine_whose_image_was_changed_is_not_lent_on() -> None:
    requires_spec("docker")
    names: list[str] = []
    with pool.keep():
        for change in (True, False):
            opened = open_session(WORLD, "docker", frozenset({"guest", "host"}))
            names.append(opened.machine.name)
            if change:
                # The scratch machine's root reaches the engine's own files through its processes.
                opened.shell(
                    "host",
                    "for p in /proc/[0-9]*; do"
                    " touch $p/root/var/lib/docker/overlay2/*/diff/bin/busybox; done 2>/dev/null",
                )
            opened.close()
    assert names[0] != names[1]


def test_an_agent_in_a_sandbox_runs_from_memory_of_its_own() -> None:
    requires_spec("bwrap")
    opened = open_session(WORLD, "bwrap", frozenset({"guest"}))
    try:
        pid = opened._links["guest"].pid  # pyright: ignore[reportPrivateUsage]
        areas = re.split(r"(?m)^(?=[0-9a-f]+-)", Path(f"/proc/{pid}/smaps").read_text())
        code = [area for area in areas if re.match(r"\S+ r-xp \S+ \S+ [1-9]", area)]
        sizes = [
            [int(size) for size in re.findall(r"(?m)^(?:Rss|Anonymous): +(\d+)", area)]
            for area in code
        ]
        assert sizes
        assert all(resident == own for resident, own in sizes)
    finally:
        opened.close()


def test_an_address_of_the_agent_is_not_for_a_program(none: RealSession) -> None:
    pid = none._links["guest"].pid  # pyright: ignore[reportPrivateUsage]
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    heap = int(next(line for line in lines if "[heap]" in line).split("-")[0], 16)
    for call in (
        Call("ioctl", (0, 0x541B, heap)),
        Call("munmap", (heap, 4096)),
        Call("munmap", (heap - 4096, 8192)),
        Call("mprotect", (heap - 4096, 8192, 0)),
        Call("ptrace", (12, 1, 0, heap)),
    ):
        assert isinstance(none.call("guest", call), Silent)
    made = none.call("guest", Call("mmap", (0, 8192, 3, 0x22, -1, 0)))
    assert isinstance(made, Returned)
    assert none.call("guest", Call("munmap", (made.value, 8192))) == Returned(0)


def test_while_a_line_runs_no_path_decides_what_is_mounted(none: RealSession) -> None:
    call = Call("mount", ("/missing", "/mnt", "ext4", 0, None))
    assert isinstance(none.call("guest", call), Failed)
    told = none.shell("guest", "sleep 30 & echo $!")
    assert isinstance(told, Returned)
    assert isinstance(none.call("guest", call), Silent)
    bound = Call("mount", ("/tmp", "/mnt", None, 0x1000, None))
    assert none.call("guest", bound) == Returned(0)
    none.call("guest", Call("umount2", ("/mnt", 0)))
    none.call("guest", Call("kill", (int(str(told.data)), 9)))
    deadline = time.monotonic() + 5
    while isinstance(none.call("guest", call), Silent) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert isinstance(none.call("guest", call), Failed)


@pytest.mark.parametrize("spec", ["none", "chroot", "lxc", "lxc-unpriv"])
def test_a_file_that_gives_rights_gives_them_and_is_judged(spec: str) -> None:
    requires_spec(spec)
    opened = open_session(WORLD, spec, frozenset({"guest"}))
    try:
        person = _person(opened, {"root": calling(117, 0, 0, 0), "newer": calling(500)})
        told = opened.shell(person, "/tmp/root; grep -E 'NoNewPrivs|CapEff' /proc/self/status")
        assert isinstance(told, Returned)
        assert told.data in ("", _UNARMED) or "No such file" in str(told.data)
        assert opened.shell(person, "/tmp/root && echo gained; ls -a /tmp | grep -c gate") == (
            Returned(1, "gained\n0\n")
        )
        assert isinstance(opened.shell(person, "/tmp/newer"), Silent)
        # Beside a line that still runs the helper's file could be written to: no rights then.
        opened.shell("guest", "sleep 5 &")
        told = opened.shell(person, "/tmp/root")
        assert isinstance(told, Silent)
        assert "gives rights" in told.note
    finally:
        opened.close()


_UNARMED = "CapEff:\t0000000000000000\nNoNewPrivs:\t0\n"


def test_where_nobody_may_load_a_filter_no_file_gives_rights_in_silence() -> None:
    requires_spec("docker")
    opened = open_session(WORLD, "docker", frozenset({"guest"}))
    try:
        person = _person(opened, {"root": calling(117, 0, 0, 0)})
        told = opened.shell(person, "/tmp/root")
        assert isinstance(told, Silent)
        assert "gives rights" in told.note
    finally:
        opened.close()


def _person(session: RealSession, programs: dict[str, bytes]) -> str:
    """A child of the guest without rights, with set-uid programs of root's to run."""
    for name, program in programs.items():
        session.shell("guest", f"({brought(f'/tmp/{name}', program)}); chmod 4755 /tmp/{name}")
    session.fork("guest", "person", Call("fork", ()))
    session.call("person", Call("setresgid", (1000, 1000, 1000)))
    session.call("person", Call("setresuid", (1000, 1000, 1000)))
    return "person"


ORDINARY = {
    "echo hi | cat; false": 1,
    "i=0; while [ $i -lt 5 ]; do i=$((i+1)); done; test $i = 5": 0,
    "sleep 30 & kill $!; wait $!": 143,
    "echo x > /dev/null; dd if=/dev/zero of=/dev/null bs=4k count=8 2>/dev/null": 0,
    "mkdir -p /tmp/m && mount -t tmpfs m /tmp/m && echo x > /tmp/m/f && umount /tmp/m": 0,
    "mkdir -p /tmp/a /tmp/b && mount --bind /tmp/a /tmp/b && umount /tmp/b": 0,
    "mknod /tmp/fifo p && rm /tmp/fifo": 0,
    "mkdir -p /tmp/a && chmod 700 /tmp/a && chown 1:1 /tmp/a": 0,
    "mknod /tmp/null c 1 3 && rm /tmp/null": 0,
}


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_work_as_ever(line: str) -> None:
    requires_spec("none")
    opened = open_session(WORLD, "unshare -m -u -i -n -p -C -f", frozenset({"guest"}))
    try:
        told = opened.shell("guest", line)
        assert isinstance(told, Returned)
        assert told.value == ORDINARY[line]
    finally:
        opened.close()


OWN = {
    "its names": "echo inside > /proc/sys/kernel/hostname && hostname",
    "its network": "echo 0 > /proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward",
    "its processes": "echo 5 > /proc/self/oom_score_adj && cat /proc/self/oom_score_adj",
    "its disk": "dd if=/dev/sda of=/dev/sda bs=512 count=1 conv=notrunc 2>/dev/null; echo $?",
}


@pytest.mark.parametrize("line", OWN.values(), ids=OWN)
def test_what_is_a_scratch_machines_own_is_changed(none: RealSession, line: str) -> None:
    if "sda" in line and none.machine.disk is None:
        pytest.skip("not here, because this kernel has no loop devices")
    told = none.shell("guest", line)
    assert isinstance(told, Returned)
    assert told.data in ("inside\n", "0\n", "5\n")


def test_only_memory_that_nobody_else_writes_is_believed() -> None:
    word = ctypes.create_string_buffer(b"tmpfs")
    assert memory.text(os.getpid(), ctypes.addressof(word)) == "tmpfs"
    shared = mmap.mmap(-1, 4096)
    shared.write(b"tmpfs\0")
    view = ctypes.c_char.from_buffer(shared)
    with pytest.raises(memory.UnsteadyError):
        memory.text(os.getpid(), ctypes.addressof(view))
    del view
    with pytest.raises(memory.UnsteadyError):
        memory.text(os.getpid(), 1)


def test_a_link_is_followed_as_its_process_would(none: RealSession, tmp_path: Path) -> None:
    guest = none._links["guest"].pid  # pyright: ignore[reportPrivateUsage]
    root = Path(f"/proc/{guest}/root")
    with contextlib.suppress(FileExistsError):
        (root / "tmp/led-to-etc").symlink_to("/etc")
    with objects.named(guest, "/tmp/led-to-etc/passwd") as found:
        assert found is not None
        assert found.inode == (root / "etc/passwd").stat().st_ino
    with objects.named(guest, "/proc/self/status") as found:
        assert found is not None
        assert found.path.split("/")[-1] == "status"
    with objects.named(guest, str(tmp_path)) as found:
        assert found is None


def test_a_line_that_is_killed_ends_its_watch(none: RealSession) -> None:
    told = none.shell("guest", "kill -9 $$")
    assert isinstance(told, (Returned, Killed))
    assert isinstance(told, Returned)
    assert told.value == 128 + signal.SIGKILL
