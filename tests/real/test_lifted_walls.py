"""Each switch that lifts a wall does so on this machine's kernel, and the model says the same."""

import pytest

from simulator.cli.calibration import calibrate
from simulator.cli.real import machine_facts
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.session import HarnessError
from simulator.experiment.probes.trace import Trace
from simulator.experiment.real import cgroups, pool
from simulator.experiment.real.outcome import word
from simulator.experiment.real.trace import real_trace
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from tests.real.conftest import requires_spec

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("leak_check")]

WORLD = load_world()

ROOTLESS = ("mount-ns", "pivot-root", "readonly-root")
OWN_PROC = 'guest.open("/proc/self/status", O_RDONLY)'
GUEST_PROC = 'host.open("/srv/guest/proc/uptime", O_RDONLY)'
OWN_KEY = (
    'key = guest.add_key("user", "own", "x", 1, KEY_SPEC_USER_KEYRING)\n'
    "guest.keyctl(KEYCTL_REVOKE, key)"
)
IN_A_GROUP = "guest$ grep -q {} /proc/self/cgroup"

SWITCHES: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "chroot": ((("chroot",), "guest.open(CANARY, O_RDONLY)"),),
    "cgroups pids.max=2": ((("cgroup-membership",), "guest.fork() * 4"),),
    "runc": (
        ((*ROOTLESS, "masked-paths", "readonly-paths"), GUEST_PROC),
        (("capabilities",), 'guest.sethostname("x", 1)'),
    ),
    "crun": (
        (ROOTLESS, GUEST_PROC),
        (("default-mounts",), OWN_PROC),
        (("cgroup-limits", "device-list"), IN_A_GROUP.format("guest")),
    ),
    "bwrap --unshare-all --proc /proc --dev /dev": ((("init",), "guest.getpid()"),),
    "nspawn --register=no --keep-unit": (
        (("readonly-paths",), 'guest.open("/proc/sys/kernel/hostname", O_WRONLY)'),
        (("readonly-paths",), 'guest.access("/sys/kernel", W_OK)'),
    ),
    "lxc": (
        (("default-mounts", "proc-mixed", "sys-mixed"), OWN_PROC),
        (("lxc-config",), 'host.open("/var/lib/lxc/guest/config", O_RDONLY)'),
        (("cgroup-ns",), 'guest.chdir("/sys/fs/cgroup/cpu/lxc.payload.guest")'),
        (("session-keyring",), OWN_KEY),
    ),
    "lxc-unpriv": ((("user-ns",), 'guest.mknod("/tmp/b", S_IFBLK | 0o600, makedev(8, 0))'),),
    "docker": (
        (("ipc-ns",), "guest.shmget(HOST_SHM_KEY, 0, 0)\nguest.stat('/dev/shm/ledger')"),
        (("capabilities",), 'guest.mount("none", "/mnt", "tmpfs", 0, None)'),
        (("sysctls",), "guest$ grep -qx 1024 /proc/sys/net/ipv4/ip_unprivileged_port_start"),
        (("readonly-paths",), 'guest.open("/proc/sys/kernel/hostname", O_WRONLY)'),
        (("masked-paths",), 'guest.open("/sys/firmware/acpi", O_RDONLY)'),
    ),
}


@pytest.mark.parametrize("spec", SWITCHES)
def test_a_switch_opens_what_the_mechanism_closed(spec: str) -> None:
    requires_spec(spec)
    world, facts, calibration = load_world(), machine_facts(), calibrate([spec], load_world())
    with pool.keep():
        for lifted, text in SWITCHES[spec]:
            if "cgroup" in text and cgroups.layout() == "v2":
                continue  # there a namespace hides a group's place, or LXC mounts none without it
            program = parse(text)
            found: list[list[str]] = []
            for less in ((), lifted):
                real = _words(real_trace(program, spec, world, lifted=less))
                technology = calibration.technology(spec, less)
                assert real == _words(traced(program, world, technology, facts)), less
                found.append(real)
            assert found[0] != found[1], f"{lifted} makes no difference"


def test_a_whole_sandbox_is_not_lent_on_as_one_less_a_mechanism() -> None:
    requires_spec("runc")
    program = parse("guest.shmget(HOST_SHM_KEY, 0, 0)")
    with pool.keep():
        said = [
            _words(real_trace(program, "runc", WORLD, lifted=lifted))
            for lifted in ((), ("ipc-ns",), (), ("ipc-ns",))
        ]
    assert said == [["ENOENT"], ["id"], ["ENOENT"], ["id"]]


def test_containers_of_two_machines_share_no_session_keyring() -> None:
    requires_spec("runc")
    kept = parse('guest.add_key("user", "mine", "x", 1, KEY_SPEC_SESSION_KEYRING)\nguest.getpid()')
    look = parse('guest.keyctl(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "mine", 0)')
    with pool.keep():
        real_trace(kept, "runc", WORLD)
        assert _words(real_trace(look, "runc", WORLD, fresh=True)) == ["ENOKEY"]


def test_what_no_kernel_lets_a_mapped_root_mount_starts_neither_here_nor_in_the_model() -> None:
    requires_spec("lxc-unpriv")
    program = parse("guest.getpid()")
    for lifted, what in (("pid-ns", "proc"), ("net-ns", "sysfs")):
        with pytest.raises(HarnessError, match=f'Failed to mount "{what}"'):
            real_trace(program, "lxc-unpriv", WORLD, lifted=(lifted,))
        with pytest.raises(HarnessError, match=f"mount\\('{what}'"):
            traced(program, load_world(), parse_spec("lxc-unpriv", (lifted,)), machine_facts())


def test_systemd_nspawn_starts_without_a_cgroup_namespace() -> None:
    spec = "nspawn --register=no --keep-unit"
    requires_spec(spec)
    program = parse(IN_A_GROUP.format("payload"))
    assert _words(real_trace(program, spec, WORLD)) == ["1"]
    assert _words(real_trace(program, spec, WORLD, lifted=("cgroup-ns",))) == ["0"]


def _words(trace: Trace) -> list[str]:
    return [word(entry) for entry in trace.entries]
