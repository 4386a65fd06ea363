"""What a group has had of processors and disks, as its files tell it.

Source: kernel/sched/core.c (cpu_cfs_stat_show, cpu_extra_stat_show), kernel/sched/cpuacct.c,
kernel/cgroup/rstat.c (cgroup_base_stat_cputime_show), block/blk-cgroup.c (blkcg_print_one_stat).
"""

from simulator.machine.kernel.fs.cgroupfs.spec import Read, zeroed
from simulator.machine.kernel.resource import demand, processors
from simulator.machine.kernel.resource.demand import Account
from simulator.machine.kernel.resource.group import Cgroup
from simulator.machine.kernel.resource.processors import Disk
from simulator.machine.kernel.trap import Trap

_TICK = 10_000_000
"""Nanoseconds in one of the ticks that cpuacct.stat counts (USER_HZ)."""


def _of(trap: Trap, group: Cgroup) -> Account:
    return demand.account(trap.store, ("cgroup", group.id))


def _bandwidth(trap: Trap, group: Cgroup) -> demand.Bandwidth:
    return demand.bandwidth(trap.store, ("cgroup", group.id))


def cpu_stat_v1(trap: Trap, group: Cgroup) -> str:
    """cpu.stat of version 1: how often the quota ran out, and for how many nanoseconds."""
    at = _bandwidth(trap, group)
    return (
        f"nr_periods {at.periods}\nnr_throttled {at.throttled}\nthrottled_time {at.waited}\n"
        "nr_bursts 0\nburst_time 0\n"
    )


def cpu_stat_local(trap: Trap, group: Cgroup) -> str:
    """cpu.stat.local of version 1."""
    return f"throttled_time {_bandwidth(trap, group).waited}\n"


def cpu_stat_v2(trap: Trap, group: Cgroup) -> str:
    """cpu.stat of version 2, in microseconds; with the controller, how often the quota ran out."""
    had, at = _of(trap, group), _bandwidth(trap, group)
    text = (
        f"usage_usec {had.ran // 1000}\nuser_usec {had.user // 1000}\n"
        f"system_usec {had.system // 1000}\nnice_usec 0\n"
    )
    if group.parent is None or "cpu" not in trap.store.row(Cgroup, group.parent).subtree:
        return text
    return (
        f"{text}nr_periods {at.periods}\nnr_throttled {at.throttled}\n"
        f"throttled_usec {at.waited // 1000}\nnr_bursts 0\nburst_usec 0\n"
    )


def cpu_local_v2(trap: Trap, group: Cgroup) -> str:
    """cpu.stat.local of version 2: only where the controller is."""
    if group.parent is None or "cpu" not in trap.store.row(Cgroup, group.parent).subtree:
        return ""
    return f"throttled_usec {_bandwidth(trap, group).waited // 1000}\n"


def cpuacct_stat(trap: Trap, group: Cgroup) -> str:
    """cpuacct.stat, in ticks of a hundredth of a second."""
    had = _of(trap, group)
    return f"user {had.user // _TICK}\nsystem {had.system // _TICK}\n"


def usage(what: str) -> Read:
    """cpuacct.usage and its kin, in nanoseconds; ``what`` is ``user``, ``system`` or ``ran``."""
    return lambda trap, group: f"{getattr(_of(trap, group), what)}\n"


def per_cpu(what: str) -> Read:
    """The same by processor. The model's scheduler keeps all of them equally busy."""

    def read(trap: Trap, group: Cgroup) -> str:
        count = processors.count(trap.store)
        each = getattr(_of(trap, group), what) // count
        return "".join(f"{each} " for _ in range(count)) + "\n"

    return read


def usage_all(trap: Trap, group: Cgroup) -> str:
    """cpuacct.usage_all: user and system by processor."""
    had, count = _of(trap, group), processors.count(trap.store)
    lines = [f"{n} {had.user // count} {had.system // count}\n" for n in range(count)]
    return "cpu user system\n" + "".join(lines)


def reset(trap: Trap, group: Cgroup, text: str) -> None:
    """cpuacct.usage takes a 0, and counts from there. EINVAL."""
    zeroed(trap, group, text)
    if trap.store.get(Account, ("cgroup", group.id)) is not None:
        trap.store.put(Account(id=("cgroup", group.id)))


def _disks(trap: Trap) -> list[str]:
    return [f"{disk.id >> 8}:{disk.id & 0xFF}" for disk in trap.store.all(Disk)]


def io_stat(trap: Trap, group: Cgroup) -> str:
    """io.stat: bytes and requests. What went to several disks is told of the first."""
    had, names = _of(trap, group), _disks(trap)
    if not names or not had.reads + had.writes:
        return ""
    return (
        f"{names[0]} rbytes={had.read} wbytes={had.written} rios={had.reads} wios={had.writes} "
        "dbytes=0 dios=0\n"
    )


def io_service(*what: str) -> Read:
    """blkio.throttle.io_service_bytes or io_serviced; ``what`` are the fields for Read, Write."""

    def read(trap: Trap, group: Cgroup) -> str:
        had, names = _of(trap, group), _disks(trap)
        read_, written = (getattr(had, field) for field in what)
        total = read_ + written
        if not names or not total:
            return "Total 0\n"
        rows = (("Read", read_), ("Write", written), ("Sync", total), ("Async", 0))
        lines = [f"{names[0]} {name} {value}\n" for name, value in (*rows, ("Discard", 0))]
        return "".join(lines) + f"{names[0]} Total {total}\nTotal {total}\n"

    return read
