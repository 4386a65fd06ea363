"""What the simulator says is what the kernel does: a handful of shipped probes, row by row."""

import pytest

from simulator.cli.real import machine_facts
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import Trace
from simulator.experiment.real import pool
from simulator.experiment.real.trace import real_trace
from simulator.experiment.real.verify import Probe, verify
from simulator.experiment.scenarios.load import find, load_world
from simulator.isolation.technologies.registry import parse_spec
from tests.real.conftest import requires_spec

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("leak_check")]

WORLD = load_world()

PROBES = ("fs.chroot-escape", "hostname.set", "ipc.shared-memory", "processes.kill-host")
SPECS = ("none", "chroot", "unshare -m -p --fork", "docker", "docker --pid=host", "docker -u 1000")


def test_model_and_kernel_agree_on_shipped_probes() -> None:
    for spec in SPECS:
        requires_spec(spec)
    world, facts = load_world(), machine_facts()

    def model(spec: str, program: Program) -> Trace:
        return traced(program, world, parse_spec(spec), facts)

    def real(spec: str, program: Program, fresh: bool) -> Trace:
        return real_trace(program, spec, world, fresh=fresh)

    probes = [Probe(one.id, one.program, one.requires) for one in map(find, PROBES)]
    told: list[tuple[int, int]] = []
    report = verify(SPECS, probes, model, real, progress=lambda *count: told.append(count))
    differing = [row for row in report.rows if row.kind == "unexplained"]
    assert differing == []
    assert {row.spec for row in report.rows if row.kind == "agree"} == set(SPECS)
    assert told[-1] == (len(SPECS) * len(PROBES), len(SPECS) * len(PROBES))


def test_a_machine_is_lent_on_when_all_that_changed_can_be_put_back() -> None:
    requires_spec("docker")
    quiet = parse("guest.getpid()")
    loud = parse(
        'host.mkdir("/srv/open/x", 0o755)\nfd = host.open(CANARY, O_WRONLY | O_TRUNC)\n'
        'host.write(fd, "gone", 4)\nhost.chmod("/srv/open", 0o700)'
    )
    fatal = parse("host.kill(HOST_PID, SIGKILL)")
    machines: list[str] = []
    with pool.keep():
        for program in (quiet, loud, fatal, quiet):
            real_trace(program, "docker", WORLD)
            host = pool.acquire(WORLD, pool.Service(engine=True), "docker")
            machines.append(host.machine.name)
            assert (host.machine.root / "srv/canary/secret").read_text() == WORLD.secret
            assert not (host.machine.root / "srv/open/x").exists()
            assert (host.machine.root / "srv/open").stat().st_mode & 0o7777 == 0o1777
            pool.release(host, "docker", {}, clean=True)
    assert machines[0] == machines[1]
    assert machines[1] != machines[2]


def test_a_sandbox_serves_the_next_program_only_as_good_as_new() -> None:
    requires_spec("runc")
    look = parse('guest.open("/tmp/left", O_RDONLY)\nguest.stat("/etc")\nfd = guest.msgget(77, 0)')
    changes = (
        parse('guest.open("/dev/shm/left", O_CREAT | O_WRONLY, 0o600)\nguest.chroot("/dev")'),
        parse("guest.msgget(77, IPC_CREAT | 0o600)"),
    )
    with pool.keep():
        first = real_trace(look, "runc", WORLD)
        for program in changes:
            real_trace(program, "runc", WORLD)
            assert [e.errno for e in real_trace(look, "runc", WORLD).entries] == [
                entry.errno for entry in first.entries
            ]
