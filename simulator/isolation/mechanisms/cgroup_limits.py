"""A control group: how much the sandbox may take, not what it may see."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.resource.layout import CPUS, NODES

_CPU_PERIOD = 100_000


def group_path(plan: LaunchPlan) -> str:
    """The sandbox's group below the root of each hierarchy."""
    limits = plan.mechanisms.get("cgroup-limits")
    group = limits.group if isinstance(limits, CgroupLimits) else CgroupLimits().group
    return group.format(name=plan.name)


def _above(plan: LaunchPlan) -> list[str]:
    """The groups on the way to the sandbox's own, the topmost first."""
    names = group_path(plan).strip("/").split("/")[:-1]
    return ["/" + "/".join(names[:count]) for count in range(1, len(names) + 1)]


ABOUT = About(
    id="cgroup-limits",
    title=N_("control group"),
    hides=frozenset({"memory", "pids", "cpu"}),
    walls=frozenset({"cgroup-pids", "cgroup-delegation"}),
    real="--memory 0 --pids-limit -1",
    cite="cgroups(7)",
)


@dataclass(frozen=True, slots=True)
class CgroupLimits:
    """``memory`` in bytes, ``pids`` a count, ``cpus`` in thousandths of one; None: no limit.

    ``group`` is where in each hierarchy; here as Docker's cgroupfs driver has it.
    """

    memory: int | None = None
    pids: int | None = None
    cpus: int | None = None
    group: str = "/docker/{name}"

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Make the group, set its limits, move the child in."""
        if "cgroup2" in plan.facts:
            self._version_2(plan)
        else:
            self._version_1(plan)

    def _version_2(self, plan: LaunchPlan) -> None:
        group = f"/sys/fs/cgroup{group_path(plan)}"
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        root = "/sys/fs/cgroup/cgroup.subtree_control"
        plan.write(Phase.PREPARE, "runtime", self.about.id, root, "+cpu +memory +pids")
        for above in _above(plan):
            prepare("mkdir", f"/sys/fs/cgroup{above}", 0o755, tolerates=("EEXIST",))
            handed = f"/sys/fs/cgroup{above}/cgroup.subtree_control"
            plan.write(Phase.PREPARE, "runtime", self.about.id, handed, "+cpu +memory +pids")
        prepare("mkdir", group, 0o755)
        for name, text in (
            ("memory.max", self.memory),
            ("memory.swap.max", self.memory),
            ("pids.max", self.pids),
            ("cpu.max", f"{self.cpus * _CPU_PERIOD // 1000} {_CPU_PERIOD}" if self.cpus else None),
        ):
            if text is not None:
                path = f"{group}/{name}"
                plan.write(Phase.PREPARE, "runtime", self.about.id, path, str(text))
        self._join(plan, f"{group}/cgroup.procs")
        self._own(plan)

    def _version_1(self, plan: LaunchPlan) -> None:
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        settings = (
            ("memory", "memory.limit_in_bytes", self.memory),
            ("pids", "pids.max", self.pids),
            ("cpu", "cpu.cfs_quota_us", self.cpus and self.cpus * _CPU_PERIOD // 1000),
        )
        for controller in plan.hierarchies:
            group = f"/sys/fs/cgroup/{controller}{group_path(plan)}"
            for above in _above(plan):
                path = f"/sys/fs/cgroup/{controller}{above}"
                prepare("mkdir", path, 0o755, tolerates=("EEXIST",))
                self._place(plan, controller, path)
            prepare("mkdir", group, 0o755)
            self._place(plan, controller, group)
            for owner, name, value in settings:
                if owner == controller and value is not None:
                    path = f"{group}/{name}"
                    plan.write(Phase.PREPARE, "runtime", self.about.id, path, str(value))
            self._join(plan, f"{group}/cgroup.procs")
        self._own(plan)

    def _place(self, plan: LaunchPlan, controller: str, group: str) -> None:
        """A group without processors takes no task: runc copies those of the group above."""
        if controller == "cpuset":
            for name, value in (("cpuset.cpus", CPUS), ("cpuset.mems", NODES)):
                plan.write(Phase.PREPARE, "runtime", self.about.id, f"{group}/{name}", value)

    def _own(self, plan: LaunchPlan) -> None:
        """The group was made for the sandbox: it is the sandbox's from here on."""
        plan.call(Phase.AFTER_CLONE, "runtime", self.about.id, "@domain", Fill("{pid}"), plan.name)

    def _join(self, plan: LaunchPlan, path: str) -> None:
        plan.write(Phase.AFTER_CLONE, "runtime", self.about.id, path, Fill("{pid}"))
