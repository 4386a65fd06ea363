"""Linux-VServer's two tags as its kernel asks about them: the security and the network context.

A security context (xid) and a network context (nid) are ``Context`` rows of two kinds; a task has
one of each. Their ``params`` keep util-vserver's own words for flags and capabilities. Source:
include/linux/vserver/{check,base,context,network}.h of the 2.6.27 kernel with the patch vs2.3.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.machine.abi.ids import ContextId
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.context import LIFTED, ROOT_CONTEXT, Context
from simulator.machine.kernel.namespace import NsProxy
from simulator.machine.kernel.task import IN_CONTEXT, At, Task
from simulator.machine.state.store import Index, Row, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

XID, NID = "xid", "nid"
HOST, SPECTATOR = 0, 1
"""Context 0 is the host's; whoever is in context 1 sees everything and may kill nothing."""
HIGHEST = 65535
"""MAX_S_CONTEXT."""

VCI_VERSION = 0x00020303
"""What VCMD_get_version tells: vs2.3.0.36."""
VCI_KERNEL = 0x13000F11
"""VCMD_get_vci, as Debian built it: no numbers that the kernel chooses, /proc hidden, links broken
when written to, spaces, many addresses; files tagged by 24 bits of their owner's number."""

STATE_SETUP, STATE_INIT, STATE_ADMIN = "state_setup", "state_init", "state_admin"
INIT_SET = (STATE_SETUP, STATE_INIT, STATE_ADMIN)
"""VXF_INIT_SET: what a context begins with."""

NUMBERED = Index(Context, lambda row: ((row.kind, row.number),), "kind", "number")
NETWORKED = Index(Task, lambda task: (task.net_context,), "net_context")


class Spaces(Row, frozen=True, kw_only=True):
    """The namespaces, root and working directory that a context keeps for those who come later
    (VCMD_set_space); ``id`` is the context's."""

    ns: NsProxy
    root: At
    cwd: At


class ProcFlags(Row, frozen=True, kw_only=True):
    """A file of /proc (``id``: its path there) that ``setattr`` hid (or showed): IATTR_HIDE."""

    hidden: bool


def xid(world: World, task: Task) -> int:
    """The number of a task's security context."""
    return world.row(Context, task.context).number


def of(trap: "Trap") -> Context:
    """The caller's security context; the host's and the spectator's restrict nothing."""
    return trap.store.row(Context, trap.task.context)


def network(trap: "Trap") -> Context:
    """The caller's network context."""
    return trap.store.row(Context, trap.task.net_context)


def is_guest(row: Context) -> bool:
    """Whether there is a ``struct vx_info`` to ask: neither the host nor the spectator."""
    return row.number > SPECTATOR


def sees(trap: "Trap", number: int, *, watch: bool = False) -> bool:
    """vx_check(): who has this number (VS_IDENT), or the spectator with ``watch`` (VS_WATCH)."""
    mine = of(trap).number
    return mine == number or (watch and mine == SPECTATOR)


def stands(row: Context, wall: str) -> bool:
    """Whether the model has left the rule called ``wall`` in place."""
    return not row.params.get(LIFTED + wall)


def words(row: Context, name: str) -> tuple[str, ...]:
    """One of the lists: ``flags``, ``ccaps``, ``ncaps``."""
    value = row.params.get(name, ())
    return value if isinstance(value, tuple) else ()


def has_flag(row: Context, flag: str) -> bool:
    """vx_info_flags()."""
    return flag in words(row, "flags")


def count(row: Context, name: str, default: int = -1) -> int:
    """A parameter that is a number; -1 when it was never set."""
    value = row.params.get(name, default)
    return value if isinstance(value, int) else default


def lookup(world: World, kind: str, number: int) -> Context | None:
    """lookup_vx_info(), lookup_nx_info(): the living context with this number."""
    for row in world.rows_by(NUMBERED, (kind, number)):
        if not row.removed:
            return row
    return None


def create(trap: "Trap", kind: str, number: int, **params: Any) -> Context:
    """A new context of the caller's domain, in which nobody is yet."""
    row = Context(
        id=ContextId(trap.store.new_id("context")),
        kind=kind,
        number=number,
        name=f"#{number}",
        params=params,
        domain=trap.task.domain,
    )
    trap.store.put(row)
    return row


def spectator(trap: "Trap", kind: str) -> Context:
    """The row that stands for context 1: the kernel has none, only the number."""
    return lookup(trap.store, kind, SPECTATOR) or create(trap, kind, SPECTATOR, flags=())


def unused(world: World, kind: str) -> int:
    """A number that nobody has, as a kernel with dynamic contexts hands out."""
    number = 49152
    while lookup(world, kind, number) is not None:
        number += 1
    return number


def put(store: Store, row: Context, **params: Any) -> Context:
    """Write parameters of a context."""
    changed = msgspec.structs.replace(row, params={**row.params, **params})
    store.put(changed)
    return changed


def merge(old: Iterable[str], values: Iterable[str], mask: Iterable[str]) -> tuple[str, ...]:
    """vs_mask_flags(): of the words in ``mask`` those in ``values``, the others as they were."""
    masked, wanted = set(mask), set(values)
    kept = [word for word in old if word not in masked]
    return tuple(dict.fromkeys((*kept, *(word for word in mask if word in wanted))))


def members(world: World, row: Context) -> tuple[Task, ...]:
    """The tasks of a security context, zombies included."""
    return world.rows_by(IN_CONTEXT, row.id)


def _let_go(store: Store, task: Task) -> None:
    """A context ends with its last task, unless it is persistent."""
    for index, ident in ((IN_CONTEXT, task.context), (NETWORKED, task.net_context)):
        if ident == ROOT_CONTEXT:
            continue
        row = store.row(Context, ident)
        if row.kind not in (XID, NID) or has_flag(row, "persistent"):
            continue
        others = [one for one in store.rows_by(index, row.id) if one.id != task.id]
        if all(one.exit_status is not None for one in others):
            store.put(msgspec.structs.replace(row, removed=True))


exits.at_exit(_let_go)
