"""Time travel: undo all is the beginning, at(n) is the state after n, a branch disturbs nobody."""

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from simulator.machine.state.store import Index, Row, Store, copy_tables, same_tables
from simulator.machine.state.timeline import Timeline


class Cell(Row, frozen=True, kw_only=True):
    value: int


class Other(Row, frozen=True, kw_only=True):
    value: int


writes = st.tuples(
    st.sampled_from([Cell, Other]), st.integers(0, 5), st.one_of(st.none(), st.integers(0, 3))
)
histories = st.lists(st.lists(writes, max_size=40), max_size=60)
short_histories = st.lists(st.lists(writes, max_size=6), max_size=8)


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
        for write in timeline.diff(step):
            assert tables.get(write.table, {}).get(write.key) == write.old
            if write.new is None:
                del tables[write.table][write.key]
            else:
                tables.setdefault(write.table, {})[write.key] = write.new
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


BY_VALUE = Index(Cell, lambda cell: (cell.value, "even" if cell.value % 2 == 0 else "odd"), "value")


def filed_anew(tables):
    """The index as the rows give it; its order is the index's own."""
    found = {}
    for key, row in tables.get(Cell, {}).items():
        for value in BY_VALUE.of(row):
            found.setdefault(value, set()).add(key)
    return found


def filed_in(world):
    return {value: set(keys) for value, keys in world.filed(BY_VALUE).items()}


@given(
    start=st.lists(writes, max_size=8),
    history=short_histories,
    mine=st.lists(writes, max_size=12),
    theirs=st.lists(writes, max_size=12),
    asked=st.sets(st.sampled_from(["parent", "at", "branch", "twin"])),
    every=st.sampled_from([3, 256]),
    data=st.data(),
)
def test_branches_share_rows_and_indexes_and_never_see_each_others_writes(
    start, history, mine, theirs, asked, every, data
):
    with mock.patch("simulator.machine.state.timeline._MIN_WRITES_PER_KEYFRAME", every):
        timeline, states = record(start, history)
    step = data.draw(st.integers(0, len(history)))
    if "parent" in asked:
        timeline.store.filed(BY_VALUE)
    if "at" in asked:
        timeline.at(step).filed(BY_VALUE)
    branch, twin = timeline.branch(step), timeline.branch(step)
    for name, one in (("branch", branch), ("twin", twin)):
        if name in asked:
            one.store.filed(BY_VALUE)
    before = copy_tables(states[step])

    perform(branch.store, mine)
    perform(timeline.store, theirs)
    timeline.commit(len(history))

    assert same_tables(twin.store.tables, before)
    assert filed_in(twin.store) == filed_in(timeline.at(step)) == filed_anew(before)
    for store in (branch.store, timeline.store):
        assert filed_in(store) == filed_anew(store.tables)
    for number, state in enumerate(states):
        assert same_tables(timeline.at(number).tables, state)
    branch.store.rollback(0)
    assert same_tables(branch.store.tables, before)
    assert filed_in(branch.store) == filed_anew(before)


@given(start=st.lists(writes), history=short_histories, later=st.lists(writes))
def test_a_table_that_a_store_hands_out_whole_follows_every_later_write(start, history, later):
    timeline, _states = record(start, history)
    for store in (timeline.store, timeline.branch(len(history)).store):
        rows = store.rows(Cell)

        perform(store, later)

        assert rows == store.tables.get(Cell, {})


turns = st.lists(
    st.one_of(st.lists(writes, max_size=5), st.just("ask"), st.integers(0, 12)), max_size=20
)


@given(start=st.lists(writes), history=short_histories, turns=turns)
def test_an_index_is_right_whenever_it_is_asked_between_writes_and_rollbacks(start, history, turns):
    timeline, _states = record(start, history)
    for store in (timeline.store, timeline.branch(len(history)).store):
        for turn in turns:
            if turn == "ask":
                assert filed_in(store) == filed_anew(store.tables)
            elif isinstance(turn, int):
                store.rollback(max(len(store.journal) - turn, 0))
            else:
                perform(store, turn)
        assert filed_in(store) == filed_anew(store.tables)


@given(start=st.lists(writes), history=short_histories, more=short_histories, later=writes)
def test_a_branch_off_the_past_has_the_indexes_that_an_earlier_branch_was_lent(
    start, history, more, later
):
    timeline, states = record(start, history)
    timeline.store.filed(BY_VALUE)
    timeline.branch(len(history))
    for number, steps in enumerate(more):
        perform(timeline.store, steps)
        timeline.commit(number)
        states.append(copy_tables(timeline.store.tables))

    for step, state in enumerate(states):
        store = timeline.branch(step).store
        perform(store, [later])
        assert filed_in(store) == filed_anew(store.tables)
        assert filed_in(timeline.at(step)) == filed_anew(state)


@given(start=st.lists(writes), history=short_histories)
def test_history_that_begins_anew_begins_with_the_present(start, history):
    timeline, states = record(start, history)

    timeline.forget()
    perform(timeline.store, [(Cell, 0, 99), (Other, 0, None)])
    timeline.commit(0)

    assert len(timeline) == 1
    assert same_tables(timeline.at(0).tables, states[-1])
    assert same_tables(timeline.at(1).tables, timeline.store.tables)
