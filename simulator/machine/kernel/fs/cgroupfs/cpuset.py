"""Which processors and memory nodes a group may use, version 1 and 2. kernel/cgroup/cpuset.c"""

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    FileSpec,
    Read,
    Write,
    fixed,
    flag,
    integer,
    invalid,
    out_of_range,
    setting,
    whole,
)
from simulator.machine.kernel.resource.group import Cgroup, put_setting
from simulator.machine.kernel.resource.layout import CPUS, NODES
from simulator.machine.kernel.trap import NotModelled, Trap

_KINDS = {"cpuset.cpus": (CPUS, 1), "cpuset.mems": (NODES, 0)}


def _numbers(trap: Trap, text: str) -> set[int]:
    """A list such as ``0-1,3``. EINVAL."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        low, dash, high = part.partition("-")
        first, last = integer(trap, low), integer(trap, high if dash else low)
        if first > last:
            invalid(trap)
        found |= set(range(first, last + 1))
    return found


def _own(group: Cgroup, name: str) -> str:
    """What a group of version 1 holds: the root all, any other what was written."""
    return group.settings.get(name, _KINDS[name][0] if group.parent is None else "")


def _read(name: str) -> Read:
    return lambda _trap, group: f"{_own(group, name)}\n"


def _write(name: str, *, contained: bool) -> Write:
    """``contained``: version 1 refuses what the group above lacks (validate_change()).

    EINVAL; ERANGE beyond the machine; EACCES there; ENOSPC to leave tasks with nothing.
    """

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        wanted = _numbers(trap, text)
        most = _KINDS[name][1]
        if any(number > most for number in wanted):
            (out_of_range if name == "cpuset.cpus" else invalid)(trap)
        above = trap.store.row(Cgroup, group.parent) if group.parent is not None else None
        if contained and above is not None and not wanted <= _numbers(trap, _own(above, name)):
            trap.deny(
                Errno.EACCES,
                "cgroup-delegation",
                N_("The group above does not have them all."),
                "cpuset(7)",
            )
        put_setting(trap.store, group, name, text.strip())

    return write


def need_somewhere(trap: Trap, group: Cgroup) -> None:
    """cpuset_can_attach(): no task joins a group of version 1 without processors. ENOSPC."""
    if not _own(group, "cpuset.cpus") or not _own(group, "cpuset.mems"):
        trap.fail(
            Errno.ENOSPC, N_("The group has no processors or no memory nodes yet."), "cpuset(7)"
        )


def cloned(parent: Cgroup) -> dict[str, str]:
    """What a new group copies where ``cgroup.clone_children`` is set (cpuset_css_online())."""
    return {name: _own(parent, name) for name in _KINDS}


def _exclusive(name: str) -> Write:
    """An exclusive group only below an exclusive one. EINVAL, and EACCES from a child's view."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        value = integer(trap, text)
        above = trap.store.row(Cgroup, group.parent) if group.parent is not None else None
        allowed = above is None or above.parent is None or above.settings.get(name) == "1"
        if value < 0 or (value and not allowed):
            invalid(trap)
        put_setting(trap.store, group, name, str(int(bool(value))))

    return write


def _flag(name: str, default: str = "0") -> FileSpec:
    return FileSpec(name, READ_WRITE, setting(name, default), flag(name))


def _set_partition(trap: Trap, group: Cgroup, text: str) -> None:
    word = text.strip()
    if word not in ("member", "root", "isolated"):
        invalid(trap)
    if word != "member":
        raise NotModelled("a cpuset partition")
    put_setting(trap.store, group, "cpuset.cpus.partition", word)


CPUSET_V1 = (
    FileSpec("cpuset.cpu_exclusive", READ_WRITE, setting("cpuset.cpu_exclusive", "0"),
             _exclusive("cpuset.cpu_exclusive")),
    FileSpec("cpuset.cpus", READ_WRITE, _read("cpuset.cpus"),
             _write("cpuset.cpus", contained=True)),
    FileSpec("cpuset.effective_cpus", READ_ONLY, _read("cpuset.cpus"), since=(3, 17)),
    FileSpec("cpuset.effective_mems", READ_ONLY, _read("cpuset.mems"), since=(3, 17)),
    FileSpec("cpuset.mem_exclusive", READ_WRITE, setting("cpuset.mem_exclusive", "0"),
             _exclusive("cpuset.mem_exclusive")),
    FileSpec("cpuset.mem_hardwall", READ_WRITE, setting("cpuset.mem_hardwall", "0"),
             flag("cpuset.mem_hardwall"), since=(2, 6, 26)),
    _flag("cpuset.memory_migrate"),
    FileSpec("cpuset.memory_pressure", READ_ONLY, fixed("0\n")),
    FileSpec("cpuset.memory_pressure_enabled", READ_WRITE,
             setting("cpuset.memory_pressure_enabled", "0"),
             flag("cpuset.memory_pressure_enabled"), child=False),
    _flag("cpuset.memory_spread_page"),
    _flag("cpuset.memory_spread_slab"),
    FileSpec("cpuset.mems", READ_WRITE, _read("cpuset.mems"),
             _write("cpuset.mems", contained=True)),
    _flag("cpuset.sched_load_balance", "1"),
    FileSpec("cpuset.sched_relax_domain_level", READ_WRITE,
             setting("cpuset.sched_relax_domain_level", "-1"),
             whole("cpuset.sched_relax_domain_level", -1, 5, errno_range=False),
             since=(2, 6, 26)),
)  # fmt: skip


def _effective(name: str) -> Read:
    """What the nearest group above with a list of its own says, the machine's else."""

    def read(trap: Trap, group: Cgroup) -> str:
        current: Cgroup | None = group
        while current is not None:
            if current.settings.get(name):
                return f"{current.settings[name]}\n"
            current = trap.store.row(Cgroup, current.parent) if current.parent else None
        return f"{_KINDS[name][0]}\n"

    return read


CPUSET_V2 = (
    FileSpec("cpuset.cpus", READ_WRITE, setting("cpuset.cpus", ""),
             _write("cpuset.cpus", contained=False), root=False),
    FileSpec("cpuset.cpus.effective", READ_ONLY, _effective("cpuset.cpus")),
    FileSpec("cpuset.cpus.partition", READ_WRITE, setting("cpuset.cpus.partition", "member"),
             _set_partition, root=False),
    FileSpec("cpuset.mems", READ_WRITE, setting("cpuset.mems", ""),
             _write("cpuset.mems", contained=False), root=False),
    FileSpec("cpuset.mems.effective", READ_ONLY, _effective("cpuset.mems")),
)  # fmt: skip
