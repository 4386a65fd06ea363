"""Tables of frozen rows, one verb to write them, the journal, derived indexes."""

import pytest

from simulator.machine.state.store import Index, Row, Store, World, Write


class Pebble(Row, frozen=True, kw_only=True):
    colour: str
    weight: int = 0


BY_COLOUR = Index(Pebble, lambda pebble: (pebble.colour,), "colour")


def test_put_journals_the_old_and_the_new_row():
    store = Store()
    grey, blue = Pebble(id=1, colour="grey"), Pebble(id=1, colour="blue")

    store.put(grey)
    store.put(blue)

    assert store.journal == [Write(Pebble, 1, None, grey), Write(Pebble, 1, grey, blue)]


def test_putting_the_row_that_is_there_already_is_no_write():
    store = Store()
    pebble = Pebble(id=1, colour="grey")
    store.put(pebble)

    store.put(pebble)

    assert len(store.journal) == 1


def test_drop_of_a_missing_row_is_a_bug_of_the_model():
    with pytest.raises(KeyError):
        Store().drop(Pebble, 1)


def test_ids_of_a_sequence_are_never_given_twice():
    store = Store()

    assert [store.new_id("pid"), store.new_id("pid"), store.new_id("mount")] == [1, 2, 1]


def test_rollback_takes_back_every_write_after_the_mark():
    store = Store()
    store.put(Pebble(id=1, colour="grey"))
    mark = len(store.journal)
    store.put(Pebble(id=1, colour="blue"))
    store.put(Pebble(id=2, colour="red"))
    store.drop(Pebble, 1)

    store.rollback(mark)

    assert [p.colour for p in store.all(Pebble)] == ["grey"]
    assert len(store.journal) == mark


def test_an_index_follows_writes_drops_and_rollbacks():
    store = Store()
    store.put(Pebble(id=1, colour="grey"))
    assert store.by(BY_COLOUR, "grey") == (1,)
    mark = len(store.journal)

    store.put(Pebble(id=1, colour="blue"))
    store.put(Pebble(id=2, colour="grey"))
    assert store.by(BY_COLOUR, "grey") == (2,)
    assert (store.many(BY_COLOUR, "grey"), store.many(BY_COLOUR, "red")) == (1, 0)
    assert store.by(BY_COLOUR, "blue") == (1,)

    store.drop(Pebble, 2)
    assert store.by(BY_COLOUR, "grey") == ()

    store.rollback(mark)
    assert store.by(BY_COLOUR, "grey") == (1,)
    assert store.by(BY_COLOUR, "blue") == ()


def test_an_index_keeps_a_key_whose_other_fields_changed():
    store = Store()
    store.put(Pebble(id=1, colour="grey"))
    store.by(BY_COLOUR, "grey")

    store.put(Pebble(id=1, colour="grey", weight=3))

    assert store.rows_by(BY_COLOUR, "grey") == (Pebble(id=1, colour="grey", weight=3),)


def test_an_index_that_another_branch_had_filed_is_not_lent_for_rows_written_since():
    base = World({Pebble: {1: Pebble(id=1, colour="grey")}})
    writer, asker = Store(base), Store(base)
    writer.put(Pebble(id=2, colour="grey"))
    assert tuple(asker.by(BY_COLOUR, "grey")) == (1,)  # the base files it for both

    present = writer.world(base, 0)
    writer.lend(present)

    assert sorted(present.by(BY_COLOUR, "grey")) == [1, 2]
    assert sorted(Store(present).by(BY_COLOUR, "grey")) == [1, 2]
