"""Whoever may change the machine is kept from it; others the kernel itself refuses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.experiment.real import pool
from simulator.experiment.real.executor import open_session
from simulator.experiment.real.session import RealSession
from simulator.experiment.scenarios.load import load_world
from simulator.machine.abi.call import Call, Exited, Failed, Killed, Returned, Silent
from tests.real.conftest import requires_spec

pytestmark = pytest.mark.real

WORLD = load_world()

RESTART = Call("reboot", (0xFEE1DEAD, 672274793, 0x01234567, None))
CONSOLE = os.makedev(5, 1)
HARMFUL = (
    RESTART,
    Call("reboot", (0xFEE1DEAD, 672274793, 0, None)),
    Call("clock_settime", (0, (86400, 0))),
    Call("settimeofday", (None, (0, 0))),
    Call("adjtimex", ({"modes": 0x0100, "time": 3600},)),
    Call("clock_adjtime", (0, {"modes": 0x0100, "time": 3600})),
    Call("syslog", (5, 0)),
    Call("syslog", (8, 1)),
    Call("swapoff", ("/etc/passwd",)),
    Call("acct", ("/etc/passwd",)),
    Call("mount", ("none", "/mnt", "devtmpfs", 0, None)),
    Call("mount", ("none", "/mnt", "cgroup", 0, "none,name=vitrina-test")),
)
"""What takes a capability over the machine itself; named as the probes make them."""


@pytest.fixture(scope="module", params=["unshare -U -r", "none --userspec=1000:1000"])
def powerless(request: pytest.FixtureRequest) -> Iterator[RealSession]:
    """Root of a user namespace of its own, which holds every capability there; an ordinary user."""
    requires_spec(request.param)
    opened = open_session(WORLD, request.param, frozenset({"guest"}))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def mighty() -> Iterator[RealSession]:
    """Root of the scratch machine, who is this machine's root but for its namespaces."""
    requires_spec("none")
    opened = open_session(WORLD, "none", frozenset({"guest"}))
    yield opened
    opened.close()


@pytest.mark.parametrize("call", HARMFUL, ids=str)
def test_whoever_holds_the_capability_over_the_machine_never_makes_the_call(
    mighty: RealSession, call: Call
) -> None:
    assert isinstance(mighty.call("guest", call), Silent)


@pytest.mark.parametrize("call", HARMFUL, ids=str)
def test_whoever_holds_it_nowhere_or_elsewhere_is_refused_by_the_kernel(
    powerless: RealSession, call: Call
) -> None:
    answer = powerless.call("guest", call)
    assert isinstance(answer, Failed)
    assert answer.errno in ("EPERM", "EACCES", "ENOSYS")


def test_a_sandbox_with_processes_of_its_own_ends_itself_and_nothing_else() -> None:
    requires_spec("unshare -p -f")
    opened = open_session(WORLD, "unshare -p -f", frozenset({"guest"}))
    try:
        assert isinstance(opened.call("guest", RESTART), (Killed, Exited))
        assert isinstance(opened.call("host", Call("getpid", ())), Returned)
    finally:
        opened.close()


def test_the_console_of_the_machine_is_neither_written_on_nor_typed_at(mighty: RealSession) -> None:
    mighty.call("guest", Call("mknod", ("/tmp/console", 0o20600, CONSOLE)))
    opened = mighty.call("guest", Call("open", ("/tmp/console", os.O_RDWR)))
    if not isinstance(opened, Returned):
        pytest.skip("not here, because this machine has no console")
    assert isinstance(mighty.call("guest", Call("write", (opened.value, "x", 1))), Silent)
    assert isinstance(mighty.call("guest", Call("ioctl", (opened.value, 0x5412, "x"))), Silent)


def test_limits_of_the_first_user_namespace_are_the_machines(mighty: RealSession) -> None:
    path = "/proc/sys/user/max_user_namespaces"
    before = Path(path).read_text()
    opened = mighty.call("guest", Call("open", (path, os.O_WRONLY)))
    if isinstance(opened, Returned):
        assert isinstance(mighty.call("guest", Call("write", (opened.value, "7", 1))), Silent)
    assert Path(path).read_text() == before


def test_the_pool_of_random_numbers_is_left_alone(mighty: RealSession) -> None:
    opened = mighty.call("guest", Call("open", ("/dev/random", os.O_RDWR)))
    assert isinstance(opened, Returned)
    assert isinstance(mighty.call("guest", Call("ioctl", (opened.value, 0x5204, 0))), Silent)


def test_another_machines_disk_is_not_this_ones(mighty: RealSession) -> None:
    other = open_session(WORLD, "none", frozenset({"guest"}))
    try:
        if other.machine.disk is None or mighty.machine.disk is None:
            pytest.skip("not here, because this kernel has no loop devices")
        for session, kept in ((mighty, True), (other, False)):
            device = os.makedev(7, other.machine.disk.minor)
            session.call("guest", Call("mknod", ("/tmp/loop", 0o60600, device)))
            opened = session.call("guest", Call("open", ("/tmp/loop", os.O_RDWR)))
            assert isinstance(opened, Returned)
            answer = session.call("guest", Call("write", (opened.value, "x", 1)))
            assert isinstance(answer, Silent) == kept
    finally:
        other.close()


def test_a_machine_whose_network_was_set_otherwise_is_not_lent_on() -> None:
    requires_spec("none")
    path = "/proc/sys/net/ipv4/ip_local_port_range"
    seen: list[object] = []
    with pool.keep():
        for _attempt in range(2):
            session = open_session(WORLD, "none", frozenset({"guest"}))
            opened = session.call("guest", Call("open", (path, os.O_RDWR)))
            assert isinstance(opened, Returned)
            answer = session.call("guest", Call("read", (opened.value, 64)))
            assert isinstance(answer, Returned)
            seen.append(answer.data)
            session.call("guest", Call("write", (opened.value, "40000 40001", 11)))
            session.close()
    assert seen[0] == seen[1]


def test_what_a_shell_starts_can_set_no_clock_and_restart_nothing(mighty: RealSession) -> None:
    # The clock would be set to what it is: nothing is lost if the guard is.
    assert isinstance(mighty.shell("guest", 'date -s "@$(date +%s)"'), Silent)
    told = mighty.shell("guest", "grep CapBnd /proc/self/status")
    assert isinstance(told, Returned)
    bounding = int(str(told.data).split()[-1], 16)
    assert not any(bounding >> capability & 1 for capability in (16, 17, 20, 22, 25, 35))


SHARED = (
    Call("chmod", ("/proc/meminfo", 0o444)),
    Call("lchown", ("/proc/mounts", 0, 0)),
    Call("chown", ("/proc/fs", 0, 0)),
)
"""Entries of procfs that every instance of the machine shows."""


@pytest.mark.parametrize("call", SHARED, ids=str)
def test_an_entry_that_every_procfs_shows_gets_no_other_owner_or_mode(
    mighty: RealSession, call: Call
) -> None:
    assert isinstance(mighty.call("guest", call), Silent)


def test_what_is_the_instances_own_is_changed_for_real(mighty: RealSession) -> None:
    before = Path("/proc").stat().st_mode
    assert mighty.call("guest", Call("chmod", ("/proc", 0o711))) == Returned(0)
    assert mighty.call("guest", Call("chown", ("/proc/self/status", 1, 1))) == Returned(0)
    assert Path("/proc").stat().st_mode == before
    assert mighty.call("guest", Call("chmod", ("/proc", 0o555))) == Returned(0)
