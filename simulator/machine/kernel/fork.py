"""Making a task: what a child takes from its parent, and how it is numbered. fork(2), clone(2).

Source: kernel/fork.c (copy_process), kernel/pid.c (alloc_pid).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_PARENT,
    RLIMIT_NPROC,
    SIGCHLD,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, NsId, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock
from simulator.machine.kernel import pids as pid_spaces
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.namespaces.spaces import Spaces, copy_spaces
from simulator.machine.kernel.resource import cgroup, mapping, memory
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import fd
from simulator.machine.state.store import Index, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

BY_USER = Index(
    Task,
    lambda task: (("uid", task.cred.ruid), ("ns", task.cred.user_ns, task.cred.ruid)),
    "cred.ruid",
    "cred.user_ns",
)
"""Tasks by real user id, machine-wide and within a user namespace: what RLIMIT_NPROC counts."""


_AT_FORK: "list[Callable[[Trap, Task], None]]" = []


def at_fork(tell: "Callable[[Trap, Task], None]") -> None:
    """Have ``tell`` called by every task that has a new child, of it."""
    _AT_FORK.append(tell)


def fork(
    trap: "Trap",
    flags: int = 0,
    *,
    exit_signal: int = SIGCHLD,
    spaces: Spaces | None = None,
    set_tid: tuple[int, ...] = (),
) -> Task:
    """A copy of the caller; ``spaces`` are the child's own where clone(2) made new ones.

    ``set_tid`` asks for pids, innermost namespace first (clone3(2)). EAGAIN at RLIMIT_NPROC and at
    pids.max, ENOMEM in a pid namespace whose init is gone, EEXIST for a pid that is taken.
    """
    parent = trap.task
    spaces = spaces or copy_spaces(trap, 0, child=True)
    charge(trap, "task")
    if parent.mapped:
        charge(trap, "private-memory", parent.mapped)
    _need_room(trap, spaces.cred)
    pids = _number(trap, spaces.ns.pid, set_tid)
    cgroup.can_fork(trap)
    child = msgspec.structs.replace(
        parent,
        id=Pid(pids[0]),
        parent=parent.parent if flags & CLONE_PARENT else parent.id,
        pids=pids,
        cred=spaces.cred,
        ns=spaces.ns,
        root=spaces.root,
        cwd=spaces.cwd,
        files=parent.files if flags & CLONE_FILES else fd.copy_table(trap.store, parent.files),
        state=TaskState.RUNNING,
        exit_signal=parent.exit_signal if flags & CLONE_PARENT else exit_signal,
        report=None,
        pending=(),
        subreaper=False,
        death_signal=0,
        tracer=None,
        seized=False,
        shared_fs=None,
        process_keyring=None,
        thread_keyring=None,
        allowed_tracer=None,
        executed=False,
        start_time=clock.monotonic(trap.store),
        memory=0,
    )
    if flags & CLONE_FS:
        if parent.shared_fs is None:
            trap.update(shared_fs=trap.store.new_id("shared fs"))
        child = msgspec.structs.replace(child, shared_fs=trap.task.shared_fs)
    trap.store.put(child)
    mapping.copy(trap.store, parent.id, child.id)
    if trap.store.count(Task) >= most_tasks(trap.store):
        trap.touch("pids", HOST, "exhaust", "threads-max")
    _adopt_as_init(trap.store, child)
    for tell in _AT_FORK:
        tell(trap, child)
    return child


def user_tasks(trap: "Trap", cred: Credentials) -> int:
    """How many tasks count against ``cred``'s RLIMIT_NPROC, zombies included."""
    if trap.family.traits.nproc_counts_per_user_namespace:
        return trap.store.many(BY_USER, ("ns", cred.user_ns, cred.ruid))
    if trap.family.traits.nproc_counts_per_context:
        tasks = trap.store.rows_by(BY_USER, ("uid", cred.ruid))
        return sum(task.context == trap.task.context for task in tasks)
    return trap.store.many(BY_USER, ("uid", cred.ruid))


def most_tasks(world: World) -> int:
    """set_max_threads(): as many as an eighth of the memory has room for kernel stacks of."""
    return max(_LEAST_TASKS, memory.total(world) // (8 * _STACK))


_STACK = 16 << 10
_LEAST_TASKS = 20


def _need_room(trap: "Trap", cred: Credentials) -> None:
    if trap.store.count(Task) >= most_tasks(trap.store):
        trap.deny(
            Errno.EAGAIN,
            "threads-max",
            N_("The whole machine has as many tasks as its memory has room for."),
            "fork(2)",
        )
    limit = trap.task.rlimits[RLIMIT_NPROC][0]
    if cred.ruid == 0 or user_tasks(trap, cred) < limit:
        return
    if trap.has(Privilege.RESOURCE_RAISE) or trap.has(Privilege.MOUNT):
        return
    trap.deny(
        Errno.EAGAIN,
        "rlimit",
        N_("This user already has as many processes as RLIMIT_NPROC allows."),
        "getrlimit(2)",
    )


def _number(trap: "Trap", ns: NsId, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """A pid in ``ns`` and in each of its ancestors, the initial namespace's first."""
    store = trap.store
    chain = pid_spaces.chain(store, ns)
    if any(store.row(PidNs, level).dead for level in chain):
        trap.deny(
            Errno.ENOMEM,
            "pid-ns",
            N_("The init of this pid namespace has ended, so no process can be born in it."),
            "pid_namespaces(7)",
        )
    asked = dict(zip(reversed(chain), wanted, strict=False))
    return tuple(
        _chosen(trap, level, asked[level]) if level in asked else _next(store, level)
        for level in chain
    )


def _next(store: Store, ns: NsId) -> int:
    pid = store.new_id(("pid", ns))
    while pid_spaces.taken(store, ns, pid) is not None:
        pid = store.new_id(("pid", ns))
    return pid


def _chosen(trap: "Trap", ns: NsId, pid: int) -> int:
    if pid_spaces.taken(trap.store, ns, pid) is not None:
        trap.fail(Errno.EEXIST, N_("A process already has this pid."), "clone3(2)")
    if pid != 1 and trap.store.row(PidNs, ns).init is None:
        trap.fail(Errno.EINVAL, N_("The first process of a pid namespace is pid 1."), "clone3(2)")
    return pid


def _adopt_as_init(store: Store, child: Task) -> None:
    ns = store.row(PidNs, child.ns.pid)
    if ns.init is None:
        store.put(msgspec.structs.replace(ns, init=child.id))
