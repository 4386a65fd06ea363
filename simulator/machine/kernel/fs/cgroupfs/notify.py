"""cgroup.event_control: an eventfd(2) that is told of a group's OOM. cgroup-v1/memory.rst, 10.

Source: mm/memcontrol-v1.c memcg_write_event_control(), mem_cgroup_oom_notify().
"""

from typing import cast

import msgspec

from simulator.machine.kernel.fs.cgroupfs.spec import integer, invalid
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.group import Cgroup, downward
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.anonymous import EventCounter
from simulator.machine.state.store import Index, Row, Store

_OOM = "local oom"


class OomWatch(Row, frozen=True, kw_only=True):
    """A counter that grows by one with every OOM of ``group``."""

    group: int
    counter: int


OF_GROUP = Index(OomWatch, lambda watch: (watch.group,))


def write(trap: Trap, group: Cgroup, text: str) -> None:
    """``EVENTFD CONTROLFD``. EBADF, EINVAL."""
    words = text.split()
    if len(words) < 2:
        invalid(trap)
    counter, control = (fds.get(trap, integer(trap, word)) for word in words[:2])
    if counter.kind != "eventfd" or control.at is None:
        invalid(trap)
    inode = control.at.inode
    if not isinstance(inode, tuple) or len(inode) < 4 or inode[2] != group.id:
        invalid(trap)
    if inode[3] != "memory.oom_control":
        raise NotModelled("a threshold of memory use")
    number = trap.store.new_id(OomWatch)
    trap.store.put(OomWatch(id=number, group=group.id, counter=cast("int", counter.object)))


def _told(store: Store, group: Cgroup, name: str) -> None:
    """mem_cgroup_oom_notify(): the group's own watchers, and those of the groups below."""
    if name != _OOM or not store.count(OomWatch):
        return
    for below in downward(store, group):
        for watch in store.rows_by(OF_GROUP, below.id):
            row = store.get(EventCounter, watch.counter)
            if row is None:
                store.drop(OomWatch, watch.id)
                continue
            store.put(msgspec.structs.replace(row, count=row.count + 1))


groups.at_event(_told)
