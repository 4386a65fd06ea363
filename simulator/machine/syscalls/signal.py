"""Sending signals and saying what to do about them: kill(2), pidfd_open(2), sigaction(2)."""

from typing import Any

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.constants import (
    PIDFD_NONBLOCK,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGKILL,
    SIGSTOP,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import clock, pidfd, pids, signal
from simulator.machine.kernel.task import GROUP, Task, visible_from
from simulator.machine.kernel.trap import Denied, NotModelled, Sleep, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.clock import span
from simulator.machine.syscalls.registry import linux, posix

INT_MIN = -(1 << 31)
PIDFD_THREAD = 0o200
PIDFD_SIGNAL_FLAGS = 1 | 2 | 4
PIDFD_SIGNAL_GROUP = 4
SIGSET_SIZE = 8
"""The size of the kernel's signal set, in bytes."""


@posix("kill")
def kill(trap: Trap, pid: int, signo: int) -> int:
    """kill(2): EINVAL EPERM ESRCH. Sent to many, one success is enough."""
    if pid > 0:
        deliver(trap, pids.need(trap, pid, "may_reach"), signo)
        return 0
    if pid == INT_MIN:
        trap.fail(Errno.ESRCH, "", "kill(2)")
    if pid == -1:
        return _kill_all(trap, signo)
    group = trap.task.pgid if pid == 0 else pids.group_id(trap, -pid)
    members = [t for t in trap.store.rows_by(GROUP, group) if _reachable(trap, t)]
    return _kill_many(trap, members, signo)


@linux("tkill")
def tkill(trap: Trap, tid: int, signo: int) -> int:
    """tkill(2): EINVAL EPERM ESRCH."""
    if tid <= 0:
        trap.fail(Errno.EINVAL, N_("A thread's number is positive."), "tkill(2)")
    deliver(trap, pids.need(trap, tid, "may_reach"), signo)
    return 0


@linux("tgkill", since=(2, 5, 75))
def tgkill(trap: Trap, tgid: int, tid: int, signo: int) -> int:
    """tgkill(2): ESRCH too when the thread is not in the group."""
    if tgid <= 0 or tid <= 0:
        trap.fail(Errno.EINVAL, N_("A thread's number is positive."), "tgkill(2)")
    task = pids.need(trap, tid, "may_reach")
    if tgid != tid:
        trap.fail(Errno.ESRCH, N_("The thread is not in that process."), "tgkill(2)")
    deliver(trap, task, signo)
    return 0


def deliver(trap: Trap, task: Task, signo: int) -> None:
    """Check and send one signal; signal 0 only checks. EINVAL, EPERM (or what the wall says)."""
    if not 0 <= signo <= signal.NSIG:
        trap.fail(Errno.EINVAL, N_("There is no signal with this number."), "kill(2)")
    trap.ask("may_signal", task, signo)
    trap.touch("process", task.domain, "signal", pids.label(task))
    signal.send(trap.store, task.id, signo, trap.task)


def _kill_all(trap: Trap, signo: int) -> int:
    """kill(-1): everybody but the caller and pid 1; EPERM for some is no error."""
    seen = [
        task for task in trap.store.all(Task) if task.id != trap.task.id and _reachable(trap, task)
    ]
    reached = [task for task in seen if pids.number(trap, task.id) > 1]
    for task in reached:
        trap.touch("process", task.domain, "name", pids.label(task))
        try:
            deliver(trap, task, signo)
        except Denied as refusal:
            if refusal.denial.errno is not Errno.EPERM:
                raise
    if not reached:
        trap.fail(Errno.ESRCH, N_("There is nobody to send the signal to."), "kill(2)")
    return 0


def _reachable(trap: Trap, task: Task) -> bool:
    return trap.allowed("may_see", task) and trap.allowed("may_reach", task)


def _kill_many(trap: Trap, members: list[Task], signo: int) -> int:
    refused: Denied | None = None
    reached = 0
    for task in members:
        trap.touch("process", task.domain, "name", pids.label(task))
        try:
            deliver(trap, task, signo)
            reached += 1
        except Denied as refusal:
            refused = refusal
    if not reached and refused is not None:
        raise refused
    if not reached:
        trap.fail(Errno.ESRCH, N_("There is no such process group."), "kill(2)")
    return 0


@linux("pidfd_open", since=(5, 3))
def pidfd_open(trap: Trap, pid: int, flags: int = 0) -> int:
    """pidfd_open(2): EINVAL EMFILE ESRCH."""
    if flags & ~(PIDFD_NONBLOCK | PIDFD_THREAD) or pid <= 0:
        trap.fail(Errno.EINVAL, "", "pidfd_open(2)")
    task = pids.need(trap, pid)
    return pidfd.install(trap, task.id, nonblock=bool(flags & PIDFD_NONBLOCK))


@linux("pidfd_send_signal", since=(5, 1))
def pidfd_send_signal(trap: Trap, fd: int, signo: int, _info: Any = None, flags: int = 0) -> int:
    """pidfd_send_signal(2): EBADF EINVAL EPERM ESRCH."""
    if flags & ~PIDFD_SIGNAL_FLAGS or (flags and flags & (flags - 1)):
        trap.fail(Errno.EINVAL, "", "pidfd_send_signal(2)")
    task = trap.store.get(Task, pidfd.target(trap, fd))
    if task is None:
        trap.fail(Errno.ESRCH, N_("The process has gone."), "pidfd_send_signal(2)")
    if not visible_from(trap.store, task, trap.task.ns.pid):
        trap.deny(
            Errno.EINVAL,
            "pid-ns",
            N_("The process lives outside the caller's pid namespace."),
            "pidfd_send_signal(2)",
        )
    if flags & PIDFD_SIGNAL_GROUP:
        return _kill_many(trap, list(trap.store.rows_by(GROUP, task.id)), signo)
    deliver(trap, task, signo)
    return 0


@linux("pidfd_getfd", since=(5, 6))
def pidfd_getfd(trap: Trap, fd: int, wanted: int, flags: int = 0) -> int:
    """pidfd_getfd(2): EBADF EINVAL EMFILE EPERM ESRCH."""
    if flags:
        trap.fail(Errno.EINVAL, "", "pidfd_getfd(2)")
    task = trap.store.get(Task, pidfd.target(trap, fd))
    if task is None or not task.files:
        trap.fail(Errno.ESRCH, N_("The process has gone."), "pidfd_getfd(2)")
    trap.ask("may_trace", task)
    trap.ask("may_attach", task)
    slot = trap.store.row(fds.FdTable, task.files).slots.get(wanted)
    if slot is None:
        trap.fail(Errno.EBADF, N_("The process has no such descriptor."), "pidfd_getfd(2)")
    trap.touch("process", task.domain, "trace", pids.label(task))
    return fds.install(trap, trap.store.row(fds.File, slot.file), cloexec=True)


@posix("rt_sigaction")
def rt_sigaction(
    trap: Trap, signo: int, action: Any = None, _old: Any = None, _size: int = SIGSET_SIZE
) -> Result:
    """rt_sigaction(2) with a bare handler; the data is the old one. EINVAL."""
    if not 1 <= signo <= signal.NSIG or (action is not None and signo in (SIGKILL, SIGSTOP)):
        trap.fail(Errno.EINVAL, N_("SIGKILL and SIGSTOP can't be handled."), "sigaction(2)")
    old = trap.task.handlers.get(signo, SIG_DFL)
    if action is not None:
        handlers = dict(trap.task.handlers)
        handlers[signo] = action if isinstance(action, int) else 2
        ignored = handlers[signo] == SIG_IGN or (
            handlers[signo] == SIG_DFL and signo in signal.IGNORED_BY_DEFAULT
        )
        pending = trap.task.pending
        if ignored and signo in pending:
            pending = tuple(number for number in pending if number != signo)
        trap.update(handlers=handlers, pending=pending)
    return Returned(0, old)


@posix("rt_sigprocmask", "sigprocmask")
def rt_sigprocmask(
    trap: Trap, how: int, signals: Any = None, _old: Any = None, _size: int = SIGSET_SIZE
) -> Result:
    """rt_sigprocmask(2) with a list of signals; the data is the old mask. EINVAL."""
    old = trap.task.blocked
    if signals is not None:
        if how not in (SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK):
            trap.fail(Errno.EINVAL, "", "sigprocmask(2)")
        given = frozenset(decode.numbers(signals, "a signal set")) - signal.UNSTOPPABLE
        new = {SIG_BLOCK: old | given, SIG_UNBLOCK: old - given, SIG_SETMASK: given}[how]
        trap.update(blocked=new)
        signal.unblocked(trap.store, trap.task.id)
    return Returned(0, _listed(old))


@posix("rt_sigpending", "sigpending")
def rt_sigpending(trap: Trap, _size: int = SIGSET_SIZE) -> Result:
    """rt_sigpending(2): the data are the signals that wait while blocked."""
    return Returned(0, _listed(frozenset(trap.task.pending)))


@linux("rt_sigtimedwait")
def rt_sigtimedwait(
    trap: Trap, signals: Any, _info: Any = None, timeout: Any = None, _size: int = SIGSET_SIZE
) -> int:
    """rt_sigtimedwait(2) for a list of signals that are blocked: EAGAIN EINTR EINVAL."""
    wanted = frozenset(decode.numbers(signals, "a signal set")) - signal.UNSTOPPABLE
    if not wanted <= trap.task.blocked:
        raise NotModelled("waiting for a signal that is not blocked")
    got = next((number for number in sorted(trap.task.pending) if number in wanted), 0)
    if got:
        rest = list(trap.task.pending)
        rest.remove(got)
        trap.update(pending=tuple(rest))
        return got
    deadline = trap.deadline
    if deadline is None and timeout is not None:
        deadline = clock.monotonic(trap.store) + span(trap, timeout)
    if deadline is not None and clock.monotonic(trap.store) >= deadline:
        trap.fail(Errno.EAGAIN, N_("None of the signals came in time."), "sigtimedwait(2)")
    raise Sleep("signal", {(Task, trap.task.id)}, deadline)


@posix("pause")
def pause(trap: Trap) -> int:
    """pause(2): asleep until a signal ends the task or runs a handler (EINTR)."""
    raise Sleep("signal", {(Task, trap.task.id)})


def _listed(signals: frozenset[int]) -> list[Data]:
    listed: list[Data] = []
    listed.extend(sorted(signals))
    return listed
