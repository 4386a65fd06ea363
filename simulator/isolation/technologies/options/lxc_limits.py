"""lxc.container.conf(5): limits of control groups and processes, settings of /proc/sys."""

import re
from collections.abc import Callable
from dataclasses import replace

from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.rlimits import Rlimits
from simulator.isolation.mechanisms.sysctls import Sysctls
from simulator.isolation.technologies.base import Technology, drop, put
from simulator.isolation.technologies.options.reading import Option, OptionError, number, size
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.i18n import gettext as _

_PERIOD = 100_000


def _limit(field: str, convert: Callable[[str], int | None]) -> Option:
    def limited(technology: Technology, value: str) -> Technology:
        held = technology.get("cgroup-limits")
        limits = held if isinstance(held, CgroupLimits) else CgroupLimits()
        return put(technology, replace(limits, **{field: convert(value)}))

    return Option(limited)


def _bytes(value: str) -> int | None:
    return None if value in ("max", "-1", "") else size(value)


def _count(value: str) -> int | None:
    return None if value in ("max", "") else number(value)


def _quota(value: str) -> int | None:
    """``cpu.max`` as thousandths of a processor: ``50000 100000`` is 500."""
    quota, _space, period = value.partition(" ")
    if quota in ("max", "-1", ""):
        return None
    return number(quota) * 1000 // (number(period) if period else _PERIOD)


def _weight(value: str) -> int | None:
    """``cpu.weight`` (1 to 10000) as version 1's shares, from which it is worked out again."""
    weight = number(value)
    if not 1 <= weight <= 10_000:
        raise OptionError(_("from {low} to {high}").format(low=1, high=10_000))
    return 2 - (weight - 1) * 262142 // -9999


def _processors(technology: Technology, value: str) -> Technology:
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", value):
        raise OptionError(_("a list such as 0-1,3 was expected"))
    held = technology.get("cgroup-limits")
    limits = held if isinstance(held, CgroupLimits) else CgroupLimits()
    return put(technology, replace(limits, cpuset=value))


def _deny(technology: Technology, value: str) -> Technology:
    """``a`` begins an empty list; no value takes the list away."""
    if value == "a":
        return put(technology, DeviceList(()))
    if not value:
        return drop(technology, "device-list")
    held = technology.get("device-list")
    rules = held.rules if isinstance(held, DeviceList) else ()
    return put(technology, DeviceList(tuple(rule for rule in rules if rule != value)))


def _allow(technology: Technology, value: str) -> Technology:
    if not value:
        return technology
    if not re.fullmatch(r"a|[bc] (\d+|\*):(\d+|\*) [rwm]+", value):
        raise OptionError(_("such as c 1:3 rwm was expected"))
    held = technology.get("device-list")
    if not isinstance(held, DeviceList) or value in held.rules:
        return technology
    if value == "a":
        return drop(technology, "device-list")
    return put(technology, DeviceList((*held.rules, value)))


def _rlimit(technology: Technology, value: str) -> Technology:
    """``lxc.prlimit.nofile = 1024:2048``."""
    match = re.fullmatch(r"(\w+)=(\d+|unlimited)(?::(\d+|unlimited))?", value)
    resource = BY_NAME.get(f"RLIMIT_{match[1].upper()}") if match else None
    if match is None or not isinstance(resource, int):
        raise OptionError(_("such as nofile=1024:2048 was expected"))
    soft, hard = (
        -1 if one == "unlimited" else int(one) for one in (match[2], match[3] or match[2])
    )
    held = technology.get("rlimits")
    limits = held.limits if isinstance(held, Rlimits) else ()
    return put(technology, Rlimits((*limits, (resource, soft, hard))))


def _sysctl(technology: Technology, value: str) -> Technology:
    name, _equals, setting = value.partition("=")
    held = technology.get("sysctls")
    settings = held.settings if isinstance(held, Sysctls) else ()
    return put(technology, Sysctls((*settings, (name, setting))))


TABLE: dict[str, Option] = {
    "lxc.cgroup.memory.limit_in_bytes": _limit("memory", _bytes),
    "lxc.cgroup2.memory.max": _limit("memory", _bytes),
    "lxc.cgroup.pids.max": _limit("pids", _count),
    "lxc.cgroup2.pids.max": _limit("pids", _count),
    "lxc.cgroup.cpu.cfs_quota_us": _limit("cpus", _quota),
    "lxc.cgroup2.cpu.max": _limit("cpus", _quota),
    "lxc.cgroup.cpu.shares": _limit("shares", _count),
    "lxc.cgroup2.cpu.weight": _limit("shares", _weight),
    "lxc.cgroup.cpuset.cpus": Option(_processors),
    "lxc.cgroup2.cpuset.cpus": Option(_processors),
    "lxc.cgroup.devices.deny": Option(_deny),
    "lxc.cgroup.devices.allow": Option(_allow),
    "lxc.cgroup2.devices.deny": Option(_deny),
    "lxc.cgroup2.devices.allow": Option(_allow),
    "lxc.prlimit": Option(_rlimit),
    "lxc.sysctl": Option(_sysctl),
}
"""A key of version 1 and its twin of version 2 mean the same limit: the machine has one of them."""
