"""alarm(2): a signal once so much time has passed. Source: kernel/time/itimer.c alarm_setitimer().

An alarm is its process's: a child of fork(2) has none, a program that execve(2) brings keeps it.
"""

from collections.abc import Callable
from typing import NamedTuple

from simulator.machine.abi.constants import SIGALRM
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock, signal
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.state.store import Row, Store, World

SECOND = 1_000_000_000


class Watch(NamedTuple):
    """A thread of the kernel's that looks from time to time.

    ``next_in`` says in how many nanoseconds it has to (None: never), and ``look`` is called then,
    perhaps before; ``ends`` says in how many it may end what a process does.
    """

    next_in: Callable[[World], int | None]
    look: Callable[[Store], None]
    ends: Callable[[World, Task], int | None]


_WATCHES: list[Watch] = []


def watch(one: Watch) -> None:
    """Let ``one`` look."""
    _WATCHES.append(one)


class Alarm(Row, frozen=True, kw_only=True):
    """``id`` is the pid; ``due`` the CLOCK_MONOTONIC instant of its signal, in nanoseconds."""

    due: int


def set_after(store: Store, pid: Pid, seconds: int) -> int:
    """One in so many seconds, in place of the one before; 0: none. The seconds that one had left.

    Half a second and more counts as one, and what is left is never told as nothing.
    """
    before = store.get(Alarm, pid)
    now = clock.monotonic(store)
    if seconds:
        store.put(Alarm(id=pid, due=now + seconds * SECOND))
    elif before is not None:
        store.drop(Alarm, pid)
    if before is None:
        return 0
    whole, rest = divmod(before.due - now, SECOND)
    return max(whole + (rest >= SECOND // 2), 1)


def due(world: World, pid: Pid) -> int | None:
    """When the process's alarm rings, or the kernel may end it by itself."""
    row, task = world.get(Alarm, pid), world.get(Task, pid)
    now = clock.monotonic(world)
    found = [] if row is None else [row.due]
    if task is not None:
        waits = (one.ends(world, task) for one in _WATCHES)
        found += [now + wait for wait in waits if wait is not None]
    return min(found, default=None)


def left(world: World) -> int | None:
    """How long until the next alarm of anybody who is there to hear it, or of the kernel's own."""
    found = [time for one in _WATCHES if (time := one.next_in(world)) is not None]
    if world.count(Alarm):
        now = clock.monotonic(world)
        found += [row.due - now for row in world.all(Alarm) if _hears(world, Pid(row.id))]
    return min(found, default=None)


def ring(store: Store) -> None:
    """SIGALRM for everybody whose time has come."""
    for one in _WATCHES:
        one.look(store)
    if not store.count(Alarm):
        return
    now = clock.monotonic(store)
    for row in sorted(store.all(Alarm), key=lambda one: (one.due, one.id)):
        if row.due <= now:
            store.drop(Alarm, row.id)
            signal.send(store, Pid(row.id), SIGALRM)


def _hears(world: World, pid: Pid) -> bool:
    task = world.get(Task, pid)
    return task is not None and task.state is not TaskState.ZOMBIE
