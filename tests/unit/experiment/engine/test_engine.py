"""Worlds, launches, sessions: what the engine promises."""

import pytest

from simulator.experiment.engine.compare import compare
from simulator.experiment.engine.executor import MODERN, open_session
from simulator.experiment.engine.judge import judge
from simulator.experiment.engine.matrix import Asked, fill, matrix
from simulator.experiment.engine.pool import InProcess, spread
from simulator.experiment.probes.constants import WORLD_CONSTANTS
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.run import run
from simulator.experiment.probes.verdict import Outcome
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find, load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Failed, Returned
from simulator.machine.kernel.kernel import why
from simulator.machine.kernel.task import Task

WORLD = load_world()
ESCAPE = question(find("fs.chroot-escape"))


def test_every_world_constant_has_a_value_of_its_type() -> None:
    constants = open_session(WORLD, parse_spec("none")).constants()
    assert set(WORLD_CONSTANTS) <= set(constants)
    for name, kind in WORLD_CONSTANTS.items():
        assert isinstance(constants[name], kind), name


def test_the_hosts_secret_is_in_the_canary() -> None:
    session = open_session(WORLD, parse_spec("none"))
    opened = session.call("host", Call("open", (WORLD.canary, 0)))
    assert isinstance(opened, Returned)
    read = session.call("host", Call("read", (opened.value, 64)))
    assert isinstance(read, Returned)
    assert read.data == WORLD.secret.encode()


def test_sessions_of_one_launch_do_not_see_each_other() -> None:
    one, two = (open_session(WORLD, parse_spec("chroot")) for _ in range(2))
    assert isinstance(one.call("guest", Call("mkdir", ("/tmp/mine", 0o700))), Returned)
    assert isinstance(two.call("guest", Call("stat", ("/tmp/mine",))), Failed)


def test_the_guest_and_the_neighbour_have_domains_of_their_own() -> None:
    session = open_session(WORLD, parse_spec("chroot"))
    for actor in ("guest", "neighbour", "host"):
        who = session.actors[actor]
        assert session.kernels[who.machine].store.row(Task, who.pid).domain == actor


def test_the_double_chroot_leaks_on_none_and_chroot_and_holds_on_another_machine() -> None:
    outcomes = [judge(ESCAPE, parse_spec(spec)).outcome for spec in ("none", "chroot", "sealed")]
    assert outcomes == [Outcome.LEAKS, Outcome.LEAKS, Outcome.HOLDS]


def test_a_look_changes_nothing_of_the_hosts() -> None:
    session = open_session(WORLD, parse_spec("none"))
    before = session.fingerprint()
    run(
        parse('guest.stat("/etc/passwd")\nfd = guest.open(CANARY, 0)\nguest.read(fd, 9)\n'), session
    )
    assert session.fingerprint() == before


def test_a_write_to_the_hosts_file_changes_its_fingerprint() -> None:
    session = open_session(WORLD, parse_spec("none"))
    before = session.fingerprint()
    run(parse('fd = guest.open(CANARY, O_WRONLY)\nguest.write(fd, "x", 1)\n'), session)
    assert session.fingerprint() != before


def test_comparing_in_lock_step_finds_where_two_part() -> None:
    program = find("fs.read-canary").program
    result = compare(program, WORLD, [parse_spec("none"), parse_spec("chroot")])
    assert result.first is not None
    assert compare(program, WORLD, [parse_spec("none")] * 2).first is None


def test_what_was_reached_names_the_wall_that_was_missing() -> None:
    session = open_session(WORLD, parse_spec("none"))
    session.call("guest", Call("open", (WORLD.canary, 0)))
    (crossing,) = session.extra().crossings or ()
    assert crossing.kind == "file"
    assert "pivot-root" in crossing.would_stop.split()


def test_a_call_is_asked_again_aloud_who_had_a_say_in_it_up_to_the_first_refusal() -> None:
    session = open_session(WORLD, parse_spec("jail"))
    session.call("guest", Call("kill", (1, 9)))
    kernel = session.kernels[0]
    before = len(kernel.timeline)
    asked = why(kernel.family, kernel.timeline, before)
    assert [(check.policy, check.question) for check in asked] == [
        ("superuser", "may_see"),
        ("prison", "may_see"),
    ]
    assert asked[0].denial is None
    assert asked[1].denial is not None
    assert asked[1].denial.wall == "prison-visibility"
    assert len(kernel.timeline) == before


def test_a_cell_that_asks_for_no_credit_has_the_same_outcome() -> None:
    known, bare = (fill(Asked(ESCAPE, "docker", credit=credit)) for credit in (True, False))
    assert known.verdict.outcome is bare.verdict.outcome is Outcome.HOLDS
    assert known.verdict.stopped_by == "pivot-root"
    assert bare.verdict.stopped_by is None


def test_a_matrix_comes_in_the_order_asked_for() -> None:
    cells = list(matrix([ESCAPE], ["sealed", "none"]))
    assert [cell.spec for cell in cells] == ["sealed", "none"]


def test_work_is_spread_over_any_executor_and_keeps_its_order() -> None:
    assert list(spread(InProcess(), abs, [-3, 2, -1])) == [3, 2, 1]


def test_a_failure_of_one_item_is_raised_where_it_is_collected() -> None:
    with pytest.raises(ZeroDivisionError):
        list(spread(InProcess(), lambda one: 1 // one, [1, 0]))


def test_the_model_takes_a_setting_of_the_machine_that_it_is_compared_with() -> None:
    # In a sticky directory nobody follows another user's link, unless fs.protected_symlinks is 0.
    planted = parse(
        "guest.chmod('/tmp', 0o1777)\n"
        "other = guest.fork()\n"
        "other.setresuid(1000, 1000, 1000)\n"
        "other.symlink('nowhere', '/tmp/link')\n"
        "guest.stat('/tmp/link')\n"
    )
    answers = {
        value: run(planted, open_session(WORLD, parse_spec("none"), facts)).entries[-1].errno
        for value in ("1", "0")
        for facts in [MODERN | {f"set fs.protected_symlinks {value}"}]
    }
    assert answers == {"1": "EACCES", "0": "ENOENT"}
