"""The kernel of OpenVZ: what an environment is shown, may do, and may hold."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Failed, Killed, Result, Returned, Value
from simulator.machine.abi.constants import (
    CAPABILITY_NAMES,
    LINUX_REBOOT_CMD_RESTART,
    LINUX_REBOOT_MAGIC1,
    LINUX_REBOOT_MAGIC2,
    MAP_ANONYMOUS,
    MAP_PRIVATE,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE,
    O_WRONLY,
    PROT_READ,
    PROT_WRITE,
    S_IFBLK,
    SYSLOG_ACTION_READ_ALL,
    UB_NUMPROC,
    VE_CREATE,
    VZCTL_ENV_CREATE,
)
from simulator.machine.abi.errno import Errno


def opened(spec: str = "openvz") -> SimSession:
    return open_session(load_world(), parse_spec(spec))


def call(session: SimSession, name: str, *args: Value, actor: str = "guest") -> Result:
    return session.call(actor, Call(name, args))


def errno(session: SimSession, name: str, *args: Value, actor: str = "guest") -> Errno | None:
    result = call(session, name, *args, actor=actor)
    return result.errno if isinstance(result, Failed) else None


def value(session: SimSession, name: str, *args: Value, actor: str = "guest") -> int:
    result = call(session, name, *args, actor=actor)
    assert isinstance(result, Returned), result
    return result.value


def text(session: SimSession, path: str, actor: str = "guest") -> str:
    fd = value(session, "open", path, O_RDONLY, 0, actor=actor)
    result = call(session, "read", fd, 65536, actor=actor)
    assert isinstance(result, Returned)
    return result.data.decode() if isinstance(result.data, bytes) else ""


def test_ve_admin_reads_as_the_two_that_it_stands_for() -> None:
    result = call(opened(), "capget", 0)
    assert isinstance(result, Returned)
    assert isinstance(result.data, tuple)
    effective = {CAPABILITY_NAMES[number] for number in result.data[0]}  # pyright: ignore
    assert {"CAP_SYS_ADMIN", "CAP_NET_ADMIN"} <= effective
    assert "CAP_AUDIT_CONTROL" not in effective


def test_and_is_the_machine_s_right_to_nothing() -> None:
    session = opened()
    assert errno(session, "sethostname", "mine", 4) is None
    assert errno(session, "swapon", "/etc/passwd", 0) is Errno.EPERM
    assert errno(session, "delete_module", "x", 0) is Errno.EPERM


def test_any_node_is_made_and_few_are_opened() -> None:
    session = opened()
    assert errno(session, "mknod", "/tmp/sda", S_IFBLK | 0o600, 8 << 8) is None
    assert errno(session, "open", "/tmp/sda", O_RDONLY, 0) is Errno.EPERM
    assert errno(session, "open", "/dev/null", O_RDWR, 0) is None


def test_a_fork_bomb_ends_in_enomem_and_leaves_a_count() -> None:
    session = opened("openvz --numproc 3")
    results = [errno(session, "fork") for _ in range(5)]
    assert results == [None, None, Errno.ENOMEM, Errno.ENOMEM, Errno.ENOMEM]
    line = next(
        line for line in text(session, "/proc/user_beancounters").splitlines() if "numproc" in line
    )
    assert line.split() == ["numproc", "3", "3", "3", "3", "3"]


def test_the_old_table_has_dummies_and_the_new_one_has_what_came_later() -> None:
    session = opened()
    old = [line.split()[-6] for line in text(session, "/proc/user_beancounters").splitlines()[2:]]
    assert (len(old), old[4], old[20:24]) == (24, "dummy", ["dummy"] * 3 + ["numiptent"])
    every = session.shell("host", "cat /proc/bc/resources")
    assert isinstance(every, Returned)
    new = [line.split()[-6] for line in bytes(every.data).decode().splitlines()[2:]]  # pyright: ignore
    assert "dummy" not in new
    assert new.count("swappages") == 2


def test_private_memory_is_refused_before_it_is_touched() -> None:
    session = opened("openvz --privvmpages 300:400")
    ask = (0, 4096 * 100, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    assert errno(session, "mmap", *ask) is None
    assert errno(session, "mmap", *ask) is Errno.ENOMEM


def test_beyond_ram_and_swap_somebody_dies_and_both_logs_say_so() -> None:
    session = opened("openvz --ram 1M --swap 1M")
    hog = "guest"
    ask = (0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | 0x8000, -1, 0)
    results = [call(session, "mmap", *ask, actor=hog) for _ in range(3)]
    assert isinstance(results[-1], Killed)
    result = call(session, "syslog", SYSLOG_ACTION_READ_ALL, 4096, actor="host")
    assert isinstance(result, Returned)
    assert b"OOM killed process" in result.data  # pyright: ignore[reportOperatorIssue]


@pytest.mark.parametrize(
    ("option", "name", "args", "refused"),
    [
        ("--numtcpsock 1", "socket", (2, 1, 0), Errno.ENOBUFS),
        ("--numothersock 1", "socket", (1, 1, 0), Errno.ENOMEM),
        ("--numfile 5", "open", ("/etc/passwd", O_RDONLY, 0), Errno.ENFILE),
        ("--numpty 1", "open", ("/dev/ptmx", O_RDWR, 0), Errno.ENOMEM),
        ("--shmpages 1", "shmget", (0, 4096, 0o600), Errno.ENOMEM),
    ],
)
def test_each_object_has_its_counter(
    option: str, name: str, args: tuple[Value, ...], refused: Errno
) -> None:
    session = opened(f"openvz {option}")
    results = [errno(session, name, *args) for _ in range(4)]
    assert results[0] is None
    assert results[-1] is refused


def test_a_tree_ends_at_its_quota() -> None:
    session = opened("openvz --diskspace 128:128")
    fd = value(session, "open", "/tmp/big", O_WRONLY | O_CREAT, 0o600)
    results = [errno(session, "write", fd, "x" * 65536, 65536) for _ in range(4)]
    assert results[0] is None
    assert results[-1] is Errno.EDQUOT


def test_no_file_leaves_the_tree_of_its_quota() -> None:
    session = opened()
    value(session, "mkdir", "/tmp/box", 0o755)
    moved = ("/srv/guest/tmp/box", "/srv/open/box")
    assert errno(session, "rename", *moved, actor="host") is Errno.EXDEV


def test_the_log_is_the_environment_s_own() -> None:
    session = opened()
    fd = value(session, "open", "/dev/kmsg", O_WRONLY, 0)
    value(session, "write", fd, "mine", 4)
    own = call(session, "syslog", SYSLOG_ACTION_READ_ALL, 4096)
    machine = call(session, "syslog", SYSLOG_ACTION_READ_ALL, 4096, actor="host")
    assert isinstance(own, Returned)
    assert isinstance(machine, Returned)
    assert own.data == b"<6>mine\n"
    assert b"mine" not in machine.data  # pyright: ignore[reportOperatorIssue]


def test_a_magic_key_is_only_gossip() -> None:
    session = opened()
    fd = value(session, "open", "/proc/sysrq-trigger", O_WRONLY, 0)
    assert value(session, "write", fd, "b", 1) == 1
    result = call(session, "syslog", SYSLOG_ACTION_READ_ALL, 4096, actor="host")
    assert isinstance(result, Returned)
    assert b"SysRq: CT#101 sent 'b' magic key." in result.data  # pyright: ignore[reportOperatorIssue]
    assert errno(session, "getpid", actor="neighbour") is None


def test_a_reboot_is_the_environment_s_own_and_brings_it_back() -> None:
    session = opened()
    magic = (LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, None)
    assert isinstance(call(session, "reboot", *magic), Killed)
    assert errno(session, "getpid", actor="neighbour") is None
    result = call(session, "syslog", SYSLOG_ACTION_READ_ALL, 4096, actor="host")
    assert isinstance(result, Returned)
    lines = result.data.decode().splitlines()  # pyright: ignore
    assert [line[3:] for line in lines if "CT: 101" in line] == [
        "CT: 101: started",
        "CT: 101: stopped",
        "CT: 101: started",
    ]
    assert "101" in text(session, "/proc/vz/veinfo", actor="host").split()


def test_limits_and_environments_are_the_host_s_to_make() -> None:
    session = opened()
    assert errno(session, "setublimit", 101, UB_NUMPROC, (1, 1)) is Errno.EPERM
    assert errno(session, "fairsched_chwt", 101, 1) is Errno.EPERM
    value(session, "mknod", "/tmp/vzctl", 0o020600, 126 << 8)
    assert errno(session, "open", "/tmp/vzctl", O_RDWR, 0) is Errno.EPERM
    fd = value(session, "open", "/dev/vzctl", O_RDWR, 0, actor="host")
    asked: Value = {"veid": 101, "flags": VE_CREATE | 2}
    assert errno(session, "ioctl", fd, VZCTL_ENV_CREATE, asked, actor="host") is Errno.EACCES
    assert errno(session, "ioctl", fd, 1, asked, actor="host") is Errno.ENOTTY


def test_memory_is_the_container_s_and_settings_are_not_for_it() -> None:
    session = opened()
    assert "MemTotal:         262144 kB" in text(session, "/proc/meminfo")
    assert errno(session, "open", "/proc/kcore", O_RDONLY, 0) is Errno.ENOENT
    assert errno(session, "open", "/proc/sys/kernel/panic", O_WRONLY, 0) is Errno.EACCES
    assert errno(session, "open", "/proc/sys/net/ipv4/ip_forward", O_WRONLY, 0) is None


def test_the_older_kernel_has_no_handles() -> None:
    handle = (1, b"\x02" + bytes(7))
    assert errno(opened(), "open_by_handle_at", -100, handle, 0) is Errno.EPERM
    assert errno(opened("openvz@2.6.18"), "open_by_handle_at", -100, handle, 0) is Errno.ENOSYS


def test_an_old_kernel_takes_a_file_without_a_name_for_a_directory() -> None:
    session = opened()
    assert errno(session, "open", "/tmp", O_TMPFILE | O_RDWR, 0o600) is Errno.EISDIR


@pytest.mark.parametrize("path", ["/sys/class/net/lo/mtu", "/sys/devices/system/cpu/cpu1"])
def test_an_environment_has_a_small_sys_of_its_own(path: str) -> None:
    assert errno(opened(), "open", path, O_RDONLY) is None


@pytest.mark.parametrize(
    "path", ["/sys/devices/system/cpu/cpu1/online", "/sys/kernel/mm", "/sys/class/block/sda"]
)
def test_the_machine_s_sys_is_not_in_an_environment(path: str) -> None:
    session = opened()
    assert errno(session, "open", path, O_RDONLY) is Errno.ENOENT
    assert errno(session, "open", path, O_RDONLY, actor="host") is None
