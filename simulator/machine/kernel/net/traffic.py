"""What went over each interface, as /proc/net/dev counts it.

Counted where the data of a socket is handed over: what it carries, with the headers of as many
packets as it fills. Handshakes, acknowledgements and ARP are no packets of this model.
Source: proc_pid_net(5), net/core/net-procfs.c (dev_seq_printf_stats()).
"""

import msgspec

from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.net.interface import IN_NS, Interface, Traffic
from simulator.machine.state.store import Key, Store, World

TCP_HEADERS, UDP_HEADERS = 66, 42
"""Bytes of Ethernet, IP and transport before the data; TCP's with its time stamps."""
_SEGMENT = 1448

End = tuple[NsId, str]
"""A network namespace, and an address of it."""


def of(world: World, interface: Key) -> Traffic:
    """What went over an interface so far."""
    return world.get(Traffic, interface) or Traffic(id=interface)


def count(store: Store, sender: End, receiver: End, size: int, headers: int) -> None:
    """``size`` bytes went from one address to another, over the interfaces that have them."""
    packets = max(-(-size // _SEGMENT), 1)
    size += packets * headers
    for (ns, address), out in ((sender, True), (receiver, False)):
        interface = _holder(store, ns, address.removeprefix("::ffff:"))
        if interface is None:
            continue
        _note(store, interface.id, size, packets, out=out)
        if interface.kind == "veth" and interface.peer is not None:
            _note(store, interface.peer, size, packets, out=not out)


def _holder(store: Store, ns: NsId, address: str) -> Interface | None:
    for row in store.rows_by(IN_NS, ns):
        if row.kind == "loopback" and address.startswith("127."):
            return row
        if any(one.ip == address for one in row.addresses):
            return row
    return None


def _note(store: Store, interface: Key, size: int, packets: int, *, out: bool) -> None:
    had = of(store, interface)
    if out:
        more = msgspec.structs.replace(
            had, sent=had.sent + size, packets_out=had.packets_out + packets
        )
    else:
        more = msgspec.structs.replace(
            had, received=had.received + size, packets_in=had.packets_in + packets
        )
    store.put(more)
