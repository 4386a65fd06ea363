"""A control group: how much the sandbox may take, not what it may see."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.resource.layout import CPUS, NODES, TOP

_CPU_PERIOD = 100_000
_HANDED_DOWN = "+cpuset +cpu +io +memory +pids"
_V2_WORD = {"read_bps": "rbps", "write_bps": "wbps", "read_iops": "riops", "write_iops": "wiops"}


def group_path(plan: LaunchPlan) -> str:
    """The sandbox's group below the root of each hierarchy."""
    limits = plan.mechanisms.get("cgroup-limits")
    group = limits.group if isinstance(limits, CgroupLimits) else CgroupLimits().group
    return group.format(name=plan.name)


def place_of(plan: LaunchPlan, controller: str, group: str = "") -> str:
    """The sandbox's ``group``, by default its own, in version 1's hierarchy of ``controller``."""
    limits = plan.mechanisms.get("cgroup-limits")
    own = plan.has("own-hierarchies")
    top = limits.top if own and isinstance(limits, CgroupLimits) else TOP
    return f"{top}/{controller}{group or group_path(plan)}"


def _above(plan: LaunchPlan) -> list[str]:
    """The groups on the way to the sandbox's own, the topmost first."""
    names = group_path(plan).strip("/").split("/")[:-1]
    return ["/" + "/".join(names[:count]) for count in range(1, len(names) + 1)]


ABOUT = About(
    id="cgroup-limits",
    title=N_("control group"),
    hides=frozenset({"memory", "pids", "cpu", "io"}),
    walls=frozenset({"cgroup-pids", "cgroup-delegation"}),
    real="--memory 0 --pids-limit -1",
    cite="cgroups(7)",
)


@dataclass(frozen=True, slots=True)
class CgroupLimits:
    """``memory`` in bytes, ``pids`` a count, ``cpus`` in thousandths of one; None: no limit.

    ``both`` bounds memory and swap together in bytes (-1: no limit), ``reserved`` is what is left
    alone while others have less need. ``quota`` and ``period`` are microseconds; ``shares`` and
    ``blkio_weight`` are version 1's numbers, ``cpuset`` a list of processors. ``throttles`` are
    (``read_bps`` ..., ``MAJOR:MINOR``, value). ``group`` is where in each hierarchy; here as
    Docker's cgroupfs driver has it.
    """

    memory: int | None = None
    pids: int | None = None
    cpus: int | None = None
    both: int | None = None
    reserved: int | None = None
    swappiness: int | None = None
    oom_kill: bool = True
    shares: int | None = None
    quota: int | None = None
    period: int | None = None
    cpuset: str = ""
    blkio_weight: int | None = None
    throttles: tuple[tuple[str, str, int], ...] = ()
    group: str = "/docker/{name}"
    top: str = TOP
    controllers: tuple[str, ...] | None = None

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
        plan.write(Phase.PREPARE, "runtime", self.about.id, root, _HANDED_DOWN)
        for above in _above(plan):
            prepare("mkdir", f"/sys/fs/cgroup{above}", 0o755, tolerates=("EEXIST",))
            handed = f"/sys/fs/cgroup{above}/cgroup.subtree_control"
            plan.write(Phase.PREPARE, "runtime", self.about.id, handed, _HANDED_DOWN)
        prepare("mkdir", group, 0o755)
        for name, text in self._settings_2():
            plan.write(Phase.PREPARE, "runtime", self.about.id, f"{group}/{name}", text)
        self._join(plan, f"{group}/cgroup.procs")
        self._own(plan)

    def _version_1(self, plan: LaunchPlan) -> None:
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        settings = self._settings_1()
        used = self.controllers or plan.hierarchies
        for controller in (one for one in plan.hierarchies if one in used):
            group = place_of(plan, controller)
            for above in _above(plan):
                path = place_of(plan, controller, above)
                prepare("mkdir", path, 0o755, tolerates=("EEXIST",))
                self._place(plan, controller, path)
            prepare("mkdir", group, 0o755)
            self._place(plan, controller, group)
            for name, value in settings:
                if name.startswith(f"{controller}."):
                    path = f"{group}/{name}"
                    # One name of the weight or the other, as the scheduler of the disk has it.
                    gone = ("ENOENT",) if name.endswith("weight") else ()
                    plan.write(Phase.PREPARE, "runtime", self.about.id, path, value, tolerates=gone)
            self._join(plan, f"{group}/cgroup.procs")
        self._own(plan)

    def _bandwidth(self) -> tuple[int | None, int | None]:
        """Microseconds of processor time in each period (daemon_unix.go: --cpus is a quota)."""
        if self.cpus is not None:
            return self.cpus * _CPU_PERIOD // 1000, _CPU_PERIOD
        return self.quota, self.period

    def _swap(self) -> int | None:
        """Memory and swap together: twice the memory unless something else was said."""
        return self.both if self.both is not None or self.memory is None else 2 * self.memory

    def settings(self, *, version_2: bool) -> list[tuple[str, str]]:
        """The files of one version's groups that hold the limits, and what is in them."""
        return self._settings_2() if version_2 else self._settings_1()

    def _settings_1(self) -> list[tuple[str, str]]:
        """runc's fs.Manager: what is written into the files of version 1, in order."""
        quota, period = self._bandwidth()
        disable = None if self.oom_kill else 1
        wanted = (
            ("cpu.cfs_period_us", period),
            ("cpu.cfs_quota_us", quota),
            ("cpu.shares", self.shares),
            ("cpuset.cpus", self.cpuset or None),
            ("memory.limit_in_bytes", self.memory),
            ("memory.memsw.limit_in_bytes", self._swap()),
            ("memory.soft_limit_in_bytes", self.reserved),
            ("memory.swappiness", self.swappiness),
            ("memory.oom_control", disable),
            ("pids.max", self.pids),
            ("blkio.weight", self.blkio_weight),
            ("blkio.bfq.weight", self.blkio_weight),
            *((f"blkio.throttle.{w}_device", f"{dev} {n}") for w, dev, n in self.throttles),
        )
        return [(name, str(value)) for name, value in wanted if value is not None]

    def _settings_2(self) -> list[tuple[str, str]]:
        """runc's fs2.Manager: version 1's numbers are turned into version 2's."""
        quota, period = self._bandwidth()
        both, shares, blkio = self._swap(), self.shares, self.blkio_weight
        swap = None if both is None else "max" if both < 0 else both - (self.memory or 0)
        wanted = (
            ("memory.max", self.memory),
            ("memory.swap.max", swap),
            ("memory.low", self.reserved),
            ("pids.max", self.pids),
            ("cpu.weight", None if not shares else 1 + (shares - 2) * 9999 // 262142),
            ("cpu.weight", self.shares and max(1, self.shares * 100 // 1024)),
            ("cpu.max", f"{quota or 'max'} {period or _CPU_PERIOD}" if quota or period else None),
            ("cpuset.cpus", self.cpuset or None),
            ("io.weight", None if not blkio else 1 + (blkio - 10) * 9999 // 990),
            *(("io.max", f"{dev} {_V2_WORD[word]}={n}") for word, dev, n in self.throttles),
        )
        return [(name, str(value)) for name, value in wanted if value is not None]

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
