"""Nothing harms the machine and nothing is left on it, whatever ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.experiment.probes.session import HarnessError
from simulator.experiment.real import dockerapi, pool, state
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.executor import open_session
from simulator.experiment.real.link import Link
from simulator.experiment.real.session import RealSession
from simulator.experiment.scenarios.load import load_world
from simulator.machine.abi.call import Call, Failed, Returned, Silent
from tests.real.conftest import added, requires_spec, traces

pytestmark = [pytest.mark.real, pytest.mark.alone]

WORLD = load_world()
ROOT = Path(__file__).parents[2]


@pytest.fixture
def session(leak_check: None) -> Iterator[RealSession]:
    requires_spec("none")
    opened = open_session(WORLD, "none", frozenset({"guest"}))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "call",
    [
        Call("reboot", (0xFEE1DEAD, 672274793, 0x01234567, None)),
        Call("clock_settime", (0, (1, 0))),
        Call("settimeofday", ((1, 0), None)),
        Call("adjtimex", ({"modes": 0x0100},)),
        Call("swapon", ("/etc/passwd", 0)),
        Call("acct", ("/etc/passwd",)),
        Call("syslog", (5, 0)),
        Call("init_module", (b"\x7fELF", 4, "")),
        Call("mount", ("none", "/mnt", "devtmpfs", 0, None)),
        Call("close", (200,)),
        Call("no_such_call", (1,)),
        Call("clone3", ({"flags": 0}, 64)),
    ],
    ids=lambda call: call.name,
)
def test_a_harmful_or_unknown_call_never_reaches_the_kernel(
    session: RealSession, call: Call
) -> None:
    answer = session.call("guest", call)
    assert isinstance(answer, Silent)
    assert "model only" in answer.note


def test_the_same_call_without_the_right_is_the_kernels_to_refuse(session: RealSession) -> None:
    session.call("guest", Call("setresuid", (1000, 1000, 1000)))
    answer = session.call("guest", Call("clock_settime", (0, (1, 0))))
    assert isinstance(answer, Failed)
    assert answer.errno == "EPERM"


def test_kernel_settings_of_the_machine_stay(session: RealSession) -> None:
    before = Path("/proc/sys/kernel/core_pattern").read_text()
    opened = session.call("guest", Call("open", ("/proc/sys/kernel/core_pattern", os.O_WRONLY)))
    assert isinstance(opened, Returned)
    assert isinstance(session.call("guest", Call("write", (opened.value, "|/x", 3))), Silent)
    assert Path("/proc/sys/kernel/core_pattern").read_text() == before


def test_a_private_setting_is_the_actors_own(session: RealSession) -> None:
    before = os.uname().nodename
    opened = session.call("guest", Call("open", ("/proc/sys/kernel/hostname", os.O_WRONLY)))
    assert isinstance(opened, Returned)
    assert session.call("guest", Call("write", (opened.value, "inside", 6))) == Returned(6)
    assert os.uname().nodename == before


def test_killing_everything_kills_only_the_scratch_machine(session: RealSession) -> None:
    assert session.call("guest", Call("kill", (-1, signal.SIGKILL))) == Returned(0)
    assert not session.machine.daemons[0].alive
    assert Path(f"/proc/{os.getpid()}").exists()


def test_a_call_that_hangs_is_ended_by_the_time_limit(
    session: RealSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = session.call("guest", Call("open", ("/dev/urandom", os.O_RDONLY)))
    assert isinstance(opened, Returned)
    real_ask = Link.ask

    def hurried(self: Link, request: dict[str, Any], **_limits: float) -> Any:
        return real_ask(self, request, limit=0.01, quiet=0.01)

    monkeypatch.setattr(Link, "ask", hurried)
    # 64 MiB of randomness take longer than the limit, and the kernel computes all the while.
    with pytest.raises(HarnessError, match="ran for more than"):
        session.call("guest", Call("read", (opened.value, 64 << 20)))
    monkeypatch.undo()
    deadline = time.monotonic() + 5
    while session.alive("guest") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not session.alive("guest")


@pytest.mark.parametrize("spec", ["docker", "lxc", "runc", "nspawn --register=no --keep-unit"])
def test_sigkill_of_the_coordinator_leaves_nothing_after_the_next_start(spec: str) -> None:
    requires_spec(spec)
    program = (
        "import sys, time\n"
        "from simulator.experiment.real.executor import open_session\n"
        "from simulator.experiment.scenarios.load import load_world\n"
        "session = open_session(load_world(), sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, spec], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    there = traces(child.pid)
    assert all(there[kind] for kind in ("cgroups", "processes", "directories", "records"))
    child.send_signal(signal.SIGKILL)
    child.wait()
    time.sleep(0.5)
    assert any("removed the cgroup" in sentence for sentence in state.sweep())
    nothing = {kind: there[kind] if kind in ("mounts", "interfaces") else set() for kind in there}
    assert added(nothing, child.pid) == {}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_comparison_that_is_stopped_midway_leaves_nothing(number: signal.Signals) -> None:
    requires_spec("runc")
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from simulator.cli.main import main; main(['verify', 'runc'])\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    workers: set[int] = set()
    deadline = time.monotonic() + 60
    while not any(traces(pid)["records"] for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
        workers = _descendants(child.pid)
    assert any(traces(pid)["records"] for pid in workers), "nobody was at work yet"
    child.send_signal(number)
    assert child.wait(60) != 0
    _wait_for_the_end_of(workers)
    said = state.sweep()
    assert bool(said) == (number == signal.SIGKILL)
    for pid in workers:
        assert added(_machine_wide(), pid) == {}


def _machine_wide() -> dict[str, set[str]]:
    """What no process's name is on, as it is now; of everything else, nothing."""
    now = traces(0)
    return {kind: now[kind] if kind in ("mounts", "interfaces") else set() for kind in now}


def _descendants(pid: int) -> set[int]:
    words = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    children = {int(word) for found in words for word in found}
    return children.union(*(_descendants(child) for child in children))


def _wait_for_the_end_of(pids: set[int]) -> None:
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_runtime_that_hangs_is_ended_by_the_time_limit(leak_check: None) -> None:
    requires_spec("runc")
    host = pool.Host(WORLD, pool.Service(operator=True))
    try:
        assert host.operator is not None
        before = host.machine.members()
        with pytest.raises(RealError, match="sleep ran for more than"):
            host.operator.run(["/usr/bin/sleep", "600"], seconds=0.2)
        deadline = time.monotonic() + 5
        while host.machine.members() - before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert host.machine.members() == before
    finally:
        host.machine.close()


def test_an_engine_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dockerapi, "LIMIT", 0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(RealError, match="timed out"):
            dockerapi.request(str(tmp_path / "s"), "GET", "/_ping")


def test_an_ordinary_user_is_told_why_and_keeps_the_models_answers() -> None:
    if os.geteuid() != 0:
        pytest.skip("not here, because only root can become somebody else")
    # The interpreter may be in root's home: reading there is the one right that is left.
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    user += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    command = [sys.executable, "-m", "simulator.cli", "verify", "docker", "runc", "--json"]
    done = subprocess.run(
        [*user, *command, "--scenario", "hostname.set"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    entries = json.loads(done.stdout)["entries"]
    assert {entry["spec"] for entry in entries} == {"docker", "runc"}
    assert all("it takes root" in entry["reason"] for entry in entries)
    assert "EPERM" in {entry["model"] for entry in entries if entry["call"] == "sethostname"}


def test_a_container_that_its_engine_left_frozen_is_ended_too(leak_check: None) -> None:
    requires_spec("docker")
    opened = open_session(WORLD, "docker", frozenset({"guest"}))
    group = next(
        Path(directory)
        for top in opened.machine.groups
        for directory, _names, files in os.walk(f"{top}/docker")
        if {"freezer.state", "cgroup.freeze"} & set(files) and directory != f"{top}/docker"
    )
    if (group / "freezer.state").exists():
        (group / "freezer.state").write_text("FROZEN")
    else:
        (group / "cgroup.freeze").write_text("1")
    opened.close()


def test_the_sweep_says_what_it_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_place", lambda: tmp_path)
    left = tmp_path / "left"
    (left / "root").mkdir(parents=True)
    dead = state.Record("vitrina-0-dead", 2**22 - 1, str(left), started=1)
    (tmp_path / "vitrina-0-dead.json").write_bytes(msgspec.json.encode(dead))
    assert state.sweep() == [f"removed the directory {left}"]
    assert not left.exists()
    assert state.sweep() == []


def test_what_is_mounted_in_a_directory_is_not_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requires_spec("chroot")
    monkeypatch.setattr(state, "_place", lambda: tmp_path)
    kept, left = tmp_path / "kept", tmp_path / "left"
    (left / "root").mkdir(parents=True)
    kept.mkdir()
    (kept / "file").write_text("somebody's")
    dead = state.Record("vitrina-0-dead", 2**22 - 1, str(left), started=1)
    (tmp_path / "vitrina-0-dead.json").write_bytes(msgspec.json.encode(dead))
    subprocess.run(["mount", "--bind", kept, left / "root"], check=True)
    try:
        assert state.sweep() == []
        assert (kept / "file").read_text() == "somebody's"
    finally:
        subprocess.run(["umount", left / "root"], check=True)


def test_a_live_coordinator_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_place", lambda: tmp_path)
    state.write(state.Record("vitrina-0-live", os.getpid(), str(tmp_path / "kept")))
    (tmp_path / "kept").mkdir()
    assert state.sweep() == []
    assert (tmp_path / "kept").exists()


def test_a_namespace_shared_with_the_machine_is_noticed() -> None:
    from simulator.experiment.real import guard

    assert guard.apart(os.getpid()) == guard.SHARED
