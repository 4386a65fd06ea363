"""Being told of what happens in a group: by an eventfd(2) in version 1, by inotify(7) in version 2.

Source: mm/memcontrol-v1.c memcg_write_event_control(), mem_cgroup_oom_notify(); fs/kernfs/file.c
kernfs_notify(), cgroup-v1/memory.rst, 10.
"""

import struct
from typing import NoReturn, cast

import msgspec

from simulator.machine.abi.constants import O_NONBLOCK
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs.spec import integer, invalid
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.group import Cgroup, downward
from simulator.machine.kernel.trap import NotModelled, Sleep, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.anonymous import EventCounter
from simulator.machine.state.store import Index, Row, Store

IN_MODIFY = 0x2
_OOM = "local oom"


class OomWatch(Row, frozen=True, kw_only=True):
    """A counter that grows by one with every OOM of ``group``."""

    group: int
    counter: int


OF_GROUP = Index(OomWatch, lambda watch: (watch.group,), "group")


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


class Inotify(Row, frozen=True, kw_only=True):
    """inotify(7): ``watches`` are (descriptor, group, how much was counted when it was told)."""

    watches: tuple[tuple[int, int, int], ...] = ()


def inotify(trap: Trap, flags: int) -> fds.File:
    """An inotify instance, open."""
    row = Inotify(id=trap.store.new_id(Inotify))
    trap.store.put(row)
    return fds.File(
        id=fds.new_file_id(trap), kind="inotify", flags=flags, object=row.id,
        label="anon_inode:inotify", domain=trap.task.domain,
    )  # fmt: skip


def add_watch(trap: Trap, file: fds.File, inode: object, mask: int) -> int:
    """Watch a group's ``memory.events``; the watch descriptor."""
    if not isinstance(inode, tuple) or inode[-1] != "memory.events" or mask != IN_MODIFY:
        raise NotModelled("events of other files than memory.events")
    group = cast("int", inode[2])
    row = trap.store.row(Inotify, file.object)
    number = len(row.watches) + 1
    watches = (*row.watches, (number, group, _counted(trap.store, group)))
    trap.store.put(msgspec.structs.replace(row, watches=watches))
    return number


def _counted(store: Store, group: int) -> int:
    row = store.get(Cgroup, group)
    events = row.events.items() if row is not None else ()
    return sum(times for name, times in events if not name.startswith("local "))


def _read(trap: Trap, file: fds.File, count: int) -> bytes:
    """One struct inotify_event when the file of a watched group has changed."""
    row = trap.store.row(Inotify, file.object)
    for at, (number, group, seen) in enumerate(row.watches):
        now = _counted(trap.store, group)
        if now > seen:
            watches = (*row.watches[:at], (number, group, now), *row.watches[at + 1 :])
            trap.store.put(msgspec.structs.replace(row, watches=watches))
            return struct.pack("iIII", number, IN_MODIFY, 0, 0)[:count]
    if file.flags & O_NONBLOCK:
        trap.fail(Errno.EAGAIN, N_("It would have to wait, and O_NONBLOCK is set."), "inotify(7)")
    raise Sleep("inotify", {(Cgroup, group) for _number, group, _seen in row.watches})


def _write(trap: Trap, _file: fds.File, _data: bytes) -> NoReturn:
    trap.fail(Errno.EBADF, N_("Nothing is written to it."), "inotify(7)")


def _release(store: Store, file: fds.File) -> None:
    store.drop(Inotify, file.object)


fds.register("inotify", fds.FileOps(_read, _write, _release))
