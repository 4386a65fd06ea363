"""Laws of time travel on whole histories: launches, and probes run after them."""

import pytest

from simulator.experiment.engine.executor import open_session, open_whole
from simulator.experiment.engine.fingerprint import fingerprint
from simulator.experiment.probes.run import run
from simulator.experiment.scenarios.load import find, load_world
from simulator.isolation.technologies.registry import TECHNOLOGIES, parse_spec
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.state.store import same_tables

LAUNCHED = [name for name in TECHNOLOGIES if name != "sealed"]
WORLD = load_world()


@pytest.mark.parametrize("name", LAUNCHED)
def test_undoing_everything_gives_the_booted_machine_back(name: str) -> None:
    session, _launch = open_whole(WORLD, parse_spec(name))
    run(find("fs.chroot-escape").program, session)
    timeline = session.kernels[0].timeline
    assert same_tables(timeline.undone().tables, timeline.at(0).tables)


@pytest.mark.parametrize("name", LAUNCHED)
def test_executing_a_launch_again_gives_the_same_machine_at_every_step(name: str) -> None:
    session, (first, last) = open_whole(WORLD, parse_spec(name))
    timeline = session.kernels[0].timeline
    again = Kernel(session.kernels[0].family, timeline.branch(first - 1))
    for step in range(first, last + 1):
        event = timeline.events[step - 1]
        result = again.call(event.pid, event.call)
        assert result == event.result, (step, event.call)
    assert same_tables(again.store.tables, timeline.at(last).tables)


@pytest.mark.parametrize("name", LAUNCHED)
def test_a_steps_difference_is_what_lies_between_the_states_around_it(name: str) -> None:
    session, (first, last) = open_whole(WORLD, parse_spec(name))
    timeline = session.kernels[0].timeline
    for step in range(first, last + 1, 7):
        before, after = timeline.at(step - 1), timeline.at(step)
        first_old = {}
        last_new = {}
        for write in timeline.diff(step):
            first_old.setdefault((write.table, write.key), write.old)
            last_new[write.table, write.key] = write.new
        for (table, key), old in first_old.items():
            assert before.get(table, key) == old
            assert after.get(table, key) == last_new[table, key]


@pytest.mark.parametrize("name", LAUNCHED)
def test_the_hosts_state_after_a_launch_is_that_of_the_boot_with_what_the_launch_changed(
    name: str,
) -> None:
    session = open_session(WORLD, parse_spec(name))
    assert session.fingerprint() == fingerprint(session.kernels[0])
