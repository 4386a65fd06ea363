"""Packet filter and address translation: the few rules that products put in. iptables(8)."""

import msgspec

from simulator.machine.abi.ids import HOST, Domain, NsId
from simulator.machine.kernel.net import address as ip
from simulator.machine.state.store import Index, Row, World


class Packet(msgspec.Struct, frozen=True):
    """What a rule looks at. ``inward`` and ``outward`` are interface names, empty for none."""

    protocol: str
    source: str
    destination: str
    port: int
    inward: str = ""
    outward: str = ""


class Rule(Row, frozen=True, kw_only=True):
    """One rule. ``chain`` is ``input``, ``output``, ``forward`` or ``prerouting``.

    Empty or zero criteria match anything; ``destination`` and ``source`` are networks such as
    ``10.0.0.0/8``. ``verdict`` is ``accept``, ``drop``, ``reject``, or ``dnat`` to ``to``.
    ``granted`` marks what an operator published on purpose.
    """

    ns: NsId
    chain: str
    verdict: str
    protocol: str = ""
    source: str = ""
    destination: str = ""
    port: int = 0
    inward: str = ""
    outward: str = ""
    established: bool = False
    to: tuple[str, int] = ("", 0)
    granted: bool = False
    domain: Domain = HOST


IN_CHAIN = Index(Rule, lambda rule: ((rule.ns, rule.chain),), "ns", "chain")


def first(world: World, ns: NsId, chain: str, packet: Packet) -> Rule | None:
    """The first rule of a chain that matches; None leaves the packet alone.

    Only the first packet of a connection is asked about, so a rule for established ones never
    matches here.
    """
    for rule in world.rows_by(IN_CHAIN, (ns, chain)):
        if _matches(rule, packet):
            return rule
    return None


def _matches(rule: Rule, packet: Packet) -> bool:
    return (
        not rule.established
        and rule.protocol in ("", packet.protocol)
        and rule.port in (0, packet.port)
        and _interface(rule.inward, packet.inward)
        and _interface(rule.outward, packet.outward)
        and _net(rule.source, packet.source)
        and _net(rule.destination, packet.destination)
    )


def _interface(wanted: str, name: str) -> bool:
    """``w-+`` matches any name that begins with ``w-``; ``!br0`` any but ``br0``."""
    if not wanted:
        return True
    if wanted.startswith("!"):
        return not _interface(wanted[1:], name)
    return name.startswith(wanted[:-1]) if wanted.endswith("+") else name == wanted


def _net(net: str, text: str) -> bool:
    if not net:
        return True
    base, _, prefix = net.partition("/")
    return ip.within(text, base, int(prefix) if prefix else 32 if ":" not in base else 128)
