"""The freezer of version 1. kernel/cgroup/legacy_freezer.c"""

from simulator.machine.kernel.fs.cgroupfs.core import freeze, is_frozen
from simulator.machine.kernel.fs.cgroupfs.spec import READ_ONLY, READ_WRITE, FileSpec, invalid
from simulator.machine.kernel.resource.group import Cgroup, Frozen, upward
from simulator.machine.kernel.trap import Trap


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


FREEZER = (
    FileSpec("freezer.parent_freezing", READ_ONLY, _parent_freezing, root=False, since=(3, 8)),
    FileSpec("freezer.self_freezing", READ_ONLY, _self_freezing, root=False, since=(3, 8)),
    FileSpec("freezer.state", READ_WRITE, _state, _set_state, root=False),
)
