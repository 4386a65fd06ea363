"""Whose environment a task is in: ``get_exec_env()`` and ``ve_is_super()`` of the OpenVZ kernel.

The tag is a ``Context`` row of kind ``ve``. A parameter that begins with ``@without.`` is the
model's own: it takes away one of the rules that an environment consists of, for which OpenVZ has
no switch.
"""

from typing import TYPE_CHECKING

from simulator.machine.kernel.context import ROOT_CONTEXT, Context, has
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.task import IN_CONTEXT, Task
from simulator.machine.state.store import World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

KIND = "ve"

WALLS = (
    "ve-root",
    "ve-pids",
    "ve-net",
    "ve-ipc",
    "ve-uts",
    "ve-users",
    "ve-capabilities",
    "ve-filesystems",
    "ve-devices",
    "ve-proc",
    "ve-sysctls",
    "ve-log",
    "ve-handles",
    "ve-perf",
    "ve-sysrq",
    "ve-modules",
    "ve-stats",
)
"""What an environment consists of inside the kernel; each can be lifted on its own in the model."""


def of(trap: "Trap") -> Context | None:
    """The caller's environment; None for VE0, the host."""
    return of_task(trap.store, trap.task)


def of_task(world: World, task: Task) -> Context | None:
    """A task's environment; None for VE0."""
    if task.context == ROOT_CONTEXT:
        return None
    row = world.row(Context, task.context)
    return row if row.kind == KIND else None


def keeps(trap: "Trap", wall: str) -> Context | None:
    """The caller's environment, where the rule called ``wall`` holds in it."""
    row = of(trap)
    return row if row is not None and has(row, wall) else None


def find(world: World, veid: int) -> Context | None:
    """The running environment of this number."""
    for row in world.all(Context):
        if row.kind == KIND and row.number == veid and not row.removed:
            return row
    return None


def tasks(world: World, row: Context) -> tuple[Task, ...]:
    """The environment's tasks, zombies included."""
    return tuple(world.rows_by(IN_CONTEXT, row.id))


def init_of(world: World, row: Context) -> Task | None:
    """The environment's init: the one that created it."""
    number = row.params.get("init")
    return world.get(Task, number)


def pid_ns(world: World, row: Context) -> PidNs | None:
    """Where the environment's processes are numbered."""
    init = init_of(world, row)
    return None if init is None else world.row(PidNs, init.ns.pid)
