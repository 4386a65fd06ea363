"""Settings of control groups as cgset(1) takes them: ``file=value``, version 1's names or 2's."""

import re

from simulator.isolation.mechanisms.cgroup_membership import CgroupMembership
from simulator.isolation.technologies.base import SpecError, Technology, put
from simulator.isolation.technologies.options.reading import unknown
from simulator.machine.abi.i18n import N_
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


_BYTES = (r"-1|max|\d+[kKmMgGtTpPeE]?", N_("a size such as 64m, -1 or max was expected"))
_RULE = (r"a|[abc] (\d+|\*):(\d+|\*) [rwm]+", N_("such as c 1:3 rwm was expected"))
_LIST = (r"\d+(-\d+)?(,\d+(-\d+)?)*", N_("a list such as 0-1,3 was expected"))
_NUMBER = (r"-?\d+", N_("a whole number was expected"))
_KINDS: tuple[tuple[str, tuple[str, str]], ...] = (
    (r".*_in_bytes|memory\.(high|low|max|min|swap\.\w+)|hugetlb\..*\.max", _BYTES),
    (r"devices\..*", _RULE),
    (r"cpuset\.(cpus|mems)", _LIST),
    (
        r"cpuset\.cpus\.partition",
        (r"member|root|isolated", N_("member, root or isolated was expected")),
    ),
    (r"freezer\.state", (r"FROZEN|THAWED", N_("FROZEN or THAWED was expected"))),
    (r"pids\.max", (r"max|\d+", N_("a number or max was expected"))),
    (r"cpu\.max", (r"(max|\d+)( \d+)?", N_("such as 50000 100000 was expected"))),
    (r".*_device|io\..*|net_prio\..*|.*event_control|memory\.reclaim", (r".*", "")),
    (r".*", _NUMBER),
)
"""What a file takes, by its name; the first that fits counts. The kernel looks closer."""


def _check(file: str, value: str) -> None:
    pattern, expected = next(kind for name, kind in _KINDS if re.fullmatch(name, file))
    if not re.fullmatch(pattern, value):
        raise SpecError(
            _("{product}: {name} {value}: {reason}").format(
                product="cgroups", name=file, value=repr(value), reason=_(expected)
            )
        )


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
        _check(file, value)
        settings.append((file, value))
    return put(technology, CgroupMembership(tuple(settings), held.group))
