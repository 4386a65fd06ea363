"""The first question of all, on every technology, with and without the wall that matters."""

import pytest

from simulator.experiment.engine.judge import judge
from simulator.experiment.probes.verdict import Outcome
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find
from simulator.isolation.technologies.registry import parse_spec

ESCAPE = question(find("fs.chroot-escape"))


@pytest.mark.parametrize(
    ("spec", "outcome"),
    [
        ("none", Outcome.LEAKS),
        ("chroot", Outcome.LEAKS),
        ("chroot-freebsd", Outcome.HOLDS),
        ("jail", Outcome.HOLDS),
        ("docker", Outcome.HOLDS),
        ("sealed", Outcome.HOLDS),
    ],
)
def test_the_double_chroot_is(spec: str, outcome: Outcome) -> None:
    assert judge(ESCAPE, parse_spec(spec)).outcome is outcome


def test_docker_without_pivot_root_leaks_as_chroot_does() -> None:
    verdict = judge(ESCAPE, parse_spec("docker", ["pivot-root"]))
    assert verdict.outcome is Outcome.LEAKS


def test_docker_without_the_right_to_chroot_holds_even_without_pivot_root() -> None:
    """Defence in depth: the capability is a second wall before the same door."""
    technology = parse_spec("docker --cap-drop SYS_CHROOT", ["pivot-root"])
    verdict = judge(ESCAPE, technology)
    assert verdict.outcome is Outcome.HOLDS


@pytest.mark.parametrize(
    ("scenario", "spec", "outcome"),
    [
        ("processes.kill-host", "docker --pid=host", Outcome.GRANTED),
        ("processes.list", "docker --pid=host", Outcome.GRANTED),
        ("network.loopback", "docker --network=host", Outcome.GRANTED),
        ("ipc.shared-memory", "docker --ipc=host", Outcome.GRANTED),
        ("hostname.see", "docker --uts=host", Outcome.GRANTED),
        ("proc.cgroup-path", "docker --cgroupns=host", Outcome.GRANTED),
        ("devices.raw-disk", "docker --device /dev/sda", Outcome.GRANTED),
        ("devices.raw-disk", "docker --privileged", Outcome.LEAKS),
        ("kernel.sysrq", "docker --privileged", Outcome.LEAKS),
        ("users.keyring", "docker --security-opt seccomp=unconfined", Outcome.LEAKS),
        ("fs.mount", "docker --cap-add SYS_ADMIN", Outcome.HOLDS),
        ("resources.memory", "docker --memory 64m", Outcome.HOLDS),
        ("resources.processes", "docker --pids-limit 20", Outcome.HOLDS),
        ("fs.chroot-escape", "docker --userns-remap=default", Outcome.HOLDS),
        ("network.raw-socket", "jail", Outcome.HOLDS),
        ("network.raw-socket", "jail allow.raw_sockets=1", Outcome.LEAKS),
        ("ipc.shared-memory", "jail sysvshm=inherit", Outcome.GRANTED),
        ("ipc.shared-memory", "jail sysvshm=new", Outcome.HOLDS),
    ],
)
def test_a_products_own_option_changes_the_outcome(
    scenario: str, spec: str, outcome: Outcome
) -> None:
    assert judge(question(find(scenario)), parse_spec(spec)).outcome is outcome
