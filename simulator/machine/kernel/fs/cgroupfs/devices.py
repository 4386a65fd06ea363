"""devices.allow, devices.deny and devices.list of version 1. ``security/device_cgroup.c``."""

import re

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs.cgroupfs.spec import invalid
from simulator.machine.kernel.resource.devices import covers, overlaps
from simulator.machine.kernel.resource.group import (
    CHILDREN,
    Cgroup,
    DeviceList,
    DeviceRule,
    downward,
)
from simulator.machine.kernel.trap import Trap

_RULE = re.compile(r"([bc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})")


def listed(_trap: Trap, group: Cgroup) -> str:
    """The exceptions, or ``a *:* rwm`` where everything is allowed by default."""
    if group.devices.allow:
        return "a *:* rwm\n"
    return "".join(f"{_spell(rule)}\n" for rule in group.devices.rules)


def allow(trap: Trap, group: Cgroup, text: str) -> None:
    """Allow a device, or ``a`` for all. EPERM, EINVAL."""
    trap.need(Privilege.MOUNT)
    above = trap.store.row(Cgroup, group.parent) if group.parent is not None else None
    if text[:1] == "a":
        _need_no_children(trap, group)
        if above is not None and not above.devices.allow:
            _beyond_parent(trap)
        rules = above.devices.rules if above is not None else ()
        _put(trap, group, DeviceList(True, rules))
        return
    rule = _parse(trap, text)
    if group.devices.allow:
        if above is not None and not _parent_allows_removal(above, rule):
            _beyond_parent(trap)
        _put(trap, group, DeviceList(True, _removed(group.devices.rules, rule)))
        return
    if above is not None and not _parent_has(above, rule):
        _beyond_parent(trap)
    _put(trap, group, DeviceList(False, _added(group.devices.rules, rule)))


def deny(trap: Trap, group: Cgroup, text: str) -> None:
    """Deny a device, or ``a`` for all; what is below loses it too. EPERM, EINVAL."""
    trap.need(Privilege.MOUNT)
    if text[:1] == "a":
        _need_no_children(trap, group)
        _put(trap, group, DeviceList(False))
        return
    rule = _parse(trap, text)
    for below in tuple(downward(trap.store, group)):
        edit = _added if below.devices.allow else _removed
        _put(trap, below, DeviceList(below.devices.allow, edit(below.devices.rules, rule)))


def _parse(trap: Trap, text: str) -> DeviceRule:
    match = _RULE.match(text)
    if match is None:
        invalid(trap)
    kind, major, minor, access = match.groups()
    numbers = [None if part == "*" else int(part) for part in (major, minor)]
    return DeviceRule(kind, numbers[0], numbers[1], _letters(access))


def _letters(access: str) -> str:
    return "".join(letter for letter in "rwm" if letter in access)


def _spell(rule: DeviceRule) -> str:
    major = "*" if rule.major is None else rule.major
    minor = "*" if rule.minor is None else rule.minor
    return f"{rule.kind} {major}:{minor} {rule.access}"


def _same(one: DeviceRule, other: DeviceRule) -> bool:
    return (one.kind, one.major, one.minor) == (other.kind, other.major, other.minor)


def _added(rules: tuple[DeviceRule, ...], new: DeviceRule) -> tuple[DeviceRule, ...]:
    if not any(_same(rule, new) for rule in rules):
        return (*rules, new)
    return tuple(
        msgspec.structs.replace(rule, access=_letters(rule.access + new.access))
        if _same(rule, new)
        else rule
        for rule in rules
    )


def _removed(rules: tuple[DeviceRule, ...], gone: DeviceRule) -> tuple[DeviceRule, ...]:
    left: list[DeviceRule] = []
    for rule in rules:
        if _same(rule, gone):
            access = "".join(letter for letter in rule.access if letter not in gone.access)
            if access:
                left.append(msgspec.structs.replace(rule, access=access))
        else:
            left.append(rule)
    return tuple(left)


def _parent_has(above: Cgroup, rule: DeviceRule) -> bool:
    """verify_new_ex() for a child that denies by default."""
    if above.devices.allow:
        return not any(overlaps(have, rule) for have in above.devices.rules)
    return any(covers(have, rule) for have in above.devices.rules)


def _parent_allows_removal(above: Cgroup, rule: DeviceRule) -> bool:
    """parent_allows_removal(): an exception that the parent has too stays."""
    return not above.devices.allow or not any(overlaps(have, rule) for have in above.devices.rules)


def _need_no_children(trap: Trap, group: Cgroup) -> None:
    if trap.store.by(CHILDREN, group.id):
        trap.fail(Errno.EINVAL, N_("The group has groups below it."), "cgroups(7)")


def _beyond_parent(trap: Trap) -> None:
    trap.deny(
        Errno.EPERM,
        "cgroup-devices",
        N_("A control group cannot allow a device that the one above it denies."),
        "cgroups(7)",
    )


def _put(trap: Trap, group: Cgroup, devices: DeviceList) -> None:
    trap.store.put(msgspec.structs.replace(group, devices=devices))
