"""Network interfaces, their addresses and the routes over them, each in one network namespace.

Source: netdevice(7), rtnetlink(7), veth(4); ``net/core/dev.c``, ``net/ipv4/devinet.c``.
"""

from dataclasses import dataclass

import msgspec

from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    IFF_BROADCAST,
    IFF_LOOPBACK,
    IFF_RUNNING,
    IFF_UP,
)
from simulator.machine.abi.ids import HOST, ContextId, Domain, NsId
from simulator.machine.kernel.context import ROOT_CONTEXT
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import params
from simulator.machine.state.store import Index, Row, Store, World

IFF_NOARP = 0x80
IFF_MULTICAST = 0x1000
NO_MAC = "00:00:00:00:00:00"


class Address(msgspec.Struct, frozen=True):
    """One address of an interface; ``scope`` is ``global``, ``link`` or ``host``."""

    ip: str
    prefix: int
    scope: str = "global"
    broadcast: str = ""


class Interface(Row, frozen=True, kw_only=True):
    """One interface. ``index`` numbers it within its namespace.

    ``kind`` is ``loopback``, ``ether`` (a card: what is beyond it is outside the model), ``veth``
    (``peer`` is the other end), ``bridge``, ``dummy``, ``tun``, ``venet`` (OpenVZ: no frames, a
    container's has the machine's as its ``peer``). ``master`` is the bridge that it
    is a port of. ``flags`` are IFF_*, without IFF_RUNNING, which ``flags_of`` derives.
    """

    ns: NsId
    index: int
    name: str
    kind: str
    flags: int = 0
    mtu: int = 1500
    mac: str = NO_MAC
    addresses: tuple[Address, ...] = ()
    peer: int | None = None
    master: int | None = None
    context: ContextId = ROOT_CONTEXT
    """The zone that a logical interface was assigned to (SIOCSLIFZONE)."""
    domain: Domain = HOST


class Traffic(Row, frozen=True, kw_only=True):
    """Bytes and packets of an interface (``id`` is its), in and out."""

    received: int = 0
    packets_in: int = 0
    sent: int = 0
    packets_out: int = 0


class Route(Row, frozen=True, kw_only=True):
    """A route that somebody added; those to an interface's own networks are derived.

    ``interface`` None makes it a route that refuses: EHOSTUNREACH (``ip route add unreachable``).
    """

    ns: NsId
    destination: str
    prefix: int
    gateway: str = ""
    interface: int | None = None
    domain: Domain = HOST


IN_NS = Index(Interface, lambda interface: (interface.ns,), "ns")
PEERS = Index(Interface, lambda interface: (interface.peer,), "peer")
PORTS = Index(Interface, lambda interface: (interface.master,), "master")
ROUTES = Index(Route, lambda route: (route.ns,), "ns")


@dataclass(frozen=True, slots=True)
class Link:
    """What a new interface is to be."""

    name: str
    kind: str
    flags: int = IFF_BROADCAST | IFF_MULTICAST
    mtu: int = 1500
    mac: str = ""


def populate(store: Store, ns: NsId, domain: Domain = HOST) -> Interface:
    """What a new network namespace begins with: a loopback interface that is down."""
    return add(
        store,
        ns,
        Link("lo", "loopback", flags=IFF_LOOPBACK, mtu=65536, mac=NO_MAC),
        domain=domain,
    )


def add(store: Store, ns: NsId, link: Link, *, domain: Domain = HOST) -> Interface:
    """A new interface, down and without addresses."""
    number = store.new_id(Interface)
    interface = Interface(
        id=number,
        ns=ns,
        index=store.new_id(("ifindex", ns)),
        name=link.name,
        kind=link.kind,
        flags=link.flags,
        mtu=link.mtu,
        mac=link.mac or f"02:42:ac:11:{number >> 8 & 0xFF:02x}:{number & 0xFF:02x}",
        domain=domain,
    )
    store.put(interface)
    return interface


def add_veth(
    store: Store, ns: NsId, name: str, peer_ns: NsId, peer_name: str, domain: Domain = HOST
) -> tuple[Interface, Interface]:
    """veth(4): two interfaces, each of which receives what the other sends."""
    one = add(store, ns, Link(name, "veth"), domain=domain)
    two = add(store, peer_ns, Link(peer_name, "veth"), domain=domain)
    one = msgspec.structs.replace(one, peer=two.id)
    two = msgspec.structs.replace(two, peer=one.id)
    store.put(one)
    store.put(two)
    return one, two


def listed(world: World, ns: NsId) -> tuple[Interface, ...]:
    """The interfaces of ``ns`` in the order of their indexes."""
    return tuple(sorted(world.rows_by(IN_NS, ns), key=lambda interface: interface.index))


def named(world: World, ns: NsId, name: str) -> Interface | None:
    """The interface called ``name`` in ``ns``, or None."""
    for interface in world.rows_by(IN_NS, ns):
        if interface.name == name:
            return interface
    return None


def numbered(world: World, ns: NsId, index: int) -> Interface | None:
    """The interface numbered ``index`` in ``ns``, or None."""
    for interface in world.rows_by(IN_NS, ns):
        if interface.index == index:
            return interface
    return None


def is_up(interface: Interface) -> bool:
    """IFF_UP."""
    return bool(interface.flags & IFF_UP)


def has_carrier(world: World, interface: Interface) -> bool:
    """Whether frames pass: both ends of a veth up, any port of a bridge up (IFF_LOWER_UP)."""
    if not is_up(interface):
        return False
    if interface.kind == "veth":
        peer = world.get(Interface, interface.peer)
        return peer is not None and is_up(peer)
    if interface.kind == "bridge":
        return any(has_carrier(world, port) for port in world.rows_by(PORTS, interface.id))
    return interface.kind != "tun"


def flags_of(world: World, interface: Interface) -> int:
    """IFF_* as SIOCGIFFLAGS gives them."""
    return interface.flags | (IFF_RUNNING if has_carrier(world, interface) else 0)


def set_up(store: Store, interface: Interface, up: bool) -> Interface:
    """Bring an interface up or down, with the addresses that come and go by themselves."""
    flags = interface.flags | IFF_UP if up else interface.flags & ~IFF_UP
    addresses = interface.addresses
    if not up:
        for route in store.rows_by(ROUTES, interface.ns):
            if route.interface == interface.id:
                store.drop(Route, route.id)
        addresses = tuple(a for a in addresses if ip.family_of(a.ip) == AF_INET)
    elif interface.kind == "loopback":
        own = [Address("127.0.0.1", 8, "host"), Address("::1", 128, "host")]
        addresses = _with(addresses, *own[: 1 if _without_ipv6(store, interface.ns) else 2])
    elif interface.kind != "venet" and not _without_ipv6(store, interface.ns):
        addresses = _with(addresses, Address(ip.link_local(interface.mac), 64, "link"))
    changed = msgspec.structs.replace(interface, flags=flags, addresses=addresses)
    store.put(changed)
    return changed


def add_address(store: Store, interface: Interface, text: str, prefix: int) -> Interface:
    """Give ``interface`` one more address."""
    scope = "host" if ip.is_loopback(text) else "global"
    entry = Address(text, prefix, scope, ip.broadcast(text, prefix) if scope == "global" else "")
    v4 = [a for a in interface.addresses if ip.family_of(a.ip) == AF_INET]
    v6 = [a for a in interface.addresses if ip.family_of(a.ip) == AF_INET6]
    changed = msgspec.structs.replace(interface, addresses=(*v4, entry, *v6))
    store.put(changed)
    return changed


def move(store: Store, interface: Interface, ns: NsId, name: str = "") -> Interface:
    """Hand an interface to another namespace: it arrives down and bare (netns(7), dev.c)."""
    bare = set_up(store, interface, False)
    taken = numbered(store, ns, interface.index) is not None
    index = store.new_id(("ifindex", ns)) if taken else interface.index
    moved = msgspec.structs.replace(
        bare, ns=ns, index=index, name=name or bare.name, addresses=(), master=None
    )
    store.put(moved)
    return moved


def remove(store: Store, interface: Interface) -> None:
    """Delete an interface; the other end of a veth goes with it."""
    set_up(store, interface, False)
    for port in store.rows_by(PORTS, interface.id):
        store.put(msgspec.structs.replace(port, master=None))
    store.drop(Interface, interface.id)
    if store.get(Traffic, interface.id) is not None:
        store.drop(Traffic, interface.id)
    peer = store.get(Interface, interface.peer) if interface.peer is not None else None
    if peer is not None:
        remove(store, msgspec.structs.replace(peer, peer=None))


def add_route(
    store: Store,
    ns: NsId,
    destination: str,
    prefix: int,
    *,
    gateway: str = "",
    interface: Interface | None = None,
    domain: Domain = HOST,
) -> Route:
    """A new route (``0.0.0.0``/0 for the default one)."""
    route = Route(
        id=store.new_id(Route),
        ns=ns,
        destination=destination,
        prefix=prefix,
        gateway=gateway,
        interface=interface.id if interface is not None else None,
        domain=domain,
    )
    store.put(route)
    return route


def _without_ipv6(world: World, ns: NsId) -> bool:
    """Whether net.ipv6.conf.all.disable_ipv6 keeps addresses of IPv6 away."""
    return params.number(world, ns, "net.ipv6.conf.all.disable_ipv6") != 0


def _with(addresses: tuple[Address, ...], *more: Address) -> tuple[Address, ...]:
    have = {a.ip for a in addresses}
    return addresses + tuple(a for a in more if a.ip not in have)
