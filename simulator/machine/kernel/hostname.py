"""The machine's name: one for a UTS namespace, or, where a kernel has contexts, for each of them.

Source: uts_namespaces(7); FreeBSD kern_jail.c (host.hostname); Solaris zone_nodename.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.ids import Domain
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.namespace import UtsNs

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def hostname_of(trap: "Trap") -> tuple[str, Domain]:
    """The host name that the caller reads, and whose name it is."""
    if trap.family.traits.hostname_of_context:
        row = named_context(trap)
        return row.hostname, row.domain
    space = trap.store.row(UtsNs, trap.task.ns.uts)
    return space.hostname, space.domain


def set_hostname(trap: "Trap", name: str) -> None:
    """Change the name that the caller reads, below every check."""
    if trap.family.traits.hostname_of_context:
        row = named_context(trap)
        trap.store.put(msgspec.structs.replace(row, hostname=name))
    else:
        space = trap.store.row(UtsNs, trap.task.ns.uts)
        trap.store.put(msgspec.structs.replace(space, hostname=name))


def named_context(trap: "Trap") -> Context:
    """The context whose name the caller has: its own, or the nearest above with one."""
    row = trap.store.row(Context, trap.task.context)
    while not row.hostname and row.parent is not None and row.params.get("host") != "new":
        row = trap.store.row(Context, row.parent)
    return row
