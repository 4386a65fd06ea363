"""Whatever sessions share, an answer is the one that a machine booted for it alone would give."""

import pytest

from simulator.cli.asking import questions
from simulator.experiment.engine import judge
from simulator.experiment.engine.executor import MODERN, open_session, prepare
from simulator.experiment.engine.session import SimSession
from simulator.isolation.technologies.registry import parse_spec

PROBES = (
    "fs.read-canary",
    "fs.chmod-host",
    "fs.mounts",
    "fs.chroot-escape",
    "ipc.queue-clash",
    "network.enter",
    "processes.list",
    "resources.open-files",
    "users.setuid-program",
)
"""One of each oracle at least, shell lines, forks, and what counts ids, pids and inodes."""


def booted_for_it_alone(world, technology):
    ready = prepare(world, technology, MODERN.union(world.facts))
    return SimSession(
        world, technology, ready.machines, ready.actors, ready.daemons, ready.units, None
    )


@pytest.mark.parametrize(
    ("spec", "lifted"),
    [
        ("none", ()),
        ("sealed", ()),
        ("jail", ()),
        ("zone", ()),
        ("openvz", ()),
        ("lxc", ("seccomp",)),
        ("docker", ()),
        ("docker", ("pid-ns",)),
    ],
)
def test_answers_equal_those_of_machines_booted_for_them_alone(spec, lifted, monkeypatch):
    technology = parse_spec(spec, lifted)
    asked = questions(PROBES)
    shared = [judge.answer(question, technology) for _ in range(2) for question in asked]

    monkeypatch.setattr(judge, "open_session", booted_for_it_alone)
    fresh = [judge.answer(question, technology) for question in asked]

    assert shared == fresh * 2


def test_the_machine_that_sessions_branch_from_is_never_written():
    technology = parse_spec("docker")
    (question,) = questions(["fs.chroot-escape"])
    first = open_session(question.world, technology)
    before = first.fingerprint()

    judge.answer(question, technology)

    assert open_session(question.world, technology).fingerprint() == before == first.fingerprint()
