"""What a new network namespace begins with: a loopback interface, down, of its maker's."""

from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.namespace import NetNs
from simulator.machine.kernel.namespaces.make import furnish
from simulator.machine.kernel.net import interface as links
from simulator.machine.state.store import Store


def begin(store: Store, ns: NsId) -> None:
    """loopback_net_init(): every namespace has its own ``lo``."""
    if links.named(store, ns, "lo") is None:
        links.populate(store, ns, store.row(NetNs, ns).domain)


furnish("net", begin)
