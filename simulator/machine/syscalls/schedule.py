"""Priorities and scheduling policies: setpriority(2), sched_setscheduler(2), sched(7)."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Failed, Result, Returned
from simulator.machine.abi.constants import (
    PRIO_PGRP,
    PRIO_PROCESS,
    PRIO_USER,
    RLIMIT_NICE,
    RLIMIT_RTPRIO,
    SCHED_BATCH,
    SCHED_DEADLINE,
    SCHED_FIFO,
    SCHED_IDLE,
    SCHED_NORMAL,
    SCHED_RR,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KUid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import pids
from simulator.machine.kernel.fork import BY_USER
from simulator.machine.kernel.namespace import UserNs, to_kernel
from simulator.machine.kernel.resource.group import BY_CONTROLLER, Cgroup
from simulator.machine.kernel.task import GROUP, Task
from simulator.machine.kernel.trap import Denied, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux, posix

REAL_TIME = (SCHED_FIFO, SCHED_RR)
POLICIES = (SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE)
RESET_ON_FORK = 0x40000000
HIGHEST_RT = 99


@posix("getpriority")
def getpriority(trap: Trap, which: int, who: int) -> int:
    """getpriority(2): EINVAL ESRCH. The raw call's value is 20 minus the nice value."""
    tasks = tasks_of(trap, which, who)
    if not tasks:
        trap.fail(Errno.ESRCH, N_("No process is meant."), "getpriority(2)")
    return max(20 - task.nice for task in tasks)


@posix("setpriority")
def setpriority(trap: Trap, which: int, who: int, nice: int) -> Result:
    """setpriority(2): EACCES EINVAL EPERM ESRCH."""
    tasks = tasks_of(trap, which, who)
    if not tasks:
        trap.fail(Errno.ESRCH, N_("No process is meant."), "setpriority(2)")
    value = max(-20, min(19, decode.signed(nice)))
    result: Result = Returned(0)
    for task in tasks:  # one that may not be changed keeps none of the others from it
        try:
            _set_nice(trap, task, value)
        except Denied as refused:
            result = Failed(refused.denial)
    return result


@posix("nice")
def nice(trap: Trap, increment: int) -> int:
    """nice(2): EPERM."""
    value = max(-20, min(19, trap.task.nice + decode.signed(increment)))
    if value < trap.task.nice and not _may_raise(trap, trap.task, value):
        trap.need(Privilege.SCHED_RAISE)
    trap.update(nice=value)
    return 0


@linux("sched_setscheduler")
def sched_setscheduler(trap: Trap, pid: int, policy: int, priority: Any = None) -> int:
    """sched_setscheduler(2) with a bare priority: EINVAL EPERM ESRCH."""
    if policy < 0:
        trap.fail(Errno.EINVAL, "", "sched_setscheduler(2)")
    return _set_policy(trap, pid, policy & ~RESET_ON_FORK, priority)


@linux("sched_setparam")
def sched_setparam(trap: Trap, pid: int, priority: Any = None) -> int:
    """sched_setparam(2): the policy stays."""
    task = _one(trap, pid) if pid >= 0 and priority is not None else trap.task
    return _set_policy(trap, pid, task.policy, priority)


@linux("sched_getscheduler")
def sched_getscheduler(trap: Trap, pid: int = 0) -> int:
    """sched_getscheduler(2): EINVAL ESRCH."""
    return _one(trap, pid).policy


@linux("sched_getparam")
def sched_getparam(trap: Trap, pid: int = 0) -> Result:
    """sched_getparam(2): the data is the real-time priority."""
    return Returned(0, _one(trap, pid).rt_priority)


@linux("sched_get_priority_max")
def sched_get_priority_max(trap: Trap, policy: int) -> int:
    """sched_get_priority_max(2): EINVAL."""
    if policy not in POLICIES:
        trap.fail(Errno.EINVAL, "", "sched_get_priority_max(2)")
    return HIGHEST_RT if policy in REAL_TIME else 0


@linux("sched_get_priority_min")
def sched_get_priority_min(trap: Trap, policy: int) -> int:
    """sched_get_priority_min(2): EINVAL."""
    if policy not in POLICIES:
        trap.fail(Errno.EINVAL, "", "sched_get_priority_max(2)")
    return 1 if policy in REAL_TIME else 0


@posix("sched_yield")
def sched_yield(_trap: Trap) -> int:
    """sched_yield(2): always 0."""
    return 0


def tasks_of(trap: Trap, which: int, who: int) -> tuple[Task, ...]:
    """A process, a group's or a user's, 0 being the caller's own. EINVAL."""
    if which == PRIO_PROCESS:
        found = trap.task if who == 0 else pids.find(trap, who)
        return (found,) if found is not None else ()
    if which == PRIO_PGRP:
        group = trap.task.pgid if who == 0 else pids.group_id(trap, who)
        return trap.store.rows_by(GROUP, group)
    if which != PRIO_USER:
        trap.fail(Errno.EINVAL, "", "setpriority(2)")
    space = trap.store.row(UserNs, trap.cred.user_ns)
    uid = trap.cred.ruid if who == 0 else to_kernel(space.uid_map, who)
    tasks = trap.store.rows_by(BY_USER, ("uid", KUid(uid) if uid is not None else None))
    return tuple(task for task in tasks if trap.allowed("may_see", task))


def _set_nice(trap: Trap, task: Task, value: int) -> None:
    """set_one_prio(): the same user, and CAP_SYS_NICE or RLIMIT_NICE to go up."""
    theirs, mine = task.cred, trap.cred
    if mine.euid not in (theirs.ruid, theirs.euid):
        trap.need(Privilege.SCHED_RAISE, theirs.user_ns)
    if value < task.nice and not _may_raise(trap, task, value):
        trap.deny(
            Errno.EACCES,
            "capability",
            N_("A higher priority needs CAP_SYS_NICE, or room below RLIMIT_NICE."),
            "setpriority(2)",
        )
    need_no_fewer_capabilities(trap, task)
    trap.touch("process", task.domain, "write", pids.label(task))
    if value < task.nice:
        trap.authority("cpu", f"nice {value}")
    _write(trap, task, nice=value)


def _may_raise(trap: Trap, task: Task, value: int) -> bool:
    """can_nice()."""
    return 20 - value <= task.rlimits[RLIMIT_NICE][0] or trap.has(Privilege.SCHED_RAISE)


def _one(trap: Trap, pid: int) -> Task:
    if pid < 0:
        trap.fail(Errno.EINVAL, "", "sched_setscheduler(2)")
    return trap.task if pid == 0 else pids.need(trap, pid)


def _set_policy(trap: Trap, pid: int, policy: int, priority: Any) -> int:
    """__sched_setscheduler(): first what makes no sense, then what is not allowed."""
    if pid < 0 or priority is None:
        trap.fail(Errno.EINVAL, "", "sched_setscheduler(2)")
    task = _one(trap, pid)
    wanted = _priority(priority)
    highest = HIGHEST_RT if policy in REAL_TIME else 0
    if (
        policy not in POLICIES
        or not 0 <= wanted <= highest
        or (policy in REAL_TIME) != bool(wanted)
        or policy == SCHED_DEADLINE
    ):
        trap.fail(Errno.EINVAL, N_("The policy has no such priority."), "sched_setscheduler(2)")
    if _needs_privilege(trap, task, policy, wanted):
        trap.need(Privilege.SCHED_RAISE)
        trap.authority("cpu", f"scheduling policy {policy}")
    need_no_fewer_capabilities(trap, task)
    if policy in REAL_TIME:
        _need_share_of_group(trap, task)
    trap.touch("process", task.domain, "write", pids.label(task))
    _write(trap, task, policy=policy, rt_priority=wanted)
    return 0


def _need_share_of_group(trap: Trap, task: Task) -> None:
    """A group of version 1 that was given no real-time runs no real-time task. EPERM."""
    if "rt_groups" not in trap.family.features:
        return
    tree = trap.store.first(BY_CONTROLLER, "cpu")
    group = task.cgroups.get(tree.id) if tree is not None and tree.version == 1 else None
    row = trap.store.row(Cgroup, group) if group is not None else None
    if row is None or row.parent is None:
        return
    if row.settings.get("cpu.rt_runtime_us", "0") == "0":
        trap.fail(
            Errno.EPERM,
            N_("The control group has no share of the real-time that the machine gives out."),
            "Documentation/scheduler/sched-rt-group.rst",
        )


def need_no_fewer_capabilities(trap: Trap, task: Task) -> None:
    """cap_safe_nice(): nobody schedules a process that may do more than the caller may."""
    if not trap.family.traits.scheduling_compares_capabilities:
        return
    more = task.cred.permitted & ~trap.cred.permitted
    if more and not trap.has(Privilege.SCHED_RAISE, task.cred.user_ns):
        trap.deny(
            Errno.EPERM,
            "capability",
            N_("The process has capabilities that the caller lacks; that needs CAP_SYS_NICE."),
            "security/commoncap.c cap_safe_nice()",
        )


def _needs_privilege(trap: Trap, task: Task, policy: int, wanted: int) -> bool:
    """user_check_sched_setscheduler()."""
    if policy in REAL_TIME:
        ceiling = task.rlimits[RLIMIT_RTPRIO][0]
        if policy != task.policy and not ceiling:
            return True
        if wanted > task.rt_priority and wanted > ceiling:
            return True
    elif task.policy == SCHED_IDLE and policy != SCHED_IDLE:
        allowed = 20 - task.nice <= task.rlimits[RLIMIT_NICE][0]
        if not allowed:
            return True
    return trap.cred.euid not in (task.cred.euid, task.cred.ruid)


def _priority(value: Any) -> int:
    if isinstance(value, dict):
        value = decode.structure(value, "struct sched_param").get("sched_priority", 0)
    elif isinstance(value, (list, tuple)):
        value = next(iter(decode.numbers(value, "struct sched_param")), None)
    return decode.number(value, "sched_priority")


def _write(trap: Trap, task: Task, **changes: int) -> None:
    if task.id == trap.task.id:
        trap.update(**changes)
    else:
        trap.store.put(msgspec.structs.replace(task, **changes))
