"""Resources over time: what is sampled, and what the oracle makes of it."""

import pytest

from simulator.classroom.tui.present.curves import Row, rows, spark
from simulator.experiment.engine.curves import SECOND, curves
from simulator.experiment.engine.judge import answer
from simulator.experiment.probes.verdict import Outcome
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find
from simulator.isolation.technologies.registry import parse_spec


def drawn(scenario: str, spec: str, **more):
    return curves(question(find(scenario)), parse_spec(spec), spec, **more)


def mean(values):
    return sum(values) / len(values)


def test_eight_loops_starve_one_where_nobody_divides_between_owners() -> None:
    run = drawn("resources.cpu-share", "none")
    assert mean(run.values("neighbour", "cpu")[1:]) == pytest.approx(2 / 9, rel=0.05)
    assert mean(run.values("guest", "cpu")[1:]) == pytest.approx(16 / 9, rel=0.05)


def test_groups_of_equal_weight_divide_between_owners_first() -> None:
    run = drawn("resources.cpu-share", "docker")
    assert mean(run.values("neighbour", "cpu")[1:]) == pytest.approx(1, rel=0.02)


def test_a_quota_is_kept_on_an_idle_machine_too() -> None:
    run = drawn("resources.cpu", "docker --cpus 0.5")
    assert all(value == pytest.approx(0.5, abs=0.01) for value in run.values("guest", "cpu")[1:])


def test_openvz_gives_a_container_so_many_processors_at_once_or_less_with_a_limit() -> None:
    # vzctl(8): --cpus, --cpulimit; the smaller of both counts (hooks_ct.c ct_setcpus()).
    for options, most in (
        ("--cpus 1", 1),
        ("--cpus 1 --cpulimit 50", 0.5),
        ("--cpulimit 150", 1.5),
    ):
        run = drawn("resources.cpu", f"openvz {options}")
        assert run.values("guest", "cpu")[1:] == pytest.approx([most] * len(run.samples[1:]), 0.02)


def test_samples_are_evenly_spaced_and_never_beyond_the_end() -> None:
    run = drawn("resources.cpu", "none", seconds=1.0, interval=SECOND // 4)
    assert [sample.at for sample in run.samples] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_background_programs_go_on_after_the_program() -> None:
    run = drawn("resources.cpu", "none", seconds=6.0, interval=SECOND)
    assert run.values("guest", "cpu") == [0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def test_who_was_killed_for_want_of_memory_is_marked() -> None:
    run = drawn("resources.memory-hog", "docker --memory 256m", interval=SECOND // 100)
    assert {(mark.domain, mark.name) for mark in run.marks} == {("guest", "stress")}
    assert max(run.values("guest", "memory")) <= 256 << 20
    assert not drawn("resources.memory-hog", "docker").marks


def test_tasks_are_counted_and_a_limit_shows() -> None:
    free = drawn("resources.fork-bomb", "docker").values("guest", "tasks")
    held = drawn("resources.fork-bomb", "docker --pids-limit 20").values("guest", "tasks")
    assert max(free) > 40
    assert max(held) <= 20


def test_looking_changes_nothing() -> None:
    asked, technology = question(find("resources.cpu-share")), parse_spec("docker")
    plain = answer(asked, technology).case.main.uses
    curves(asked, technology, "docker")
    assert answer(asked, technology).case.main.uses == plain


@pytest.mark.parametrize(
    ("scenario", "spec", "outcome"),
    [
        ("cpu", "docker", Outcome.LEAKS),
        ("cpu", "docker --cpu-quota 50000", Outcome.HOLDS),
        ("cpu-share", "none", Outcome.LEAKS),
        ("cpu-share", "docker", Outcome.HOLDS),
        ("cpu-share", "docker --cpu-shares 20000", Outcome.HOLDS),
        ("disk-bandwidth", "docker", Outcome.LEAKS),
        ("disk-bandwidth", "docker --device-write-bps /dev/sda:5mb", Outcome.HOLDS),
        ("disk-share", "docker", Outcome.LEAKS),
        ("disk-share", "docker --device-write-bps /dev/sda:5mb", Outcome.HOLDS),
        ("memory-hog", "docker --memory 256m", Outcome.HOLDS),
        ("fork-bomb", "docker --pids-limit 20", Outcome.HOLDS),
    ],
)
def test_the_budget_oracle_judges_time_by_grants_and_by_a_starved_neighbour(
    scenario: str, spec: str, outcome: Outcome
) -> None:
    asked = question(find(f"resources.{scenario}"))
    assert answer(asked, parse_spec(spec)).verdict.outcome is outcome


def test_a_curve_is_blocks_of_one_scale() -> None:
    assert spark([0, 1, 2], 2.0) == "▁▅█"
    assert spark([0, 0, 2, 2], 2.0, 2) == "▁█"
    assert spark([], 2.0) == ""
    shared = [row for row in rows(drawn("resources.cpu-share", "none")) if row.kind == "cpu"]
    assert [row.domain for row in shared] == ["guest", "neighbour"]
    assert {row.full for row in shared} == {2.0}
    assert not Row("cpu", "", "host", (0.0,), 1.0).moves
