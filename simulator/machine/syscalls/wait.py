"""Waiting for children: wait4(2), waitid(2)."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.constants import (
    P_ALL,
    P_PGID,
    P_PID,
    P_PIDFD,
    WALL,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WNOWAIT,
    WUNTRACED,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import pidfd, pids
from simulator.machine.kernel.exit import TRACEES
from simulator.machine.kernel.namespace import UserNs, from_kernel
from simulator.machine.kernel.signal import CONTINUED
from simulator.machine.kernel.task import CHILDREN, Task, TaskState
from simulator.machine.kernel.trap import Sleep, Trap
from simulator.machine.syscalls.registry import linux, posix

WNOTHREAD = 0x20000000
WCLONE = 0x80000000
INT_MIN = -(1 << 31)
CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED = range(1, 7)


@posix("waitpid", "wait4")
def wait4(trap: Trap, pid: int = -1, options: int = 0, _rusage: Any = None) -> Result:
    """wait4(2): ECHILD, EINVAL, ESRCH. The data is the wait status; 0 and none with WNOHANG."""
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL):
        trap.fail(Errno.EINVAL, N_("An option that wait4 does not know."), "wait4(2)")
    if pid == INT_MIN:
        trap.fail(Errno.ESRCH, "", "wait4(2)")
    children = _chosen(trap, _matching(trap, pid), options)
    found = _ready(trap, children, options | WEXITED)
    if found is None:
        if options & WNOHANG:
            return Returned(0)
        raise Sleep("wait", {(Task, child.id) for child in children})
    child, status = found
    number = pids.number(trap, child.id)
    _collect(trap, child)
    return Returned(number, status)


@linux("waitid", since=(2, 6, 10))
def waitid(trap: Trap, idtype: int, number: int, options: int, _rusage: Any = None) -> Result:
    """waitid(2): ECHILD, EINVAL. The data is the siginfo: pid, uid, code, status."""
    known = WNOHANG | WNOWAIT | WEXITED | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL
    if options & ~known or not options & (WEXITED | WUNTRACED | WCONTINUED):
        trap.fail(Errno.EINVAL, "", "waitid(2)")
    children = _chosen(trap, _by_kind(trap, idtype, number), options)
    found = _ready(trap, children, options)
    if found is None:
        if options & WNOHANG:
            return Returned(0)
        raise Sleep("wait", {(Task, child.id) for child in children})
    child, status = found
    data = _siginfo(trap, child, status)
    if not options & WNOWAIT:
        _collect(trap, child)
    return Returned(0, data)


def _matching(trap: Trap, pid: int) -> tuple[Task, ...]:
    if pid > 0:
        return tuple(c for c in _family(trap) if pids.number(trap, c.id) == pid)
    if pid == -1:
        return _family(trap)
    group = trap.task.pgid if pid == 0 else pids.group_id(trap, -pid)
    return tuple(c for c in _family(trap) if c.pgid == group)


def _by_kind(trap: Trap, idtype: int, number: int) -> tuple[Task, ...]:
    if idtype == P_ALL:
        return _family(trap)
    if idtype in (P_PID, P_PGID) and number >= (1 if idtype == P_PID else 0):
        return _matching(trap, number if idtype == P_PID else -number)
    if idtype != P_PIDFD or number < 0:
        trap.fail(Errno.EINVAL, "", "waitid(2)")
    wanted = pidfd.target(trap, number)
    return tuple(c for c in _family(trap) if c.id == wanted)


def _family(trap: Trap) -> tuple[Task, ...]:
    """Children, and tasks that the caller traces."""
    children = trap.store.rows_by(CHILDREN, trap.task.id)
    traced = trap.store.rows_by(TRACEES, trap.task.id)
    return (*children, *(t for t in traced if t.parent != trap.task.id))


def _chosen(trap: Trap, children: tuple[Task, ...], options: int) -> tuple[Task, ...]:
    """eligible_child(): with no option only children that end with SIGCHLD are waited for."""
    chosen = tuple(
        child
        for child in children
        if options & WALL
        or child.tracer == trap.task.id
        or (child.exit_signal != 17) == bool(options & WCLONE)
    )
    if not chosen:
        trap.fail(Errno.ECHILD, N_("The caller has no such child to wait for."), "wait4(2)")
    return chosen


def _ready(trap: Trap, children: tuple[Task, ...], options: int) -> tuple[Task, int] | None:
    for child in children:
        traced = child.tracer == trap.task.id
        if child.state is TaskState.ZOMBIE:
            # wait_consider_task(): a dead tracee is seen by its tracer alone, until it let go
            if options & WEXITED and (traced or child.tracer is None):
                return child, child.exit_status or 0
        elif child.report == CONTINUED:
            if options & WCONTINUED:
                return child, CONTINUED
        elif child.report is not None and (options & WUNTRACED or traced):
            return child, child.report
    return None


def _collect(trap: Trap, child: Task) -> None:
    if child.state is TaskState.ZOMBIE:
        exits.collect(trap.store, child, trap.task.id)
    else:
        trap.store.put(msgspec.structs.replace(child, report=None))


def _siginfo(trap: Trap, child: Task, status: int) -> dict[str, Data]:
    if status == CONTINUED:
        code, value = CLD_CONTINUED, 18
    elif status & 0xFF == 0x7F:
        traced = child.tracer == trap.task.id
        code, value = (CLD_TRAPPED if traced else CLD_STOPPED), status >> 8
    elif status & 0x7F:
        code, value = (CLD_DUMPED if status & 0x80 else CLD_KILLED), status & 0x7F
    else:
        code, value = CLD_EXITED, status >> 8
    space = trap.store.row(UserNs, trap.task.cred.user_ns)
    return {
        "pid": pids.number(trap, child.id),
        "uid": from_kernel(space.uid_map, child.cred.ruid),
        "code": code,
        "status": value,
    }
