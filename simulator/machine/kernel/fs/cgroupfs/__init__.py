"""cgroup and cgroup2: control groups as directories, their settings as files. cgroups(7)."""

from simulator.machine.kernel.fs.cgroupfs.mounting import CGROUP, CGROUP2
from simulator.machine.kernel.fs.cgroupfs.virtual import TAG

__all__ = ("CGROUP", "CGROUP2", "TAG")
