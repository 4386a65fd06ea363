"""Settings of control groups as cgset(1) takes them: ``file=value``, version 1's names or 2's."""

from simulator.isolation.mechanisms.cgroup_membership import CgroupMembership
from simulator.isolation.technologies.base import SpecError, Technology, put
from simulator.isolation.technologies.options.reading import unknown
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.fs.cgroupfs.controllers import V1, V2

FILES: dict[str, str] = {
    spec.name: spec.name
    for table in (V1, V2)
    for controller in sorted(table)
    for spec in table[controller]
    if spec.write is not None and spec.child
}
"""Every file of a group that can be written."""


def read(technology: Technology, words: list[str]) -> Technology:
    """The group with its limits; ``-r`` before a setting is cgset(1)'s own and may stay."""
    held = technology.get("cgroup-membership")
    assert isinstance(held, CgroupMembership)
    settings = list(held.settings)
    for word in (one for one in words if one != "-r"):
        file, found, value = word.partition("=")
        if file not in FILES:
            raise SpecError(unknown("cgroups", file, FILES))
        if not found or not value:
            raise SpecError(
                _("{product}: {name} needs a value").format(product="cgroups", name=file)
            )
        settings.append((file, value))
    return put(technology, CgroupMembership(tuple(settings), held.group))
