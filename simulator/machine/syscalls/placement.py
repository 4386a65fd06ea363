"""Where a task's work goes: its processors, memory nodes and place in the disk's queue.

Source: kernel/sched/syscalls.c, mm/mempolicy.c, mm/migrate.c, block/ioprio.c. The machine has one
memory node.
"""

from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import PRIO_PGRP, PRIO_PROCESS, PRIO_USER
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import pidfd, pids
from simulator.machine.kernel.resource import shares
from simulator.machine.kernel.resource.processors import count
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls import schedule
from simulator.machine.syscalls.registry import linux

MASK_BYTES = 8
"""A mask of processors is an unsigned long (up to 64 of them)."""
_PAGE = 4096
MPOL_F_NODE, MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED = 1, 2, 4
_CLASS_SHIFT = 13
_REAL_TIME, _BEST_EFFORT, _IDLE = 1, 2, 3
_WHICH = {1: PRIO_PROCESS, 2: PRIO_PGRP, 3: PRIO_USER}


@linux("sched_getaffinity")
def sched_getaffinity(trap: Trap, pid: int, size: int) -> Result:
    """sched_getaffinity(2): EINVAL ESRCH. The value is its size in bytes."""
    if size < MASK_BYTES or size % MASK_BYTES:
        trap.fail(Errno.EINVAL, N_("The mask is too small."), "sched_setaffinity(2)")
    return Returned(MASK_BYTES, shares.mask(trap.store, _one(trap, pid)))


@linux("sched_setaffinity")
def sched_setaffinity(trap: Trap, pid: int, _size: int, mask: int) -> int:
    """sched_setaffinity(2) with the mask as a number: EINVAL EPERM ESRCH."""
    task = _one(trap, pid)
    if trap.cred.euid not in (task.cred.euid, task.cred.ruid):
        trap.need(Privilege.SCHED_RAISE, task.cred.user_ns)
    schedule.need_no_fewer_capabilities(trap, task)
    if not mask & shares.mask_within(trap.store, task):
        trap.fail(Errno.EINVAL, N_("The process may use none of these processors."), "cpuset(7)")
    trap.touch("process", task.domain, "write", pids.label(task))
    wanted = mask & (1 << count(trap.store)) - 1
    if task.id == trap.task.id:
        trap.update(affinity=wanted)
    else:
        trap.store.put(msgspec.structs.replace(task, affinity=wanted))
    return 0


@linux("ioprio_get", since=(2, 6, 13))
def ioprio_get(trap: Trap, which: int, who: int) -> int:
    """ioprio_get(2): EINVAL ESRCH."""
    return max(task.io_priority for task in _meant(trap, which, who))


@linux("ioprio_set", since=(2, 6, 13))
def ioprio_set(trap: Trap, which: int, who: int, priority: int) -> int:
    """ioprio_set(2): EINVAL EPERM ESRCH. Classes: real time, best effort, idle."""
    kind, level = priority >> _CLASS_SHIFT & 7, priority & 7
    if kind == _REAL_TIME:
        trap.need(Privilege.IO_REAL_TIME)
    if kind not in (0, _REAL_TIME, _BEST_EFFORT, _IDLE) or (kind == 0 and level):
        trap.fail(Errno.EINVAL, N_("There is no such class."), "ioprio_set(2)")
    for task in _meant(trap, which, who):
        if task.cred.ruid not in (trap.cred.euid, trap.cred.ruid):
            trap.need(Privilege.SCHED_RAISE)
        schedule.need_no_fewer_capabilities(trap, task)
        trap.touch("process", task.domain, "write", pids.label(task))
        changed = msgspec.structs.replace(task, io_priority=priority)
        if task.id == trap.task.id:
            trap.update(io_priority=priority)
        else:
            trap.store.put(changed)
    return 0


def _meant(trap: Trap, which: int, who: int) -> tuple[Task, ...]:
    if which not in _WHICH:
        trap.fail(Errno.EINVAL, "", "ioprio_set(2)")
    tasks = schedule.tasks_of(trap, _WHICH[which], who)
    if not tasks:
        trap.fail(Errno.ESRCH, N_("No process is meant."), "ioprio_set(2)")
    return tasks


@linux("get_mempolicy", since=(2, 6, 7))
def get_mempolicy(
    trap: Trap,
    mode: Any = None,
    nodes: Any = None,
    _most: int = 0,
    address: int = 0,
    flags: int = 0,
) -> int:
    """get_mempolicy(2): EFAULT EINVAL. Every policy is the default one."""
    known = MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED
    mixed = flags & MPOL_F_MEMS_ALLOWED and flags & (MPOL_F_NODE | MPOL_F_ADDR)
    if flags & ~known or mixed:
        trap.fail(Errno.EINVAL, "", "get_mempolicy(2)")
    if not flags & MPOL_F_ADDR and address and not flags & MPOL_F_MEMS_ALLOWED:
        trap.fail(Errno.EINVAL, N_("An address is not asked about."), "get_mempolicy(2)")
    if flags & MPOL_F_ADDR and not address:
        trap.fail(Errno.EFAULT, N_("Nothing is mapped there."), "get_mempolicy(2)")
    if flags == MPOL_F_NODE:
        trap.fail(Errno.EINVAL, N_("The policy names no next node."), "get_mempolicy(2)")
    if mode or nodes:
        raise NotModelled("where memory policies are written to")
    return 0


@linux("set_mempolicy", since=(2, 6, 7))
def set_mempolicy(trap: Trap, mode: int, nodes: Any = None, most: int = 0) -> int:
    """set_mempolicy(2): EINVAL. The default and the local policy take no nodes."""
    if mode not in range(7) or (nodes is None and mode not in (0, 1, 4)):
        trap.fail(Errno.EINVAL, N_("There is no such policy."), "set_mempolicy(2)")
    if nodes or most:
        raise NotModelled("memory policies with nodes")
    return 0


@linux("mbind", since=(2, 6, 7))
def mbind(
    trap: Trap,
    address: int,
    length: int,
    mode: int = 0,
    nodes: Any = None,
    _most: int = 0,
    flags: int = 0,
) -> int:
    """mbind(2) to the default policy: EFAULT EINVAL."""
    if flags & ~7 or address % _PAGE or mode not in range(7) or (nodes is None and mode > 1):
        trap.fail(Errno.EINVAL, N_("There is no such policy."), "mbind(2)")
    if not length:
        return 0
    raise NotModelled("memory policies of mappings")


@linux("move_pages", since=(2, 6, 18))
def move_pages(
    trap: Trap,
    pid: int,
    count: int,
    _pages: Any = None,
    _nodes: Any = None,
    _status: Any = None,
    flags: int = 0,
) -> int:
    """move_pages(2) of no page: EINVAL EPERM ESRCH."""
    if flags & ~6:
        trap.fail(Errno.EINVAL, "", "move_pages(2)")
    if flags & 4:
        trap.need(Privilege.SCHED_RAISE)
    task = trap.task if pid == 0 else pids.need(trap, pid)
    trap.ask("may_trace", task)
    if count:
        raise NotModelled("pages that move between nodes")
    return 0


@linux("process_madvise", since=(5, 10))
def process_madvise(
    trap: Trap, fd: int, _vector: Any = None, count: int = 0, _advice: int = 0, flags: int = 0
) -> int:
    """process_madvise(2) of no range: EBADF EINVAL."""
    if flags:
        trap.fail(Errno.EINVAL, "", "process_madvise(2)")
    pidfd.target(trap, fd)
    raise NotModelled(f"advice about {count} ranges of another process")


@linux("process_mrelease", since=(5, 15))
def process_mrelease(trap: Trap, fd: int, flags: int = 0) -> int:
    """process_mrelease(2): EBADF EINVAL (flags, or a process that is not dying) ESRCH."""
    if flags:
        trap.fail(Errno.EINVAL, "", "process_mrelease(2)")
    pidfd.target(trap, fd)
    trap.fail(Errno.EINVAL, N_("The process is not being killed."), "process_mrelease(2)")


def _one(trap: Trap, pid: int) -> Task:
    return trap.task if pid == 0 else pids.need(trap, pid)
