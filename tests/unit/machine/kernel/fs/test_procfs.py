"""procfs: whose processes it shows, who may look into one, and what settings can be written."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "userland"))

from scene import line, machine, output

from simulator.machine.abi.call import Call, Failed, Returned
from simulator.machine.abi.constants import (
    CLONE_NEWPID,
    CLONE_NEWUTS,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.kernel import Kernel


def call(kernel: Kernel, pid: int, name: str, *args: object) -> Returned | str:
    """A call's success, or its errno."""
    result = kernel.call(Pid(pid), Call(name, args))  # type: ignore[arg-type]
    return str(result.errno) if isinstance(result, Failed) else result  # type: ignore[return-value]


def child(kernel: Kernel, flags: int = 0, *, uid: int = 0) -> int:
    """A forked process of init's, as user ``uid``."""
    made = call(kernel, 1, "clone", flags) if flags else call(kernel, 1, "fork")
    assert isinstance(made, Returned)
    if uid:
        call(kernel, made.value, "setgroups", 0, [])
        call(kernel, made.value, "setresgid", uid, uid, uid)
        call(kernel, made.value, "setresuid", uid, uid, uid)
    return made.value


def names(kernel: Kernel, pid: int, path: str) -> list[str]:
    """What a directory shows to ``pid``."""
    opened = call(kernel, pid, "open", path, O_RDONLY)
    assert isinstance(opened, Returned), opened
    found = call(kernel, pid, "getdents64", opened.value, 32768)
    assert isinstance(found, Returned)
    return found.data  # type: ignore[return-value]


def test_an_instance_shows_the_pid_namespace_of_its_mounter() -> None:
    kernel = machine()
    inner = child(kernel, CLONE_NEWPID)
    assert str(inner) in names(kernel, inner, "/proc")
    assert call(kernel, inner, "mount", "proc", "/mnt", "proc", 0, None) == Returned()
    assert [n for n in names(kernel, 1, "/mnt") if n.isdigit()] == ["1"]
    link = call(kernel, inner, "readlink", "/mnt/self", 64)
    assert isinstance(link, Returned)
    assert link.data == "1"


def test_self_leads_nowhere_for_who_is_not_seen_in_the_instance() -> None:
    kernel = machine()
    inner = child(kernel, CLONE_NEWPID)
    call(kernel, inner, "mount", "proc", "/mnt", "proc", 0, None)
    assert call(kernel, 1, "readlink", "/mnt/self", 64) == "ENOENT"


@pytest.mark.parametrize("name", ["environ", "maps", "mem", "auxv", "io", "pagemap", "personality"])
def test_what_only_a_tracer_may_read_is_refused_to_other_users(name: str) -> None:
    kernel = machine()
    other = child(kernel, uid=1000)
    assert call(kernel, other, "open", f"/proc/1/{name}", O_RDONLY) == "EACCES"
    assert isinstance(call(kernel, 1, "open", f"/proc/{other}/{name}", O_RDONLY), Returned)


@pytest.mark.parametrize("name", ["root", "cwd", "exe", "ns/pid"])
def test_magic_links_are_only_for_who_may_trace(name: str) -> None:
    kernel = machine()
    other = child(kernel, uid=1000)
    assert call(kernel, other, "readlink", f"/proc/1/{name}", 64) == "EACCES"


@pytest.mark.parametrize("name", ["status", "stat", "cmdline", "mounts", "cgroup", "limits"])
def test_anybody_reads_what_everybody_may_know_of_a_process(name: str) -> None:
    kernel = machine()
    other = child(kernel, uid=1000)
    opened = call(kernel, other, "open", f"/proc/1/{name}", O_RDONLY)
    assert isinstance(opened, Returned)
    assert isinstance(call(kernel, other, "read", opened.value, 4096), Returned)


def test_root_of_a_chrooted_process_leads_there_and_back_out() -> None:
    kernel = machine()
    inside = child(kernel)
    call(kernel, inside, "chroot", "/srv")
    text = call(kernel, 1, "readlink", f"/proc/{inside}/root", 64)
    assert isinstance(text, Returned)
    assert text.data == "/srv"
    call(kernel, inside, "mkdir", "/proc", 0o755)
    call(kernel, inside, "mount", "proc", "/proc", "proc", 0, None)
    opened = call(kernel, inside, "open", "/proc/1/root/etc/hostname", O_RDONLY)
    assert isinstance(opened, Returned)


def test_hidepid_hides_other_users_processes() -> None:
    kernel = machine()
    other = child(kernel, uid=1000)
    call(kernel, 1, "mount", "proc", "/mnt", "proc", 0, "hidepid=2")
    assert [n for n in names(kernel, other, "/mnt") if n.isdigit()] == [str(other)]
    assert call(kernel, other, "stat", "/mnt/1") == "ENOENT"
    call(kernel, 1, "mount", "proc", "/srv", "proc", 0, "hidepid=noaccess")
    assert "1" in names(kernel, other, "/srv")
    assert call(kernel, other, "open", "/srv/1/status", O_RDONLY) == "EPERM"


@pytest.mark.parametrize(
    ("name", "args", "errno"),
    [
        ("mkdir", ("/proc/x", 0o755), "ENOENT"),
        ("open", ("/proc/x", O_WRONLY | O_CREAT, 0o644), "ENOENT"),
        ("rename", ("/tmp", "/proc/x"), "EXDEV"),
        ("unlink", ("/proc/meminfo",), "EPERM"),
        ("rmdir", ("/proc/self",), "ENOTDIR"),
        ("mkdir", ("/proc/self/x", 0o755), "ENOENT"),
    ],
)
def test_names_in_procfs_are_not_for_changing(name: str, args: tuple, errno: str) -> None:
    assert call(machine(), 1, name, *args) == errno


def test_a_setting_is_written_by_user_0_and_by_nobody_else() -> None:
    kernel = machine()
    path = "/proc/sys/kernel/core_pattern"
    assert isinstance(call(kernel, 1, "open", path, O_WRONLY), Returned)
    other = child(kernel, uid=1000)
    assert call(kernel, other, "open", path, O_WRONLY) == "EACCES"
    assert call(kernel, 1, "open", "/proc/sys/kernel/ostype", O_RDWR) == "EACCES"


def test_the_hostname_setting_is_the_uts_namespace_s() -> None:
    kernel = machine()
    inner = child(kernel, CLONE_NEWUTS)
    opened = call(kernel, inner, "open", "/proc/sys/kernel/hostname", O_WRONLY)
    assert isinstance(opened, Returned)
    call(kernel, inner, "write", opened.value, b"inner\n", 6)
    assert output("hostname", kernel) == "vitrina-host\n"
    facts = call(kernel, inner, "uname")
    assert isinstance(facts, Returned)
    assert facts.data["nodename"] == "inner"  # type: ignore[index, call-overload]


def test_settings_of_the_network_are_its_namespace_s() -> None:
    kernel = machine()
    text = output(
        "sysctl -w net.ipv4.ip_forward=1; unshare -n sysctl net.ipv4.ip_forward; "
        "unshare -n sysctl net.core.netdev_max_backlog",
        kernel,
    )
    assert text.splitlines()[1] == "net.ipv4.ip_forward = 0"
    assert text.splitlines()[2].startswith("sysctl: error")


def test_a_value_out_of_range_is_refused() -> None:
    result = line(machine(), "echo 9 > /proc/sys/kernel/dmesg_restrict")
    assert result.status == 1
    assert b"Invalid argument" in result.output


def test_a_lower_oom_score_needs_the_right_over_the_machine() -> None:
    kernel = machine()
    other = child(kernel, uid=1000)
    call(kernel, other, "prctl", 4, 1, 0, 0, 0)
    opened = call(kernel, other, "open", "/proc/self/oom_score_adj", O_RDWR)
    assert isinstance(opened, Returned)
    assert isinstance(call(kernel, other, "write", opened.value, b"500", 3), Returned)
    assert call(kernel, other, "write", opened.value, b"-1", 2) == "EACCES"


def test_looking_at_another_domain_s_process_is_reported() -> None:
    import msgspec

    from simulator.machine.kernel.task import Task

    kernel = machine()
    guest = child(kernel)
    row = kernel.store.row(Task, guest)
    kernel.store.put(msgspec.structs.replace(row, domain="guest"))
    opened = call(kernel, guest, "open", "/proc/1/cmdline", O_RDONLY)
    assert isinstance(opened, Returned)
    call(kernel, guest, "read", opened.value, 4096)
    crossings = kernel.timeline.events[-1].crossings
    assert ("process", "host", "read") in {(c.kind, c.owner, c.operation) for c in crossings}
    opened = call(kernel, guest, "open", "/proc/meminfo", O_RDONLY)
    call(kernel, guest, "read", opened.value, 4096)  # type: ignore[union-attr]
    crossings = kernel.timeline.events[-1].crossings
    assert [(c.kind, c.owner, c.operation) for c in crossings if c.kind == "memory"] == [
        ("memory", "host", "read")
    ]
