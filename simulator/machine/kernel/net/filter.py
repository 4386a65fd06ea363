"""Packet filter and address translation as far as products use them: iptables(8).

Two tables, ``filter`` and ``nat``, with chains of rules in order. Only the first packet of an
exchange is asked about, so a rule for established ones never matches here; for datagrams what was
translated is remembered (``flow.py``). Source: ``net/ipv4/netfilter/ip_tables.c`` ipt_do_table().
"""

import msgspec

from simulator.machine.abi.ids import HOST, Domain, NsId
from simulator.machine.kernel.net import address as ip
from simulator.machine.state.store import Index, Row, Store, World

BUILT_IN = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}
"""The chains that a packet meets by itself, as iptables-save(8) orders them."""
FINAL = frozenset(("ACCEPT", "DROP", "REJECT", "DNAT", "MASQUERADE", "SNAT"))
"""Targets that decide; RETURN and the names of chains do not."""
_DEEPEST = 16


class Packet(msgspec.Struct, frozen=True):
    """What a rule looks at. ``inward`` and ``outward`` are interface names, empty for none;
    ``local``: the destination is an address of the machine that asks.
    """

    protocol: str
    source: str
    destination: str
    port: int
    inward: str = ""
    outward: str = ""
    local: bool = False


class Rule(Row, frozen=True, kw_only=True):
    """One rule of a chain, ordered by ``rank``.

    Empty or zero criteria match anything, ``!`` before one turns it round; ``destination`` and
    ``source`` are networks such as ``10.0.0.0/8``. ``target`` is of ``FINAL``, ``RETURN``, or the
    name of a chain; DNAT goes to ``to``, SNAT comes from it. ``local``: only for what is addressed
    to the machine itself (addrtype). ``granted`` marks what an operator published on purpose.
    """

    ns: NsId
    chain: str
    target: str
    table: str = "filter"
    rank: int = 0
    protocol: str = ""
    source: str = ""
    destination: str = ""
    port: int = 0
    inward: str = ""
    outward: str = ""
    established: bool = False
    local: bool = False
    to: tuple[str, int] = ("", 0)
    granted: bool = False
    domain: Domain = HOST


class Chain(Row, frozen=True, kw_only=True):
    """A chain that somebody made, or a built-in one whose ``policy`` was set."""

    ns: NsId
    table: str
    name: str
    policy: str = ""


IN_CHAIN = Index(Rule, lambda rule: ((rule.ns, rule.table, rule.chain),), "ns", "table", "chain")
CHAINS = Index(Chain, lambda chain: ((chain.ns, chain.table),), "ns", "table")


def rules(world: World, ns: NsId, table: str, chain: str) -> list[Rule]:
    """A chain's rules in order."""
    return sorted(world.rows_by(IN_CHAIN, (ns, table, chain)), key=lambda rule: rule.rank)


def chains(world: World, ns: NsId, table: str) -> dict[str, str]:
    """Each chain of a table with its policy (empty for one that somebody made), in order."""
    known = {one.name: one.policy for one in world.rows_by(CHAINS, (ns, table))}
    found = {name: known.pop(name, "") or "ACCEPT" for name in BUILT_IN[table]}
    return found | dict(sorted(known.items()))


def put_chain(store: Store, ns: NsId, table: str, name: str, policy: str = "") -> None:
    """Make a chain, or set a policy."""
    there = next((one for one in store.rows_by(CHAINS, (ns, table)) if one.name == name), None)
    number = there.id if there is not None else store.new_id(Chain)
    store.put(Chain(id=number, ns=ns, table=table, name=name, policy=policy))


def decide(world: World, ns: NsId, chain: str, packet: Packet) -> tuple[str, bool]:
    """What the filter says to a packet, a target of ``FINAL``, and whether that is granted."""
    rule = ask(world, ns, "filter", chain, packet)
    if rule is not None:
        return rule.target, rule.granted
    for one in world.rows_by(CHAINS, (ns, "filter")):
        if one.name == chain:
            return one.policy or "ACCEPT", False
    return "ACCEPT", False


def ask(
    world: World, ns: NsId, table: str, chain: str, packet: Packet, depth: int = 0
) -> Rule | None:
    """The rule that decides about a packet, through the chains that rules jump to, or None."""
    if depth > _DEEPEST:
        return None
    for rule in rules(world, ns, table, chain):
        if not _matches(rule, packet):
            continue
        if rule.target == "RETURN":
            return None
        found = rule
        if rule.target not in FINAL:
            found = ask(world, ns, table, rule.target, packet, depth + 1)
        if found is not None:
            return found
    return None


def _matches(rule: Rule, packet: Packet) -> bool:
    return (
        not rule.established
        and rule.protocol in ("", packet.protocol)
        and rule.port in (0, packet.port)
        and (packet.local or not rule.local)
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
    if net.startswith("!"):
        return not _net(net[1:], text)
    base, _, prefix = net.partition("/")
    return ip.within(text, base, int(prefix) if prefix else 32 if ":" not in base else 128)
