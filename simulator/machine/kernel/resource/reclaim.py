"""Taking memory back before anybody is killed: the page cache first, then pages to swap.

Files that were read or written in whole pages stay in memory and count for the group that touched
them first. They are the first to go when room is needed, oldest first; then, where there is swap
and the group may use it, the anonymous pages of whoever holds most.

Source: mm/vmscan.c (shrink_lruvec, get_scan_count), mm/memcontrol.c (mem_cgroup_swappiness).
"""

from collections.abc import Iterable

import msgspec

from simulator.machine.abi.ids import CgroupId
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.modules import SwapArea
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.group import Cgroup, Hierarchy
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import content
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import Index, Row, Store, World

PAGE = 4096


class Cached(Row, frozen=True, kw_only=True):
    """What is in memory of a file (``id`` is its inode's), in bytes, and whose charge it is."""

    size: int
    group: CgroupId | None = None


class Swapped(Row, frozen=True, kw_only=True):
    """What a task has in swap (``id`` is its pid), in bytes."""

    size: int


CACHED_BY = Index(Cached, lambda row: (row.group,), "group")


def note(store: Store, task: Task, inode: int, end: int) -> bool:
    """``task`` has read or written the file up to byte ``end``; whether more of it is in memory."""
    size = -(-end // PAGE) * PAGE
    known = store.get(Cached, inode)
    if known is not None:
        if known.size >= size:
            return False
        store.put(msgspec.structs.replace(known, size=size))
        return True
    group = groups.controlled(store, task, "memory")
    store.put(Cached(id=inode, size=size, group=CgroupId(group.id) if group else None))
    return True


def cached(world: World, group: Cgroup) -> int:
    """Bytes of files in memory that count for ``group`` and those below it."""
    if not world.count(Cached):
        return 0
    return sum(_present(world, row) for row in _rows(world, group))


def own_cached(world: World, group: Cgroup) -> int:
    """Bytes of files in memory that count for ``group`` itself."""
    rows = world.rows_by(CACHED_BY, group.id) if world.count(Cached) else ()
    return sum(_present(world, row) for row in rows)


def all_cached(world: World) -> int:
    """Bytes of files in memory, of the whole machine."""
    return sum(_present(world, row) for row in world.all(Cached))


def swapped(world: World, tasks: Iterable[Task]) -> int:
    """What ``tasks`` have in swap together, in bytes."""
    if not world.count(Swapped):
        return 0
    return sum(row.size for task in tasks if (row := world.get(Swapped, task.id)) is not None)


def swap_total(world: World) -> int:
    """All areas of swap together, in bytes."""
    return sum(area.size for area in world.all(SwapArea))


def swap_used(world: World) -> int:
    """What is in swap, in bytes."""
    return sum(row.size for row in world.all(Swapped))


def drop_cache(store: Store, group: Cgroup | None, wanted: int) -> int:
    """Let go of up to ``wanted`` bytes of files, oldest first; how many went. None: anybody's."""
    if not store.count(Cached):
        return 0
    rows = _rows(store, group) if group is not None else list(store.all(Cached))
    gone = 0
    for row in rows:
        if gone >= wanted:
            break
        here = _present(store, row)
        part = min(here, -(-(wanted - gone) // PAGE) * PAGE)
        if part >= here:
            store.drop(Cached, row.id)
        else:
            store.put(msgspec.structs.replace(row, size=here - part))
        gone += part
    return gone


def swap_out(store: Store, tasks: Iterable[Task], wanted: int, most: int | None = None) -> int:
    """Move up to ``wanted`` bytes of ``tasks`` to swap, at most ``most``; how many went."""
    room = swap_total(store) - swap_used(store)
    left = min(wanted, room, most if most is not None else wanted)
    gone = 0
    living = [task for task in tasks if task.state is not TaskState.ZOMBIE and task.memory]
    for task in sorted(living, key=lambda one: (-one.memory, one.id)):
        part = min(task.memory, left - gone) // PAGE * PAGE
        if part <= 0:
            continue
        before = store.get(Swapped, task.id)
        store.put(Swapped(id=task.id, size=part + (before.size if before else 0)))
        now = store.row(Task, task.id)
        store.put(msgspec.structs.replace(now, memory=now.memory - part))
        gone += part
    return gone


def shrink(store: Store, group: Cgroup, wanted: int) -> int:
    """try_to_free_mem_cgroup_pages(): take up to ``wanted`` bytes back; how many came back."""
    gone = drop_cache(store, group, wanted)
    if gone < wanted and swap_total(store) and group.settings.get("memory.swappiness") != "0":
        tasks = [t for below in groups.downward(store, group) for t in groups.members(store, below)]
        gone += swap_out(store, tasks, wanted - gone, _may_swap(store, group, tasks))
    return gone


def _may_swap(world: World, group: Cgroup, tasks: list[Task]) -> int | None:
    """How many bytes more may be in swap: memory.swap.max. Version 1 only bounds the sum of both,
    which does not change when a page moves."""
    if world.row(Hierarchy, group.hierarchy).version == 1:
        return None
    most = group.settings.get("memory.swap.max", "max")
    return None if most == "max" else max(0, int(most) - swapped(world, tasks))


def _rows(world: World, group: Cgroup) -> list[Cached]:
    found = [row for g in groups.downward(world, group) for row in world.rows_by(CACHED_BY, g.id)]
    if group.parent is None:
        found += world.rows_by(CACHED_BY, None)
    return found


def _present(world: World, row: Cached) -> int:
    """What is left of a file in memory: no more than there is of the file."""
    inode = world.get(Inode, row.id)
    return min(row.size, content.pages(inode) * PAGE) if inode is not None else 0


def _forget(store: Store, task: Task) -> None:
    if store.count(Swapped) and store.get(Swapped, task.id) is not None:
        store.drop(Swapped, task.id)


exits.at_exit(_forget)
