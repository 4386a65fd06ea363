"""FreeBSD's prison as the kernel asks about it: sys/kern/kern_jail.c.

The tag is a ``Context`` row whose ``params`` keep jail(8)'s own names. A parameter that begins with
``context.LIFTED`` is the model's: it takes away one of the rules that a prison consists of, for
which FreeBSD itself has no switch.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.ids import ContextId
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import sysctl
from simulator.machine.kernel.context import ROOT_CONTEXT, Context, has, is_within
from simulator.machine.kernel.task import IN_CONTEXT, Task
from simulator.machine.state.store import Index, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

CHILDREN = Index(Context, lambda row: (row.parent,), "parent")


def of(trap: "Trap") -> Context:
    """The caller's prison; the root context stands for prison0."""
    return trap.store.row(Context, trap.task.context)


def is_jailed(task: Task) -> bool:
    """jailed(): in any prison but prison0."""
    return task.context != ROOT_CONTEXT


def allows(row: Context, name: str) -> bool:
    """prison_allow(): prison0 allows everything."""
    return row.id == ROOT_CONTEXT or bool(row.params.get(name))


def number(row: Context, name: str, default: int) -> int:
    """A parameter that is a number; prison0 has ``default``."""
    value = row.params.get(name, default)
    return value if isinstance(value, int) else default


def securelevel(trap: "Trap") -> int:
    """securelevel_gt(), securelevel_ge(): the machine's, or the prison's own where it is higher."""
    machine = sysctl.number(trap.store, trap.family, "kern.securelevel")
    return max(machine, number(of(trap), "securelevel", -1))


def sees(world: World, viewer: Task, task: Task) -> bool:
    """prison_check(): one's own prison and those inside it."""
    if viewer.context in (ROOT_CONTEXT, task.context):
        return True
    row = world.row(Context, viewer.context)
    return not has(row, "prison-visibility") or is_within(world, task.context, viewer.context)


def descendants(world: World, context: ContextId) -> tuple[Context, ...]:
    """The living prisons inside ``context``, at any depth."""
    found: list[Context] = []
    for child in world.rows_by(CHILDREN, context):
        if not child.removed:
            found += (child, *descendants(world, ContextId(child.id)))
    return tuple(found)


def find_child(trap: "Trap", *, jid: int = 0, name: str = "") -> Context | None:
    """prison_find_child(), prison_find_name(): a prison inside the caller's."""
    mine = of(trap)
    full = f"{mine.name}.{name}" if mine.id != ROOT_CONTEXT else name
    for row in descendants(trap.store, trap.task.context):
        if (jid and row.number == jid) or (not jid and name and row.name == full):
            return row
    return None


def _let_go(store: Store, task: Task) -> None:
    """A prison without ``persist`` goes with its last process."""
    row = store.row(Context, task.context)
    if row.kind != "prison" or row.removed or row.params.get("persist"):
        return
    others = [pid for pid in store.by(IN_CONTEXT, row.id) if pid != task.id]
    if not others and not store.by(CHILDREN, row.id):
        store.put(msgspec.structs.replace(row, removed=True))


exits.at_exit(_let_go)
