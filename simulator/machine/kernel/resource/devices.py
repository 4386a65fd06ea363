"""Which devices a group may use: the version 1 list and the version 2 programs.

Source: security/device_cgroup.c; Documentation/admin-guide/cgroup-v1/devices.rst.
"""

from simulator.machine.abi.constants import S_IFBLK, S_IFMT
from simulator.machine.kernel.resource.group import (
    UNIFIED,
    Cgroup,
    DeviceList,
    DeviceRule,
    Hierarchy,
    group_of,
    upward,
)
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World

ALL = "rwm"


def device_allowed(world: World, task: Task, kind: int, rdev: int, access: str) -> bool:
    """Whether the task's groups let it use a device.

    ``kind`` is S_IFBLK or S_IFCHR, ``rdev`` the device number, ``access`` letters of ``rwm``
    (``m`` is mknod(2)). The refusal is EPERM.
    """
    wanted = DeviceRule("b" if kind & S_IFMT == S_IFBLK else "c", major(rdev), minor(rdev), access)
    for tree in world.all(Hierarchy):
        group = group_of(world, task, tree.id)
        if group is None:
            continue
        if "devices" in tree.controllers and not permits(group.devices, wanted):
            return False
        if tree.id == UNIFIED and not _programs_permit(world, group, wanted):
            return False
    return True


def major(rdev: int) -> int:
    """makedev(3)'s inverse."""
    return rdev >> 8 & 0xFFF | rdev >> 32 & ~0xFFF


def minor(rdev: int) -> int:
    """makedev(3)'s inverse."""
    return rdev & 0xFF | rdev >> 12 & ~0xFF & 0xFFFFFFFF


def permits(devices: DeviceList, wanted: DeviceRule) -> bool:
    """Whether a list allows ``wanted`` (devcgroup_legacy_check_permission())."""
    if devices.allow:
        return not any(overlaps(rule, wanted) for rule in devices.rules)
    return any(covers(rule, wanted) for rule in devices.rules)


def covers(rule: DeviceRule, wanted: DeviceRule) -> bool:
    """Whether ``rule`` names all of ``wanted`` (match_exception())."""
    return (
        rule.kind in ("a", wanted.kind)
        and (rule.major is None or rule.major == wanted.major)
        and (rule.minor is None or rule.minor == wanted.minor)
        and set(wanted.access) <= set(rule.access)
    )


def overlaps(rule: DeviceRule, wanted: DeviceRule) -> bool:
    """Whether ``rule`` names any of ``wanted`` (match_exception_partial())."""
    return (
        (rule.kind == wanted.kind or "a" in (rule.kind, wanted.kind))
        and (rule.major is None or wanted.major is None or rule.major == wanted.major)
        and (rule.minor is None or wanted.minor is None or rule.minor == wanted.minor)
        and bool(set(rule.access) & set(wanted.access))
    )


def _programs_permit(world: World, group: Cgroup, wanted: DeviceRule) -> bool:
    return all(
        permits(program, wanted) for above in upward(world, group) for program in above.programs
    )
