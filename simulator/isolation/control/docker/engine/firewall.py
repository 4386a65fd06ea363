"""The rules that dockerd keeps in the host's packet filter. moby ``libnetwork/drivers/bridge``
(``setup_ip_tables_linux.go``, ``port_mapping_linux.go``), ``libnetwork/firewall_linux.go``.

Each rule is one ``@filter``, where dockerd runs iptables(8).
"""

import ipaddress
from typing import TYPE_CHECKING, Any

from simulator.machine.abi.constants import O_CLOEXEC, O_WRONLY
from simulator.machine.userland.process import Process

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.networks import Network

_STAGE_1, _STAGE_2 = "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"
_FORWARDING = "/proc/sys/net/ipv4/ip_forward"
_OPTION = "com.docker.network.bridge."
Message = dict[str, Any]


async def begin(sys: Process) -> None:
    """The chains, and forwarding, with which goes the policy DROP unless it was on already."""
    for table, name in (
        ("nat", "DOCKER"), ("filter", "DOCKER"), ("filter", _STAGE_1), ("filter", _STAGE_2),
        ("filter", "DOCKER-USER"),
    ):  # fmt: skip
        await sys.succeeds("@filter", {"do": "chain", "table": table, "chain": name})
    local: Message = {"table": "nat", "local": True, "target": "DOCKER"}
    for rule in (
        {"chain": _STAGE_1, "target": "RETURN"},
        {"chain": _STAGE_2, "target": "RETURN"},
        {"chain": "DOCKER-USER", "target": "RETURN"},
        {**local, "chain": "PREROUTING"},
        {**local, "chain": "OUTPUT", "destination": "!127.0.0.0/8"},
    ):
        await _add(sys, rule)
    await _first(sys)
    if (await sys.text_or_empty(_FORWARDING)).strip() == "0":
        fd = await sys.open(_FORWARDING, O_WRONLY | O_CLOEXEC)
        await sys.write(fd, b"1")
        await sys.close(fd)
        policy: Message = {"do": "policy", "chain": "FORWARD", "target": "DROP"}
        await sys.succeeds("@filter", policy)


async def _first(sys: Process) -> None:
    """What is asked before everything else stays first (iptable.EnsureJumpRule())."""
    for target in (_STAGE_1, "DOCKER-USER"):
        rule: Message = {"chain": "FORWARD", "target": target}
        await sys.succeeds("@filter", {**rule, "do": "delete"})
        await _add(sys, rule, insert=True)


async def _add(sys: Process, rule: Message, *, insert: bool = False) -> None:
    await sys.succeeds("@filter", {**rule, "do": "insert" if insert else "append"})


async def _remove(sys: Process, rule: Message) -> None:
    await sys.succeeds("@filter", {**rule, "do": "delete"})


def _on(network: "Network", name: str) -> bool:
    return network.Options.get(f"{_OPTION}{name}", "true") == "true"


def _of_network(network: "Network") -> list[tuple[Message, bool]]:
    """The rules of a bridge network in the order in which they are put in, and whether first."""
    bridge = network.Bridge
    net = str(ipaddress.ip_network(network.Subnet))
    across: Message = {"inward": bridge, "outward": bridge, "chain": "FORWARD"}
    icc = _on(network, "enable_icc")
    talk = {**across, "target": "ACCEPT" if icc else "DROP"}
    if network.Internal:
        into: Message = {"chain": _STAGE_1, "target": "DROP", "outward": bridge}
        out: Message = {"chain": _STAGE_1, "target": "DROP", "inward": bridge}
        found = [({**into, "source": f"!{net}"}, True), ({**out, "destination": f"!{net}"}, True)]
        return [*found[::-1], (talk, icc)]
    rules: list[tuple[Message, bool]] = []
    if _on(network, "enable_ip_masquerade"):
        masquerade = {"chain": "POSTROUTING", "target": "MASQUERADE", "source": net}
        rules.append(({**masquerade, "table": "nat", "outward": f"!{bridge}"}, True))
        back = {"table": "nat", "chain": "DOCKER", "inward": bridge, "target": "RETURN"}
        rules.append((back, True))
    rules.append((talk, icc))
    outgoing = {"chain": "FORWARD", "inward": bridge, "outward": f"!{bridge}", "target": "ACCEPT"}
    rules.append((outgoing, True))
    rules.append(({"chain": "FORWARD", "outward": bridge, "target": "DOCKER"}, True))
    answers = {"chain": "FORWARD", "outward": bridge, "established": True, "target": "ACCEPT"}
    rules.append((answers, True))
    apart = {"chain": _STAGE_1, "inward": bridge, "outward": f"!{bridge}", "target": _STAGE_2}
    rules.append((apart, True))
    rules.append(({"chain": _STAGE_2, "outward": bridge, "target": "DROP"}, True))
    return rules


async def open_network(sys: Process, network: "Network") -> None:
    """A bridge is there: what may pass, and as whom."""
    if not network.Bridge:
        return
    if not _on(network, "enable_icc"):
        await sys.succeeds("@filter", {"do": "bridged"})
    for rule, insert in _of_network(network):
        await _add(sys, rule, insert=insert)
    await _first(sys)


async def close_network(sys: Process, network: "Network") -> None:
    """A bridge goes, and its rules."""
    for rule, _insert in _of_network(network) if network.Bridge else ():
        await _remove(sys, rule)


def of_port(bridge: str, address: str, port: str, place: dict[str, str]) -> list[Message]:
    """The rules of one published port: ``port`` is ``80/tcp``, ``place`` where on the host."""
    inner, _, protocol = port.partition("/")
    base: Message = {"protocol": protocol, "granted": True}
    host = place["HostIp"]
    to = {"target": "DNAT", "to": (address, int(inner)), "port": int(place["HostPort"])}
    if host not in ("", "0.0.0.0"):
        to["destination"] = f"{host}/32"
    here = {**base, "destination": f"{address}/32", "port": int(inner)}
    masquerade = {"chain": "POSTROUTING", "target": "MASQUERADE", "source": f"{address}/32"}
    return [
        {**base, **to, "table": "nat", "chain": "DOCKER", "inward": f"!{bridge}"},
        {**here, **masquerade, "table": "nat"},
        {**here, "chain": "DOCKER", "inward": f"!{bridge}", "outward": bridge, "target": "ACCEPT"},
    ]


async def open_port(sys: Process, rules: list[Message]) -> None:
    """A port is published."""
    for rule in rules:
        await _add(sys, rule)


async def close_port(sys: Process, rules: list[Message]) -> None:
    """It is no longer."""
    for rule in rules:
        await _remove(sys, rule)
