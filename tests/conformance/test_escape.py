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
