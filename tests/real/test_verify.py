"""What the simulator says is what the kernel does: a handful of shipped probes, row by row."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli.real import machine_facts
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import Trace
from simulator.experiment.real import pool
from simulator.experiment.real.trace import real_trace
from simulator.experiment.real.verify import Probe, verify
from simulator.experiment.real.world import DEFAULT
from simulator.experiment.scenarios.load import find, load_world
from simulator.isolation.technologies.registry import parse_spec
from tests.real.conftest import requires_spec

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("leak_check")]

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


def test_an_engine_is_lent_on_only_while_its_machine_is_unchanged() -> None:
    requires_spec("docker")
    quiet, loud = parse("guest.getpid()"), parse('host.mkdir("/srv/open/x", 0o755)')
    machines: list[str] = []
    with pool.keep():
        for program in (quiet, quiet, loud, quiet):
            real_trace(program, "docker")
            host = pool.acquire(DEFAULT, pool.Service(engine=True), "docker")
            machines.append(host.machine.name)
            pool.release(host, "docker", {})
    assert machines[0] == machines[1]
    assert machines[1] != machines[2]


def test_an_ordinary_user_is_told_why_and_keeps_the_models_answers() -> None:
    if os.geteuid() != 0:
        pytest.skip("not here, because only root can become somebody else")
    program = (
        "import os\n"
        "from simulator.experiment.real import facts, host\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(host.why_not('docker')); print(host.why_not('chroot'))\n"
        "print(facts.gather().machine)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert all("root" in line for line in lines[:2])
