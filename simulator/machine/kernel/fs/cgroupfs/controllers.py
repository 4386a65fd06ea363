"""The files of each controller, version 1 and version 2.

Limits that the model enforces (pids, memory, devices, freezer) act; of the others it keeps the
value. Source: ``kernel/cgroup/pids.c``, ``mm/memcontrol.c``, ``kernel/sched/core.c``.
"""

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs import devices
from simulator.machine.kernel.fs.cgroupfs.core import freeze, is_frozen
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    WRITE_ONLY,
    FileSpec,
    bounded,
    fixed,
    flag,
    integer,
    invalid,
    out_of_range,
    setting,
    size,
    stored,
    whole,
)
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.resource.group import (
    Cgroup,
    Frozen,
    Hierarchy,
    population,
    put_setting,
    upward,
)
from simulator.machine.kernel.resource.memory import UNLIMITED
from simulator.machine.kernel.trap import NotModelled, Trap

PID_MAX_LIMIT = 4_194_304
_NO_LIMIT = str(UNLIMITED)


def _pids_now(trap: Trap, group: Cgroup) -> str:
    return f"{population(trap.store, group)}\n"


def _usage(trap: Trap, group: Cgroup) -> str:
    return f"{memory.usage(trap.store, group)}\n"


def _oom_control(_trap: Trap, group: Cgroup) -> str:
    killed = group.events.get("oom_kill", 0)
    return f"oom_kill_disable 0\nunder_oom 0\noom_kill {killed}\n"


def _set_oom_control(trap: Trap, _group: Cgroup, text: str) -> None:
    if integer(trap, text):
        raise NotModelled("a control group without OOM killer")


def _memory_events(_trap: Trap, group: Cgroup) -> str:
    keys = ("low", "high", "max", "oom", "oom_kill", "oom_group_kill")
    return "".join(f"{key} {group.events.get(key, 0)}\n" for key in keys)


def _set_limit_v1(trap: Trap, group: Cgroup, text: str) -> None:
    """memory.limit_in_bytes. EINVAL in the root group, EBUSY below what is in use."""
    if group.parent is None:
        invalid(trap)
    limit = UNLIMITED if text.strip() == "-1" else size(trap, text)
    if limit < memory.usage(trap.store, group):
        trap.fail(Errno.EBUSY, N_("The group's tasks already hold more memory."), "cgroups(7)")
    put_setting(trap.store, group, "memory.limit_in_bytes", str(limit))


def _set_bytes(name: str, default: str, every: str = "max") -> FileSpec:
    """A number of bytes of which the model keeps the value; ``every`` says no limit."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        word = text.strip()
        unlimited = _NO_LIMIT if every == "-1" else every
        value = unlimited if word == every else str(size(trap, word))
        put_setting(trap.store, group, name, value)

    return FileSpec(name, READ_WRITE, setting(name, default), write, root=every == "-1")


def _set_max(trap: Trap, group: Cgroup, text: str) -> None:
    """memory.max: what is in use beyond it is taken back by the OOM killer."""
    word = text.strip()
    value = word if word == "max" else str(size(trap, word))
    group = put_setting(trap.store, group, "memory.max", value)
    if value != "max":
        memory.hold_to(trap, group, int(value))


def _set_quota(trap: Trap, group: Cgroup, text: str) -> None:
    value = integer(trap, text)
    if 0 <= value < 1000:
        invalid(trap)
    put_setting(trap.store, group, "cpu.cfs_quota_us", str(max(value, -1)))


def _set_cpu_max(trap: Trap, group: Cgroup, text: str) -> None:
    words = text.split()
    if not 1 <= len(words) <= 2:
        invalid(trap)
    old = group.settings.get("cpu.max", "max 100000").split()[1]
    period = integer(trap, words[1]) if len(words) == 2 else int(old)
    quota = words[0] if words[0] == "max" else str(integer(trap, words[0]))
    if not 1000 <= period <= 1_000_000 or (quota != "max" and int(quota) < 1000):
        invalid(trap)
    put_setting(trap.store, group, "cpu.max", f"{quota} {period}")


def _state(trap: Trap, group: Cgroup) -> str:
    return "FROZEN\n" if is_frozen(trap, group) else "THAWED\n"


def _set_state(trap: Trap, group: Cgroup, text: str) -> None:
    word = text.strip()
    if word not in ("FROZEN", "THAWED"):
        invalid(trap)
    freeze(trap, group, word == "FROZEN")


def _self_freezing(trap: Trap, group: Cgroup) -> str:
    return f"{int(trap.store.get(Frozen, group.id) is not None)}\n"


def _parent_freezing(trap: Trap, group: Cgroup) -> str:
    above = tuple(upward(trap.store, group))[1:]
    return f"{int(any(trap.store.get(Frozen, g.id) is not None for g in above))}\n"


CPUS, NODES = "0-1", "0"
"""The machine has two processors and one memory node."""


def _list(name: str, whole_list: str, last: int) -> FileSpec:
    """cpuset.cpus and cpuset.mems: lists such as ``0-1,3``. EINVAL, ERANGE."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        for part in filter(None, text.strip().split(",")):
            low, _, high = part.partition("-")
            numbers = [integer(trap, low), integer(trap, high or low)]
            if numbers[0] > numbers[1]:
                invalid(trap)
            if numbers[1] > last:
                out_of_range(trap)
        put_setting(trap.store, group, name, text.strip())

    return FileSpec(name, READ_WRITE, setting(name, whole_list), write)


_PIDS = (
    FileSpec("pids.current", READ_ONLY, _pids_now, root=False),
    FileSpec("pids.events", READ_ONLY, fixed("max 0\n"), root=False),
    FileSpec("pids.max", READ_WRITE, setting("pids.max", "max"),
             bounded("pids.max", PID_MAX_LIMIT), root=False),
)  # fmt: skip

V1: dict[str, tuple[FileSpec, ...]] = {
    "pids": _PIDS,
    "memory": (
        FileSpec("memory.failcnt", READ_WRITE, setting("memory.failcnt", "0"),
                 flag("memory.failcnt")),
        FileSpec("memory.force_empty", WRITE_ONLY, None, lambda _trap, _group, _text: None),
        FileSpec("memory.limit_in_bytes", READ_WRITE,
                 setting("memory.limit_in_bytes", _NO_LIMIT), _set_limit_v1),
        FileSpec("memory.max_usage_in_bytes", READ_ONLY, _usage),
        _set_bytes("memory.kmem.limit_in_bytes", _NO_LIMIT, "-1"),
        _set_bytes("memory.memsw.limit_in_bytes", _NO_LIMIT, "-1"),
        FileSpec("memory.memsw.usage_in_bytes", READ_ONLY, _usage),
        FileSpec("memory.oom_control", READ_WRITE, _oom_control, _set_oom_control),
        _set_bytes("memory.soft_limit_in_bytes", _NO_LIMIT, "-1"),
        FileSpec("memory.swappiness", READ_WRITE, setting("memory.swappiness", "60"),
                 whole("memory.swappiness", 0, 200, errno_range=False)),
        FileSpec("memory.usage_in_bytes", READ_ONLY, _usage),
        FileSpec("memory.use_hierarchy", READ_WRITE, fixed("1\n"), flag("memory.use_hierarchy")),
    ),
    "devices": (
        FileSpec("devices.allow", WRITE_ONLY, None, devices.allow),
        FileSpec("devices.deny", WRITE_ONLY, None, devices.deny),
        FileSpec("devices.list", READ_ONLY, devices.listed),
    ),
    "freezer": (
        FileSpec("freezer.parent_freezing", READ_ONLY, _parent_freezing, root=False),
        FileSpec("freezer.self_freezing", READ_ONLY, _self_freezing, root=False),
        FileSpec("freezer.state", READ_WRITE, _state, _set_state, root=False),
    ),
    "cpu": (
        FileSpec("cpu.cfs_period_us", READ_WRITE, setting("cpu.cfs_period_us", "100000"),
                 whole("cpu.cfs_period_us", 1000, 1_000_000, errno_range=False)),
        FileSpec("cpu.cfs_quota_us", READ_WRITE, setting("cpu.cfs_quota_us", "-1"), _set_quota),
        FileSpec("cpu.shares", READ_WRITE, setting("cpu.shares", "1024"),
                 whole("cpu.shares", 2, 262_144, clamp=True)),
        FileSpec("cpu.stat", READ_ONLY,
                 fixed("nr_periods 0\nnr_throttled 0\nthrottled_time 0\n")),
    ),
    "cpuacct": (
        FileSpec("cpuacct.stat", READ_ONLY, fixed("user 0\nsystem 0\n")),
        FileSpec("cpuacct.usage", READ_WRITE, fixed("0\n"), flag("cpuacct.usage")),
    ),
    "cpuset": (
        _list("cpuset.cpus", CPUS, 1),
        _list("cpuset.mems", NODES, 0),
        FileSpec("cpuset.effective_cpus", READ_ONLY, setting("cpuset.cpus", CPUS)),
        FileSpec("cpuset.effective_mems", READ_ONLY, setting("cpuset.mems", NODES)),
    ),
    "blkio": (stored("blkio.bfq.weight", "100"),),
    "net_cls": (stored("net_cls.classid", "0"),),
    "net_prio": (FileSpec("net_prio.prioidx", READ_ONLY, fixed("1\n")),),
}  # fmt: skip
"""By controller; perf_event has no files of its own."""

V2: dict[str, tuple[FileSpec, ...]] = {
    "pids": _PIDS,
    "memory": (
        FileSpec("memory.current", READ_ONLY, _usage, root=False),
        FileSpec("memory.events", READ_ONLY, _memory_events, root=False),
        _set_bytes("memory.high", "max"),
        _set_bytes("memory.low", "0"),
        FileSpec("memory.max", READ_WRITE, setting("memory.max", "max"), _set_max, root=False),
        _set_bytes("memory.min", "0"),
        FileSpec("memory.oom.group", READ_WRITE, setting("memory.oom.group", "0"),
                 whole("memory.oom.group", 0, 1, errno_range=False), root=False),
        FileSpec("memory.swap.current", READ_ONLY, fixed("0\n"), root=False),
        _set_bytes("memory.swap.max", "max"),
    ),
    "cpu": (
        FileSpec("cpu.max", READ_WRITE, setting("cpu.max", "max 100000"), _set_cpu_max,
                 root=False),
        FileSpec("cpu.weight", READ_WRITE, setting("cpu.weight", "100"),
                 whole("cpu.weight", 1, 10_000), root=False),
    ),
    "cpuset": (
        _list("cpuset.cpus", "", 1),
        FileSpec("cpuset.cpus.effective", READ_ONLY, fixed(f"{CPUS}\n")),
        _list("cpuset.mems", "", 0),
        FileSpec("cpuset.mems.effective", READ_ONLY, fixed(f"{NODES}\n")),
    ),
    "io": (stored("io.weight", "default 100"),),
}  # fmt: skip


def of(trap: Trap, group: Cgroup, handed_down: frozenset[str]) -> tuple[FileSpec, ...]:
    """The controllers' files in ``group``."""
    tree = trap.store.row(Hierarchy, group.hierarchy)
    table = V2 if tree.version == 2 else V1
    present = handed_down if tree.version == 2 else tree.controllers
    return tuple(spec for name in sorted(present) for spec in table.get(name, ()))
