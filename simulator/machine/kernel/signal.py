"""What a signal does to a task, once it may be sent at all. signal(7), kernel/signal.c.

Programs in the model have no code of their own, so a handler that a task installed shows only in
that its sleeping calls end with EINTR; the default actions happen at once.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    RLIMIT_CORE,
    SIG_DFL,
    SIG_IGN,
    SIG_TOLD,
    SIGABRT,
    SIGBUS,
    SIGCHLD,
    SIGCONT,
    SIGFPE,
    SIGILL,
    SIGKILL,
    SIGQUIT,
    SIGSEGV,
    SIGSTOP,
    SIGSYS,
    SIGTRAP,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
    SIGURG,
    SIGWINCH,
    SIGXCPU,
    SIGXFSZ,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import usermode
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.task import GROUP, Caught, Sleeper, Task, TaskState, visible_from
from simulator.machine.state.store import Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

SMALLEST_CORE = 4096
"""A core limit below this, in bytes, means no core at all (ELF_EXEC_PAGESIZE)."""
NSIG = 64
"""The highest signal number; 32 to 64 are the real-time ones."""

STOPPERS = frozenset((SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU))
IGNORED_BY_DEFAULT = frozenset((SIGCHLD, SIGURG, SIGWINCH, SIGCONT))
DUMPERS = frozenset(
    (SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS)
)
UNSTOPPABLE = frozenset((SIGKILL, SIGSTOP))
CONTINUED = 0xFFFF
"""The wait status of a task that SIGCONT woke (WIFCONTINUED)."""


def send(store: Store, pid: Pid, signo: int, sender: Task | None = None) -> None:
    """Deliver ``signo``; permission was checked before. ``sender`` None is the kernel itself."""
    task = store.get(Task, pid)
    if task is None or task.state is TaskState.ZOMBIE or signo == 0:
        return
    task = _before_delivery(store, task, signo)
    if signo == SIGKILL:
        if not _protected(store, task, signo, sender):
            exits.end(store, pid, SIGKILL)
        return
    if signo in task.blocked and signo not in UNSTOPPABLE:
        _queue(store, task, signo)
        return
    if task.tracer is None and _ignored(store, task, signo, sender):
        return
    if task.tracer is not None:
        stop(store, task, signo)
        return
    act(store, task, signo)


def act(store: Store, task: Task, signo: int) -> None:
    """Carry out what ``task`` does about ``signo``: its handler, or the default action."""
    handler = task.handlers.get(signo, SIG_DFL)
    if handler == SIG_IGN and signo not in UNSTOPPABLE:
        return
    if handler != SIG_DFL and signo not in UNSTOPPABLE:
        if handler == SIG_TOLD:
            caught = store.get(Caught, task.id)
            before = caught.signals if caught is not None else ()
            store.put(Caught(id=task.id, signals=(*before, signo)))
        interrupt(store, task.id)
    elif signo in IGNORED_BY_DEFAULT:
        return
    elif signo in STOPPERS:
        if signo == SIGSTOP or not _orphaned(store, task.pgid):
            stop(store, task, signo)
    else:
        exits.end(store, task.id, _fatal_status(store, task, signo))


def stop(store: Store, task: Task, signo: int) -> None:
    """Put ``task`` into the stopped state and tell whoever waits for it."""
    if task.state is TaskState.STOPPED and task.tracer is None:
        return
    store.put(msgspec.structs.replace(task, state=TaskState.STOPPED, report=signo << 8 | 0x7F))
    exits.notify(store, task.tracer or task.parent, SIGCHLD)


def resume(store: Store, task: Task) -> Task:
    """Let a stopped task go on, as SIGCONT does."""
    store.put(msgspec.structs.replace(awake(store, task), report=CONTINUED))
    exits.notify(store, task.parent, SIGCHLD)
    return store.row(Task, task.id)


def awake(world: World, task: Task) -> Task:
    """``task`` no longer stopped: back in the call that it slept in, or running."""
    asleep = world.get(Sleeper, task.id)
    return msgspec.structs.replace(task, state=asleep.state if asleep else TaskState.RUNNING)


def interrupt(store: Store, pid: Pid) -> None:
    """End the call that ``pid`` sleeps in with EINTR: a handler ran."""
    sleeper = store.get(Sleeper, pid)
    if sleeper is not None:
        store.put(msgspec.structs.replace(sleeper, interrupted=True))
        store.put(msgspec.structs.replace(store.row(Task, pid)))


def unblocked(store: Store, pid: Pid) -> None:
    """After the mask changed: deliver what waited and is no longer blocked."""
    for signo in store.row(Task, pid).pending:
        task = store.get(Task, pid)
        if task is None or task.state is TaskState.ZOMBIE:
            return
        if signo not in task.blocked:
            rest = list(task.pending)
            rest.remove(signo)
            task = msgspec.structs.replace(task, pending=tuple(rest))
            store.put(task)
            if not _ignored(store, task, signo, None):
                act(store, task, signo)


def raise_own(trap: "Trap", signo: int) -> bool:
    """Send the caller a signal that its own call caused; True when that ends it.

    It counts as sent by the caller itself, so that an init outlives it (send_sig() with priv 0).
    """
    send(trap.store, trap.task.id, signo, trap.task)
    task = trap.store.get(Task, trap.task.id)
    return task is None or task.state is TaskState.ZOMBIE


def _before_delivery(store: Store, task: Task, signo: int) -> Task:
    """prepare_signal(): stops and SIGCONT cancel each other, and SIGCONT wakes in any case."""
    if signo in STOPPERS and SIGCONT in task.pending:
        task = msgspec.structs.replace(task, pending=tuple(s for s in task.pending if s != SIGCONT))
        store.put(task)
    if signo == SIGCONT:
        if STOPPERS & set(task.pending):
            task = msgspec.structs.replace(
                task, pending=tuple(s for s in task.pending if s not in STOPPERS)
            )
            store.put(task)
        if task.state is TaskState.STOPPED and task.tracer is None:
            task = resume(store, task)
    return task


def _ignored(store: World, task: Task, signo: int, sender: Task | None) -> bool:
    """sig_ignored(): nothing happens, not even a wake-up."""
    if _protected(store, task, signo, sender):
        return True
    if signo in UNSTOPPABLE:
        return False
    handler = task.handlers.get(signo, SIG_DFL)
    return handler == SIG_IGN or (handler == SIG_DFL and signo in IGNORED_BY_DEFAULT)


def _protected(world: World, task: Task, signo: int, sender: Task | None) -> bool:
    """SIGNAL_UNKILLABLE: an init takes only what it handles, and SIGKILL and SIGSTOP from above.

    pid_namespaces(7): members of the namespace cannot kill its init; an ancestor namespace can.
    """
    if task.handlers.get(signo, SIG_DFL) != SIG_DFL and signo not in UNSTOPPABLE:
        return False
    ns = world.row(PidNs, task.ns.pid)
    if ns.init != task.id:
        return False
    from_inside = sender is not None and visible_from(world, sender, ns.id)
    forced = signo in UNSTOPPABLE and not from_inside and ns.parent is not None
    return not (forced or (sender is None and signo not in STOPPERS and ns.parent is not None))


def _queue(store: Store, task: Task, signo: int) -> None:
    """A standard signal waits once, a real-time one as often as it was sent."""
    if signo >= 32 or signo not in task.pending:
        store.put(msgspec.structs.replace(task, pending=(*task.pending, signo)))


def _fatal_status(store: Store, task: Task, signo: int) -> int:
    """do_coredump(): a program that takes cores is run whatever the limit is, save for 1."""
    dumps = signo in DUMPERS and bool(task.dumpable)
    limit = task.rlimits[RLIMIT_CORE][0]
    taken = dumps and limit != 1 and usermode.dump(store, task, signo)
    return signo | (0x80 if taken or (dumps and limit >= SMALLEST_CORE) else 0)


def _orphaned(world: World, pgid: int) -> bool:
    """is_current_pgrp_orphaned(): no member has a parent in the session outside the group."""
    for task in world.rows_by(GROUP, pgid):
        parent = world.get(Task, task.parent)
        if parent is None or task.state is TaskState.ZOMBIE:
            continue
        if parent.pgid != pgid and parent.sid == task.sid:
            return False
    return True
