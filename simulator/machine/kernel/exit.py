"""The end of a task: what it gives back, who inherits its children, who is told. _exit(2), wait(2).

Source: kernel/exit.c (do_exit, forget_original_parent), kernel/pid_namespace.c
(zap_pid_ns_processes).
"""

from collections.abc import Callable

import msgspec

from simulator.machine.abi.constants import SIG_DFL, SIG_IGN, SIGCHLD, SIGKILL
from simulator.machine.abi.ids import FilesId, NsId, Pid
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.task import BY_FILES, CHILDREN, Sleeper, Task, TaskState
from simulator.machine.kernel.vfs import fd
from simulator.machine.state.store import Index, Store

EVENT_STOPS = 1 << 16
"""From here on a wait status names an event of ptrace(2) above its signal."""
TRACEES = Index(Task, lambda task: (task.tracer,) if task.tracer else (), "tracer")
"""Tasks by the task that traces them."""

_AT_EXIT: list[Callable[[Store, Task], None]] = []
_AT_REAPING: list[Callable[[Store, Pid], None]] = []
_DEATH_SIGNAL_RULES: list[Callable[[Store, Task, Task], bool]] = []


def at_exit(give_back: Callable[[Store, Task], None]) -> None:
    """Have ``give_back`` called with every task that ends, while its row still says what it had."""
    _AT_EXIT.append(give_back)


def at_reaping(clear_away: Callable[[Store, Pid], None]) -> None:
    """Have ``clear_away`` called with every zombie that goes, while its row is still there."""
    _AT_REAPING.append(clear_away)


def of_death_signals(rule: Callable[[Store, Task, Task], bool]) -> None:
    """Have ``rule`` say whether a task that ends may send a child the signal it asked for."""
    _DEATH_SIGNAL_RULES.append(rule)


def end(store: Store, pid: Pid, wait_status: int) -> None:
    """End ``pid``: it gives back what it holds and stays a zombie until it is waited for."""
    task = store.get(Task, pid)
    if task is None or task.state is TaskState.ZOMBIE:
        return
    for give_back in _AT_EXIT:
        give_back(store, task)
    store.put(
        msgspec.structs.replace(
            store.row(Task, pid),
            state=TaskState.ZOMBIE,
            exit_status=wait_status,
            files=FilesId(0),
            pending=(),
            report=None,
            memory=0,
            mapped=0,
        )
    )
    if store.get(Sleeper, pid) is not None:
        store.drop(Sleeper, pid)
    _release_files(store, task.files)
    _let_go_of_tracees(store, pid)
    _end_namespace(store, task)
    _bequeath_children(store, task)
    _tell_parent(store, pid)


def reap(store: Store, pid: Pid) -> None:
    """Remove a zombie that has been waited for."""
    for clear_away in _AT_REAPING:
        clear_away(store, pid)
    store.drop(Task, pid)


def collect(store: Store, zombie: Task, waiter: Pid) -> None:
    """wait_task_zombie(): a tracer that is not the parent hands the zombie on to the parent."""
    if zombie.tracer == waiter != zombie.parent:
        store.put(msgspec.structs.replace(zombie, tracer=None))
        _tell_parent(store, zombie.id)
    else:
        reap(store, zombie.id)


def notify(store: Store, pid: Pid, signo: int) -> None:
    """Tell a parent or tracer that a child changed; this wakes its wait4(2) too."""
    parent = store.get(Task, pid)
    if parent is None or parent.state is TaskState.ZOMBIE:
        return
    store.put(msgspec.structs.replace(parent))
    if signo:
        _send(store, pid, signo)


def _send(store: Store, pid: Pid, signo: int) -> None:
    from simulator.machine.kernel import signal  # the two call each other

    signal.send(store, pid, signo)


def _ignores(store: Store, parent: Pid) -> bool:
    """ignoring_children()."""
    return store.row(Task, parent).handlers.get(SIGCHLD, SIG_DFL) == SIG_IGN


def _act(store: Store, task: Task, signo: int) -> None:
    from simulator.machine.kernel import signal  # the two call each other

    signal.act(store, task, signo)


def _release_files(store: Store, files: FilesId) -> None:
    if files and not store.by(BY_FILES, files):
        fd.drop_table(store, files)


def _let_go_of_tracees(store: Store, pid: Pid) -> None:
    """exit_ptrace(): a tracee goes on by itself when its tracer ends.

    A signal at which it stands, and which nobody has waited for, is delivered then.
    """
    for tracee in store.rows_by(TRACEES, pid):
        free = msgspec.structs.replace(tracee, tracer=None, report=None)
        if free.state is TaskState.STOPPED:
            asleep = store.get(Sleeper, free.id)
            state = asleep.state if asleep is not None else TaskState.RUNNING
            free = msgspec.structs.replace(free, state=state)
        store.put(free)
        if tracee.report is not None and tracee.report < EVENT_STOPS:
            _act(store, free, tracee.report >> 8)
        if free.state is TaskState.ZOMBIE and (free.parent != pid or _ignores(store, pid)):
            _tell_parent(store, free.id)


def _end_namespace(store: Store, task: Task) -> None:
    """pid_namespaces(7): when an init ends, the kernel kills everything in its namespace."""
    ns = store.row(PidNs, task.ns.pid)
    if ns.init != task.id or ns.parent is None:
        return
    store.put(msgspec.structs.replace(ns, dead=True))
    family = _with_those_below(store, ns.id)
    members = [one.id for one in store.all(Task) if one.ns.pid in family and one.id != task.id]
    for member in members:
        end(store, member, SIGKILL)
    for member in members:
        row = store.get(Task, member)
        if row is None:
            continue
        parent = store.get(Task, row.parent)
        if parent is None or parent.ns.pid in family:
            reap(store, member)


def _with_those_below(store: Store, ns: NsId) -> set[NsId]:
    """A pid namespace and its descendants, which are younger than it."""
    family = {ns}
    for other in store.all(PidNs):
        if other.parent in family:
            family.add(other.id)
    return family


def _bequeath_children(store: Store, task: Task) -> None:
    children = store.rows_by(CHILDREN, task.id)
    if not children:
        return
    heir = _heir(store, task)
    for child in children:
        if heir is None:
            if child.state is TaskState.ZOMBIE:
                reap(store, child.id)
            continue
        store.put(msgspec.structs.replace(child, parent=heir, exit_signal=SIGCHLD))
        if child.state is TaskState.ZOMBIE:
            if child.tracer is None:
                _tell_parent(store, child.id)
        elif child.death_signal and all(rule(store, task, child) for rule in _DEATH_SIGNAL_RULES):
            _send(store, child.id, child.death_signal)


def _heir(store: Store, task: Task) -> Pid | None:
    """find_new_reaper(): the nearest subreaper above in the pid namespace, else its init."""
    ns = store.row(PidNs, task.ns.pid)
    above = store.get(Task, task.parent)
    while above is not None and above.ns.pid == ns.id and above.id != ns.init:
        if above.subreaper and above.state is not TaskState.ZOMBIE:
            return above.id
        above = store.get(Task, above.parent)
    init = store.get(Task, ns.init)
    if init is None or init.state is TaskState.ZOMBIE:
        return None
    return Pid(init.id)


def _tell_parent(store: Store, pid: Pid) -> None:
    """do_notify_parent(): a parent that ignores SIGCHLD leaves no zombie behind.

    Of a tracee it is the tracer that is told, and that can't leave it unwaited.
    """
    task = store.row(Task, pid)
    if task.tracer is not None:
        notify(store, task.tracer, task.exit_signal if task.tracer == task.parent else SIGCHLD)
        return
    parent = store.get(Task, task.parent)
    if parent is None or parent.state is TaskState.ZOMBIE:
        return
    if task.exit_signal == SIGCHLD and _ignores(store, task.parent):
        reap(store, pid)
        notify(store, parent.id, 0)
        return
    notify(store, parent.id, task.exit_signal)
