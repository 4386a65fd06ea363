"""What the rest of the kernel asks of control groups: may a task fork, may it use this device.

The rows are in ``group.py``; memory is in ``memory.py``, the file interface in ``fs/cgroupfs.py``.
"""

from simulator.machine.abi.call import Call
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import CgroupId
from simulator.machine.kernel.resource.devices import device_allowed
from simulator.machine.kernel.resource.group import (
    BY_CONTROLLER,
    Cgroup,
    Frozen,
    Hierarchy,
    controlled,
    count_event,
    group_of,
    population,
    upward,
)
from simulator.machine.kernel.resource.layout import setup
from simulator.machine.kernel.resource.memory import charge_memory
from simulator.machine.kernel.trap import Sleep, Trap
from simulator.machine.state.store import Store

__all__ = (
    "BY_CONTROLLER",
    "Cgroup",
    "Hierarchy",
    "can_fork",
    "charge_memory",
    "device_allowed",
    "hold_frozen",
    "setup",
)


def can_fork(trap: Trap) -> None:
    """Refuse one more task where a group's pids.max is reached. EAGAIN (pids_can_fork())."""
    group = controlled(trap.store, trap.task, "pids")
    if group is None:
        return
    for above in upward(trap.store, group):
        ceiling = above.settings.get("pids.max", "max")
        if ceiling != "max" and population(trap.store, above) + 1 > int(ceiling):
            trap.lasting.append(lambda store, number=above.id: _count_refusal(store, number))
            trap.deny(
                Errno.EAGAIN,
                "cgroup-pids",
                N_("The control group, or one above it, already holds pids.max tasks."),
                "cgroups(7)",
            )


def _count_refusal(store: Store, number: CgroupId) -> None:
    """pids_event(): for the group whose limit it was, and for those above it."""
    for above in upward(store, store.row(Cgroup, number)):
        if above.parent is not None:
            count_event(store, above, "pids.max")


def hold_frozen(trap: Trap, _call: Call) -> None:
    """Put the caller to sleep while its group, or one above it, is frozen (a chain filter)."""
    if not trap.store.count(Frozen):
        return
    for hierarchy in tuple(trap.store.all(Hierarchy)):
        group = group_of(trap.store, trap.task, hierarchy.id)
        if group is None:
            continue
        for above in upward(trap.store, group):
            if trap.store.get(Frozen, above.id) is not None:
                raise Sleep("freezer", {(Frozen, above.id)})
