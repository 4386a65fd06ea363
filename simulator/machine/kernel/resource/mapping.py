"""A process's mappings, as far as their pages cost anything: which are there, how much is touched.

Only what was touched is in memory. Source: mm/mmap.c, mm/memory.c (do_anonymous_page).
"""

import msgspec

from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Index, Row, Store, World


class Mapping(Row, frozen=True, kw_only=True):
    """One mapping; ``id`` is (pid, address). ``touched`` bytes from its start are in memory.

    ``private`` mappings that can be written count as memory that was promised.
    """

    size: int
    touched: int = 0
    private: bool = False


OF_TASK = Index(Mapping, lambda row: (row.id[0],), "id")


def containing(world: World, pid: int, address: int) -> Mapping | None:
    """The mapping of ``pid`` that ``address`` lies in, or None."""
    for row in world.rows_by(OF_TASK, pid):
        if row.id[1] <= address < row.id[1] + row.size:
            return row
    return None


def touch(store: Store, row: Mapping, end: int) -> int:
    """Bytes that become resident when ``row`` is touched up to ``end`` bytes from its start."""
    new = max(0, min(end, row.size) - row.touched)
    if new:
        store.put(msgspec.structs.replace(row, touched=row.touched + new))
    return new


def forget(store: Store, task: Task) -> None:
    """The address space goes: at exit, and when a program is executed."""
    if store.count(Mapping):
        for key in store.by(OF_TASK, task.id):
            store.drop(Mapping, key)


exits.at_exit(forget)
