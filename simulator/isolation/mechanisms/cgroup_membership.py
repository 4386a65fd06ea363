"""Membership in control groups, and nothing else: how much a process may take, not what it sees."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase, PlanError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.resource.layout import CPUS, NODES, TOP

ABOUT = About(
    id="cgroup-membership",
    title=N_("membership in control groups"),
    hides=frozenset({"memory", "pids", "cpu"}),
    walls=frozenset({"cgroup-pids", "cgroup-devices", "cgroup-delegation"}),
    cite="cgroups(7)",
)

_NAME_ON_2 = {
    "memory.limit_in_bytes": "memory.max",
    "memory.memsw.limit_in_bytes": "memory.swap.max",
    "memory.soft_limit_in_bytes": "memory.high",
    "cpu.shares": "cpu.weight",
    "cpu.cfs_quota_us": "cpu.max",
    "cpuset.cpus": "cpuset.cpus",
    "cpuset.mems": "cpuset.mems",
    "pids.max": "pids.max",
}
"""libcgroup ``src/abstraction-map.c``: what cgxset(1) makes of a setting of the other version."""
_ON_1 = frozenset(_NAME_ON_2)
_CONTROLLERS_2 = ("cpuset", "cpu", "io", "memory", "pids")
_SHARES, _WEIGHT = 1024, 100
"""The defaults of cpu.shares and cpu.weight, by which one is converted into the other."""


@dataclass(frozen=True, slots=True)
class CgroupMembership:
    """``settings`` are (file, value) in the words of cgset(1); ``group`` is where in each tree."""

    settings: tuple[tuple[str, str], ...] = ()
    group: str = "/{name}"

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """As cgcreate(1), cgset(1) and cgexec(1): a directory, its files, and a pid written."""
        group = self.group.format(name=plan.name)
        if "cgroup2" in plan.facts:
            self._version_2(plan, group)
        else:
            self._version_1(plan, group)
        plan.call(Phase.AFTER_CLONE, "runtime", self.about.id, "@domain", Fill("{pid}"), plan.name)

    def _version_1(self, plan: LaunchPlan, group: str) -> None:
        settings = dict(self._translated(version=1))
        if "cpuset" in plan.hierarchies:
            settings.setdefault("cpuset.cpus", CPUS)
            settings.setdefault("cpuset.mems", NODES)
        for file in settings:
            if file.partition(".")[0] not in plan.hierarchies:
                raise PlanError(
                    _("{setting}: this kernel has no such controller").format(setting=file)
                )
        for hierarchy in plan.hierarchies:
            place = f"{TOP}/{hierarchy}{group}"
            plan.call(Phase.PREPARE, "runtime", self.about.id, "mkdir", place, 0o755)
            for file, value in settings.items():
                if file.partition(".")[0] == hierarchy:
                    self._set(plan, f"{place}/{file}", value)
            self._join(plan, f"{place}/tasks")

    def _version_2(self, plan: LaunchPlan, group: str) -> None:
        handed = " ".join(f"+{name}" for name in _CONTROLLERS_2)
        self._set(plan, f"{TOP}/cgroup.subtree_control", handed)
        plan.call(Phase.PREPARE, "runtime", self.about.id, "mkdir", f"{TOP}{group}", 0o755)
        for file, value in self._translated(version=2):
            self._set(plan, f"{TOP}{group}/{file}", value)
        self._join(plan, f"{TOP}{group}/cgroup.procs")

    def _set(self, plan: LaunchPlan, path: str, value: str) -> None:
        plan.write(Phase.PREPARE, "runtime", self.about.id, path, value)

    def _join(self, plan: LaunchPlan, path: str) -> None:
        why = N_("Writing a pid into the file moves the process: there is no system call for it.")
        plan.write(Phase.AFTER_CLONE, "runtime", self.about.id, path, Fill("{pid}"), why=why)

    def _translated(self, *, version: int) -> Iterator[tuple[str, str]]:
        """The settings in the words of ``version``. ``PlanError`` for what it can't say."""
        back = {there: here for here, there in _NAME_ON_2.items()}
        for file, value in self.settings:
            if version == 2 and file in _ON_1:
                yield _NAME_ON_2[file], _value_on_2(file, value)
            elif version == 1 and file in back and file not in _ON_1:
                yield back[file], _value_on_1(file, value)
            elif version == 2 and file.startswith(("devices.", "freezer.", "net_", "blkio.")):
                raise PlanError(
                    _(
                        "{setting}: control groups of version 2 have no such file;"
                        " use an era with version 1 (cgroups@3.8)"
                    ).format(setting=file)
                )
            else:
                yield file, value


def _value_on_2(file: str, value: str) -> str:
    if file == "cpu.shares" and value.isdigit():
        return str(max(1, int(value) * _WEIGHT // _SHARES))
    if value == "-1":
        return "max"
    return value


def _value_on_1(file: str, value: str) -> str:
    if file == "cpu.weight" and value.isdigit():
        return str(int(value) * _SHARES // _WEIGHT)
    if file == "cpu.max":
        value = value.split()[0]
    return "-1" if value == "max" and file != "pids.max" else value
