"""Networks drawn: each bridge with its cables, what is at their other ends, published ports."""

from collections.abc import Iterator, Mapping

import msgspec

from simulator.classroom.tui.present.engine.disk import Disk
from simulator.classroom.tui.present.line import Line, heading
from simulator.isolation.control.docker.engine.container import Record
from simulator.isolation.control.docker.engine.networks import Network
from simulator.isolation.control.netfilter import showing
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.net import filter as filters
from simulator.machine.kernel.net.interface import IN_NS, PORTS, Interface, is_up
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World


def bridges(world: World) -> list[Line]:
    """Every network with a bridge: its gateway, then a branch for each cable that is plugged in."""
    disk = Disk(world)
    containers = disk.containers()
    init = world.row(Task, INIT)
    cards = {
        card.name: card
        for key in world.by(IN_NS, init.ns.net)
        if (card := world.get(Interface, key)) is not None
    }
    uplinks = [card for card in cards.values() if card.kind == "ether" and is_up(card)]
    lines: list[Line] = []
    for one in disk.networks():
        card = cards.get(one.Bridge) if one.Bridge else None
        lines += _drawn(world, one, card, containers, uplinks)
    if not lines:
        return [Line(text=_("no network yet"), domain="kernel")]
    return lines + _rules(world, init.ns.net)


def _rules(world: World, ns: NsId) -> list[Line]:
    """The host's packet filter, each rule as iptables takes it."""
    lines: list[Line] = []
    for table in filters.BUILT_IN:
        chains = filters.chains(world, ns, table)
        every = [rule for name in chains for rule in filters.rules(world, ns, table, name)]
        if every:
            lines.append(heading(_("rules of the table {name}").format(name=table)))
            shut = [name for name, policy in chains.items() if policy == "DROP"]
            lines += [Line(text=f"-P {name} DROP") for name in shut]
            lines += [Line(text=showing.options(msgspec.structs.asdict(rule))) for rule in every]
    return lines


def _is_hidden(world: World, card: Interface, network: Network) -> bool:
    """Whether a rule gives what leaves this network the address of the card that it leaves by."""
    return any(
        rule.target == "MASQUERADE"
        and rule.source == network.Subnet
        and rule.outward == f"!{card.name}"
        for rule in filters.rules(world, card.ns, "nat", "POSTROUTING")
    )


def _outward(uplinks: list[Interface], *, hides: bool) -> Iterator[Line]:
    """The host's own cards, as whose address the containers appear outside."""
    for card in uplinks:
        address = next((a.ip for a in card.addresses if a.scope == "global"), "")
        said = _("NAT: outside they appear as {address}").format(address=address)
        yield Line(text=f"⇅ {card.name}  {said if hides and address else address}".rstrip())


def _drawn(
    world: World,
    network: Network,
    card: Interface | None,
    containers: list[Record],
    uplinks: list[Interface],
) -> Iterator[Line]:
    if network.Driver == "null":
        return
    inside = _("internal") if network.Internal else ""
    named = (network.Name, network.Driver, network.Subnet, inside)
    yield heading("  ".join(filter(None, named)))
    if card is None:
        members = [c.Name for c in containers if network.Name in c.Networks and c.State.Running]
        if members:
            yield Line(text=_("the host's own interfaces: {names}").format(names=" ".join(members)))
        return
    own = next((f"{a.ip}/{a.prefix}" for a in card.addresses if a.scope == "global"), "")
    state = "" if is_up(card) else f"  {_('down')}"
    if not network.Internal:
        yield from _outward(uplinks, hides=_is_hidden(world, card, network))
    yield Line(text=f"■ {card.name}  {own}{state}", domain=card.domain)
    cables = [world.row(Interface, key) for key in world.by(PORTS, card.id)]
    proxies = _proxies(world) if cables else {}
    for number, cable in enumerate(cables, start=1):
        branch = "└" if number == len(cables) else "├"
        yield from _cable(world, network, cable, branch, containers, proxies)


def _cable(
    world: World,
    network: Network,
    cable: Interface,
    branch: str,
    containers: list[Record],
    proxies: Mapping[str, int],
) -> Iterator[Line]:
    end = world.get(Interface, cable.peer) if cable.peer is not None else None
    address = next((a.ip for a in end.addresses if a.scope == "global"), "") if end else ""
    whose = next(
        (
            one
            for one in containers
            if address
            and any(
                settings.IPAddress == address
                for name, settings in one.Networks.items()
                if name == network.Name
            )
        ),
        None,
    )
    name = whose.Name if whose is not None else ""
    inner = f"{end.name} {address}" if end is not None else "?"
    domain = whose.ID if whose is not None else end.domain if end is not None else cable.domain
    yield Line(text=f"{branch}─ {cable.name} ═ {inner}  {name}".rstrip(), domain=domain)
    bar = " " if branch == "└" else "│"
    for text in published(whose, proxies) if whose is not None else ():
        yield Line(text=f"{bar}    {text}", domain=domain)


def _proxies(world: World) -> dict[str, int]:
    """The docker-proxy that listens on each ``address:port`` of the host, by its pid."""
    found: dict[str, int] = {}
    for task in world.all(Task):
        if task.argv[:1] == ("docker-proxy",):
            given = dict(zip(task.argv[1::2], task.argv[2::2], strict=False))
            found[f"{given.get('-host-ip')}:{given.get('-host-port')}"] = task.id
    return found


def published(container: Record, proxies: Mapping[str, int] | None = None) -> list[str]:
    """``0.0.0.0:8080 ─▶ docker-proxy 431 ─▶ 80/tcp`` for each port of the host that leads to the
    container; ``proxies`` are the pids of those that listen.
    """

    lines: list[str] = []
    for port, hosts in sorted(container.Ports.items()):
        for one in hosts or ():
            place = f"{one['HostIp']}:{one['HostPort']}"
            pid = (proxies or {}).get(place)
            by = f" docker-proxy {pid} ─▶" if pid is not None else ""
            if ":" not in one["HostIp"]:
                lines.append(f"{place} ─▶{by} {port}")
    return lines


def endpoints(container: Record | None) -> list[Line]:
    """The networks of one container: address, gateway, names that others find it by."""
    if container is None:
        return [Line(text=_("no container yet"), domain="kernel")]
    lines: list[Line] = []
    for name, settings in container.Networks.items():
        lines.append(heading(name))
        if settings.IPAddress:
            address = f"{settings.IPAddress}  {settings.MacAddress}"
            lines.append(Line(text=address, domain=container.ID))
        if settings.Gateway:
            text = _("gateway {address}").format(address=settings.Gateway)
            lines.append(Line(text=text))
        found = [container.Name, *(settings.Aliases or ())] if name != "bridge" else []
        if found:
            names = " ".join(dict.fromkeys(found))
            text = _("found as {names}").format(names=names)
            lines.append(Line(text=text, domain=container.ID))
    ports = published(container)
    if ports:
        lines.append(heading(_("published ports")))
        lines += [Line(text=text, domain=container.ID) for text in ports]
    return lines or [Line(text=_("no network"), domain=container.ID)]
