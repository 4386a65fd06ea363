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

_NO_LAUNCH = "whoever does not own the namespace can't mount its filesystem: there is no launch"
_TOOLS = "a file for the operator's tools"

ACCOUNTED = {
    "docker": {
        "apparmor": "the model's own machine has no AppArmor",
        "container-files": "what is bound over the image's files is the container's own",
        "session-keyring": "Docker's filter refuses keyctl(2) too",
        "sysctls": "they open doors and close none",
    },
    "docker@0.1": {"device-list": "without CAP_MKNOD there is no node to open"},
    "docker@0.12": {
        "apparmor": "the model's own machine has no AppArmor",
        "container-files": "the way out that they open asks for CAP_DAC_READ_SEARCH",
        "masked-paths": "/proc/kcore asks for CAP_SYS_RAWIO",
    },
    "lxc": {"apparmor": "the model's own machine has no AppArmor", "lxc-config": _TOOLS},
    "lxc@0.7.5": {"lxc-config": _TOOLS},
    "lxc-unpriv": {
        "apparmor": "the model's own machine has no AppArmor",
        "cgroup-ns": _NO_LAUNCH,
        "lxc-config": _TOOLS,
        "mount-ns": "root inside may not mount anything in the host's: there is no launch",
        "net-ns": _NO_LAUNCH,
        "pid-ns": _NO_LAUNCH,
        "pivot-root": "outside its tree root inside is an ordinary user of the host",
        "proc-mixed": "the settings belong to a user whom the map leaves out",
        "seccomp": "what the filter names asks for rights over the machine",
    },
    "openvz": {
        "ve-config": _TOOLS,
        "ve-perf": "the capability that counting asks for is missing too",
    },
    "warden": {
        "init": "the program is pid 1 then, and its own reaper",
        "own-hierarchies": "the product finds its groups where the host has mounted them",
        "point-to-point": "without the cable there is no way out at all",
        "rlimits": "the limits are above what any probe takes",
        "uid-pool": "a job with privileged: true is root all the same",
    },
}
"""By technology: mechanisms that no probe hangs on there, with the reason (another wall behind it,
or a thing that is no wall). Each was looked for with every probe."""


SPECS = (
    "docker",
    "jail",
    "jail jail::maxproc:deny=20",
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
        known = ACCOUNTED.get(spec, {})
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


def test_what_is_accounted_for_is_a_mechanism_of_its_technology() -> None:
    for spec, excused in ACCOUNTED.items():
        assert spec in SPECS
        assert excused.keys() <= {lifted[0] for lifted in lifts(parse_spec(spec))}
