"""Each runtime launches, answers one probe as its manual page says, and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.trace import Entry, Status
from simulator.experiment.real.lifting import Counterfactual
from simulator.experiment.real.trace import real_trace
from simulator.experiment.scenarios.load import load_world
from tests.real.conftest import requires_spec

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("leak_check")]

WORLD = load_world()


def entries(spec: str, text: str) -> tuple[Entry, ...]:
    requires_spec(spec)
    return real_trace(parse(text), spec, WORLD).entries


def words(spec: str, text: str) -> list[str]:
    return [str(entry.errno or entry.value) for entry in entries(spec, text)]


def test_a_process_of_the_machine_reads_the_canary() -> None:
    found = entries("none", "fd = guest.open(CANARY, O_RDONLY)\nguest.read(fd, 64)")
    assert found[1].data == b"canary-quartz-lantern-meadow-owl"


def test_chroot_hides_a_name_and_a_second_chroot_finds_it_again() -> None:
    program = (
        "guest.open(CANARY, O_RDONLY)\n"
        'guest.mkdir("/tmp/deeper", 0o755)\n'
        'guest.chroot("/tmp/deeper")\n'
        'guest.chdir("..") * 12\n'
        'guest.chroot(".")\n'
        "fd = guest.open(CANARY, O_RDONLY)\n"
        "guest.read(fd, 64)"
    )
    found = entries("chroot", program)
    assert found[0].errno == "ENOENT"
    assert found[-1].value == 32


def test_unshare_of_a_pid_namespace_makes_the_child_its_first_process() -> None:
    assert words("unshare -p -f", "guest.getpid()\nguest.kill(HOST_PID, 0)") == ["1", "ESRCH"]


def test_docker_refuses_what_its_walls_refuse() -> None:
    program = (
        'guest.sethostname("x", 1)\n'
        'guest.mount("none", "/tmp", "tmpfs", 0, None)\n'
        'guest.mknod("/tmp/b", S_IFBLK | 0o600, makedev(8, 0))\n'
        'guest.open("/tmp/b", O_RDONLY)\n'
        'guest.open("/proc/sys/kernel/hostname", O_WRONLY)\n'
        "guest.unshare(CLONE_NEWUSER)\n"
        "guest.kill(HOST_PID, SIGKILL)\n"
        "guest.getpid()"
    )
    expected = ["EPERM", "EPERM", "0", "EPERM", "EROFS", "EPERM", "ESRCH", "1"]
    assert words("docker", program) == expected


def test_docker_options_reach_the_product() -> None:
    assert words("docker --pid=host", "guest.kill(HOST_PID, 0)") == ["0"]
    assert words("docker --cap-drop ALL", 'guest.chroot("/")') == ["EPERM"]
    assert words("docker --init", "guest.getppid()") == ["1"]


def test_a_forked_child_acts_by_itself_and_is_reaped() -> None:
    program = "c = guest.fork()\nc.getppid()\nc.exit(7)\nguest.waitpid(c, 0)"
    found = entries("none", program)
    assert found[2].status is Status.EXITED
    assert found[3].data == 7 << 8


def test_a_blocked_call_is_woken_by_another_actor() -> None:
    program = (
        "a, b = guest.pipe()\nc = guest.fork()\nc.read(a, 10)\nc.getpid()\n"
        'guest.write(b, "x", 1)\nc.getpid()'
    )
    states = [entry.status for entry in entries("none", program)[2:]]
    assert states == [Status.BLOCKED, Status.SKIPPED, Status.RETURNED, Status.RETURNED]


def test_endings_are_told_apart() -> None:
    program = (
        'c = guest.fork()\nc.execve("/bin/true", ["true"], [])\n'
        "d = guest.fork()\nd.kill(d, SIGTERM)\n"
        "e = guest.fork()\nguest.kill(e, SIGKILL)\ne.getpid()"
    )
    found = entries("none", program)
    assert found[1].status is Status.EXECUTED
    assert (found[3].status, found[3].signal) == (Status.KILLED, "SIGTERM")
    assert found[6].status is Status.SKIPPED


def test_a_shell_line_gives_status_and_output() -> None:
    found = entries("none", "guest$ id -u; exit 3")[0]
    assert (found.value, found.data) == (3, "0\n")


def test_the_first_descriptor_of_an_actor_is_three() -> None:
    for spec in ("none", "docker"):
        assert entries(spec, 'guest.open("/etc/passwd", O_RDONLY)')[0].value == 3


WALLED = ("runc", "crun", "lxc", "lxc-unpriv", "nspawn --register=no --keep-unit")


@pytest.mark.parametrize("spec", WALLED)
def test_a_container_of_any_runtime_is_apart_from_its_host(spec: str) -> None:
    program = (
        "guest.getpid()\n"
        "guest.open(CANARY, O_RDONLY)\n"
        "guest.kill(HOST_PID, 0)\n"
        "guest.shmget(HOST_SHM_KEY, 0, 0)\n"
        'guest.mount("none", "/mnt", "devtmpfs", 0, None)'
    )
    found = words(spec, program)
    assert found[:4] == ["1", "ENOENT", "ESRCH", "ENOENT"]
    assert found[4] in ("EPERM", "None")


def test_a_configuration_file_is_rendered_from_the_options() -> None:
    assert words("runc", 'guest.mkdir("/tmp/x", 0o755)') == ["EROFS"]
    assert words("runc root.readonly=false", 'guest.mkdir("/tmp/x", 0o755)') == ["0"]
    shared = "runc linux.namespaces=mount,pid,uts,network,cgroup"
    assert words(shared, "guest.shmget(HOST_SHM_KEY, 0, 0)") == ["0"]


def test_a_lifted_mechanism_is_left_out_of_what_the_product_is_told() -> None:
    requires_spec("runc")
    program = parse("guest.shmget(HOST_SHM_KEY, 0, 0)")
    assert real_trace(program, "runc", WORLD).entries[0].errno == "ENOENT"
    assert real_trace(program, "runc", WORLD, lifted=("ipc-ns",)).entries[0].value == 0


def test_each_product_lifts_by_its_own_words() -> None:
    look = parse("guest.uname()")
    for spec in ("bwrap --unshare-uts --hostname own", "nspawn --register=no --keep-unit"):
        requires_spec(spec)
        walled = str(real_trace(look, spec, WORLD).entries[0].data)
        lifted = real_trace(look, spec.replace(" --hostname own", ""), WORLD, lifted=("uts-ns",))
        assert WORLD.hostname not in walled
        assert WORLD.hostname in str(lifted.entries[0].data)
    requires_spec("lxc")
    writes = parse('guest.open("/proc/sys/kernel/hostname", O_WRONLY)')
    assert real_trace(writes, "lxc", WORLD).entries[0].errno == "EROFS"
    assert real_trace(writes, "lxc", WORLD, lifted=("proc-mixed",)).entries[0].errno is None


def test_a_mechanism_without_a_switch_is_counterfactual() -> None:
    requires_spec("docker")
    with pytest.raises(Counterfactual, match="counterfactual"):
        real_trace(parse("guest.getpid()"), "docker", WORLD, lifted=("pivot-root",))


def test_bubblewrap_takes_its_own_words() -> None:
    walled = "bwrap --unshare-all --proc /proc --dev /dev"
    program = "guest.getpid()\nguest.open(CANARY, O_RDONLY)\nguest.kill(HOST_PID, 0)"
    assert words(walled, program) == ["2", "ENOENT", "ESRCH"]
    assert words("bwrap", "guest.kill(HOST_PID, 0)") == ["0"]
    assert words("bwrap --ro-bind /srv/guest /", 'guest.mkdir("/x", 0o755)') == ["EROFS"]


def test_control_groups_alone_limit_and_hide_nothing() -> None:
    found = entries("cgroups pids.max=8", "guest.fork() * 12\nguest.open(CANARY, O_RDONLY)")
    assert "EAGAIN" in {str(entry.errno) for entry in found}
    assert found[-1].errno is None


STRANGELY_STARTED = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.umask(0o077)
os.nice(5)
vitrina = [sys.executable, "-m", "simulator.cli", "trace", sys.argv[1], "--on", "none"]
os.execv(vitrina[0], vitrina + sys.argv[2:])
"""
ASKS_WHAT_IT_INHERITED = """
fd = guest.open("/tmp/made", O_WRONLY | O_CREAT, 0o666)
guest.fstat(fd)
guest.getpriority(PRIO_PROCESS, 0)
kid = guest.fork()
kid.kill(kid, SIGHUP)
son = guest.fork()
son.kill(son, SIGINT)
girl = guest.fork()
girl.kill(girl, SIGTERM)
"""


def test_how_we_were_started_is_no_matter_to_the_actors(tmp_path: Path) -> None:
    requires_spec("none")
    probe = tmp_path / "started.probe"
    probe.write_text(ASKS_WHAT_IT_INHERITED)
    said = [
        subprocess.run(
            [sys.executable, "-c", STRANGELY_STARTED, str(probe), *where],
            capture_output=True, check=True, text=True,
        ).stdout
        for where in ((), ("--real",))
    ]  # fmt: skip
    words = ["'mode': 33188", "getpriority(0, 0) = 20"]
    words += [f"killed: {signal}" for signal in ("SIGHUP", "SIGINT", "SIGTERM")]
    assert [word for word in words for one in said if word not in one] == []
