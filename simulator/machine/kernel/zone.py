"""Solaris zones as the kernel asks about them: uts/common/os/zone.c.

A zone is a ``Context`` row of kind ``zone``; its ``number`` is the zone id. ``params`` hold what
zone_create(2) was given, in the words of zonecfg(1M): ``limitpriv`` the names of the limit set,
``ip-type``, ``brand``, ``fs-allowed``, and the resource controls under their own names
(``zone.max-lwps``). ``state`` is one of ``STATES``; ``@ipc`` and ``@net`` are the spaces that its
processes share.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn, cast

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import ContextId
from simulator.machine.kernel import context, privset
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.resource.processors import count
from simulator.machine.kernel.task import IN_CONTEXT, Task, TaskState
from simulator.machine.state.store import World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

SHARE = 1024
"""The weight of one share: that of an ordinary process of the global zone."""
PERIOD = 100_000_000
"""Nanoseconds over which a CPU cap is kept."""
CITE = "uts/common/os/zone.c"
GLOBAL = "global"
"""The name of zone 0."""

STATES = ("ready", "booting", "running", "shutting_down", "down")

VISIBILITY, ROOT, PRIVILEGES = "zone-visibility", "zone-root", "zone-privileges"
NETWORK, IPC, NODENAME = "zone-network", "zone-ipc", "zone-nodename"
WALLS = (VISIBILITY, ROOT, PRIVILEGES, NETWORK, IPC, NODENAME)
"""The rules that a zone consists of; the model can lift each."""

CONTROLS = frozenset(
    (
        "zone.cpu-cap",
        "zone.cpu-shares",
        "zone.max-locked-memory",
        "zone.max-lwps",
        "zone.max-msg-ids",
        "zone.max-processes",
        "zone.max-sem-ids",
        "zone.max-shm-ids",
        "zone.max-shm-memory",
        "zone.max-swap",
    )
)
"""Resource controls of a zone: resource_controls(5)."""


def of(trap: "Trap") -> Context:
    """curproc->p_zone; the root context is the global zone."""
    return trap.store.row(Context, trap.task.context)


def is_global(task: Task) -> bool:
    """INGLOBALZONE()."""
    return task.context == ROOT_CONTEXT


def has(trap: "Trap", wall: str) -> bool:
    """Whether the rule called ``wall`` stands around the caller."""
    return not is_global(trap.task) and context.has(of(trap), wall)


def active(world: World) -> tuple[Context, ...]:
    """Every zone that exists but the global one, by id."""
    found = (row for row in world.all(Context) if row.kind == "zone" and not row.removed)
    return tuple(sorted(found, key=lambda row: row.number))


def numbered(world: World, number: int) -> Context | None:
    """zone_find_by_id()."""
    return next((row for row in active(world) if row.number == number), None)


def named(world: World, name: str) -> Context | None:
    """zone_find_by_name()."""
    return next((row for row in active(world) if row.name == name), None)


def name_of(row: Context) -> str:
    """The zone's name; the root context's is ``global``."""
    return GLOBAL if row.id == ROOT_CONTEXT else row.name


def state(row: Context) -> str:
    """``running``, and for a zone one of ``STATES``."""
    return str(row.params.get("state", "running"))


def sees(world: World, viewer: Task, task: Task) -> bool:
    """HASZONEACCESS(): the global zone sees all, any other only itself."""
    if viewer.context in (ROOT_CONTEXT, task.context):
        return True
    return not context.has(world.row(Context, viewer.context), VISIBILITY)


def living(world: World, zone: ContextId) -> tuple[Task, ...]:
    """The zone's processes, zombies left out."""
    found = world.rows_by(IN_CONTEXT, zone)
    return tuple(task for task in found if task.state is not TaskState.ZOMBIE)


def limit(row: Context, control: str) -> int | None:
    """A resource control of the zone (``zone.max-lwps``); None where nothing is set."""
    value = row.params.get(control)
    return value if isinstance(value, int) else None


def find(trap: "Trap", number: int) -> Context:
    """Any zone by its id, the global one too. EINVAL."""
    if number == 0:
        return trap.store.row(Context, ROOT_CONTEXT)
    row = numbered(trap.store, number)
    if row is None:
        invalid(trap, N_("No zone has this id."))
    return row


def need(trap: "Trap", number: int) -> Context:
    """A zone, not the global one. EINVAL."""
    row = find(trap, number)
    if row.id == ROOT_CONTEXT:
        invalid(trap, N_("The global zone can't be meant."))
    return row


def seen(trap: "Trap", row: Context) -> Context:
    """zone_list_access(): a zone knows itself and the global  EINVAL for any other."""
    if row.id not in (trap.task.context, ROOT_CONTEXT) and has(trap, VISIBILITY):
        trap.deny(
            Errno.EINVAL,
            VISIBILITY,
            N_("The zone exists, but another zone is not told of it."),
            CITE,
        )
    if row.id != ROOT_CONTEXT:
        trap.touch("process", row.domain, "name", f"zone {row.name}")
    return row


def processors(
    params: "Mapping[str, int | str | tuple[str, ...]]", count: int
) -> dict[str, int | str]:
    """What the zone's controls mean to the scheduler (``resource/shares.py``).

    ``zone.cpu-shares`` are the fair share scheduler's, FSS(7); ``zone.cpu-cap`` is in hundredths of
    one processor; ``pset`` is how many of the ``count`` processors are the zone's own.
    """
    found: dict[str, int | str] = {}
    shares, cap, own = (params.get(name) for name in ("zone.cpu-shares", "zone.cpu-cap", "pset"))
    if isinstance(shares, int):
        found["cpu.weight"] = shares * SHARE
    if isinstance(cap, int):
        found["cpu.quota"] = cap * PERIOD // 100
    if isinstance(own, int) and own:
        found["cpu.cpus"] = f"{count - own}-{count - 1}"
    return found


def write(trap: "Trap", row: Context, **changes: int | str) -> None:
    """Write parameters of the zone as it is now."""
    now = trap.store.row(Context, row.id)
    params = {**now.params, **changes}
    if any(name.startswith("zone.cpu-") for name in changes):
        params |= processors(params, count(trap.store))
    trap.store.put(msgspec.structs.replace(now, params=params))


def invalid(trap: "Trap", why: str) -> NoReturn:
    """EINVAL for a mistake of the caller."""
    trap.fail(Errno.EINVAL, why, CITE)


def limit_set(row: Context) -> int:
    """zone_privset: the privileges that somebody in the zone can have at all."""
    if row.id == ROOT_CONTEXT:
        return privset.ALL
    return privset.mask(" ".join(cast("tuple[str, ...]", row.params["limitpriv"])))
