"""What a process may use: getrlimit(2), setrlimit(2), prlimit(2), getrusage(2)."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.constants import RLIM_INFINITY, RLIMIT_NOFILE
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock, pids, sysctl
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.resource.demand import spent
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux, posix

RLIM_NLIMITS = 16
TICK = 10_000_000
"""Nanoseconds in a clock tick of times(2) (USER_HZ is 100)."""
RUSAGE = (-1, 0, 1)
"""RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD."""


@posix("getrlimit")
def getrlimit(trap: Trap, resource: int) -> Result:
    """getrlimit(2): EINVAL. The data is (soft, hard)."""
    _need_resource(trap, resource)
    return Returned(0, trap.task.rlimits[resource])


@posix("setrlimit")
def setrlimit(trap: Trap, resource: int, limit: Any = None) -> int:
    """setrlimit(2): EFAULT EINVAL EPERM."""
    if limit is None:
        trap.fail(Errno.EFAULT, "", "setrlimit(2)")
    _need_resource(trap, resource)
    _set(trap, trap.task, resource, _pair(limit))
    return 0


@linux("prlimit64", since=(2, 6, 36))
def prlimit64(trap: Trap, pid: int, resource: int, limit: Any = None) -> Result:
    """prlimit(2): EINVAL EPERM ESRCH. The data is the limit before."""
    task = trap.task if pid == 0 else pids.need(trap, pid)
    if task.id != trap.task.id:
        _need_same_owner(trap, task)
    _need_resource(trap, resource)
    if task.id != trap.task.id:
        operation = "read" if limit is None else "write"
        trap.touch("process", task.domain, operation, pids.label(task))
    old = task.rlimits[resource]
    if limit is not None:
        _set(trap, task, resource, _pair(limit))
    return Returned(0, old)


@posix("getrusage")
def getrusage(trap: Trap, who: int) -> Result:
    """getrusage(2): EINVAL. Times are (seconds, microseconds)."""
    if who not in RUSAGE:
        trap.fail(Errno.EINVAL, "", "getrusage(2)")
    had = spent(trap.store, trap.task.id)
    mine = (had.user, had.system) if who >= 0 else (had.children_user, had.children_system)
    user, system = (divmod(value // 1000, 1_000_000) for value in mine)
    return Returned(0, {"utime": user, "stime": system})


@posix("times")
def times(trap: Trap) -> Result:
    """times(2): ticks of a hundredth of a second; the value counts from some time before boot."""
    had = spent(trap.store, trap.task.id)
    fields = {
        "utime": had.user,
        "stime": had.system,
        "cutime": had.children_user,
        "cstime": had.children_system,
    }
    data: dict[str, Data] = {name: value // TICK for name, value in fields.items()}
    return Returned(clock.monotonic(trap.store) // TICK, data)


def _need_resource(trap: Trap, resource: int) -> None:
    if not 0 <= resource < RLIM_NLIMITS:
        trap.fail(Errno.EINVAL, N_("There is no limit with this number."), "getrlimit(2)")


def _set(trap: Trap, task: Task, resource: int, limit: tuple[int, int]) -> None:
    soft, hard = limit
    if soft > hard:
        trap.fail(Errno.EINVAL, N_("The soft limit is above the hard one."), "setrlimit(2)")
    if resource == RLIMIT_NOFILE and hard > sysctl.number(trap.store, trap.family, "fs.nr_open"):
        trap.fail(Errno.EPERM, N_("Above fs.nr_open, for anybody."), "setrlimit(2)")
    if hard > task.rlimits[resource][1]:
        trap.need(Privilege.RESOURCE_RAISE)
        trap.authority("machine", f"limit {resource}")
    limits = dict(task.rlimits)
    limits[resource] = limit
    if task.id == trap.task.id:
        trap.update(rlimits=limits)
    else:
        trap.store.put(msgspec.structs.replace(task, rlimits=limits))


def _need_same_owner(trap: Trap, task: Task) -> None:
    """check_prlimit_permission(): all ids alike, or CAP_SYS_RESOURCE over the target."""
    mine: Credentials = trap.cred
    theirs = task.cred
    same = {theirs.ruid, theirs.euid, theirs.suid} == {mine.ruid} and {
        theirs.rgid,
        theirs.egid,
        theirs.sgid,
    } == {mine.rgid}
    if not same:
        trap.need(Privilege.RESOURCE_RAISE, theirs.user_ns)


def _pair(limit: Any) -> tuple[int, int]:
    pair = decode.numbers(limit, "a limit")
    if len(pair) != 2:
        raise NotModelled("a limit is written as (soft, hard)")
    return pair[0] & RLIM_INFINITY, pair[1] & RLIM_INFINITY
