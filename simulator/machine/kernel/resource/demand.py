"""What tasks are busy with between their system calls, and what they have had of it, as rows.

A program that computes has no system call to show for it. It says ``@burn`` (``syscalls/busy.py``)
and sleeps inside that, with a ``Demand`` that the scheduler (``sched.py``) serves while virtual
time passes. On a machine without a Demand, time is only a number that grows.
"""

import msgspec

from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Key, Row, Store, World

PER_MILLE = 1000


class Demand(Row, frozen=True, kw_only=True):
    """What a task wants (``id`` is its pid): processor time, or a disk's when ``device`` is set.

    ``goal`` is how much it will have been served altogether, in nanoseconds, when it is content
    (None: never). ``system`` thousandths of processor time go to the kernel on its behalf.
    ``block`` and ``write`` are the size in bytes and the direction of requests to a disk.
    """

    device: int | None = None
    goal: int | None = None
    system: int = 0
    block: int = 0
    write: bool = False
    done: bool = False


class Spent(Row, frozen=True, kw_only=True):
    """What a task has had (``id`` is its pid), in nanoseconds and bytes.

    ``waited`` is time in which it could have run and did not. ``served`` is time of disks.
    ``children_*`` are those of children that it has waited for. ``until`` and ``vtime`` are where
    it stands with the processors, ``disk_*`` with disks.
    """

    user: int = 0
    system: int = 0
    waited: int = 0
    children_user: int = 0
    children_system: int = 0
    served: int = 0
    read: int = 0
    written: int = 0
    until: int = 0
    vtime: int = 0
    disk_until: int = 0
    disk_vtime: int = 0


class Account(Row, frozen=True, kw_only=True):
    """What a group has had, its dead included. ``id`` is ``("cgroup", number)``, ``("context",
    number)`` or, for whoever watches, ``("domain", name)``; nanoseconds, bytes, requests.
    """

    user: int = 0
    system: int = 0
    waited: int = 0
    read: int = 0
    written: int = 0
    reads: int = 0
    writes: int = 0
    served: int = 0
    """Time of disks."""
    queued: int = 0
    """Time in which a disk served somebody else first."""

    @property
    def ran(self) -> int:
        """Processor time in nanoseconds."""
        return self.user + self.system


class Standing(Row, frozen=True, kw_only=True):
    """Where a group stands among its siblings (``id`` is its key and the pool)."""

    vtime: int = 0
    floor: int = 0


class Bandwidth(Row, frozen=True, kw_only=True):
    """Where a bucket stands (``fair.Bucket``); ``id`` is its key."""

    left: int = 0
    due: int = 0
    periods: int = 0
    throttled: int = 0
    waited: int = 0
    dry: int | None = None


NOTHING = Spent(id=0)
EMPTY = Account(id=0)
FULL = Bandwidth(id=0)


def spent(world: World, pid: int) -> Spent:
    """What task ``pid`` has had."""
    return world.get(Spent, pid) or NOTHING


def account(world: World, key: Key) -> Account:
    """What the group called ``key`` has had."""
    return world.get(Account, key) or EMPTY


def bandwidth(world: World, key: Key) -> Bandwidth:
    """Where the bucket called ``key`` stands."""
    return world.get(Bandwidth, key) or FULL


def _give_up(store: Store, task: Task) -> None:
    """A task that ends wants nothing any more; what it had is told until it is waited for."""
    if store.get(Demand, task.id) is not None:
        store.drop(Demand, task.id)


def _hand_up(store: Store, pid: Pid) -> None:
    """wait_task_zombie(): the parent's children have had what this one and its own had."""
    had = store.get(Spent, pid)
    if had is None:
        return
    parent = store.row(Task, pid).parent
    if store.get(Task, parent) is not None:
        above = spent(store, parent)
        store.put(
            msgspec.structs.replace(
                above,
                id=parent,
                children_user=above.children_user + had.user + had.children_user,
                children_system=above.children_system + had.system + had.children_system,
            )
        )
    store.drop(Spent, pid)


exits.at_exit(_give_up)
exits.at_reaping(_hand_up)
