"""cgroup.type: groups of version 2 whose members may be threads. kernel/cgroup/cgroup.c

The model's processes have one thread each, so what is left of it are the rules of the tree.
"""

from typing import NoReturn

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs.spec import invalid
from simulator.machine.kernel.resource.group import (
    Cgroup,
    downward,
    living,
    put_setting,
)
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import Index, World

TYPE = "cgroup.type"
FOR_THREADS = frozenset({"cpuset", "cpu", "pids"})
"""Controllers that count threads, not whole processes (perf_event has no switch)."""
_THREADED = Index(
    Cgroup,
    lambda group: (group.parent,) if group.settings.get(TYPE) == "threaded" else (),
    "parent",
    "settings",
)
"""Threaded groups by their parents."""


def kind(world: World, group: Cgroup) -> str:
    """``domain``, ``domain threaded``, ``domain invalid`` or ``threaded``."""
    if group.settings.get(TYPE) == "threaded":
        return "threaded"
    if group.parent is not None:
        above = world.row(Cgroup, group.parent)
        below_thread_root = above.parent is not None and kind(world, above) != "domain"
        if below_thread_root:
            return "domain invalid"
    is_root = bool(world.by(_THREADED, group.id))
    return "domain threaded" if is_root and group.parent is not None else "domain"


def read(trap: Trap, group: Cgroup) -> str:
    """The file's text."""
    return f"{kind(trap.store, group)}\n"


def write(trap: Trap, group: Cgroup, text: str) -> None:
    """cgroup_enable_threaded(): there is no way back. EINVAL, EOPNOTSUPP."""
    if text.strip() != "threaded":
        invalid(trap)
    now = kind(trap.store, group)
    if now == "threaded":
        return
    assert group.parent is not None
    above = trap.store.row(Cgroup, group.parent)
    busy = any(living(trap.store, one) for one in downward(trap.store, group))
    rooted = above.parent is None or (
        kind(trap.store, above) != "domain invalid" and not above.subtree - FOR_THREADS
    )
    if busy or group.subtree - FOR_THREADS or not rooted:
        refuse(trap)
    put_setting(trap.store, group, TYPE, "threaded")


def need_domain(trap: Trap, group: Cgroup) -> None:
    """No process joins, and no controller for whole processes is handed down. EOPNOTSUPP."""
    if kind(trap.store, group) == "domain invalid":
        refuse(trap)


def need_switchable(trap: Trap, group: Cgroup, enable: set[str]) -> None:
    """A threaded tree has only controllers that count threads. EOPNOTSUPP."""
    if enable - FOR_THREADS and kind(trap.store, group) != "domain":
        refuse(trap)


def refuse(trap: Trap) -> NoReturn:
    """EOPNOTSUPP."""
    trap.fail(
        Errno.EOPNOTSUPP,
        N_("The group is part of a threaded tree, or can't become one."),
        "cgroups(7)",
    )
