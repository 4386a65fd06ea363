"""The sysctls of a network namespace that sockets depend on, with the kernel's defaults."""

import msgspec

from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.namespace import NetNs
from simulator.machine.state.store import Store, World

DEFAULTS: dict[str, str] = {
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_forward": "0",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_nonlocal_bind": "0",
    "net.ipv4.ip_unprivileged_port_start": "1024",
    "net.ipv4.ping_group_range": "1\t0",
    "net.ipv4.conf.all.forwarding": "0",
    "net.ipv4.conf.all.route_localnet": "0",
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.all.forwarding": "0",
    "net.ipv6.ip_nonlocal_bind": "0",
    "net.unix.max_dgram_qlen": "512",
}
"""ip(7), proc_sys_net(5); one value for each namespace (``net/ipv4/sysctl_net_ipv4.c``)."""


def read(world: World, ns: NsId, name: str) -> str:
    """The value of ``name`` in ``ns``."""
    stored = world.row(NetNs, ns).sysctls
    value = stored.get(name) if stored is not None else None
    return DEFAULTS[name] if value is None else value


def number(world: World, ns: NsId, name: str) -> int:
    """The value of ``name`` in ``ns`` as a number."""
    return int(read(world, ns, name).split()[0])


_BRIDGED = "net.bridge.bridge-nf-call-iptables"
"""There only when the module br_netfilter is loaded, so not among the defaults."""


def bridges_are_filtered(world: World, ns: NsId) -> bool:
    """Whether the packet filter of ``ns`` sees what its bridges pass from port to port."""
    return (world.row(NetNs, ns).sysctls or {}).get(_BRIDGED, "0") != "0"


def filter_bridges(store: Store, ns: NsId) -> None:
    """As loading br_netfilter does."""
    write(store, ns, _BRIDGED, "1")


def pair(world: World, ns: NsId, name: str) -> tuple[int, int]:
    """The two numbers of a range."""
    low, high = read(world, ns, name).split()
    return int(low), int(high)


def write(store: Store, ns: NsId, name: str, value: str) -> None:
    """Set ``name`` in ``ns``; permission was checked before."""
    row = store.row(NetNs, ns)
    store.put(msgspec.structs.replace(row, sysctls={**(row.sysctls or {}), name: value}))
