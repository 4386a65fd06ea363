"""What was translated is translated back: the datagrams that answer. nf_conntrack_core.c.

Connections need no such memory here: their two ends know each other.
"""

from simulator.machine.abi.ids import NsId
from simulator.machine.kernel import clock
from simulator.machine.kernel.net.socket import Where
from simulator.machine.state.store import Index, Row, Store, World

_PATIENCE = 30_000_000_000
"""Nanoseconds after which a flow without traffic is forgotten (nf_conntrack_udp_timeout)."""


class Flow(Row, frozen=True, kw_only=True):
    """Datagrams from ``client``, sent to ``asked``, came to ``server`` of ``ns`` from ``seen``."""

    ns: NsId
    server: Where
    seen: Where
    client_ns: NsId
    client: Where
    asked: Where
    until: int
    granted: bool = False


ANSWERS = Index(Flow, lambda flow: ((flow.ns, flow.server, flow.seen),), "ns", "server", "seen")


def note(store: Store, flow: Flow) -> None:
    """Remember a flow, and forget those that have long been silent."""
    now = clock.monotonic(store)
    for old in store.all(Flow):
        same = (old.ns, old.server, old.seen) == (flow.ns, flow.server, flow.seen)
        if old.until < now or same:
            store.drop(Flow, old.id)
    store.put(flow)


def answer_of(world: World, ns: NsId, server: Where, seen: Where) -> Flow | None:
    """The flow that a datagram from ``server`` to ``seen`` answers."""
    now = clock.monotonic(world)
    found = world.rows_by(ANSWERS, (ns, server, seen))
    return next((flow for flow in found if flow.until >= now), None)


def deadline(world: World) -> int:
    """Until when a flow of now is remembered."""
    return clock.monotonic(world) + _PATIENCE
