"""Process groups and sessions: setpgid(2), setsid(2), credentials(7)."""

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import pids
from simulator.machine.kernel.task import GROUP, Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls.registry import posix


@posix("getpgrp")
def getpgrp(trap: Trap) -> int:
    """getpgrp(2): the caller's process group."""
    return pids.group_number(trap, trap.task.pgid)


@posix("getpgid")
def getpgid(trap: Trap, pid: int = 0) -> int:
    """getpgid(2): ESRCH."""
    return pids.group_number(trap, _task(trap, pid).pgid)


@posix("getsid")
def getsid(trap: Trap, pid: int = 0) -> int:
    """getsid(2): ESRCH."""
    return pids.group_number(trap, _task(trap, pid).sid)


@posix("setpgid")
def setpgid(trap: Trap, pid: int, pgid: int) -> int:
    """setpgid(2): EACCES EINVAL EPERM ESRCH, in the order of kernel/sys.c."""
    if (pgid or pid) < 0:
        trap.fail(Errno.EINVAL, "", "setpgid(2)")
    task = _task(trap, pid)
    if task.id != trap.task.id:
        if task.parent != trap.task.id:
            trap.fail(Errno.ESRCH, N_("The process is no child of the caller."), "setpgid(2)")
        if task.sid != trap.task.sid:
            trap.fail(Errno.EPERM, N_("The child is in another session."), "setpgid(2)")
        if task.executed:
            trap.fail(Errno.EACCES, N_("The child has already called execve(2)."), "setpgid(2)")
    if task.sid == task.id:
        trap.fail(Errno.EPERM, N_("A session leader stays in its own group."), "setpgid(2)")
    group = task.id if pgid == 0 else pids.group_id(trap, pgid)
    if group != task.id and not any(
        member.sid == trap.task.sid for member in trap.store.rows_by(GROUP, group)
    ):
        trap.fail(Errno.EPERM, N_("The session has no such process group."), "setpgid(2)")
    _write(trap, task, group)
    return 0


@posix("setsid")
def setsid(trap: Trap) -> int:
    """setsid(2): EPERM for a process group leader."""
    me = trap.task
    if trap.store.by(GROUP, me.id):
        trap.fail(Errno.EPERM, N_("The caller already leads a process group."), "setsid(2)")
    trap.update(sid=Pid(me.id), pgid=Pid(me.id))
    return me.pids[-1]


def _write(trap: Trap, task: Task, group: int | None) -> None:
    if task.id == trap.task.id:
        trap.update(pgid=group)
    else:
        trap.store.put(msgspec.structs.replace(task, pgid=group))


def _task(trap: Trap, pid: int) -> Task:
    return trap.task if pid == 0 else pids.need(trap, pid)
