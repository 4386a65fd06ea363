"""Processor time: cpu, cpuacct and the pressure that tasks feel. kernel/sched/core.c, cpuacct.c

The values are kept here; what they do to whoever runs is the scheduler's business.
"""

from simulator.machine.kernel.fs.cgroupfs import counted
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    FileSpec,
    fixed,
    integer,
    invalid,
    out_of_range,
    setting,
    whole,
)
from simulator.machine.kernel.resource.group import Cgroup, put_setting
from simulator.machine.kernel.trap import Trap

_LEAST_QUOTA = 1000
_MOST_PERIOD = 1_000_000
_NICE_0 = 1024
_MOST_RUNTIME = 950_000


def _set_quota(trap: Trap, group: Cgroup, text: str) -> None:
    """cpu.cfs_quota_us: any negative number is no limit. EINVAL."""
    value = integer(trap, text)
    if 0 <= value < _LEAST_QUOTA:
        invalid(trap)
    put_setting(trap.store, group, "cpu.cfs_quota_us", str(max(value, -1)))


def _set_burst(trap: Trap, group: Cgroup, text: str) -> None:
    """cpu.cfs_burst_us: no more than the quota. EINVAL."""
    value = integer(trap, text)
    quota = int(group.settings.get("cpu.cfs_quota_us", "-1"))
    if value < 0 or (quota >= 0 and value > quota):
        invalid(trap)
    put_setting(trap.store, group, "cpu.cfs_burst_us", str(value))


def _set_runtime(trap: Trap, group: Cgroup, text: str) -> None:
    """cpu.rt_runtime_us: what the group above can spare. EINVAL (__rt_schedulable())."""
    value = integer(trap, text)
    above = trap.store.row(Cgroup, group.parent) if group.parent is not None else None
    spare = int(above.settings.get("cpu.rt_runtime_us", "0")) if above is not None else 0
    room = spare if above is not None and above.parent is not None else _MOST_RUNTIME
    if value < 0 or value > room or (above is not None and not spare and value):
        invalid(trap)
    put_setting(trap.store, group, "cpu.rt_runtime_us", str(value))


def _runtime(_trap: Trap, group: Cgroup) -> str:
    default = str(_MOST_RUNTIME) if group.parent is None else "0"
    return f"{group.settings.get('cpu.rt_runtime_us', default)}\n"


def _set_max(trap: Trap, group: Cgroup, text: str) -> None:
    """cpu.max: ``QUOTA|max [PERIOD]`` in microseconds. EINVAL."""
    words = text.split()
    if not 1 <= len(words) <= 2:
        invalid(trap)
    old = group.settings.get("cpu.max", "max 100000").split()[1]
    period = integer(trap, words[1]) if len(words) == 2 else int(old)
    quota = words[0] if words[0] == "max" else str(integer(trap, words[0]))
    if not _LEAST_QUOTA <= period <= _MOST_PERIOD or (quota != "max" and int(quota) < _LEAST_QUOTA):
        invalid(trap)
    put_setting(trap.store, group, "cpu.max", f"{quota} {period}")


def _set_nice(trap: Trap, group: Cgroup, text: str) -> None:
    """cpu.weight.nice: -20 to 19, another way to say cpu.weight. ERANGE."""
    value = integer(trap, text)
    if not -20 <= value <= 19:
        out_of_range(trap)
    weight = max(1, round(_NICE_0 * 1.25**-value * 100 / _NICE_0))
    group = put_setting(trap.store, group, "cpu.weight", str(weight))
    put_setting(trap.store, group, "cpu.weight.nice", str(value))


CPU_V1 = (
    FileSpec("cpu.cfs_burst_us", READ_WRITE, setting("cpu.cfs_burst_us", "0"), _set_burst,
             since=(5, 14)),
    FileSpec("cpu.cfs_period_us", READ_WRITE, setting("cpu.cfs_period_us", "100000"),
             whole("cpu.cfs_period_us", _LEAST_QUOTA, _MOST_PERIOD, errno_range=False),
             since=(3, 2)),
    FileSpec("cpu.cfs_quota_us", READ_WRITE, setting("cpu.cfs_quota_us", "-1"), _set_quota,
             since=(3, 2)),
    FileSpec("cpu.idle", READ_WRITE, setting("cpu.idle", "0"),
             whole("cpu.idle", 0, 1, errno_range=False), since=(5, 15)),
    FileSpec("cpu.rt_period_us", READ_WRITE, setting("cpu.rt_period_us", "1000000"),
             whole("cpu.rt_period_us", 1, (1 << 32) - 1, errno_range=False), since=(2, 6, 25)),
    FileSpec("cpu.rt_runtime_us", READ_WRITE, _runtime, _set_runtime, since=(2, 6, 25)),
    FileSpec("cpu.shares", READ_WRITE, setting("cpu.shares", "1024"),
             whole("cpu.shares", 2, 262_144, clamp=True)),
    FileSpec("cpu.stat", READ_ONLY, counted.cpu_stat_v1, since=(3, 2)),
    FileSpec("cpu.stat.local", READ_ONLY, counted.cpu_stat_local, since=(6, 7)),
)  # fmt: skip

CPUACCT = (
    FileSpec("cpuacct.stat", READ_ONLY, counted.cpuacct_stat, since=(2, 6, 30)),
    FileSpec("cpuacct.usage", READ_WRITE, counted.usage("ran"), counted.reset),
    FileSpec("cpuacct.usage_all", READ_ONLY, counted.usage_all, since=(4, 8)),
    FileSpec("cpuacct.usage_percpu", READ_ONLY, counted.per_cpu("ran"), since=(2, 6, 31)),
    FileSpec("cpuacct.usage_percpu_sys", READ_ONLY, counted.per_cpu("system"), since=(4, 7)),
    FileSpec("cpuacct.usage_percpu_user", READ_ONLY, counted.per_cpu("user"), since=(4, 7)),
    FileSpec("cpuacct.usage_sys", READ_ONLY, counted.usage("system"), since=(4, 7)),
    FileSpec("cpuacct.usage_user", READ_ONLY, counted.usage("user"), since=(4, 7)),
)  # fmt: skip

CPU_V2 = (
    FileSpec("cpu.idle", READ_WRITE, setting("cpu.idle", "0"),
             whole("cpu.idle", 0, 1, errno_range=False), root=False, since=(5, 15)),
    FileSpec("cpu.max", READ_WRITE, setting("cpu.max", "max 100000"), _set_max, root=False),
    FileSpec("cpu.max.burst", READ_WRITE, setting("cpu.max.burst", "0"),
             whole("cpu.max.burst", 0, 1 << 53, errno_range=False), root=False, since=(5, 14)),
    FileSpec("cpu.weight", READ_WRITE, setting("cpu.weight", "100"),
             whole("cpu.weight", 1, 10_000), root=False),
    FileSpec("cpu.weight.nice", READ_WRITE, setting("cpu.weight.nice", "0"), _set_nice,
             root=False),
)  # fmt: skip

_NO_PRESSURE = (
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
)


def _watch(trap: Trap, _group: Cgroup, text: str) -> None:
    """A trigger: ``some STALL WINDOW`` in microseconds. EINVAL (psi_trigger_create())."""
    words = text.split()
    if len(words) != 3 or words[0] not in ("some", "full"):
        invalid(trap)
    stall, window = integer(trap, words[1]), integer(trap, words[2])
    # Without CAP_SYS_RESOURCE a window is a multiple of two seconds, since Linux 6.5.
    if not 0 < stall <= window or not 500_000 <= window <= 10_000_000:
        invalid(trap)


PRESSURE = tuple(
    FileSpec(f"{name}.pressure", READ_WRITE, fixed(_NO_PRESSURE), _watch, since=(4, 20))
    for name in ("cpu", "io", "memory")
)
"""Pressure stall information, which every group of version 2 has, whatever its controllers."""

EVERY_CPU_V2 = (
    FileSpec("cpu.stat", READ_ONLY, counted.cpu_stat_v2),
    FileSpec("cpu.stat.local", READ_ONLY, counted.cpu_local_v2, since=(6, 7)),
)  # fmt: skip
"""Every group of version 2 counts processor time, without the controller too."""
