"""A mechanism that flips no probe is decoration, or a probe is missing: each is accounted for."""

from collections.abc import Iterator

import pytest

from simulator.experiment.engine.ablation import flips
from simulator.experiment.engine.credit import credited
from simulator.experiment.engine.lifting import lifts
from simulator.experiment.engine.openings import openings
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find, load_all
from simulator.isolation.technologies.registry import parse_spec

QUESTIONS = [question(scenario) for scenario in load_all()]

NO_PROBE_HANGS_ON_IT = {
    "apparmor": "the model's own machine has no AppArmor",
    "bare-devices": "without it the container has no device nodes at all",
    "cgroup-limits": "without limits given it only carries the device list",
    "container-files": "what is bound over the image's files is the container's own",
    "init": "the program is pid 1 then, and its own reaper",
    "lxc-config": "a file for the operator's tools",
    "mount-ns": "who may not mount anything (Linux-VServer) needs no list of its own",
    "own-hierarchies": "the product finds its groups where the host has mounted them",
    "point-to-point": "without the cable there is no way out at all",
    "prison": "its finer walls are lifted one by one",
    "rlimits": "the limits are above what any probe takes",
    "session-keyring": "Docker's filter refuses keyctl(2) too",
    "simfs": "without it a plain chroot(2) leads to the same files",
    "sparse-root": "it shares files to save disk; that they can't be written to is another wall",
    "sysctls": "they open doors and close none",
    "uid-pool": "a job with privileged: true is root all the same",
    "ve-config": "a file for the operator's tools",
    "ve-mounts": "an environment may mount these itself",
    "ve-perf": "the capability that counting asks for is missing too",
    "zone": "its finer walls are lifted one by one",
}
"""Mechanisms that no single probe needs, with the reason."""

_NO_LAUNCH = "whoever does not own the namespace can't mount its filesystem: there is no launch"

ANOTHER_WALL_STANDS = {
    "lxc-unpriv": {
        "cgroup-ns": _NO_LAUNCH,
        "ipc-ns": _NO_LAUNCH,
        "net-ns": _NO_LAUNCH,
        "pid-ns": _NO_LAUNCH,
        "pivot-root": "outside its tree root inside is an ordinary user of the host",
        "proc-mixed": "the settings belong to a user whom the map leaves out",
        "seccomp": "what the filter names asks for rights over the machine",
    },
    "docker@0.1": {"device-list": "without CAP_MKNOD there is no node to open"},
    "docker@0.12": {
        "container-files": "the way out that they open asks for CAP_DAC_READ_SEARCH",
        "masked-paths": "/proc/kcore asks for CAP_SYS_RAWIO",
    },
}
"""For one technology: mechanisms behind which the wall that is named stands."""


SPECS = (
    "docker",
    "jail",
    "zone",
    "openvz",
    "chroot",
    "cgroups pids.max=20",
    "warden",
    "vserver",
    "vserver@2.4",
    "lxc",
    "lxc-unpriv",
    "lxc@0.7.5",
    "docker@0.1",
    "docker@0.12",
)


def lifted_alone() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each mechanism of each technology that some probe must hang on."""
    for spec in SPECS:
        known = {*NO_PROBE_HANGS_ON_IT, *ANOTHER_WALL_STANDS.get(spec, {})}
        for lifted in lifts(parse_spec(spec)):
            if lifted[0] not in known:
                yield spec, lifted


@pytest.mark.parametrize(
    ("spec", "lifted"),
    [pytest.param(spec, lifted, id=f"{spec}-{lifted[0]}") for spec, lifted in lifted_alone()],
)
def test_every_mechanism_flips_a_probe_or_is_accounted_for(
    spec: str, lifted: tuple[str, ...]
) -> None:
    assert next(flips(QUESTIONS, spec, lifted), None) is not None


def test_two_walls_before_one_door_are_found_as_a_pair() -> None:
    """The capability to chroot and pivot_root: either of them is enough."""
    found = openings(
        question(find("fs.chroot-escape")), parse_spec("docker --cap-drop SYS_CHROOT")
    ).sets
    assert any({"pivot-root", "capabilities"} <= set(pair) for pair in found)


def test_a_verdict_that_hangs_on_no_wall_alone_names_those_that_hold_it_together() -> None:
    """fs.immutable on Docker: without the capability, and without the host's file in sight."""
    verdict = credited(question(find("fs.immutable")), parse_spec("docker")).verdict
    assert verdict.mechanisms == ()
    assert all(len(names) > 1 for names in verdict.together)
    assert verdict.held_by == " + ".join(verdict.together[0])


def test_a_probe_that_no_wall_is_needed_for_says_so() -> None:
    """fs.late-mount on FreeBSD: jail(8) has no part in it."""
    verdict = credited(question(find("fs.late-mount")), parse_spec("jail")).verdict
    assert (verdict.mechanisms, verdict.together) == ((), ())
    assert "without any wall" in verdict.reason
