"""The fair scheduler: a group for each container, whose weights share the processors.

A weight is 500000 / cpuunits, so less is more. Source: kernel/fairsched.c, vzctl(8) --cpuunits.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.ve import context as ves
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

MAX_WEIGHT = 65000
BASE = 512_000
"""FSCHWEIGHT_BASE: a group's cpu.shares are this by its weight."""
RATE = 1024
"""A rate of one whole processor."""
PERIOD = 100_000_000
CITE = "kernel/fairsched.c"


class Node(Row, frozen=True, kw_only=True):
    """A group (``id`` is the veid) of cpuunits 1000 when it is new.

    ``rate`` is in 1024ths of a processor, ``vcpus`` in processors; 0 is no limit.
    """

    weight: int = 500
    rate: int = 0
    vcpus: int = 0
    members: tuple[int, ...] = ()


def need_host(trap: "Trap") -> None:
    """capable_setveid(). EPERM."""
    if ves.of(trap) is not None:
        trap.deny(
            Errno.EPERM,
            "ve-context",
            N_("Shares of the processor are set from the host, never from inside."),
            CITE,
        )


def need(trap: "Trap", number: int) -> Node:
    """The group. ENOENT."""
    row = trap.store.get(Node, number)
    if row is None:
        trap.fail(Errno.ENOENT, N_("No group of the scheduler has this number."), CITE)
    return row


def params(row: Node) -> dict[str, int]:
    """The group as the scheduler reads it from a context (``resource/shares.py``)."""
    found = {"cpu.weight": BASE // row.weight}
    # vzctl(8): "sets number of CPUs available in the container": how many at once, whichever
    # they are, which is so much time in each period (vzctl src/lib/hooks_ct.c ct_setcpus()).
    limits = [rate for rate in (row.rate, row.vcpus * RATE) if rate]
    if limits:
        found |= {"cpu.quota": min(limits) * PERIOD // RATE, "cpu.period": PERIOD}
    return found


def put(store: Store, row: Node) -> None:
    """Write a group; an environment that runs in it follows."""
    store.put(row)
    number = row.id
    assert isinstance(number, int)
    running = ves.find(store, number)
    if running is not None:
        kept = {key: value for key, value in running.params.items() if not key.startswith("cpu.")}
        store.put(msgspec.structs.replace(running, params={**kept, **params(row)}))
