"""Descriptors in pages: the same as a plain mapping, and their index the same as one made anew."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.machine.abi.ids import FileId, FilesId
from simulator.machine.kernel.vfs.fd import REFERENCES, FdTable
from simulator.machine.kernel.vfs.slots import Slot, Slots
from simulator.machine.state.store import Store

NUMBERS = st.integers(0, 200)
STEPS = st.lists(st.tuples(NUMBERS, st.integers(1, 4) | st.none()), max_size=60)


@settings(max_examples=60, deadline=None)
@given(STEPS)
@example([(0, 1), (64, 1), (0, None)])
def test_they_say_what_a_mapping_says_and_are_found_by_description(
    steps: list[tuple[int, int | None]],
) -> None:
    plain: dict[int, Slot] = {}
    slots = Slots()
    store = Store()
    store.put(FdTable(id=FilesId(1), slots=slots))
    assert not store.filed(REFERENCES)
    for fd, file in steps:
        if file is not None:
            plain[fd] = Slot(FileId(file))
            slots = slots.put(fd, plain[fd])
        elif fd in plain:
            del plain[fd]
            slots = slots.without(fd)
        store.put(FdTable(id=FilesId(1), slots=slots))
        assert store.filed(REFERENCES).keys() == {slot.file for slot in plain.values()}
    assert dict(slots) == plain
    assert len(slots) == len(plain)
    assert slots == Slots(plain)
    assert all(slots.get(fd) == plain.get(fd) and (fd in slots) == (fd in plain) for fd in range(9))
    for lowest in (0, 3, 64, 130):
        free = next(fd for fd in range(lowest, 500) if fd not in plain)
        assert slots.lowest_free(lowest) == free
