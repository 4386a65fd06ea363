"""Where a packet goes: route lookup, the cable, the bridge, forwarding, and who gets it.

Only the first packet of an exchange is followed; its answer takes the same way back. Source:
``net/ipv4/route.c``, ``net/bridge/br_forward.c``, ip(7), ipv6(7).
"""

from typing import NamedTuple, TypeAlias

import msgspec

from simulator.machine.abi.constants import AF_INET, AF_INET6
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import filter as filters
from simulator.machine.kernel.net import params
from simulator.machine.kernel.net.filter import Packet
from simulator.machine.kernel.net.interface import (
    IN_NS,
    PEERS,
    PORTS,
    ROUTES,
    Interface,
    is_up,
    listed,
)
from simulator.machine.state.store import World

MAX_HOPS = 8


class Hop(NamedTuple):
    """A route: the interface it leaves by, the next machine on the way, the address it shows."""

    interface: Interface
    next: str
    source: str


class Arrival(NamedTuple):
    """The packet reaches a machine that has its destination address."""

    ns: NsId
    source: str
    destination: str
    port: int
    granted: bool


class Refusal(NamedTuple):
    """Something on the way says no, and says so. ``wall`` is empty when it is no wall."""

    errno: Errno
    wall: str = ""


class Lost(NamedTuple):
    """Nobody answers: the sender waits."""

    why: str


Fate: TypeAlias = Arrival | Refusal | Lost


def is_local(world: World, ns: NsId, text: str) -> bool:
    """Whether ``text`` is an address of ``ns`` itself (its local routing table)."""
    for interface in world.rows_by(IN_NS, ns):
        if not is_up(interface):
            continue
        for entry in interface.addresses:
            if entry.ip == text:
                return True
            if interface.kind == "loopback" and ip.within(text, entry.ip, entry.prefix):
                return ip.broadcast(entry.ip, entry.prefix) != text
    return False


def own_addresses(world: World, ns: NsId) -> list[str]:
    """The addresses of ``ns`` on its interfaces that are up."""
    return [one.ip for row in world.rows_by(IN_NS, ns) if is_up(row) for one in row.addresses]


def is_elsewhere(world: World, ns: NsId, text: str) -> bool:
    """Whether ``text`` is an address of another network namespace."""
    return any(
        interface.ns != ns and any(entry.ip == text for entry in interface.addresses)
        for interface in world.all(Interface)
    )


def has_addresses(world: World, ns: NsId, family: int, *, up: bool = False) -> bool:
    """Whether any interface of ``ns`` (that is up) has an address of this family."""
    return any(
        ip.family_of(entry.ip) == family
        for interface in world.rows_by(IN_NS, ns)
        if not up or is_up(interface)
        for entry in interface.addresses
    )


def is_broadcast(world: World, ns: NsId, text: str) -> bool:
    """255.255.255.255, or the broadcast address of a network of ``ns``."""
    return text == "255.255.255.255" or any(
        ip.broadcast(entry.ip, entry.prefix) == text
        for interface in world.rows_by(IN_NS, ns)
        if is_up(interface)
        for entry in interface.addresses
    )


def lookup(world: World, ns: NsId, text: str, device: int | None = None) -> Hop | Errno:
    """The best route of ``ns`` to ``text``; ENETUNREACH when there is none."""
    best: tuple[int, Hop | Errno] | None = None
    if ":" in text and not has_addresses(world, ns, AF_INET6, up=True):
        return Errno.EADDRNOTAVAIL
    for prefix, hop in _candidates(world, ns, text, device):
        if best is None or prefix > best[0]:
            best = (prefix, hop)
    return best[1] if best is not None else Errno.ENETUNREACH


def _candidates(
    world: World, ns: NsId, text: str, device: int | None
) -> list[tuple[int, Hop | Errno]]:
    found: list[tuple[int, Hop | Errno]] = []
    for interface in listed(world, ns):
        if not is_up(interface) or device not in (None, interface.id):
            continue
        for entry in interface.addresses:
            if entry.prefix < _full(text) and ip.within(text, entry.ip, entry.prefix):
                found.append((entry.prefix, Hop(interface, text, entry.ip)))
    for route in world.rows_by(ROUTES, ns):
        if not ip.within(text, route.destination, route.prefix):
            continue
        if route.interface is None:
            found.append((route.prefix, Errno.EHOSTUNREACH))
            continue
        interface = world.get(Interface, route.interface)
        if interface is None or not is_up(interface) or device not in (None, interface.id):
            continue
        source = source_on(interface, text)
        found.append((route.prefix, Hop(interface, route.gateway or text, source)))
    return found


def source_on(interface: Interface, text: str) -> str:
    """The address that ``interface`` shows to ``text``: one of the same network, else the first."""
    family = ip.family_of(text)
    own = [a for a in interface.addresses if ip.family_of(a.ip) == family]
    for entry in own:
        if ip.within(text, entry.ip, entry.prefix):
            return entry.ip
    usable = [a for a in own if a.scope == "global"] or own
    return usable[0].ip if usable else ip.ANY[family]


def source_for(world: World, ns: NsId, text: str) -> str | Errno:
    """The local address of a socket of ``ns`` that connects to ``text``."""
    if is_local(world, ns, text):
        return text if not ip.is_loopback(text) else ip.LOOPBACK[ip.family_of(text)]
    hop = lookup(world, ns, text)
    return hop if isinstance(hop, Errno) else hop.source


def send(world: World, ns: NsId, packet: Packet, device: int | None = None) -> Fate:
    """What becomes of a packet that a socket of ``ns`` sends."""
    packet, granted = _translated(world, ns, "OUTPUT", packet)
    target, allowed = filters.decide(world, ns, "OUTPUT", packet)
    if target in ("DROP", "REJECT"):
        return Refusal(Errno.EPERM, "packet-filter")
    granted = granted or allowed
    if is_local(world, ns, packet.destination):
        return _arrive(world, ns, packet, granted)
    return _forward(world, ns, packet, granted, device, MAX_HOPS)


def _forward(
    world: World, ns: NsId, packet: Packet, granted: bool, device: int | None, hops: int
) -> Fate:
    hop = lookup(world, ns, packet.destination, device)
    if isinstance(hop, Errno):
        return Refusal(hop)
    packet = _masqueraded(world, ns, packet, hop.interface)
    there = neighbour(world, hop.interface, hop.next)
    if there is None or not hops:
        return Lost("nobody on this network answers to the address")
    bridge = _between(world, hop.interface, there)
    if bridge is not None:
        through = msgspec.structs.replace(packet, inward=bridge.name, outward=bridge.name)
        target, allowed = filters.decide(world, bridge.ns, "FORWARD", through)
        granted = granted or allowed
        if target != "ACCEPT":
            return _refused(target)
    packet = msgspec.structs.replace(packet, inward=there.name, outward="")
    return _receive(world, there.ns, packet, granted, hops - 1)


def _between(world: World, interface: Interface, there: Interface) -> Interface | None:
    """The bridge on the way from port to port whose frames br_netfilter shows to the filter."""
    peer = world.get(Interface, interface.peer) if interface.peer is not None else None
    if peer is None or peer.master in (None, there.id):
        return None
    bridge = world.get(Interface, peer.master)
    if bridge is None or not params.bridges_are_filtered(world, bridge.ns):
        return None
    return bridge


def _receive(world: World, ns: NsId, packet: Packet, granted: bool, hops: int) -> Fate:
    """A packet comes in over an interface: translate it, then take it or pass it on."""
    packet, published = _translated(world, ns, "PREROUTING", packet)
    granted = granted or published
    if is_local(world, ns, packet.destination):
        if ip.is_loopback(packet.destination) and not params.number(
            world, ns, "net.ipv4.conf.all.route_localnet"
        ):
            return Lost("a loopback address does not travel (martian)")
        return _arrive(world, ns, packet, granted)
    v4 = ip.family_of(packet.destination) == AF_INET
    switch = "net.ipv4.ip_forward" if v4 else "net.ipv6.conf.all.forwarding"
    if not params.number(world, ns, switch):
        return Lost("the machine in between does not forward")
    return _pass_on(world, ns, packet, granted, hops)


def _pass_on(world: World, ns: NsId, packet: Packet, granted: bool, hops: int) -> Fate:
    hop = lookup(world, ns, packet.destination)
    if isinstance(hop, Errno):
        return Refusal(hop)
    packet = msgspec.structs.replace(packet, outward=hop.interface.name)
    target, allowed = filters.decide(world, ns, "FORWARD", packet)
    if target != "ACCEPT":
        return _refused(target)
    return _forward(world, ns, packet, granted or allowed, None, hops)


def _arrive(world: World, ns: NsId, packet: Packet, granted: bool) -> Fate:
    target, allowed = filters.decide(world, ns, "INPUT", packet)
    if target in ("DROP", "REJECT"):
        return _refused(target)
    granted = granted or allowed
    return Arrival(ns, packet.source, packet.destination, packet.port, granted)


def _refused(target: str) -> Fate:
    if target == "REJECT":
        return Refusal(Errno.ECONNREFUSED, "packet-filter")
    return Lost("a packet filter drops it")


def _translated(world: World, ns: NsId, chain: str, packet: Packet) -> tuple[Packet, bool]:
    """The packet after DNAT, if a rule of the table ``nat`` says so, and whether it is granted."""
    if not world.count(filters.Rule):
        return packet, False
    asked = msgspec.structs.replace(packet, local=is_local(world, ns, packet.destination))
    rule = filters.ask(world, ns, "nat", chain, asked)
    if rule is None or rule.target != "DNAT":
        return packet, False
    address, port = rule.to
    changed = msgspec.structs.replace(packet, destination=address, port=port or packet.port)
    return changed, rule.granted


def _masqueraded(world: World, ns: NsId, packet: Packet, out: Interface) -> Packet:
    """What leaves by ``out`` may show the address of that interface, or another, for its own."""
    if not world.count(filters.Rule):
        return packet
    asked = msgspec.structs.replace(packet, outward=out.name)
    rule = filters.ask(world, ns, "nat", "POSTROUTING", asked)
    if rule is not None and rule.target == "SNAT":
        return msgspec.structs.replace(packet, source=rule.to[0])
    if rule is None or rule.target != "MASQUERADE":
        return packet
    return msgspec.structs.replace(packet, source=source_on(out, packet.destination))


def neighbour(world: World, interface: Interface, text: str) -> Interface | None:
    """The interface that answers to ``text`` on the network that ``interface`` is on.

    Linux answers for any of its addresses on any interface (arp_ignore 0, ip-sysctl).
    """
    seen = {interface.id}
    if interface.kind == "venet" and interface.peer is not None:
        # Without frames nobody is asked for: what leaves a container is the host's to route.
        return next(iter(_routed(world, interface, seen)), None)
    for reached in _cable(world, interface, seen):
        if is_local(world, reached.ns, text) and not ip.is_loopback(text):
            return reached
    return None


def segment(world: World, interface: Interface) -> list[Interface]:
    """Every interface that a frame sent from ``interface`` reaches."""
    return _cable(world, interface, {interface.id})


def _cable(world: World, interface: Interface, seen: set[int]) -> list[Interface]:
    """Who receives what ``interface`` sends: through its cable, and through bridges."""
    if interface.kind == "bridge":
        return _ports(world, interface, seen)
    if interface.kind == "venet":
        return _routed(world, interface, seen)
    if interface.kind != "veth" or interface.peer is None:
        return []
    peer = world.get(Interface, interface.peer)
    if peer is None or not is_up(peer) or peer.id in seen:
        return []
    seen.add(peer.id)
    return _received(world, peer, seen)


def _routed(world: World, interface: Interface, seen: set[int]) -> list[Interface]:
    """venet: a container's leads to the machine's, and that one to every container's."""
    ends = (
        world.rows_by(PEERS, interface.id)
        if interface.peer is None
        else (world.row(Interface, interface.peer),)
    )
    return [one for one in ends if is_up(one) and one.id not in seen]


def _received(world: World, interface: Interface, seen: set[int]) -> list[Interface]:
    if interface.master is None:
        return [interface]
    bridge = world.get(Interface, interface.master)
    if bridge is None or not is_up(bridge) or bridge.id in seen:
        return []
    seen.add(bridge.id)
    return [bridge, *_ports(world, bridge, seen)]


def _ports(world: World, bridge: Interface, seen: set[int]) -> list[Interface]:
    reached: list[Interface] = []
    for port in world.rows_by(PORTS, bridge.id):
        if is_up(port) and port.id not in seen:
            seen.add(port.id)
            reached.extend(_cable(world, port, seen))
    return reached


def _full(text: str) -> int:
    return 128 if ":" in text else 32
