"""Which files each controller brings, version 1 and version 2; each has a module of its own.

The limits and the hierarchies are kept here; what the limits do is in ``kernel/resource``.
"""

from simulator.machine.kernel.fs.cgroupfs import block, cpu, cpuset, devices, memory, network
from simulator.machine.kernel.fs.cgroupfs.freezer import FREEZER
from simulator.machine.kernel.fs.cgroupfs.memory_v2 import MEMORY_V2
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    WRITE_ONLY,
    FileSpec,
    bounded,
    setting,
)
from simulator.machine.kernel.resource.group import Cgroup, population
from simulator.machine.kernel.trap import Trap

PID_MAX_LIMIT = 4_194_304


def _pids_now(trap: Trap, group: Cgroup) -> str:
    return f"{population(trap.store, group)}\n"


def _pids_events(_trap: Trap, group: Cgroup) -> str:
    return f"max {group.events.get('pids.max', 0)}\n"


_PIDS = (
    FileSpec("pids.current", READ_ONLY, _pids_now, root=False),
    FileSpec("pids.events", READ_ONLY, _pids_events, root=False, since=(4, 7)),
    FileSpec("pids.max", READ_WRITE, setting("pids.max", "max"),
             bounded("pids.max", PID_MAX_LIMIT), root=False),
    FileSpec("pids.peak", READ_ONLY, _pids_now, root=False, since=(6, 1)),
)  # fmt: skip

_DEVICES = (
    FileSpec("devices.allow", WRITE_ONLY, None, devices.allow),
    FileSpec("devices.deny", WRITE_ONLY, None, devices.deny),
    FileSpec("devices.list", READ_ONLY, devices.listed),
)

V1: dict[str, tuple[FileSpec, ...]] = {
    "blkio": block.BLKIO,
    "cpu": cpu.CPU_V1,
    "cpuacct": cpu.CPUACCT,
    "cpuset": cpuset.CPUSET_V1,
    "devices": _DEVICES,
    "freezer": FREEZER,
    "hugetlb": memory.HUGETLB_V1,
    "memory": memory.MEMORY,
    "net_cls": network.NET_CLS,
    "net_prio": network.NET_PRIO,
    "pids": _PIDS,
}
"""By controller; perf_event, rdma and misc have no files here."""

V2: dict[str, tuple[FileSpec, ...]] = {
    "cpu": cpu.CPU_V2,
    "cpuset": cpuset.CPUSET_V2,
    "hugetlb": memory.HUGETLB_V2,
    "io": block.IO,
    "memory": MEMORY_V2,
    "pids": _PIDS,
}

EVERY_V2 = (*cpu.EVERY_CPU_V2, *cpu.PRESSURE)
"""What each group of version 2 has of its own, whatever its controllers."""


def of(version: int, present: frozenset[str]) -> tuple[FileSpec, ...]:
    """The files of the controllers that are ``present`` in a group."""
    table = V2 if version == 2 else V1
    every = EVERY_V2 if version == 2 else ()
    return every + tuple(spec for name in sorted(present) for spec in table.get(name, ()))
