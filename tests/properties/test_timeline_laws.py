"""Time travel: undo all is the beginning, at(n) is the state after n, a branch disturbs nobody."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.machine.state.store import Row, Store, copy_tables, same_tables
from simulator.machine.state.timeline import Timeline


class Cell(Row, frozen=True, kw_only=True):
    value: int


class Other(Row, frozen=True, kw_only=True):
    value: int


writes = st.tuples(
    st.sampled_from([Cell, Other]), st.integers(0, 5), st.one_of(st.none(), st.integers(0, 3))
)
histories = st.lists(st.lists(writes, max_size=40), max_size=60)


def perform(store, steps):
    for table, key, value in steps:
        if value is not None:
            store.put(table(id=key, value=value))
        elif store.get(table, key) is not None:
            store.drop(table, key)


def record(start, history):
    store = Store()
    perform(store, start)
    timeline = Timeline(store)
    states = [copy_tables(store.tables)]
    for number, steps in enumerate(history):
        perform(store, steps)
        timeline.commit(number)
        states.append(copy_tables(store.tables))
    return timeline, states


@given(start=st.lists(writes), history=histories)
def test_undoing_everything_gives_the_initial_state_back(start, history):
    timeline, states = record(start, history)

    assert same_tables(timeline.undone().tables, states[0])


@given(start=st.lists(writes), history=histories)
def test_at_n_is_the_state_that_was_there_after_n_events(start, history):
    timeline, states = record(start, history)

    for step, state in enumerate(states):
        assert same_tables(timeline.at(step).tables, state)


@given(start=st.lists(writes), history=histories)
def test_a_diff_carries_the_state_before_to_the_state_after(start, history):
    timeline, states = record(start, history)

    for step in range(1, len(states)):
        tables = copy_tables(states[step - 1])
        for table, key, old, new in timeline.diff(step):
            assert tables.get(table, {}).get(key) == old
            if new is None:
                del tables[table][key]
            else:
                tables.setdefault(table, {})[key] = new
        assert same_tables(tables, states[step])


@given(start=st.lists(writes), history=histories, data=st.data())
def test_a_branch_starts_from_its_step_and_leaves_its_parent_alone(start, history, data):
    timeline, states = record(start, history)
    step = data.draw(st.integers(0, len(history)))

    branch = timeline.branch(step)
    perform(branch.store, [(Cell, 0, 99), (Other, 0, None)])
    branch.commit(0)

    assert branch.origin is not None
    assert (branch.origin.timeline, branch.origin.step) == (timeline, step)
    assert same_tables(branch.at(0).tables, states[step])
    assert same_tables(timeline.at(len(history)).tables, states[-1])
