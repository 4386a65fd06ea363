"""venet: the network device of an environment. It carries packets, no frames: there is no ARP, no
broadcast and no MAC address to forge, and the host routes each address to the environment that it
was mapped to. Source: drivers/net/venetdev.c, vzctl(8) "Network control parameters".
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import IFF_BROADCAST
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, NsId
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.net import params
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

NAME = "venet0"
IFF_POINTOPOINT = 0x10
FLAGS = IFF_BROADCAST | IFF_POINTOPOINT | links.IFF_NOARP
VE_IP_ADD, VE_IP_DEL = 1, 2
CITE = "drivers/net/venetdev.c"


class Mapped(Row, frozen=True, kw_only=True):
    """An address (``id``) that the host routes to environment ``veid`` (/proc/vz/veip)."""

    veid: int


def start(trap: "Trap", host: NsId, ns: NsId) -> None:
    """venet_start(): the environment's own end; the host's is there since the module is."""
    store = trap.store
    near = _machine(store, host)
    made = links.add(store, ns, links.Link(NAME, "venet", flags=FLAGS), domain=trap.task.domain)
    store.put(msgspec.structs.replace(made, peer=near.id, mac=links.NO_MAC))


def stop(store: Store, ns: NsId) -> None:
    """venet_stop(): the device goes with its environment."""
    there = links.named(store, ns, NAME)
    if there is not None and there.peer is not None:
        store.put(msgspec.structs.replace(there, peer=None))
        links.remove(store, store.row(links.Interface, there.id))


def map_address(trap: "Trap", row: Context, operation: int, address: str) -> None:
    """VENETCTL_VE_IP_MAP: EADDRINUSE, EADDRNOTAVAIL, EINVAL."""
    store = trap.store
    known = store.get(Mapped, address)
    if operation == VE_IP_ADD:
        if known is not None:
            trap.fail(Errno.EADDRINUSE, N_("Another environment has the address."), CITE)
        store.put(Mapped(id=address, veid=row.number))
        links.add_route(
            store, trap.task.ns.net, address, 32, interface=_machine(store, trap.task.ns.net)
        )
    elif operation == VE_IP_DEL:
        if known is None or known.veid != row.number:
            trap.fail(Errno.EADDRNOTAVAIL, N_("The environment has no such address."), CITE)
        store.drop(Mapped, address)
        for route in store.rows_by(links.ROUTES, trap.task.ns.net):
            if route.destination == address:
                store.drop(links.Route, route.id)
    else:
        trap.fail(Errno.EINVAL, "", CITE)


def unmap_all(store: Store, veid: int) -> None:
    """veip_stop(): the addresses of an environment that has stopped lead nowhere."""
    gone = {one.id for one in store.all(Mapped) if one.veid == veid}
    for address in gone:
        store.drop(Mapped, address)
    for route in store.all(links.Route):
        if route.destination in gone:
            store.drop(links.Route, route.id)


def _machine(store: Store, host: NsId) -> links.Interface:
    """The host's venet0, made by the first who needs it, with forwarding as the init script has it
    (net.ipv4.ip_forward, required by vz(8)).
    """
    found = links.named(store, host, NAME)
    if found is None:
        found = links.add(store, host, links.Link(NAME, "venet", flags=FLAGS), domain=HOST)
        found = msgspec.structs.replace(found, mac=links.NO_MAC)
        store.put(found)
        found = links.set_up(store, found, True)
        params.write(store, host, "net.ipv4.ip_forward", "1")
    return found
