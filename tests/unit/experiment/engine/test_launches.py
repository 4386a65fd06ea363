"""A launch that goes on from where it parts with another is the launch that it would be alone."""

import pytest

from simulator.experiment.engine import worlds
from simulator.experiment.engine.executor import MODERN, alike, open_session, open_whole
from simulator.experiment.engine.fingerprint import fingerprint
from simulator.experiment.engine.launches import Launches
from simulator.experiment.probes.session import HarnessError
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.base import Technology, plan
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.state.store import Key, Row


def _rows(technology: Technology, *, alone: bool) -> dict[type[Row], dict[Key, Row]]:
    world = load_world()
    opened = open_whole(world, technology)[0] if alone else open_session(world, technology)
    return {table: dict(rows) for table, rows in opened.kernels[0].store.tables.items() if rows}


@pytest.mark.parametrize("lifted", [(), ("capabilities",), ("seccomp", "apparmor"), ("pid-ns",)])
def test_a_launch_that_shares_its_beginning_is_the_same(lifted: tuple[str, ...]) -> None:
    for less in (lifted, (*lifted, "session-keyring"), lifted):
        technology = parse_spec("docker", less)
        assert _rows(technology, alone=False) == _rows(technology, alone=True)


def test_only_what_differs_is_launched_again() -> None:
    machine = worlds.build(load_world(), parse_spec("runc"), MODERN)
    launches = Launches(machine.kernel, machine.actors["runtime"])

    def calls(*lifted: str) -> int:
        steps = plan(parse_spec("runc", lifted), "guest", 1, MODERN)
        return len(launches.launched([("guest", steps)]).kernel.timeline)

    whole, less, again = calls(), calls("capabilities"), calls("capabilities")
    assert 0 < less < whole / 2
    assert again == 0


def test_a_launch_that_failed_fails_again_and_spoils_no_other() -> None:
    broken, whole = parse_spec("lxc-unpriv", ["pid-ns"]), parse_spec("lxc-unpriv")
    said: set[str] = set()
    for _ in range(2):
        with pytest.raises(HarnessError) as raised:
            open_session(load_world(), broken)
        said.add(str(raised.value))
    assert len(said) == 1
    assert _rows(whole, alone=False) == _rows(whole, alone=True)


def test_what_is_said_of_the_host_is_what_is_there() -> None:
    for less in ((), ("capabilities",)):
        session = open_session(load_world(), parse_spec("docker", less))
        assert session.fingerprint() == fingerprint(session.kernels[0])


def test_what_a_machine_does_not_have_is_the_same_lifted() -> None:
    world, docker = load_world(), parse_spec("docker")
    apparmor, seccomp = (parse_spec("docker", (name,)) for name in ("apparmor", "seccomp"))
    assert alike(world, docker, apparmor)
    assert not alike(world, docker, apparmor, frozenset({"apparmor"}))
    assert not alike(world, docker, seccomp)
    assert not alike(world, parse_spec("sealed"), parse_spec("none"))
