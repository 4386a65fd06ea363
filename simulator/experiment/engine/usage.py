"""What a sandbox holds of the machine's resources, and what it was granted."""

from collections.abc import Mapping

from simulator.experiment.engine import shared_time
from simulator.experiment.probes.observation import Use
from simulator.machine.abi.ids import HOST, KERNEL, Domain, Pid
from simulator.machine.kernel.ipc.msg import Queue
from simulator.machine.kernel.ipc.sem import SemSet
from simulator.machine.kernel.ipc.shm import Segment
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.namespace import IpcNs
from simulator.machine.kernel.resource import charge
from simulator.machine.kernel.resource.group import controlled, upward
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs.fd import File
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import Store

RESOURCES = ("memory", "pids", "disk", "files", "ipc", *shared_time.RESOURCES)


def uses(kernel: Kernel, guest: Pid, *, alone: bool = False, began: int = 0) -> tuple[Use, ...]:
    """What is held now, and the limit of its groups: memory and disk in bytes, tasks counted.

    ``alone``: on a machine of its own, all of which is its grant. ``began`` is when the run did,
    in nanoseconds since boot: what was taken of processors and disks counts from there.
    """
    store = kernel.store
    task = store.get(Task, guest)
    if alone:
        return tuple(Use(resource=name, used=0, granted=0) for name in RESOURCES)
    if task is None:
        return ()
    mine = [
        one
        for one in store.all(Task)
        if one.domain == task.domain and one.state is not TaskState.ZOMBIE
    ]
    own = charge.grants(store, task)
    return (
        *_ipc(store, task),
        Use(
            resource="memory",
            used=sum(one.memory for one in mine),
            granted=_tighter(
                own.get("memory"),
                _limit(store, task, "memory", ("memory.max", "memory.limit_in_bytes")),
            ),
        ),
        Use(
            resource="pids",
            used=len(mine),
            granted=_tighter(own.get("pids"), _limit(store, task, "pids", ("pids.max",))),
        ),
        Use(resource="disk", used=_stored(store, task.domain), granted=own.get("disk")),
        *_files(store, task, own),
        *shared_time.uses(store, task, began),
    )


def _tighter(one: int | None, other: int | None) -> int | None:
    """The lower of two limits, where there is any."""
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _files(store: Store, task: Task, own: Mapping[str, int]) -> tuple[Use, ...]:
    """Open files, where the container has a share of the machine's table."""
    if "files" not in own:
        return ()
    used = sum(file.domain == task.domain for file in store.all(File))
    return (Use(resource="files", used=used, granted=own["files"]),)


def _ipc(store: Store, task: Task) -> tuple[Use, ...]:
    """System V objects: limits are each ipc namespace's own, so one's own is one's grant."""
    space = store.row(IpcNs, task.ns.ipc)
    if space.domain in (HOST, KERNEL) or space.domain != task.domain:
        return ()
    held = sum(
        one.id[0] == space.id for table in (Segment, SemSet, Queue) for one in store.all(table)
    )
    return (Use(resource="ipc", used=held, granted=_IPC_LIMIT),)


_IPC_LIMIT = 4096
"""kernel.shmmni, the lowest of the three."""


def _limit(store: Store, task: Task, controller: str, files: tuple[str, ...]) -> int | None:
    """The tightest limit between the task's group and the root."""
    group = controlled(store, task, controller)
    if group is None:
        return None
    limits = [
        int(text)
        for above in upward(store, group)
        for name in files
        if (text := above.settings.get(name, "max")).isdigit()
    ]
    return min(limits, default=None)


def _stored(store: Store, domain: Domain) -> int:
    return sum(one.size for one in store.all(Inode) if one.domain == domain)
